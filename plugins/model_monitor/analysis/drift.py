"""Is the model worse than its baseline? Bias metrics farther from 0; feature attributions in another order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from model_monitor.analysis.serialise import infinity, number
from model_monitor.errors import AnalysisError

NDCG_THRESHOLD = 0.9

SECTIONS = ("post_training_bias_metrics", "pre_training_bias_metrics")

Violation = dict[str, str]


def bias_violations(analysis: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[Violation]:
    """Bias metrics with `|now| > |baseline|`, post-training ones first, each in the order of `analysis`.

    Facets are matched by name and by position within the facet, never by the printed interval: that ends at the largest
    value of each data set. Metrics that are null on either side are passed over. Every metric is measured from 0, also
    DI, as the service does; its documented bootstrap interval is not visible in its results.
    Source: SageMaker, "Bias Drift Violations".
    """
    return [
        {
            "facet": facet,
            "facet_value": str(entry["value_or_threshold"]),
            "metric_name": str(metric["name"]),
            "constraint_check_type": "bias_drift_check",
            "description": f"Metric value {_printed(now)} doesn't meet the baseline constraint requirement "
            f"{_printed(constraint)}",
        }
        for facet, entry, metric, now, constraint in _compared(analysis, baseline)
        if abs(now) > abs(constraint)
    ]


def _compared(
    analysis: Mapping[str, Any], baseline: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any], float, float]]:
    for section in SECTIONS:
        constraints = baseline_values(baseline, section)
        for facet, entries in analysis.get(section, {}).get("facets", {}).items():
            for position, entry in enumerate(entries):
                for metric in entry["metrics"]:
                    now = number(metric["value"])
                    constraint = constraints.get((facet, position, metric["name"]))
                    if now is not None and constraint is not None:
                        yield facet, entry, metric, now, constraint


def baseline_values(baseline: Mapping[str, Any], section: str) -> dict[tuple[str, int, str], float]:
    """The non-null metrics of an analysis' section by (facet, position, metric name)."""
    return {
        (facet, position, metric["name"]): value
        for facet, entries in baseline.get(section, {}).get("facets", {}).items()
        for position, entry in enumerate(entries)
        for metric in entry["metrics"]
        if (value := number(metric["value"])) is not None
    }


def attribution_ndcg(analysis: Mapping[str, Any], baseline: Mapping[str, Any]) -> dict[str, float]:
    """For each label that both analyses explain, the NDCG of the live ranking of features against the baseline's.

    Raises:
        AnalysisError: when the two do not explain the same features.
    """
    live, before = _global_values(analysis), _global_values(baseline)
    scores = {}
    for label in live:
        if label not in before:
            continue
        if set(live[label]) != set(before[label]):
            odd = ", ".join(sorted(set(live[label]) ^ set(before[label])))
            raise AnalysisError(
                f"Baseline and analysis explain different features: {odd}. Make a baseline for the live model."
            )
        features = list(before[label])
        scores[label] = ndcg([before[label][name] for name in features], [live[label][name] for name in features])
    return scores


def attribution_violations(scores: Mapping[str, float]) -> list[Violation]:
    """One violation for each label whose NDCG lies below 0.90.

    Source: SageMaker, "Feature Attribution Drift Violations".
    """
    return [
        {
            "label": label,
            "metric_name": "shap",
            "constraint_check_type": "feature_attribution_drift_check",
            "description": f"Feature attribution drift {_printed(score)} exceeds threshold {NDCG_THRESHOLD}",
        }
        for label, score in scores.items()
        if score < NDCG_THRESHOLD
    ]


def ndcg(baseline: Sequence[float], live: Sequence[float]) -> float:
    """Normalised discounted cumulative gain of features ranked by `live` scores, gains being the `baseline` scores.

    In [0, 1]; 1 for the same order. Features with equal live scores share the mean of their gains, so that the order of
    columns does not matter. Scores count by magnitude, as signed ones (agg_method `median`) are no gains. Where the
    baseline attributes nothing to any feature there is no order to lose: 1.
    Source: SageMaker, "Monitor Feature Attribution Drift".
    """
    gains = np.abs(np.asarray(baseline, dtype=float))
    relevance = np.abs(np.asarray(live, dtype=float))
    discounts = 1 / np.log2(np.arange(2, len(gains) + 2))
    ideal = float(np.sort(gains)[::-1] @ discounts)
    if ideal == 0:
        return 1.0
    _, group = np.unique(-relevance, return_inverse=True)
    mean_gains = np.bincount(group, weights=gains) / np.bincount(group)
    return float(mean_gains[np.sort(group)] @ discounts) / ideal


def violations_document(violations: Sequence[Violation]) -> dict[str, Any]:
    """The content of `constraint_violations.json`."""
    return {"version": "1.0", "violations": list(violations)}


def _global_values(analysis: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    labels = analysis.get("explanations", {}).get("kernel_shap", {})
    return {str(label): explained["global_shap_values"] for label, explained in labels.items()}


def _printed(value: float) -> str:
    return infinity(value) if math.isinf(value) else repr(float(value))
