"""From an execution's result files to its metrics, explanations and violations, each beside the baseline's."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from model_monitor.errors import AnalysisError
from model_monitor.history.documents import Analysis, Uncertainty, ViolationEntry, shortened
from model_monitor.history.model import Explanation, Interval, Metric, Violation

VIOLATION, OK = "violation", "ok"

Section = Literal["post_training_bias_metrics", "pre_training_bias_metrics"]
SECTIONS: tuple[Section, ...] = ("post_training_bias_metrics", "pre_training_bias_metrics")


@dataclass(frozen=True)
class Compared:
    """The baseline's analysis, `content` as the comparing functions take it, and its Shapley values by label."""

    content: Mapping[str, Any]
    values: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, analysis: Analysis) -> Compared:
        """An analysis as a baseline."""
        labels = analysis.explanations.kernel_shap
        return cls(analysis.model_dump(), {label: _shared(found.global_shap_values) for label, found in labels.items()})


@dataclass(frozen=True)
class Past:
    """A monitor's baselines by the time at which they were made, the oldest first; None for one that is unreadable."""

    baselines: tuple[tuple[datetime, Compared | None], ...] = ()

    def at(self, judged: datetime) -> Compared | None:
        """What was there to compare with when a window was judged; None where nothing is known of it."""
        return next((compared for made, compared in reversed(self.baselines) if made <= judged), None)


@dataclass(frozen=True)
class Judged:
    """What the files of one window hold; `problem` says what of it cannot be compared."""

    metrics: tuple[Metric, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    problem: str | None = None


def judged(
    analysis: Analysis,
    baseline: Compared | None = None,
    violations: Sequence[ViolationEntry] = (),
    uncertainty: Uncertainty | None = None,
    baseline_replaced: bool = False,
) -> Judged:
    """Put files together.

    Groups are matched with the baseline's as the monitors match them. Verdicts and intervals are those of `uncertainty`
    where there is one; else what is among the violations violates, and what could be compared and is not is ok. All
    values could be compared with a baseline that is there no more.
    """
    findings = _Findings(violations, uncertainty, baseline_replaced)
    scores, problem = _scores(analysis, baseline)
    metrics = tuple(_metrics(analysis, baseline, findings))
    return Judged(metrics, tuple(_explanations(analysis, baseline, scores, findings)), problem)


def violation(entry: ViolationEntry) -> Violation:
    """An entry of the file as a value."""
    return Violation(
        metric=entry.metric_name,
        check=entry.constraint_check_type,
        description=entry.description,
        facet=entry.facet,
        group=entry.facet_value,
        label=entry.label,
    )


class _Findings:
    """Who violates, and with which interval."""

    def __init__(
        self, violations: Sequence[ViolationEntry], uncertainty: Uncertainty | None, baseline_replaced: bool
    ) -> None:
        self.uncertain = uncertainty is not None
        self._replaced = baseline_replaced
        known = uncertainty or Uncertainty()
        self._metrics = {(entry.facet, entry.facet_value, entry.metric_name): entry for entry in known.bias}
        self._labels = {entry.label: entry for entry in known.ndcg}
        self._violating = {(entry.facet, entry.facet_value, entry.metric_name) for entry in violations}
        self._violating_labels = {entry.label for entry in violations if entry.facet is None}

    def of_metric(
        self, place: tuple[str, str, str], value: float | None, then: float | None
    ) -> tuple[Interval | None, str | None]:
        """The interval and verdict of a metric by facet, group and name; `then` is the baseline's value."""
        if self.uncertain:
            entry = self._metrics.get(place)
            return (_interval(entry.low, entry.high), entry.verdict) if entry else (None, None)
        if place in self._violating:
            return None, VIOLATION
        return None, OK if value is not None and (self._replaced or then is not None) else None

    def of_label(self, label: str, ndcg: float | None) -> tuple[Interval | None, str | None]:
        """The interval and verdict of a label's NDCG."""
        if self.uncertain:
            entry = self._labels.get(label)
            return (_interval(entry.low, entry.high), entry.verdict) if entry else (None, None)
        if label in self._violating_labels:
            return None, VIOLATION
        return None, OK if self._replaced or ndcg is not None else None


def _metrics(analysis: Analysis, baseline: Compared | None, findings: _Findings) -> Iterator[Metric]:
    for section in SECTIONS:
        facets = getattr(analysis, section).facets
        before = _before(analysis, baseline, section) if facets and baseline is not None else {}
        for facet, groups in facets.items():
            for position, group in enumerate(groups):
                for metric in group.metrics:
                    then = before.get((facet, position, metric.name))
                    place = (facet, group.value_or_threshold, metric.name)
                    interval, verdict = findings.of_metric(place, metric.value, then)
                    yield Metric(
                        section=section,
                        facet=sys.intern(facet),
                        position=position,
                        group=sys.intern(group.value_or_threshold),
                        name=sys.intern(metric.name),
                        description=sys.intern(metric.description),
                        value=metric.value,
                        error=metric.error,
                        baseline=then,
                        interval=interval,
                        verdict=verdict,
                    )


def _before(analysis: Analysis, baseline: Compared, section: Section) -> dict[tuple[str, int, str], float]:
    from model_monitor.analysis.drift import baseline_values

    return baseline_values({section: getattr(analysis, section).model_dump()}, baseline.content, section)


def _explanations(
    analysis: Analysis, baseline: Compared | None, scores: Mapping[str, float], findings: _Findings
) -> Iterator[Explanation]:
    before = baseline.values if baseline is not None else {}
    for label, found in analysis.explanations.kernel_shap.items():
        ndcg = scores.get(label)
        interval, verdict = findings.of_label(label, ndcg)
        yield Explanation(
            label=label,
            expected_value=found.expected_value,
            values=_shared(found.global_shap_values),
            baseline=before.get(label, {}),
            ndcg=ndcg,
            interval=interval,
            verdict=verdict,
        )


def _scores(analysis: Analysis, baseline: Compared | None) -> tuple[Mapping[str, float], str | None]:
    """The NDCG by label, and why there is none where the two cannot be compared."""
    if baseline is None or not analysis.explanations.kernel_shap:
        return {}, None
    from model_monitor.analysis.drift import attribution_ndcg

    try:
        scores = attribution_ndcg(analysis.model_dump(include={"explanations"}), baseline.content)
    except AnalysisError as error:
        return {}, shortened(str(error))
    computed = {label: score for label, score in scores.items() if math.isfinite(score)}
    return computed, None if computed == scores else "Shapley values are too large for an NDCG"


def _interval(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low, high)


def _shared(values: Mapping[str, float]) -> dict[str, float]:
    """The same with names that are in memory once, however many windows have them."""
    return {sys.intern(name): value for name, value in values.items()}
