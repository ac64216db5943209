from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
import xgboost

from local_aws.containers.model_server import CannotServe, Refused, Request
from local_aws.containers.xgboost_model import Model
from local_aws.containers.xgboost_server import XGBoost, load


@pytest.fixture
def model(booster: xgboost.Booster) -> XGBoost:
    return XGBoost(Model(booster, rounds=0))


def scores_of(model: XGBoost, body: bytes, content_type: str | None) -> str:
    return model.answer(Request(body, content_type, None)).body.decode()


def test_scores_are_printed_as_doubles_of_single_floats_on_one_line(model: XGBoost, booster: xgboost.Booster) -> None:
    text = scores_of(model, b"1.5,0,0,0\n-1.5,0.5,2,1\n", "text/csv")
    scores = booster.predict(xgboost.DMatrix(np.array([[1.5, 0, 0, 0], [-1.5, 0.5, 2, 1]])))
    assert text == ",".join(repr(float(score)) for score in scores)
    assert text.count("\n") == 0


def test_parameters_of_the_content_type_do_not_matter(model: XGBoost) -> None:
    assert scores_of(model, b"1,0,0,0", "Text/CSV; charset=utf-8") == scores_of(model, b"1,0,0,0", "text/csv")


@pytest.mark.parametrize("content_type", ["text/libsvm", "text/x-libsvm"])
def test_libsvm_gives_the_same_scores_as_csv(model: XGBoost, content_type: str) -> None:
    csv = scores_of(model, b"1.5,,0,0\n-1.5,0.5,2,1\n", "text/csv")
    assert scores_of(model, b"0 0:1.5 2:0 3:0\n1 0:-1.5 1:0.5 2:2 3:1\n", content_type) == csv


@pytest.mark.parametrize("content_type", ["application/json", None, ""])
def test_another_content_type_is_not_supported(model: XGBoost, content_type: str | None) -> None:
    with pytest.raises(Refused, match="is not supported; send text/csv, text/libsvm, text/x-libsvm") as refused:
        scores_of(model, b"1,0,0,0", content_type)
    assert refused.value.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def test_several_classes_take_a_line_per_row() -> None:
    rows = np.random.default_rng(1).normal(size=(60, 2))
    labels = np.arange(60) % 3
    booster = xgboost.train({"objective": "multi:softprob", "num_class": 3}, xgboost.DMatrix(rows, labels), 2)
    lines = scores_of(XGBoost(Model(booster, 0)), b"0,1\n1,0", "text/csv").split("\n")
    assert [len(line.split(",")) for line in lines] == [3, 3]


def test_a_folder_without_a_model_cannot_be_served(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="holds no file xgboost-model; it holds: nothing"):
        load(tmp_path)
