"""How certain a window's bias metrics are: percentile bootstrap intervals from counts.

Resampling rows is drawing new counts from a multinomial distribution, so the cost depends on the number of groups, not
of rows. As with any bootstrap, what never occurs in the window never occurs in a resample: of a group with a handful of
rows an interval is too narrow, and a share of 0 or 1 has no width. Distances such as KS and JS are never negative, so
their intervals lie above 0 also for equal groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model_monitor.analysis import bias_metrics
from model_monitor.analysis.bias_counts import Counts, Outcomes, count
from model_monitor.analysis.flip_test import FlipCounts
from model_monitor.errors import AnalysisError


@dataclass(frozen=True)
class Interval:
    """Where a value lies with the confidence asked for; either end can be infinite."""

    low: float
    high: float

    def outside(self, limit: float) -> bool:
        """Whether nothing of it lies in [-limit, limit]."""
        return self.low > limit or self.high < -limit


def bias_intervals(
    counts: Counts, methods: Sequence[str], *, confidence: float, resamples: int, seed: int
) -> dict[str, Interval]:
    """The intervals of those `methods` that are functions of counts, of one row at least; FT has `flip_interval`.

    Rows are resampled over group, label and prediction, and over the group variable's values where there is one.
    Resamples of which a metric cannot be computed are left out of its interval. A metric has none if more than half of
    them are, or if it cannot be computed of `counts`.
    """
    functions = {**bias_metrics.PRE_TRAINING, **bias_metrics.POST_TRAINING}
    computable = [name for name in methods if name in functions and _computed(functions[name], counts) is not None]
    values: dict[str, list[float]] = {name: [] for name in computable}
    for drawn in _resampled(counts, resamples, np.random.default_rng(seed)):
        for name, found in values.items():
            value = _computed(functions[name], drawn)
            if value is not None:
                found.append(value)
    return {
        name: percentile_interval(np.array(found), confidence)
        for name, found in values.items()
        if 2 * len(found) >= resamples
    }


def flip_interval(flips: FlipCounts, *, confidence: float, resamples: int, seed: int) -> Interval:
    """The flip test's interval.

    The rows of the disadvantaged group are resampled; their neighbours in the other group stay what they are.

    Raises:
        AnalysisError: when the disadvantaged group is empty.
    """
    if flips.size == 0:
        raise AnalysisError("Facet set is empty")
    cells = np.array([flips.favoured, flips.disfavoured, flips.size - flips.favoured - flips.disfavoured])
    drawn = np.random.default_rng(seed).multinomial(flips.size, cells / flips.size, size=resamples)
    return percentile_interval((drawn[:, 0] - drawn[:, 1]) / flips.size, confidence)


def percentile_interval(values: np.ndarray, confidence: float) -> Interval:
    """From one to the other of the two resampled values (r,) that cut off equal tails.

    Its ends are values that occur: between a finite and an infinite one there is nothing to interpolate.
    """
    ordered = np.sort(values)
    cut = int((1 - confidence) / 2 * (len(ordered) - 1))
    return Interval(float(ordered[cut]), float(ordered[-1 - cut]))


def _computed(metric: Callable[[Counts], float], counts: Counts) -> float | None:
    try:
        return metric(counts)
    except AnalysisError:
        return None


def _resampled(counts: Counts, resamples: int, random: np.random.Generator) -> Iterator[Counts]:
    """Counts of as many rows, drawn one after the other, as a group variable can have many values."""
    table = np.array([_cells(counts.advantaged), _cells(counts.disadvantaged)])
    subgroups = np.empty((0, 2, 2, 2), dtype=int) if counts.subgroups is None else counts.subgroups
    in_no_subgroup = table - subgroups.sum(axis=0)
    cells = np.concatenate([in_no_subgroup[None], subgroups])
    shares = cells.ravel() / counts.size
    subgroup, *flags = np.indices(cells.shape).reshape(cells.ndim, -1)
    disadvantaged, label, predicted = (flag == 1 for flag in flags)
    for _ in range(resamples):
        drawn = random.multinomial(counts.size, shares)
        yield count(disadvantaged, label, predicted, None if counts.subgroups is None else subgroup - 1, drawn)


def _cells(outcomes: Outcomes) -> list[list[int]]:
    """Rows by label positive and predicted positive, as `Counts.subgroups` has them."""
    return [
        [outcomes.true_negatives, outcomes.false_positives],
        [outcomes.false_negatives, outcomes.true_positives],
    ]
