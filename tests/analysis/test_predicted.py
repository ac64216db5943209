"""Labels from what a model or a capture says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis.predicted import Predictions, labels_of, predicted_labels
from model_monitor.errors import AnalysisError

SCORES = np.array([0.1, 0.8, 0.81])


@pytest.mark.parametrize(
    ("labels", "expected"), [(["1", "0"], [1, 0]), (["yes", '"no, never"'], ["yes", "no, never"]), (["True"], [True])]
)
def test_labels_have_the_type_that_they_look_like(labels: list[str], expected: list[Any]) -> None:
    assert labels_of(Predictions(None, labels), None, (1,), None, None).tolist() == expected


def test_scores_above_the_threshold_are_ones() -> None:
    observed = pd.Series([0, 1, 1])
    assert labels_of(Predictions(SCORES, None), observed, (1,), 0.8, None).tolist() == [0, 0, 1]
    assert labels_of(Predictions(SCORES, None), observed, (1,), None, None).tolist() == [0, 1, 1]


def test_scores_of_a_quantity_are_left_as_they_are() -> None:
    prices = pd.Series([10.5, 20.25, 30.125])
    assert labels_of(Predictions(SCORES, None), prices, (20,), None, None).tolist() == SCORES.tolist()
    assert labels_of(Predictions(SCORES, None), prices, (20,), 0.5, None).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("header", "observed", "expected"),
    [
        ("yes", ["no", "yes", "no"], ["no", "no", "yes"]),
        ("2", [1, 2, 1], [1, 1, 2]),
        ("yes", ["no", "perhaps", "yes"], ["not yes", "not yes", "yes"]),
    ],
)
def test_the_only_label_header_is_what_a_score_above_the_threshold_means(
    header: str, observed: list[Any], expected: list[Any]
) -> None:
    found = labels_of(Predictions(SCORES, None), pd.Series(observed), ("yes",), 0.8, [header])
    assert found.tolist() == expected


def test_the_class_of_the_highest_score_is_predicted() -> None:
    scores = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
    classes = ["red", "green", "blue"]
    assert labels_of(Predictions(scores, None), None, ("red",), None, classes).tolist() == ["green", "red"]


def test_a_score_above_the_threshold_is_a_1_and_one_at_it_a_0() -> None:
    scores = np.array([0.79, 0.8, 0.81])

    assert predicted_labels(scores, 0.8).tolist() == [0, 0, 1]
    assert predicted_labels(np.array([0.5, 0.6]), None).tolist() == [0, 1]
    assert predicted_labels(scores, 0.8).dtype == np.int64


def test_with_several_scores_the_highest_decides() -> None:
    scores = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])

    assert predicted_labels(scores, None).tolist() == [1, 0]
    assert predicted_labels(scores, None, ("red", "green", "blue")).tolist() == ["green", "red"]


def test_label_headers_name_each_of_several_scores() -> None:
    with pytest.raises(AnalysisError, match="names 3 labels; the model gives 2 scores per record"):
        predicted_labels(np.array([[0.2, 0.8]]), None, ["stays", "leaves", "returns"])
    assert predicted_labels(np.array([0.2, 0.8]), None, ["stays", "leaves"]).tolist() == [0, 1]
