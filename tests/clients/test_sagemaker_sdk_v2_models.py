"""SageMaker's SDK v2 deploys models with inference scripts: script mode of scikit-learn and of XGBoost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from tests.clients.environment import seen_by
from tests.running_aws import Running, tar_gz

SCRIPT = Path(__file__).with_name("sagemaker_sdk_v2_models.py")
SKLEARN = """
import json, os
import numpy as np

def model_fn(model_dir):
    with open(os.path.join(model_dir, "weights.json")) as file:
        return np.array(json.load(file))

def predict_fn(rows, weights):
    return rows @ weights + float(os.environ["OFFSET"])
"""
XGBOOST = """
import os
import xgboost

def model_fn(model_dir):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(model_dir, "xgboost-model"))
    return booster

def predict_fn(rows, booster):
    return 1 - booster.predict(rows)
"""


@pytest.fixture(scope="module")
def seen(
    local_aws: Running, oracle_python: Path, tmp_path_factory: pytest.TempPathFactory, model_archive: bytes
) -> dict[str, Any]:
    """What the deployed models answered."""
    folder = tmp_path_factory.mktemp("models")
    files = {
        "weights/model.tar.gz": tar_gz({"weights.json": b"[1, 100]"}),
        "booster/model.tar.gz": model_archive,
        "sklearn/inference.py": SKLEARN.encode(),
        "xgboost/inference.py": XGBOOST.encode(),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return seen_by([str(oracle_python), str(SCRIPT), local_aws.url, str(folder)], local_aws.url)


def test_scikit_learn_answers_arrays_and_json_by_its_script(seen: dict[str, Any]) -> None:
    assert seen["sklearn"]["arrays"] == [211.0, 413.0]
    assert seen["sklearn"]["json"] == [615.0]


def test_xgboost_answers_libsvm_rows_by_its_script(seen: dict[str, Any], booster: xgboost.Booster) -> None:
    rows = np.array([[1.0, 2.0, 3.0, 4.0], [-1.0, 0.0, 0.0, 0.0]])
    expected = 1 - booster.predict(xgboost.DMatrix(rows))
    answered = np.array(seen["xgboost"]["rows"], dtype=float).ravel()
    np.testing.assert_allclose(answered, expected, atol=1e-6)


def test_every_answer_was_as_the_clients_own_service_model_has_it(seen: dict[str, Any]) -> None:
    assert seen["complaints"] == []
