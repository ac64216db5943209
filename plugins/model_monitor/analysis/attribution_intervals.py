"""How certain the order of feature attributions is: records resampled, aggregated, ranked against the baseline.

Each record has the weight with which it occurs in a resample, a draw from a Poisson distribution of mean 1. Records are
weighted independently of each other, so they can be resampled as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from model_monitor.analysis.drift import global_values, ndcg
from model_monitor.analysis.uncertainty import Interval, percentile_interval
from model_monitor.errors import AnalysisError

_TERMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"mean_abs": np.abs, "mean_sq": np.square}
_RECORDS_AT_ONCE = 1024


def resampled_of(parts: Iterable[np.ndarray], agg_method: str, *, resamples: int, seed: int) -> np.ndarray:
    """Global values (at most resamples, f, outputs) of resampled records; a resample without any record is left out.

    `parts` (n, f, outputs) are local Shapley values of some records after the other; how they are split does not change
    which records are drawn. Means hold one part at a time. Medians need all records at once, several times over, and a
    pass over them for each resample: 1000 times 10,000 records of 70 features take some seconds.
    """
    random = np.random.default_rng(seed)
    if agg_method == "median":
        return _medians(np.concatenate(list(parts)), resamples, random)
    return _means(parts, _TERMS[agg_method], resamples, random)


def _means(
    parts: Iterable[np.ndarray], term: Callable[[np.ndarray], np.ndarray], resamples: int, random: np.random.Generator
) -> np.ndarray:
    weights, sums = np.zeros(resamples), np.zeros(())
    for part in parts:
        for start in range(0, len(part), _RECORDS_AT_ONCE):
            terms = term(part[start : start + _RECORDS_AT_ONCE])
            occurrences = random.poisson(1.0, (len(terms), resamples)).astype(float)
            weights += occurrences.sum(axis=0)
            sums = sums + np.tensordot(occurrences, terms, axes=(0, 0))
    drawn = weights > 0
    return np.asarray(sums[drawn] / weights[drawn, None, None])


def _medians(values: np.ndarray, resamples: int, random: np.random.Generator) -> np.ndarray:
    flat = values.reshape(len(values), -1)
    order = np.argsort(flat, axis=0)
    ordered = np.take_along_axis(flat, order, axis=0)
    medians = []
    for _ in range(resamples):
        occurrences = random.poisson(1.0, len(flat))
        total = int(occurrences.sum())
        if total:
            reached = occurrences[order].cumsum(axis=0)
            lower, upper = ((reached <= position).sum(axis=0) for position in ((total - 1) // 2, total // 2))
            ends = np.take_along_axis(ordered, np.stack([lower, upper]), axis=0)
            medians.append(ends.mean(axis=0))
    return np.reshape(medians, (len(medians), *values.shape[1:]))


def ndcg_intervals(
    aggregates: np.ndarray, analysis: Mapping[str, Any], baseline: Mapping[str, Any], *, confidence: float
) -> dict[str, Interval]:
    """For each label that both analyses explain, the interval of the NDCG of its global values.

    `aggregates` (r, f, outputs) are resampled global values, features and outputs in the order of `analysis`.

    Raises:
        AnalysisError: when they are not those of `analysis`, or there is none.
    """
    live, before = global_values(analysis), global_values(baseline)
    features = [len(values) for values in live.values()]
    if not len(aggregates) or features != [aggregates.shape[1]] * aggregates.shape[2]:
        raise AnalysisError(
            f"Resampled attributions have the shape {aggregates.shape}; expected resamples, and the features of each "
            f"label: {features}"
        )
    intervals = {}
    for output, (label, values) in enumerate(live.items()):
        if label in before:
            gains = [before[label][feature] for feature in values]
            scores = [ndcg(gains, resample) for resample in aggregates[:, :, output]]
            intervals[label] = percentile_interval(np.array(scores), confidence)
    return intervals
