"""What is known of an endpoint's monitors: executions, baselines, hours of traffic. Plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from model_monitor.names import Kind


@dataclass(frozen=True)
class File:
    """A file of a report folder: its name relative to the folder, its size in bytes, its ETag, when it was written."""

    name: str
    size: int
    etag: str
    modified: datetime


@dataclass(frozen=True)
class Interval:
    """The two ends of a bootstrap interval; ends can be infinite."""

    low: float
    high: float


@dataclass(frozen=True)
class Metric:
    """One bias metric of one group. Values can be infinite; `value` is None where it cannot be computed: see `error`.

    `position` is the group's place among those of its facet: groups are matched by it, as the text of a group
    ("(100, 232]") changes with the data.
    """

    section: str
    facet: str
    position: int
    group: str
    name: str
    description: str
    value: float | None
    error: str | None = None
    baseline: float | None = None
    interval: Interval | None = None
    verdict: str | None = None

    @property
    def allowed(self) -> float | None:
        """How far from 0 the value may lie: the baseline's magnitude."""
        return None if self.baseline is None else abs(self.baseline)


@dataclass(frozen=True)
class Explanation:
    """Global Shapley values of one label; `baseline` has those of the baseline, `ndcg` compares the two orders."""

    label: str
    expected_value: float
    values: Mapping[str, float]
    baseline: Mapping[str, float] = field(default_factory=dict)
    ndcg: float | None = None
    interval: Interval | None = None
    verdict: str | None = None


@dataclass(frozen=True)
class Violation:
    """An entry of `constraint_violations.json`: a metric of a facet's group, or the NDCG of a label."""

    metric: str
    check: str
    description: str
    facet: str | None = None
    group: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Execution:
    """A window that was judged, or was to be: `window` is its folder's name, such as `2026/11/22/10`.

    `state` is a `MonitoringExecutionStatus` of SageMaker; `reason` says why where it is not one of the two `Completed`.
    `start` and `end` are the window's, None where its folder does not tell. `problem` says what is wrong with its
    files, if anything is. `baseline_replaced` says that there are baselines, all made after the window was judged:
    nothing is known of the one that it was compared with.
    """

    kind: Kind
    window: str
    scheduled: datetime
    state: str
    start: datetime | None = None
    end: datetime | None = None
    reason: str | None = None
    problem: str | None = None
    job: str | None = None
    baseline_replaced: bool = False
    files: tuple[File, ...] = ()
    metrics: tuple[Metric, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    violations: tuple[Violation, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether there is an analysis."""
        return bool(self.metrics or self.explanations)


@dataclass(frozen=True)
class Baseline:
    """What a monitor compares with, and when it was made; `made` is None where there is no analysis."""

    kind: Kind
    files: tuple[File, ...] = ()
    metrics: tuple[Metric, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    made: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Hour:
    """An hour of traffic: requests captured, labels collected, requests matched with one.

    None where it is not known; `estimated` where files were too large to be counted and their sizes were taken.
    """

    start: datetime
    captured: int | None
    labelled: int | None
    matched: int | None
    estimated: bool = False

    @property
    def unmatched(self) -> int | None:
        """Requests without a label."""
        return None if self.captured is None or self.matched is None else max(self.captured - self.matched, 0)
