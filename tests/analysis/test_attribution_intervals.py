"""Intervals of the NDCG against records that are really drawn again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model_monitor.analysis.attribution_intervals import ndcg_intervals, resampled_of
from model_monitor.analysis.drift import attribution_ndcg, ndcg
from model_monitor.analysis.uncertainty import Interval
from model_monitor.errors import AnalysisError

FEATURES = ["a", "b", "c", "d"]
AGGREGATES = {
    "mean_abs": lambda values: np.abs(values).mean(axis=0),
    "mean_sq": lambda values: np.square(values).mean(axis=0),
    "median": lambda values: np.median(values, axis=0),
}


def local_values(records: int, outputs: int = 2, seed: int = 5) -> np.ndarray:
    """Four features of nearly the same importance, so that their order is uncertain."""
    scale = np.array([1.0, 0.95, 0.9, 0.4])[None, :, None]
    return np.random.default_rng(seed).normal(0.2, 1.0, (records, len(FEATURES), outputs)) * scale


def explained(values: np.ndarray, *labels: str) -> dict[str, Any]:
    """An analysis with the global values (f, outputs)."""
    return {
        "explanations": {
            "kernel_shap": {
                label: {"global_shap_values": dict(zip(FEATURES, values[:, k].tolist())), "expected_value": 0.0}
                for k, label in enumerate(labels)
            }
        }
    }


def resampled(values: np.ndarray, agg_method: str, resamples: int = 1000, seed: int = 1) -> np.ndarray:
    return resampled_of([values], agg_method, resamples=resamples, seed=seed)


@pytest.mark.parametrize("agg_method", ["mean_abs", "mean_sq", "median"])
def test_weighting_records_is_drawing_them_again(agg_method: str) -> None:
    values, overall = local_values(150), AGGREGATES[agg_method]
    random = np.random.default_rng(77)
    drawn = np.array([overall(values[random.integers(0, 150, 150)]) for _ in range(2000)])

    found = resampled(values, agg_method)

    assert found.shape == (1000, 4, 2)
    width = drawn.std(axis=0).max()
    assert found.mean(axis=0) == pytest.approx(drawn.mean(axis=0), abs=0.15 * width)
    assert found.std(axis=0) == pytest.approx(drawn.std(axis=0), rel=0.15)


@pytest.mark.parametrize("records", [1, 2, 7, 40])
def test_medians_are_those_of_repeated_records(records: int) -> None:
    values = local_values(records).round(1)
    random = np.random.default_rng(1)
    weights = [random.poisson(1.0, records) for _ in range(50)]
    repeated = [np.median(values.repeat(weight, axis=0), axis=0) for weight in weights if weight.sum()]

    assert np.array_equal(resampled(values, "median", resamples=50), repeated)


@pytest.mark.parametrize("agg_method", ["mean_abs", "mean_sq", "median"])
def test_records_are_drawn_alike_however_they_are_split(agg_method: str) -> None:
    values = local_values(60)
    parts = iter(np.split(values, [25, 25, 59]))
    assert resampled_of(parts, agg_method, resamples=40, seed=1) == pytest.approx(resampled(values, agg_method, 40))


def test_many_records_are_resampled_one_as_the_other() -> None:
    """More than are weighted at once."""
    values = local_values(3000)
    found = resampled(values, "mean_abs")
    assert found.mean(axis=0) == pytest.approx(np.abs(values).mean(axis=0), abs=0.002)
    assert found.std(axis=0) == pytest.approx(np.abs(values).std(axis=0) / 3000**0.5, rel=0.15)


@pytest.mark.parametrize("agg_method", ["mean_abs", "median"])
def test_a_resample_without_records_is_left_out(agg_method: str) -> None:
    """A single record is missing from every third resample."""
    values = np.abs(local_values(1))
    found = resampled(values, agg_method, resamples=300)
    assert 0.5 < len(found) / 300 < 0.75
    assert found == pytest.approx(np.broadcast_to(values, found.shape))


@pytest.mark.parametrize("agg_method", ["mean_abs", "median"])
def test_the_interval_cuts_off_5_percent_of_the_scores_of_records_drawn_again(agg_method: str) -> None:
    """Scores are few, one for each order of features: each end is one on which the twentieth part falls."""
    values, overall = local_values(100), AGGREGATES[agg_method]
    baseline = explained(np.array([[0.1, 0.9], [0.5, 0.3], [0.9, 0.2], [0.3, 0.1]]), "no", "yes")
    random = np.random.default_rng(88)
    drawn = [overall(values[random.integers(0, 100, 100)]) for _ in range(2000)]

    found = ndcg_intervals(
        resampled(values, agg_method), explained(overall(values), "no", "yes"), baseline, confidence=0.9
    )

    for k, label in enumerate(["no", "yes"]):
        gains = list(baseline["explanations"]["kernel_shap"][label]["global_shap_values"].values())
        scores = np.array([ndcg(gains, values[:, k]) for values in drawn])
        assert np.mean(scores < found[label].low) < 0.07
        assert np.mean(scores <= found[label].low) > 0.03
        assert np.mean(scores > found[label].high) < 0.07
        assert np.mean(scores >= found[label].high) > 0.03


def test_features_are_matched_by_name() -> None:
    live = explained(np.array([[4.0], [3.0], [2.0], [1.0]]), "label0")
    values = live["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    baseline = {
        "explanations": {"kernel_shap": {"label0": {"global_shap_values": dict(reversed(list(values.items())))}}}
    }
    aggregates = np.array([[[4.0], [3.0], [2.0], [1.0]]])

    assert attribution_ndcg(live, baseline) == {"label0": 1.0}
    assert ndcg_intervals(aggregates, live, baseline, confidence=0.95) == {"label0": Interval(1.0, 1.0)}


def test_a_label_that_the_baseline_lacks_has_no_interval() -> None:
    values = np.ones((4, 2))
    found = ndcg_intervals(values[None], explained(values, "no", "yes"), explained(values, "yes"), confidence=0.95)
    assert set(found) == {"yes"}


@pytest.mark.parametrize("shape", [(0, 4, 1), (10, 3, 1), (10, 4, 2)])
def test_resamples_of_something_else_are_refused(shape: tuple[int, ...]) -> None:
    analysis = explained(np.ones((4, 1)), "label0")
    with pytest.raises(AnalysisError, match=r"have the shape \(\d+, \d, \d\); expected resamples, and the features"):
        ndcg_intervals(np.ones(shape), analysis, analysis, confidence=0.95)


def test_the_seed_decides() -> None:
    values = local_values(50)
    one, again, other = (resampled(values, "mean_sq", 20, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
