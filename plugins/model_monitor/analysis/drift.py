"""Is the model worse than its baseline? Bias metrics farther from 0; feature attributions in another order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_monitor.analysis.serialise import infinity, number
from model_monitor.errors import AnalysisError

NDCG_THRESHOLD = 0.9

SECTIONS = ("post_training_bias_metrics", "pre_training_bias_metrics")

Violation = dict[str, str]


@dataclass(frozen=True)
class ComparedMetric:
    """A bias metric that both the analysis and its baseline have; `position` is that of its group in the analysis."""

    facet: str
    position: int
    facet_value: str
    name: str
    value: float
    baseline: float

    @property
    def worse(self) -> bool:
        """Whether it lies farther from 0 than the baseline."""
        return abs(self.value) > abs(self.baseline)

    def violation(self, remark: str = "") -> Violation:
        """Its entry among the violations; `remark` ends the description."""
        return {
            "facet": self.facet,
            "facet_value": self.facet_value,
            "metric_name": self.name,
            "constraint_check_type": "bias_drift_check",
            "description": f"Metric value {printed(self.value)} doesn't meet the baseline constraint requirement "
            f"{printed(self.baseline)}{remark}",
        }


def bias_violations(analysis: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[Violation]:
    """Bias metrics with `|now| > |baseline|`, post-training ones first, each in the order of `analysis`.

    Facets are matched by name, their groups by value, or by position where they are intervals: the printed interval
    ends at the largest value of each data set. Metrics that are null on either side are passed over. Every metric is
    measured from 0, also DI, as the service does; its documented bootstrap interval is not visible in its results.
    Source: SageMaker, "Bias Drift Violations".
    """
    return [metric.violation() for metric in compared_metrics(analysis, baseline) if metric.worse]


def compared_metrics(analysis: Mapping[str, Any], baseline: Mapping[str, Any]) -> Iterator[ComparedMetric]:
    """The bias metrics that are null on neither side, in the order of `bias_violations`."""
    for section in SECTIONS:
        constraints = baseline_values(analysis, baseline, section)
        for facet, position, entry in _groups(analysis, section):
            for metric in entry["metrics"]:
                name, now = str(metric["name"]), number(metric["value"])
                constraint = constraints.get((facet, position, name))
                if now is not None and constraint is not None:
                    yield ComparedMetric(facet, position, str(entry["value_or_threshold"]), name, now, constraint)


def baseline_values(
    analysis: Mapping[str, Any], baseline: Mapping[str, Any], section: str
) -> dict[tuple[str, int, str], float]:
    """The baseline's non-null metrics by (facet, position of the group in `analysis`, metric name)."""
    return {
        (facet, position, metric["name"]): value
        for facet, position, metrics in _counterparts(analysis, baseline, section)
        for metric in metrics
        if (value := number(metric["value"])) is not None
    }


def check_comparable(analysis: Mapping[str, Any], baseline: Mapping[str, Any]) -> None:
    """Complain of a baseline that has nothing to compare with, which would pass every window.

    Raises:
        AnalysisError: when none of the analysis' bias metrics, or of its explained labels, is in the baseline.
    """
    labels, known = list(global_values(analysis)), list(global_values(baseline))
    if labels and not set(labels) & set(known):
        raise AnalysisError(
            f"Baseline constraints explain {_listed(known)}, and this analysis {_listed(labels)}: nothing can be "
            "compared. Make a baseline for the live model."
        )
    groups = [(section, *group) for section in SECTIONS for group in _groups(analysis, section)]
    names = {(section, metric["name"]) for section, _, _, entry in groups for metric in entry["metrics"]}
    if groups and not any(
        (section, metric["name"]) in names
        for section in SECTIONS
        for _, _, metrics in _counterparts(analysis, baseline, section)
        for metric in metrics
    ):
        before = {facet for section in SECTIONS for facet, _, _ in _groups(baseline, section)}
        raise AnalysisError(
            f"Baseline constraints hold none of the metrics of facet {_listed({group[1] for group in groups})}; their "
            f"facets: {_listed(before)}. Make a baseline with this analysis' facets and metrics."
        )


def _groups(analysis: Mapping[str, Any], section: str) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    for facet, entries in analysis.get(section, {}).get("facets", {}).items():
        for position, entry in enumerate(entries):
            yield facet, position, entry


def _counterparts(
    analysis: Mapping[str, Any], baseline: Mapping[str, Any], section: str
) -> Iterator[tuple[str, int, Sequence[Mapping[str, Any]]]]:
    """For each group its facet, its position and the baseline's metrics of the same group: of the same values, else at
    the same place.

    Categories come in the order in which the data show them, so their places differ from window to window; intervals
    end at the largest value, so what they print differs.
    """
    for facet, entries in analysis.get(section, {}).get("facets", {}).items():
        before = baseline.get(section, {}).get("facets", {}).get(facet, [])
        ours, theirs = ([entry["value_or_threshold"] for entry in side] for side in (entries, before))
        times, places = Counter(ours), {value: place for place, value in reversed(list(enumerate(theirs)))}
        for position, value in enumerate(ours):
            if times[value] == 1 and value in places:
                yield facet, position, before[places[value]]["metrics"]
            elif position < len(before) and (len(entries) == len(before) == 1 or theirs[position].startswith("(")):
                yield facet, position, before[position]["metrics"]
            else:
                yield facet, position, []


def attribution_ndcg(analysis: Mapping[str, Any], baseline: Mapping[str, Any]) -> dict[str, float]:
    """For each label that both analyses explain, the NDCG of the live ranking of features against the baseline's.

    Raises:
        AnalysisError: when the two do not explain the same features.
    """
    live, before = global_values(analysis), global_values(baseline)
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
    return [attribution_violation(label, score) for label, score in scores.items() if score < NDCG_THRESHOLD]


def attribution_violation(label: str, score: float, remark: str = "") -> Violation:
    """A label's entry among the violations; `remark` ends the description."""
    return {
        "label": label,
        "metric_name": "shap",
        "constraint_check_type": "feature_attribution_drift_check",
        "description": f"Feature attribution drift {printed(score)} exceeds threshold {NDCG_THRESHOLD}{remark}",
    }


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
    # Gains near the greatest number there is sum up to infinity; the caller is told by what comes of it.
    with np.errstate(over="ignore"):
        ideal = float(np.sort(gains)[::-1] @ discounts)
        if ideal == 0:
            return 1.0
        _, group = np.unique(-relevance, return_inverse=True)
        mean_gains = np.bincount(group, weights=gains) / np.bincount(group)
        return float(mean_gains[np.sort(group)] @ discounts) / ideal


def violations_document(violations: Sequence[Violation]) -> dict[str, Any]:
    """The content of `constraint_violations.json`."""
    return {"version": "1.0", "violations": list(violations)}


def global_values(analysis: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The global Shapley values by label and feature; none in an analysis that explains nothing."""
    labels = analysis.get("explanations", {}).get("kernel_shap", {})
    return {str(label): explained["global_shap_values"] for label, explained in labels.items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def printed(value: float) -> str:
    """A value as descriptions of violations have it."""
    return infinity(value) if math.isinf(value) else repr(float(value))
