"""The rule beside Clarify's: a metric that is worse than the baseline is a violation only if its interval is, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from model_monitor.analysis.drift import (
    NDCG_THRESHOLD,
    ComparedMetric,
    Violation,
    attribution_violation,
    compared_metrics,
    printed,
)
from model_monitor.analysis.persistence import JudgedWindow, Persistence
from model_monitor.analysis.uncertainty import Interval

VIOLATION, NOT_CERTAIN, OK = "violation", "not certain", "ok"


@dataclass(frozen=True)
class Intervals:
    """A window's intervals, and how they were made.

    `bias` has those of a facet's group by the facet's name and the group's position in the analysis, then by metric;
    `ndcg` has those of the labels.
    """

    confidence: float
    resamples: int
    seed: int
    bias: Mapping[tuple[str, int], Mapping[str, Interval]] = field(default_factory=dict)
    ndcg: Mapping[str, Interval] = field(default_factory=dict)

    def of(self, facet: str, position: int, metric: str) -> Interval | None:
        """A metric's interval; None if it has none."""
        return self.bias.get((facet, position), {}).get(metric)

    @property
    def name(self) -> str:
        """What such an interval is called, such as "95 % interval"."""
        return f"{100 * self.confidence:g} % interval"


@dataclass(frozen=True)
class Uncertainty:
    """The window's own verdict by the rule, and what became of it.

    `unconfirmed` are the violations by Clarify's rule whose interval does not confirm them; `persistence` says whether
    the window's own `violations` turn the verdict red.
    """

    intervals: Intervals
    violations: Sequence[Violation]
    unconfirmed: Sequence[Violation]
    persistence: Persistence


def judge(
    analysis: Mapping[str, Any],
    baseline: Mapping[str, Any],
    scores: Mapping[str, float],
    intervals: Intervals,
    *,
    scheduled: str,
    earlier: Sequence[JudgedWindow],
    violating: int,
) -> Uncertainty:
    """Judge a window by the rule.

    Args:
        analysis: the window's.
        baseline: what it is compared with.
        scores: the NDCG by label.
        intervals: those of the metrics and of the scores.
        scheduled: when the window was due.
        earlier: the windows before it that count, oldest first.
        violating: how many of all these have to violate before the verdict turns red.
    """
    certain = [
        *interval_bias_violations(analysis, baseline, intervals),
        *interval_attribution_violations(scores, intervals),
    ]
    unconfirmed = [
        *_bias(analysis, baseline, intervals, NOT_CERTAIN),
        *_attributions(scores, intervals, NOT_CERTAIN),
    ]
    persistence = Persistence((*earlier, JudgedWindow(scheduled, len(certain))), violating)
    return Uncertainty(intervals, certain, unconfirmed, persistence)


def interval_bias_violations(
    analysis: Mapping[str, Any], baseline: Mapping[str, Any], intervals: Intervals
) -> list[Violation]:
    """Bias metrics with `|now| > |baseline|` of which the whole interval lies outside [-|baseline|, |baseline|].

    They are some of Clarify's, in its order. A metric without an interval is none of them.
    Source: SageMaker, "Monitor Bias Drift", which alerts when a bootstrap interval and the allowed range are disjoint.
    """
    return _bias(analysis, baseline, intervals, VIOLATION)


def interval_attribution_violations(scores: Mapping[str, float], intervals: Intervals) -> list[Violation]:
    """One violation for each label of which NDCG and whole interval lie below 0.90; none without an interval."""
    return _attributions(scores, intervals, VIOLATION)


def bias_verdict(value: float | None, baseline: float | None, interval: Interval | None) -> str | None:
    """What the rule says of a metric; None where there is nothing to compare."""
    if value is None or baseline is None:
        return None
    if abs(value) <= abs(baseline):
        return OK
    return VIOLATION if interval is not None and interval.outside(abs(baseline)) else NOT_CERTAIN


def attribution_verdict(score: float | None, interval: Interval | None) -> str | None:
    """What the rule says of a label's NDCG; None where there is nothing to compare."""
    if score is None:
        return None
    if score >= NDCG_THRESHOLD:
        return OK
    return VIOLATION if interval is not None and interval.high < NDCG_THRESHOLD else NOT_CERTAIN


def uncertainty_document(
    analysis: Mapping[str, Any], baseline: Mapping[str, Any], scores: Mapping[str, float], uncertainty: Uncertainty
) -> dict[str, Any]:
    """The content of `uncertainty.json`: the rule, each metric with its interval and verdict, and what came of them.

    Metrics stand where they stand in `analysis`; those that are null on either side are left out. Ends of an interval
    are null where a metric has none.
    """
    intervals = uncertainty.intervals
    return {
        "version": "1.0",
        "rule": "interval",
        "confidence": intervals.confidence,
        "resamples": intervals.resamples,
        "seed": intervals.seed,
        "bias": [
            {
                "facet": metric.facet,
                "facet_value": metric.facet_value,
                "metric_name": metric.name,
                "value": metric.value,
                **_ends(interval),
                "allowed": [-abs(metric.baseline), abs(metric.baseline)],
                "verdict": bias_verdict(metric.value, metric.baseline, interval),
            }
            for metric, interval in _compared(analysis, baseline, intervals)
        ],
        "ndcg": [
            {
                "label": label,
                "value": score,
                **_ends(intervals.ndcg.get(label)),
                "allowed": [NDCG_THRESHOLD, 1.0],
                "verdict": attribution_verdict(score, intervals.ndcg.get(label)),
            }
            for label, score in scores.items()
        ],
        "violations": list(uncertainty.violations),
        "unconfirmed": list(uncertainty.unconfirmed),
        "persistence": uncertainty.persistence.as_dict(),
    }


def _ends(interval: Interval | None) -> dict[str, float | None]:
    return {"low": interval.low if interval else None, "high": interval.high if interval else None}


def _bias(
    analysis: Mapping[str, Any], baseline: Mapping[str, Any], intervals: Intervals, verdict: str
) -> list[Violation]:
    return [
        metric.violation(_remark(intervals, interval, -abs(metric.baseline), abs(metric.baseline), verdict))
        for metric, interval in _compared(analysis, baseline, intervals)
        if bias_verdict(metric.value, metric.baseline, interval) == verdict
    ]


def _attributions(scores: Mapping[str, float], intervals: Intervals, verdict: str) -> list[Violation]:
    return [
        attribution_violation(label, score, _remark(intervals, interval, NDCG_THRESHOLD, 1.0, verdict))
        for label, score in scores.items()
        for interval in [intervals.ndcg.get(label)]
        if attribution_verdict(score, interval) == verdict
    ]


def _compared(
    analysis: Mapping[str, Any], baseline: Mapping[str, Any], intervals: Intervals
) -> Iterator[tuple[ComparedMetric, Interval | None]]:
    for metric in compared_metrics(analysis, baseline):
        yield metric, intervals.of(metric.facet, metric.position, metric.name)


def _remark(intervals: Intervals, interval: Interval | None, low: float, high: float, verdict: str) -> str:
    if interval is None:
        return "; not certain, as it has no interval"
    found = f"its {intervals.name} [{printed(interval.low)}, {printed(interval.high)}]"
    allowed = f"the allowed range [{printed(low)}, {printed(high)}]"
    if verdict == VIOLATION:
        return f"; {found} lies outside {allowed}"
    return f"; not certain, as {found} meets {allowed}"
