"""Bootstrap intervals of bias metrics against resampled rows, a closed form, and truths that are known."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis.bias_counts import Counts, Outcomes, count
from model_monitor.analysis.bias_metrics import POST_TRAINING, PRE_TRAINING
from model_monitor.analysis.flip_test import FlipCounts
from model_monitor.analysis.uncertainty import Interval, bias_intervals, flip_interval, percentile_interval
from model_monitor.errors import AnalysisError

ALL = [*PRE_TRAINING, *POST_TRAINING]


def outcomes(*, size: int, positives: int, predicted: int, hits: int) -> Outcomes:
    return Outcomes(hits, predicted - hits, positives - hits, size - positives - predicted + hits)


ADULT = Counts(
    outcomes(size=224, positives=162, predicted=49, hits=32), outcomes(size=110, positives=80, predicted=2, hits=2)
)


def intervals(
    counts: Counts, *methods: str, confidence: float = 0.95, resamples: int = 1000, seed: int = 1
) -> dict[str, Interval]:
    return bias_intervals(counts, methods, confidence=confidence, resamples=resamples, seed=seed)


def window(seed: int, rows: int) -> pd.DataFrame:
    """Rows whose groups differ in labels and predictions; some have no value of the group variable."""
    random = np.random.default_rng(seed)
    disadvantaged = random.random(rows) < 0.4
    label = random.random(rows) < np.where(disadvantaged, 0.3, 0.5)
    predicted = random.random(rows) < np.where(label, 0.7, 0.2)
    subgroup = random.choice([-1, 0, 1, 2], rows, p=[0.1, 0.4, 0.3, 0.2])
    return pd.DataFrame({"d": disadvantaged, "label": label, "predicted": predicted, "subgroup": subgroup})


def counted(rows: pd.DataFrame) -> Counts:
    return count(*(rows[name].to_numpy() for name in ("d", "label", "predicted", "subgroup")))


def test_the_published_adult_run_is_less_certain_than_its_violations() -> None:
    """Clarify's rule flagged DCR and RD, whose baselines are 0.0279 and 0.131."""
    found = intervals(ADULT, "DCR", "RD")
    assert (found["DCR"].low, found["DCR"].high) == pytest.approx((-0.19, 0.04), abs=0.01)
    assert (found["RD"].low, found["RD"].high) == pytest.approx((0.10, 0.24), abs=0.01)
    assert not found["DCR"].outside(0.0279)
    assert not found["RD"].outside(0.131)


def row_bootstrap(rows: pd.DataFrame, metric: Callable[[pd.DataFrame], float], quantiles: list[float]) -> np.ndarray:
    random = np.random.default_rng(99)
    values = [metric(rows.iloc[random.integers(0, len(rows), len(rows))]) for _ in range(1000)]
    return np.quantile(values, quantiles)


def positive_proportions(rows: pd.DataFrame) -> float:
    shares = rows.groupby("d")["label"].mean()
    return float(shares[False] - shares[True])


def recall(rows: pd.DataFrame) -> float:
    shares = rows[rows["label"]].groupby("d")["predicted"].mean()
    return float(shares[False] - shares[True])


def disparity(rows: pd.DataFrame) -> float:
    """CDDL, subgroup by subgroup."""
    known = rows[rows["subgroup"] >= 0]
    parts = [
        len(part) * (part.loc[~part["label"], "d"].mean() - part.loc[part["label"], "d"].mean())
        for _, part in known.groupby("subgroup")
    ]
    return sum(parts) / len(known)


@pytest.mark.parametrize(("name", "metric"), [("DPL", positive_proportions), ("RD", recall), ("CDDL", disparity)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_counts_resampled_are_rows_resampled(
    name: str, metric: Callable[[pd.DataFrame], float], confidence: float
) -> None:
    rows = window(seed=3, rows=400)
    expected = row_bootstrap(rows, metric, [(1 - confidence) / 2, (1 + confidence) / 2])

    found = intervals(counted(rows), name, confidence=confidence)[name]

    assert [found.low, found.high] == pytest.approx(expected, abs=0.02)


def test_a_difference_of_proportions_has_its_textbook_interval() -> None:
    a, d = ADULT.advantaged, ADULT.disadvantaged
    q_a, q_d = a.positives / a.size, d.positives / d.size
    half = 1.96 * math.sqrt(q_a * (1 - q_a) / a.size + q_d * (1 - q_d) / d.size)

    found = intervals(ADULT, "DPL", resamples=4000)["DPL"]

    assert (found.low, found.high) == pytest.approx((q_a - q_d - half, q_a - q_d + half), abs=0.01)


def test_19_of_20_intervals_hold_the_truth() -> None:
    windows = [counted(window(seed, rows=300)) for seed in range(300)]
    found = [intervals(one, "DPL", resamples=300, seed=seed)["DPL"] for seed, one in enumerate(windows)]
    assert 0.92 <= np.mean([one.low <= 0.5 - 0.3 <= one.high for one in found]) <= 0.98


def test_a_metric_that_is_infinite_in_some_resamples_has_an_infinite_end() -> None:
    """Two of 110 predictions are positive: about every seventh resample has none."""
    found = intervals(ADULT, "DCA", "TE")
    assert found["DCA"].low == -math.inf
    assert math.isfinite(found["DCA"].high)
    assert found["TE"] == Interval(math.inf, math.inf)


def test_a_metric_that_cannot_be_computed_has_no_interval() -> None:
    assert set(intervals(ADULT, *ALL)) == set(ALL) - {"CDDL", "CDDPL"}


def test_resamples_of_which_a_metric_cannot_be_computed_are_left_out() -> None:
    """Of a single row of the disadvantaged group a good third of the resamples have none; those with it are enough."""
    alone = Counts(Outcomes(20, 20, 20, 20), Outcomes(1, 0, 0, 0))
    assert intervals(alone, "DPL")["DPL"].high < 0


def test_a_metric_that_most_resamples_lack_has_no_interval() -> None:
    """The two groups share an outcome only in resamples that draw both of two rows, less than half of all."""
    few = Counts(Outcomes(1, 0, 0, 40), Outcomes(1, 0, 0, 0))
    few_common = intervals(few, "KS", "CI")
    assert set(few_common) == {"CI"}


def test_the_seed_decides() -> None:
    assert intervals(ADULT, *ALL) == intervals(ADULT, *ALL)
    assert intervals(ADULT, "DPL", seed=2) != intervals(ADULT, "DPL")


def test_the_cost_does_not_depend_on_the_number_of_rows() -> None:
    """A second is many times what it takes here, and a fraction of what resampling 300 million rows would."""
    started = time.process_time()
    found = intervals(Counts(Outcomes(*[50_000_000] * 4), Outcomes(*[25_000_000] * 4)), *ALL)
    assert time.process_time() - started < 1
    assert found["CI"].high - found["CI"].low < 1e-3


def test_the_flip_test_is_resampled_over_the_disadvantaged_rows() -> None:
    """A row counts +1, -1 or 0: the textbook interval of a mean."""
    rows = np.repeat([1, -1, 0], [30, 50, 120])
    half = 1.96 * rows.std() / math.sqrt(len(rows))

    found = flip_interval(FlipCounts(30, 50, 200), confidence=0.95, resamples=4000, seed=1)

    assert (found.low, found.high) == pytest.approx((rows.mean() - half, rows.mean() + half), abs=0.01)
    assert found == flip_interval(FlipCounts(30, 50, 200), confidence=0.95, resamples=4000, seed=1)


def test_without_disadvantaged_rows_there_is_nothing_to_flip() -> None:
    with pytest.raises(AnalysisError, match="Facet set is empty"):
        flip_interval(FlipCounts(0, 0, 0), confidence=0.95, resamples=100, seed=1)


def test_ends_are_values_that_occur() -> None:
    values = np.array([math.inf, *range(98), -math.inf])
    assert percentile_interval(values, 0.95) == Interval(1, 96)
    assert percentile_interval(values, 0.999) == Interval(-math.inf, math.inf)
    assert percentile_interval(np.array([2.5]), 0.95) == Interval(2.5, 2.5)


@pytest.mark.parametrize(
    ("low", "high", "outside"),
    [(0.21, 0.4, True), (-0.4, -0.21, True), (0.2, 0.4, False), (-0.1, 0.4, False), (-0.4, 0.4, False)],
)
def test_outside_means_no_common_value(low: float, high: float, outside: bool) -> None:
    assert Interval(low, high).outside(0.2) is outside
