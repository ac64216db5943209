"""The example model is good enough to be monitored, and its archive is what an XGBoost container expects."""

from __future__ import annotations

import tarfile

import numpy as np
import pandas as pd
import pytest
import xgboost

from demo import data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("example")
    data.write(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder) -> xgboost.Booster:
    with tarfile.open(folder / "model.tar.gz") as archive:
        assert archive.getnames() == ["xgboost-model"]
        content = archive.extractfile("xgboost-model")
        assert content is not None
        return xgboost.Booster(model_file=bytearray(content.read()))


@pytest.fixture(scope="module")
def validation(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "validation-dataset-with-header.csv")


def scores(model: xgboost.Booster, inputs: pd.DataFrame) -> np.ndarray:
    return model.predict(xgboost.DMatrix(inputs.to_numpy(dtype=float)))


def test_it_tells_churners_from_others(model: xgboost.Booster, validation: pd.DataFrame) -> None:
    answer = scores(model, validation.drop(columns="Churn"))
    churned = validation["Churn"].to_numpy() == 1
    pairs = answer[churned][:, None] - answer[~churned][None, :]
    area_under_curve = (pairs > 0).mean() + (pairs == 0).mean() / 2
    assert area_under_curve > 0.9


def test_both_groups_have_every_kind_of_outcome(model: xgboost.Booster, validation: pd.DataFrame) -> None:
    """At the configured threshold, so that no bias metric of the baseline is infinite or undefined."""
    predicted = scores(model, validation.drop(columns="Churn")) > 0.8
    churned = validation["Churn"].to_numpy() == 1
    long_standing = validation["Account Length"].to_numpy() > 100
    for group in (long_standing, ~long_standing):
        for positive in (True, False):
            for truth in (True, False):
                assert ((predicted == positive) & (churned == truth) & group).any()


def test_live_traffic_has_positive_predictions_in_both_groups(model: xgboost.Booster, folder) -> None:
    inputs = pd.read_csv(folder / "test-dataset-input-cols.csv", header=None)
    positive = scores(model, inputs) > 0.8
    long_standing = inputs[0].to_numpy() > 100
    assert (positive & long_standing).sum() >= 5
    assert (positive & ~long_standing).sum() >= 5
