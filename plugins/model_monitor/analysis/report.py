"""`report.html`: an analysis and its verdict as one page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from model_monitor.analysis import plots
from model_monitor.analysis.drift import NDCG_THRESHOLD, SECTIONS, Violation, baseline_values
from model_monitor.analysis.interval_rule import (
    NOT_CERTAIN,
    OK,
    VIOLATION,
    Uncertainty,
    attribution_verdict,
    bias_verdict,
)
from model_monitor.analysis.rank_changes import RankChange, rank_changes, ranked, ranks
from model_monitor.analysis.report_actions import (
    ACTIONS,
    FIRST_STEPS,
    NDCG_ACTION,
    NDCG_MEANING,
    NOT_CERTAIN_ACTION,
)
from model_monitor.analysis.report_texts import MEANINGS, ORDER_FINDINGS, SECTION_TITLES
from model_monitor.analysis.serialise import number
from model_monitor.analysis.uncertainty import Interval

TOP_FEATURES = 15
TOP_MOVES = 4
SHOWN_WINDOWS = 7
DECIMALS = 4


@dataclass(frozen=True)
class Comparison:
    """What an analysis was compared with, if with anything: the baseline's analysis, violations, NDCG by label.

    `uncertainty` is there where the interval rule judged; `violations` are then those of a red verdict.
    """

    baseline: Mapping[str, Any] | None = None
    violations: Sequence[Violation] = ()
    ndcg: Mapping[str, float] = field(default_factory=dict)
    uncertainty: Uncertainty | None = None


@dataclass(frozen=True)
class _Metric:
    name: str
    description: str
    meaning: str
    action: str
    value: float | None
    error: str | None
    baseline: float | None
    interval: Interval | None
    verdict: str | None

    @property
    def violated(self) -> bool:
        """Whether it is a violation by the rule that judged."""
        return self.verdict == VIOLATION

    @property
    def doubtful(self) -> bool:
        """Whether it would be one if its interval confirmed it."""
        return self.verdict == NOT_CERTAIN

    @property
    def allowed(self) -> float | None:
        """How far from 0 the value may lie."""
        return None if self.baseline is None else abs(self.baseline)


@dataclass(frozen=True)
class _Group:
    section: str
    label: str
    facet: str
    value: str
    metrics: tuple[_Metric, ...]
    chart: str


@dataclass(frozen=True)
class _Feature:
    rank: int
    name: str
    value: float
    baseline: float | None
    baseline_rank: int | None

    @property
    def climbed(self) -> int | None:
        """How many ranks it stands above its place in the baseline; negative for below."""
        return None if self.baseline_rank is None else self.baseline_rank - self.rank


@dataclass(frozen=True)
class _Explained:
    label: str
    expected_value: float
    ndcg: float | None
    interval: Interval | None
    verdict: str | None
    features: tuple[_Feature, ...]
    moves: tuple[RankChange, ...]
    decimals: int
    chart: str


@dataclass(frozen=True)
class Term:
    """A line of the glossary."""

    name: str
    meaning: str
    action: str


def render(
    title: str,
    analysis: Mapping[str, Any],
    facts: Mapping[str, str],
    comparison: Comparison,
    *,
    is_baseline: bool = False,
) -> str:
    """The report's HTML; whatever comes from data is escaped.

    Args:
        title: the page's.
        analysis: the content of `analysis.json`.
        facts: what is shown on top, by name.
        comparison: what the analysis was compared with.
        is_baseline: whether it is what monitors will compare windows with.
    """
    from model_monitor.analysis.report_template import TEMPLATE

    groups, explained = _groups(analysis, comparison), _explained(analysis, comparison)
    return TEMPLATE.render(
        title=title,
        decimals=DECIMALS,
        facts=facts,
        is_baseline=is_baseline,
        compared=comparison.baseline is not None,
        violations=comparison.violations,
        uncertainty=comparison.uncertainty,
        groups=groups,
        section_titles=SECTION_TITLES,
        explained=explained,
        order_findings=ORDER_FINDINGS,
        threshold=NDCG_THRESHOLD,
        top=TOP_FEATURES,
        shown_windows=SHOWN_WINDOWS,
        first_steps=FIRST_STEPS,
        not_certain_action=NOT_CERTAIN_ACTION,
        ndcg_action=NDCG_ACTION,
        terms=terms((metric.name for group in groups for metric in group.metrics), bool(explained)),
    )


def terms(metrics: Iterable[str], explained: bool) -> list[Term]:
    """The glossary of these metrics, by name, each once; and of the NDCG where inputs are explained."""
    found = [Term(name, MEANINGS.get(name, ""), ACTIONS.get(name, "")) for name in dict.fromkeys(metrics)]
    return [*found, Term("NDCG", NDCG_MEANING, NDCG_ACTION)] if explained else found


def decimals_of(values: Iterable[float]) -> int:
    """As many as give the largest value four significant digits."""
    largest = max(map(abs, values), default=0.0)
    if not math.isfinite(largest) or largest == 0:
        return DECIMALS
    return min(max(3 - math.floor(math.log10(largest)), 1), 12)


def _groups(analysis: Mapping[str, Any], comparison: Comparison) -> list[_Group]:
    groups = []
    for section in SECTIONS:
        report = analysis.get(section, {})
        before = baseline_values(analysis, comparison.baseline or {}, section)
        for facet, entries in report.get("facets", {}).items():
            for position, entry in enumerate(entries):
                value = str(entry["value_or_threshold"])
                metrics = tuple(
                    _metric(metric, facet, position, value, before.get((facet, position, metric["name"])), comparison)
                    for metric in entry["metrics"]
                )
                label = f"{report['label']} {report['label_value_or_threshold']}"
                chart = _bias_chart(section, facet, value, metrics, comparison.uncertainty)
                groups.append(_Group(section, label, facet, value, metrics, chart))
    return groups


def _metric(
    metric: Mapping[str, Any], facet: str, position: int, group: str, baseline: float | None, comparison: Comparison
) -> _Metric:
    name, value = metric["name"], number(metric["value"])
    interval = None
    if comparison.uncertainty is not None:
        interval = comparison.uncertainty.intervals.of(facet, position, name)
        verdict = bias_verdict(value, baseline, interval)
    elif any((facet, group, name) == _place(violation) for violation in comparison.violations):
        verdict = VIOLATION
    else:
        verdict = OK if value is not None and baseline is not None else None
    texts = metric["description"], MEANINGS.get(name, ""), ACTIONS.get(name, "")
    return _Metric(name, *texts, value, metric.get("error"), baseline, interval, verdict)


def _place(violation: Violation) -> tuple[str | None, ...]:
    return tuple(violation.get(key) for key in ("facet", "facet_value", "metric_name"))


def _bias_chart(
    section: str, facet: str, value: str, metrics: Sequence[_Metric], uncertainty: Uncertainty | None
) -> str:
    finite = [metric for metric in metrics if metric.value is not None and math.isfinite(metric.value)]
    if not finite:
        return ""
    return plots.bars(
        f"{SECTION_TITLES[section]}: {facet} {value}",
        [metric.name for metric in finite],
        [metric.value or 0.0 for metric in finite],
        [_if_finite(metric.baseline) for metric in finite],
        [metric.violated for metric in finite],
        f"metric value; 0 means no difference between the groups{' (DI: 1)' if _has(finite, 'DI') else ''}",
        linear_up_to=2.0,
        ranges=None if uncertainty is None else _ranges(finite, uncertainty),
    )


def _ranges(metrics: Sequence[_Metric], uncertainty: Uncertainty) -> plots.Ranges:
    intervals = [metric.interval for metric in metrics]
    return plots.Ranges(
        uncertainty.intervals.name,
        [(interval.low, interval.high) if interval else None for interval in intervals],
        [metric.allowed for metric in metrics],
    )


def _has(metrics: Sequence[_Metric], name: str) -> bool:
    return any(metric.name == name for metric in metrics)


def _if_finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _explained(analysis: Mapping[str, Any], comparison: Comparison) -> list[_Explained]:
    before = (comparison.baseline or {}).get("explanations", {}).get("kernel_shap", {})
    violated = {violation["label"] for violation in comparison.violations if "label" in violation}
    result = []
    for label, explained in analysis.get("explanations", {}).get("kernel_shap", {}).items():
        values, values_before = explained["global_shap_values"], before.get(label, {}).get("global_shap_values", {})
        features = _features(values, values_before)
        ndcg, interval = comparison.ndcg.get(label), None
        if comparison.uncertainty is not None:
            interval = comparison.uncertainty.intervals.ndcg.get(label)
            verdict = attribution_verdict(ndcg, interval)
        else:
            verdict = VIOLATION if label in violated else OK
        result.append(
            _Explained(
                label=str(label),
                expected_value=float(explained["expected_value"]),
                ndcg=ndcg,
                interval=interval,
                verdict=verdict,
                features=features,
                moves=tuple(rank_changes(values_before, values)[:TOP_MOVES]),
                decimals=decimals_of(feature.value for feature in features),
                chart=_attribution_chart(str(label), features[:TOP_FEATURES]),
            )
        )
    return result


def _features(values: Mapping[str, float], before: Mapping[str, float]) -> tuple[_Feature, ...]:
    baseline_ranks = ranks(before)
    return tuple(
        _Feature(rank, name, float(values[name]), before.get(name), baseline_ranks.get(name))
        for rank, name in enumerate(ranked(values), start=1)
    )


def _attribution_chart(label: str, features: Sequence[_Feature]) -> str:
    return plots.bars(
        f"Global Shapley values: {label}",
        [feature.name for feature in features],
        [feature.value for feature in features],
        [feature.baseline for feature in features],
        [False for _ in features],
        "global Shapley value",
    )
