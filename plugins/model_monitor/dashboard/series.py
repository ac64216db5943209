"""Bias metrics over time: what each execution said of the same metric of the same group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from model_monitor.history.model import Execution, Metric
from model_monitor.results import standing

GroupKey = tuple[str, str, int | str]
MetricKey = tuple[GroupKey, str]
Place = tuple[str | None, str | None, str]
"""Facet, group and name of a metric, as violations name it."""


def group_key(metric: Metric) -> GroupKey:
    """What is the same of a group in every execution."""
    return metric.section, metric.facet, standing(metric.group, metric.position)


@dataclass
class Series:
    """One metric of one group; the lists have an entry for each execution."""

    key: MetricKey
    newest: Metric
    metrics: list[Metric | None]
    violated: list[bool]

    @property
    def violations(self) -> int:
        """In how many executions it was violated."""
        return sum(self.violated)

    @property
    def violated_last(self) -> bool:
        """Whether it was violated when it was last judged."""
        judged = [violated for metric, violated in zip(self.metrics, self.violated, strict=True) if metric]
        return bool(judged) and judged[-1]


@dataclass
class Group:
    """The metrics of one facet's group."""

    key: GroupKey
    section: str
    facet: str
    text: str
    series: list[Series] = field(default_factory=list)


def groups(executions: Sequence[Execution]) -> list[Group]:
    """All metrics that any of the executions has, by group, in the order of the newest one that has them."""
    found: dict[MetricKey, Series] = {}
    for number in reversed(range(len(executions))):
        violated = violated_metrics(executions[number])
        for metric in executions[number].metrics:
            key = (group_key(metric), metric.name)
            if key not in found:
                nothing = len(executions)
                found[key] = Series(key, metric, [None] * nothing, [False] * nothing)
            found[key].metrics[number] = metric
            found[key].violated[number] = place(metric) in violated
    by_group: dict[GroupKey, Group] = {}
    for series in found.values():
        newest = series.newest
        group = by_group.setdefault(series.key[0], Group(series.key[0], newest.section, newest.facet, newest.group))
        group.series.append(series)
    return list(by_group.values())


def place(metric: Metric) -> Place:
    """Where a violation would say that the metric is."""
    return metric.facet, metric.group, metric.name


def grouped(metrics: Iterable[Metric]) -> list[list[Metric]]:
    """The metrics of one execution by group, in their order."""
    by_group: dict[GroupKey, list[Metric]] = {}
    for metric in metrics:
        by_group.setdefault(group_key(metric), []).append(metric)
    return list(by_group.values())


def violated_metrics(execution: Execution) -> set[Place]:
    """The violated bias metrics."""
    return {(entry.facet, entry.group, entry.metric) for entry in execution.violations if entry.facet is not None}


def violating_first(series: Iterable[Series]) -> list[Series]:
    """Those that were violated last first, then those violated more often; otherwise as they come."""
    return sorted(series, key=lambda one: (not one.violated_last, -one.violations))
