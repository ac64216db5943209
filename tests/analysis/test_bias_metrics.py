"""The metrics against published results, and against results worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model_monitor.analysis import bias_metrics
from model_monitor.analysis.bias_counts import Counts, Outcomes, count
from model_monitor.errors import AnalysisError


def outcomes(size: int, positives: int, predicted_positives: int, true_positives: int) -> Outcomes:
    return Outcomes(
        true_positives=true_positives,
        false_positives=predicted_positives - true_positives,
        false_negatives=positives - true_positives,
        true_negatives=size - positives - predicted_positives + true_positives,
    )


ADULT = Counts(advantaged=outcomes(224, 162, 49, 32), disadvantaged=outcomes(110, 80, 2, 2))
"""AWS's example on the Adult census data, bias drift of a linear learner: facet Sex, random ground truth."""

ADULT_BASELINE = Counts(advantaged=outcomes(456, 143, 122, 86), disadvantaged=outcomes(210, 17, 10, 8))
"""Its baseline: the only counts of 666 rows that give the published numbers."""

PUBLISHED_BASELINE = {
    "AD": -0.15156641604010024,
    "DAR": -0.09508196721311479,
    "DCA": -0.5278688524590163,
    "DCR": 0.027874251497005953,
    "DI": 0.17798594847775176,
    "DPPL": 0.2199248120300752,
    "DRR": 0.12565868263473054,
    "GE": 0.0841186702174704,
    "RD": 0.1308103661044837,
    "SD": 0.10465328014037645,
    "TE": 2.916666666666667,
    "CI": 0.36936936936936937,
    "DPL": 0.2326441102756892,
    "JS": 0.04508199943437752,
    "KL": 0.22434464102537785,
    "KS": 0.2326441102756892,
    "LP": 0.32900845595810163,
    "TVD": 0.2326441102756892,
}

PUBLISHED_EXECUTION = {
    "DAR": -0.34693877551020413,
    "DCA": -36.69387755102041,
    "DCR": -0.07650793650793647,
    "GE": 0.9454985573866702,
    "RD": 0.17253086419753086,
    "SD": 0.27419354838709675,
}


@pytest.mark.parametrize("name", PUBLISHED_BASELINE)
def test_published_baseline(name: str) -> None:
    metric = {**bias_metrics.PRE_TRAINING, **bias_metrics.POST_TRAINING}[name]
    assert metric(ADULT_BASELINE) == pytest.approx(PUBLISHED_BASELINE[name], rel=1e-12)


@pytest.mark.parametrize("name", PUBLISHED_EXECUTION)
def test_published_execution(name: str) -> None:
    assert bias_metrics.POST_TRAINING[name](ADULT) == pytest.approx(PUBLISHED_EXECUTION[name], rel=1e-12)


def test_published_treatment_equality_is_infinite_for_lack_of_false_positives() -> None:
    assert ADULT.disadvantaged.false_positives == 0
    assert bias_metrics.POST_TRAINING["TE"](ADULT) == math.inf


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AD", (32 + 45) / 224 - (2 + 30) / 110),
        ("DI", (2 / 110) / (49 / 224)),
        ("DPPL", 49 / 224 - 2 / 110),
        ("DRR", 30 / 108 - 45 / 175),
    ],
)
def test_what_was_not_flagged_and_so_not_published(name: str, expected: float) -> None:
    assert bias_metrics.POST_TRAINING[name](ADULT) == pytest.approx(expected, rel=1e-12)


def test_an_outcome_that_one_group_lacks_is_left_out_of_the_distances() -> None:
    counts = Counts(advantaged=outcomes(10, 4, 0, 0), disadvantaged=outcomes(5, 0, 0, 0))
    assert bias_metrics.PRE_TRAINING["KL"](counts) == pytest.approx(0.6 * math.log(0.6))
    assert bias_metrics.PRE_TRAINING["TVD"](counts) == pytest.approx(0.2)


def test_groups_without_a_common_outcome_have_no_distance() -> None:
    counts = Counts(advantaged=outcomes(10, 10, 0, 0), disadvantaged=outcomes(5, 0, 0, 0))
    with pytest.raises(AnalysisError, match="No instance of common facet found, dataset may be too small"):
        bias_metrics.PRE_TRAINING["KL"](counts)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CI", "CI: facet set is empty. Check that x[facet] has non-zero length."),
        ("DPL", "Facet set is empty."),
        ("JS", "No instance of common facet found, dataset may be too small"),
        ("AD", "Facet set is empty"),
        ("DAR", "DLR: Facet set is empty"),
        ("DCA", "DCO: Facet set is empty"),
        ("DI", "Facet set is empty"),
        ("RD", "DLA: Facet set is empty"),
        ("CDDPL", "Group variable is empty or not provided"),
    ],
)
def test_an_empty_group_is_named(name: str, message: str) -> None:
    counts = Counts(advantaged=outcomes(10, 4, 4, 3), disadvantaged=outcomes(0, 0, 0, 0))
    with pytest.raises(AnalysisError) as error:
        {**bias_metrics.PRE_TRAINING, **bias_metrics.POST_TRAINING}[name](counts)
    assert str(error.value) == message


def test_ratios_without_a_denominator() -> None:
    """0/0 is 0, x/0 infinite, and the difference of two infinities 0."""
    nobody_positive = Counts(advantaged=outcomes(10, 4, 0, 0), disadvantaged=outcomes(5, 2, 0, 0))
    assert bias_metrics.POST_TRAINING["DCA"](nobody_positive) == 0.0
    assert bias_metrics.POST_TRAINING["TE"](nobody_positive) == 0.0
    assert bias_metrics.POST_TRAINING["DI"](nobody_positive) == 0.0
    only_disadvantaged = Counts(advantaged=outcomes(10, 4, 0, 0), disadvantaged=outcomes(5, 2, 2, 2))
    assert bias_metrics.POST_TRAINING["DI"](only_disadvantaged) == math.inf
    assert bias_metrics.POST_TRAINING["DCA"](only_disadvantaged) == math.inf
    only_advantaged = Counts(advantaged=outcomes(10, 4, 2, 2), disadvantaged=outcomes(5, 2, 0, 0))
    assert bias_metrics.POST_TRAINING["DCA"](only_advantaged) == -math.inf


def test_entropy_of_false_negatives_alone_is_undefined() -> None:
    counts = Counts(advantaged=outcomes(3, 3, 0, 0), disadvantaged=outcomes(2, 2, 0, 0))
    with pytest.raises(AnalysisError, match="All predicted labels are false negatives"):
        bias_metrics.POST_TRAINING["GE"](counts)


def test_conditional_disparity_weighs_subgroups_by_size() -> None:
    """Two departments: in the first all rejected are disadvantaged and no accepted, in the second half of both."""
    disadvantaged = np.array([1, 1, 0, 0, 1, 0, 1, 0, 1, 0], dtype=bool)
    accepted = np.array([0, 0, 1, 1, 0, 0, 1, 1, 1, 1], dtype=bool)
    department = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    counts = count(disadvantaged, accepted, accepted, department)
    assert bias_metrics.PRE_TRAINING["CDDL"](counts) == pytest.approx((4 * (1 - 0) + 6 * (0.5 - 0.5)) / 10)
    assert bias_metrics.POST_TRAINING["CDDPL"](counts) == bias_metrics.PRE_TRAINING["CDDL"](counts)


def test_counting_tells_groups_labels_and_predictions_apart() -> None:
    disadvantaged = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1], dtype=bool)
    label = np.array([0, 0, 1, 1, 0, 0, 1, 1, 1], dtype=bool)
    predicted = np.array([0, 1, 0, 1, 0, 1, 0, 1, 1], dtype=bool)
    counts = count(disadvantaged, label, predicted)
    assert counts.advantaged == Outcomes(1, 1, 1, 1)
    assert counts.disadvantaged == Outcomes(2, 1, 1, 1)
    assert counts.disadvantaged.positives == 3
    assert counts.disadvantaged.predicted_negatives == 2
    assert counts.size == 9


def test_rows_without_a_group_value_belong_to_no_subgroup() -> None:
    counts = count(np.array([True, False]), np.array([True, False]), None, np.array([-1, 0]))
    assert counts.subgroups is not None
    assert counts.subgroups.tolist() == [[[[1, 0], [0, 0]], [[0, 0], [0, 0]]]]
    assert counts.size == 2


def test_every_metric_has_a_description() -> None:
    assert set(bias_metrics.DESCRIPTIONS) == {*bias_metrics.PRE_TRAINING, *bias_metrics.POST_TRAINING, "FT"}
