from __future__ import annotations

import base64
import copyreg
import io
import json
import os
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from local_aws.containers.xgboost_model import BadModel, load

# That these formats are old is why they are tested.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*deprecated binary model format.*:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*Loading model from XGBoost < 1.0.0.*:UserWarning"),
]

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
ROWS = np.array([[1.5, 0, 0, 0], [-1.5, 0.5, 2, 1]])


def saved(folder: Path, content: bytes) -> Path:
    (folder / "xgboost-model").write_bytes(content)
    return folder


@pytest.mark.parametrize("format_", ["json", "ubj", "deprecated"])
def test_every_format_gives_the_same_scores(tmp_path: Path, booster: xgboost.Booster, format_: str) -> None:
    model = load(saved(tmp_path, bytes(booster.save_raw(format_))))
    assert model.features == 4
    assert model.predict(ROWS).tolist() == booster.predict(xgboost.DMatrix(ROWS)).tolist()


@pytest.mark.parametrize("form", ["pickled_booster", "saved_model"])
def test_files_that_xgboost_0_90_itself_wrote_give_its_scores(tmp_path: Path, form: str) -> None:
    """Training stopped early, so that only the first rounds count."""
    written = json.loads((GOLDEN / "xgboost-0.90.json").read_text())
    model = load(saved(tmp_path, base64.b64decode(written[form])))
    assert model.rounds == written["rounds_used"]
    np.testing.assert_allclose(model.predict(np.array(written["rows"])), written["scores"], rtol=1e-6)


def old_pickle(state: dict[str, Any], protocol: int = 3) -> bytes:
    """What `pickle.dump` wrote where `xgboost.core.Booster` keeps its state as XGBoost 0.90 did."""

    class Booster:
        def __init__(self, state: dict[str, Any]) -> None:
            self.__dict__.update(state)

    Booster.__module__, Booster.__qualname__ = "xgboost.core", "Booster"
    stand_in = types.ModuleType("xgboost.core")
    stand_in.Booster = Booster  # type: ignore[attr-defined]
    real = sys.modules["xgboost.core"]
    sys.modules["xgboost.core"] = stand_in
    try:
        return pickle.dumps(Booster(state), protocol=protocol)
    finally:
        sys.modules["xgboost.core"] = real


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_pickled_booster_of_the_old_version_is_read(tmp_path: Path, booster: xgboost.Booster, protocol: int) -> None:
    handle = bytearray(booster.save_raw("deprecated"))
    state = {"handle": handle, "feature_names": None, "feature_types": None, "best_ntree_limit": 3}
    model = load(saved(tmp_path, old_pickle(state, protocol)))
    expected = booster.predict(xgboost.DMatrix(ROWS), iteration_range=(0, 3))
    assert model.predict(ROWS).tolist() == expected.tolist()
    assert expected.tolist() != booster.predict(xgboost.DMatrix(ROWS)).tolist()


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/should-not-exist",)


class Reconstructed:
    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (Evil,)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pickle.dumps(Evil()), "it asks for posix.system"),
        (pickle.dumps({"handle": b"x"}), "not one of an XGBoost Booster"),
        (old_pickle({"handle": Evil()}), "it asks for posix.system"),
        (old_pickle({"no handle": 1}), "not one of an XGBoost Booster"),
        (pickle.dumps(np.zeros(3)), "it asks for numpy"),
        (b"\x80\x03broken", "is a pickle"),
    ],
)
def test_a_pickle_of_anything_else_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(BadModel, match=reason):
        load(saved(tmp_path, content))


def test_a_byte_array_cannot_be_blown_up(tmp_path: Path) -> None:
    stream = io.BytesIO()
    stream.write(b"\x80\x03cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.")
    with pytest.raises(BadModel, match="something other than bytes"):
        load(saved(tmp_path, stream.getvalue()))


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="cannot read xgboost-model"):
        load(saved(tmp_path, b"{nonsense"))


def test_an_archive_without_model_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(b"")
    with pytest.raises(BadModel, match=r"no file xgboost-model; it holds: model\.joblib"):
        load(tmp_path)


def test_early_stopping_is_honoured(tmp_path: Path, booster: xgboost.Booster) -> None:
    stopped = booster.copy()
    stopped.set_attr(best_iteration="1")
    model = load(saved(tmp_path, bytes(stopped.save_raw("json"))))
    expected = booster.predict(xgboost.DMatrix(ROWS), iteration_range=(0, 2))
    assert model.predict(ROWS).tolist() == expected.tolist()
