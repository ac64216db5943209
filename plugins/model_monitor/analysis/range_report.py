"""The report on a range of windows: what violated since when, each metric over time, every window's outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from model_monitor.analysis.drift import NDCG_THRESHOLD, SECTIONS
from model_monitor.analysis.range_findings import (
    VIOLATED,
    Finding,
    Group,
    Point,
    by_weight,
    count,
    finding,
    group_of,
    rows,
    streak,
)
from model_monitor.analysis.rank_changes import RankChange, rank_changes, ranked, ranks
from model_monitor.analysis.report import DECIMALS, TOP_FEATURES, TOP_MOVES, decimals_of, terms
from model_monitor.analysis.report_actions import FIRST_STEPS
from model_monitor.analysis.report_texts import SECTION_TITLES
from model_monitor.analysis.time_plots import MOST_POINTS, Legend, Panel, panels

if TYPE_CHECKING:
    from model_monitor.history.model import Execution, Explanation, Metric

MOST_GROUPS, MOST_METRICS, MOST_LABELS, MOST_FINDINGS, MOST_ROWS = 8, 30, 8, 40, 1_500


@dataclass(frozen=True)
class Range:
    """What the report is about: windows due from `start` until before `end`, and those that were never started."""

    start: datetime
    end: datetime
    executions: Sequence[Execution]
    missing: Sequence[datetime] = ()

    @property
    def judged(self) -> list[Execution]:
        """The windows that have an analysis."""
        return [execution for execution in self.executions if execution.judged]


@dataclass(frozen=True)
class _Series:
    """A metric of a group in every window; `newest` is that of the last window that has it."""

    newest: Metric
    points: tuple[Point, ...]
    finding: Finding | None


@dataclass(frozen=True)
class _Group:
    """A group of a facet, and its metrics' drawing."""

    section: str
    place: tuple[str, str]
    chart: str


@dataclass(frozen=True)
class _Input:
    """A model input in the baseline, the first window and the last: values, and ranks from 1."""

    name: str
    values: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    climbed: int | None


@dataclass(frozen=True)
class _Label:
    """What explains a label over the range."""

    title: str
    chart: str
    finding: Finding | None
    first: datetime
    last: datetime
    inputs: tuple[_Input, ...]
    more: int
    decimals: int
    moves: tuple[RankChange, ...]


def render_range_report(title: str, facts: Mapping[str, str], about: Range, problem: str | None = None) -> str:
    """The report's HTML; whatever comes from data is escaped.

    Args:
        title: the page's.
        facts: what is shown on top, by name.
        about: the windows.
        problem: why executions of the managed service may be missing, if anything.
    """
    from model_monitor.analysis.range_template import TEMPLATE

    series = _series(about)
    groups = _chosen(series)
    explained = _labels(about)
    labels = [_label(label, about) for label in explained[:MOST_LABELS]]
    found = by_weight([*(one.finding for one in series.values()), *(label.finding for label in labels)])
    outcomes = rows(about.executions, about.missing)
    return TEMPLATE.render(
        title=title,
        facts=facts,
        problem=problem,
        years=about.end - about.start > timedelta(days=300),
        counts=count(about.executions, about.missing),
        streak=_streak(about.judged),
        other_baseline=_otherwise_compared(about.judged),
        findings=found[:MOST_FINDINGS],
        more_findings=max(len(found) - MOST_FINDINGS, 0),
        groups=[_group(group, metrics, about) for group, metrics in groups[:MOST_GROUPS]],
        more_groups=max(len(groups) - MOST_GROUPS, 0),
        labels=labels,
        more_labels=max(len(explained) - MOST_LABELS, 0),
        section_titles=SECTION_TITLES,
        condensed=MOST_POINTS if len(about.judged) > MOST_POINTS else None,
        rows=outcomes[-MOST_ROWS:],
        more_rows=max(len(outcomes) - MOST_ROWS, 0),
        first_steps=FIRST_STEPS,
        threshold=NDCG_THRESHOLD,
        decimals=DECIMALS,
        terms=terms([name for _, metrics in groups for name in metrics], bool(labels)),
    )


def _streak(judged: Sequence[Execution]) -> tuple[int, datetime] | None:
    """How many of the last windows violate without a break, and since when."""
    lasting = streak([execution.state == VIOLATED for execution in judged])
    return (lasting, judged[-lasting].scheduled) if lasting else None


def _otherwise_compared(judged: Sequence[Execution]) -> int:
    """How many windows were compared with another baseline than the last one."""
    if not judged:
        return 0
    last = _baseline(judged[-1])
    return sum(
        execution.baseline_replaced
        or any(last.get(place, value) != value for place, value in _baseline(execution).items())
        for execution in judged
    )


def _baseline(execution: Execution) -> dict[tuple[Group | str, str], float]:
    """What a window was compared with: by group and metric, or by label and feature."""
    found: dict[tuple[Group | str, str], float] = {}
    for metric in execution.metrics:
        if metric.baseline is not None:
            found[group_of(metric), metric.name] = metric.baseline
    for explanation in execution.explanations:
        found.update({(explanation.label, feature): value for feature, value in explanation.baseline.items()})
    return found


def _series(about: Range) -> dict[tuple[Group, str], _Series]:
    """Every metric that any window has, in the order of the last one that has it."""
    found: dict[tuple[Group, str], dict[int, Metric]] = {}
    for number in reversed(range(len(about.executions))):
        for metric in about.executions[number].metrics:
            found.setdefault((group_of(metric), metric.name), {})[number] = metric
    return {key: _one_series(about, metrics) for key, metrics in found.items()}


def _one_series(about: Range, metrics: Mapping[int, Metric]) -> _Series:
    newest = metrics[max(metrics)]
    points = [
        _point(execution.scheduled, metrics[number].value, metrics[number]) if number in metrics else None
        for number, execution in enumerate(about.executions)
    ]
    everything = _complete(about, points)
    where = (newest.facet, newest.group)
    return _Series(newest, everything, finding(where, newest.description, everything, abs, newest.baseline))


def _point(moment: datetime, value: float | None, found: Metric | Explanation) -> Point:
    interval = (found.interval.low, found.interval.high) if found.interval is not None else None
    return Point(moment, value, interval, found.verdict)


def _complete(about: Range, points: Sequence[Point | None]) -> tuple[Point, ...]:
    """A point for every window, those without a value and those that are missing included, in order of time."""
    known = [point or Point(execution.scheduled) for point, execution in zip(points, about.executions, strict=True)]
    return tuple(sorted([*known, *map(Point, about.missing)], key=lambda point: point.moment))


def _chosen(series: Mapping[tuple[Group, str], _Series]) -> list[tuple[Group, dict[str, _Series]]]:
    """The groups with their metrics: the predictions' first; of too many, those that violated most."""
    groups: dict[Group, dict[str, _Series]] = {}
    for (group, name), one in series.items():
        groups.setdefault(group, {})[name] = one
    found = list(groups.items())
    if len(found) > MOST_GROUPS:
        found.sort(key=lambda item: -sum(one.finding.violated for one in item[1].values() if one.finding))
    return sorted(found[:MOST_GROUPS], key=lambda item: SECTIONS.index(item[0][0])) + found[MOST_GROUPS:]


def _group(group: Group, metrics: Mapping[str, _Series], about: Range) -> _Group:
    drawn = [one for one in metrics.values() if any(point.value is not None for point in one.points)][:MOST_METRICS]
    newest = next(iter(metrics.values())).newest
    title = f"{SECTION_TITLES[group[0]]}: {newest.facet}: {newest.group}"
    chart = panels(title, [_metric_panel(one) for one in drawn], about.start, about.end, Legend())
    return _Group(group[0], (newest.facet, newest.group), chart)


def _metric_panel(series: _Series) -> Panel:
    limit = series.newest.allowed
    allowed = None if limit is None else (-limit, limit)
    name, description = series.newest.name, series.newest.description.removesuffix(f" ({series.newest.name})")
    return Panel(f"{name}: {description}", series.points, series.newest.baseline, allowed)


def _labels(about: Range) -> list[str]:
    labels = [explanation.label for execution in reversed(about.judged) for explanation in execution.explanations]
    return list(dict.fromkeys(labels))


def _label(label: str, about: Range) -> _Label:
    explained: list[tuple[Execution, Explanation]] = []
    points: list[Point | None] = []
    for execution in about.executions:
        found = next((one for one in execution.explanations if one.label == label), None)
        points.append(None if found is None else _point(execution.scheduled, found.ndcg, found))
        if found is not None:
            explained.append((execution, found))
    scores = _complete(about, points)
    (first, earliest), (last, latest) = explained[0], explained[-1]
    inputs = _inputs(latest.baseline, earliest.values, latest.values)
    return _Label(
        title=label,
        chart=panels(f"NDCG: {label}", [_score_panel(label, scores)], about.start, about.end, NDCG_LEGEND)
        if any(point.value is not None for point in scores)
        else "",
        finding=finding(("Order of inputs", label), "NDCG", scores, _lower, NDCG_THRESHOLD),
        first=first.scheduled,
        last=last.scheduled,
        inputs=inputs[:TOP_FEATURES],
        more=max(len(inputs) - TOP_FEATURES, 0),
        decimals=decimals_of(latest.values.values()),
        moves=tuple(rank_changes(latest.baseline, latest.values)[:TOP_MOVES]),
    )


NDCG_LEGEND = Legend(baseline="threshold")


def _lower(value: float) -> float:
    return -value


def _score_panel(label: str, points: Sequence[Point]) -> Panel:
    title = f"NDCG of {label}: 1 is the baseline's order"
    return Panel(title, points, NDCG_THRESHOLD, (NDCG_THRESHOLD, 1.0), worse=_lower, anchor=1.0, linear_up_to=None)


def _inputs(*orders: Mapping[str, float]) -> tuple[_Input, ...]:
    """The inputs in the order of the last of these, with their places in all."""
    places = [ranks(order) for order in orders]
    return tuple(
        _Input(
            name,
            tuple(order.get(name) for order in orders),
            tuple(place.get(name) for place in places),
            places[0][name] - places[-1][name] if name in places[0] else None,
        )
        for name in ranked(orders[-1])
    )
