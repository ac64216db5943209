from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
import xgboost

from local_aws.containers.xgboost_model import Model
from local_aws.containers.xgboost_server import Refused, answer, parse_csv


@pytest.fixture
def model(booster: xgboost.Booster) -> Model:
    return Model(booster, rounds=0)


def test_scores_are_printed_as_doubles_of_single_floats_on_one_line(model: Model) -> None:
    text = answer(model, b"1.5,0,0,0\n-1.5,0.5,2,1\n", "text/csv")
    scores = model.predict(np.array([[1.5, 0, 0, 0], [-1.5, 0.5, 2, 1]]))
    assert text == ",".join(repr(float(score)) for score in scores)
    assert text.count("\n") == 0


def test_parameters_of_the_content_type_do_not_matter(model: Model) -> None:
    assert answer(model, b"1,0,0,0", "Text/CSV; charset=utf-8") == answer(model, b"1,0,0,0", "text/csv")


def test_an_empty_value_is_a_missing_one() -> None:
    assert np.isnan(parse_csv(b"1,,3,4", 4)[0, 1])
    assert parse_csv(b"1, 2,3,4\r\n5,6,7,8\r\n", 4).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2,3,4\n1,2,3", "Feature size of csv inference data 3 is not consistent .* model 4 .row 2."),
        (b"1,2,3,4,5", "Feature size of csv inference data 5 is not consistent"),
        (b"1,2,3,4\n1,abc,3,4", "row 2, column 2: could not convert string to float: 'abc'"),
        (b"", "it is empty"),
        (b"\xff\xfe,2,3,4", "not UTF-8"),
    ],
)
def test_bad_rows_are_refused_by_name(body: bytes, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        parse_csv(body, 4)
    assert refused.value.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("content_type", ["application/json", None, ""])
def test_another_content_type_is_not_supported(model: Model, content_type: str | None) -> None:
    with pytest.raises(Refused, match="is not supported") as refused:
        answer(model, b"1,0,0,0", content_type)
    assert refused.value.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def test_several_classes_take_a_line_per_row(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(60, 2))
    labels = np.arange(60) % 3
    booster = xgboost.train({"objective": "multi:softprob", "num_class": 3}, xgboost.DMatrix(rows, labels), 2)
    lines = answer(Model(booster, 0), b"0,1\n1,0", "text/csv").split("\n")
    assert [len(line.split(",")) for line in lines] == [3, 3]
