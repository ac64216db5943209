"""What became of the windows of a range, and what violated most in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from model_monitor.analysis.interval_rule import NOT_CERTAIN, VIOLATION
from model_monitor.results import standing

if TYPE_CHECKING:
    from model_monitor.history.model import Execution, Metric

COMPLETED, VIOLATED = "Completed", "CompletedWithViolations"
UNDER_WAY = frozenset({"Pending", "InProgress", "Stopping"})
STATES = {
    COMPLETED: "ok",
    VIOLATED: "violations",
    "Failed": "failed",
    "Stopped": "stopped",
    "Pending": "waiting",
    "InProgress": "running",
    "Stopping": "stopping",
}
MISSING, UNREADABLE = "missing", "unreadable"
SHOWN = 300

Group = tuple[str, str, int | str]


@dataclass(frozen=True)
class Point:
    """What a window says of a metric, or of a label's NDCG; the value is None where there is none.

    Values and the ends of `interval` can be infinite; `verdict` is the rule's, None where nothing was compared.
    """

    moment: datetime
    value: float | None = None
    interval: tuple[float, float] | None = None
    verdict: str | None = None


@dataclass(frozen=True)
class Finding:
    """A metric, or a label's NDCG, that violated at least once, or would have if its interval had confirmed it.

    `where` is facet and group, or what comes before the label. `judged` counts windows in which it was compared.
    `since` is the first of the violating windows that no other window has followed; None if it violates no more.
    """

    where: tuple[str, str]
    what: str
    judged: int
    violated: int
    doubtful: int
    first: datetime | None
    last: datetime | None
    since: datetime | None
    streak: int
    worst: float | None
    baseline: float | None


@dataclass(frozen=True)
class Row:
    """Consecutive windows of which the same is to be said."""

    first: datetime
    last: datetime
    windows: int
    state: str
    violations: str
    reason: str


@dataclass(frozen=True)
class Counts:
    """What became of the windows."""

    judged: int
    violating: int
    failed: int
    running: int
    missing: int


def group_of(metric: Metric) -> Group:
    """What is the same of a metric's group in every window."""
    return metric.section, metric.facet, standing(metric.group, metric.position)


def state_of(execution: Execution) -> str:
    """A window's state in a word; a status that is not known stands for itself."""
    if execution.state in (COMPLETED, VIOLATED) and not execution.judged:
        return UNREADABLE
    return STATES.get(execution.state, execution.state)


def count(executions: Sequence[Execution], missing: Sequence[datetime]) -> Counts:
    """How many windows were judged, how many of these violate, and what became of the others."""
    judged = [execution for execution in executions if execution.judged]
    others = [execution for execution in executions if not execution.judged]
    running = sum(execution.state in UNDER_WAY for execution in others)
    return Counts(
        judged=len(judged),
        violating=sum(execution.state == VIOLATED for execution in judged),
        failed=len(others) - running,
        running=running,
        missing=len(missing),
    )


def streak(flags: Sequence[bool]) -> int:
    """How many of the last ones are true, without a break."""
    return next((number for number, flag in enumerate(reversed(flags)) if not flag), len(flags))


def finding(
    where: tuple[str, str], what: str, points: Sequence[Point], worse: Callable[[float], float], baseline: float | None
) -> Finding | None:
    """A metric's windows in brief; None where it never violated and never came near it.

    `worse` says how bad a value is: greater is worse.
    """
    judged = [one for one in points if one.verdict is not None]
    violated = [one for one in judged if one.verdict == VIOLATION]
    doubtful = sum(one.verdict == NOT_CERTAIN for one in judged)
    if not violated and not doubtful:
        return None
    lasting = streak([one.verdict == VIOLATION for one in judged])
    return Finding(
        where=where,
        what=what,
        judged=len(judged),
        violated=len(violated),
        doubtful=doubtful,
        first=violated[0].moment if violated else None,
        last=violated[-1].moment if violated else None,
        since=judged[-lasting].moment if lasting else None,
        streak=lasting,
        worst=max((one.value for one in judged if one.value is not None), key=worse, default=None),
        baseline=baseline,
    )


def by_weight(found: Iterable[Finding | None]) -> list[Finding]:
    """The findings, those that violated most first."""
    present = [one for one in found if one is not None]
    return sorted(present, key=lambda one: (-one.violated, -one.doubtful))


def rows(executions: Sequence[Execution], missing: Sequence[datetime]) -> list[Row]:
    """Every window, in order; consecutive ones of the same state, violations and reason share a row."""
    found: list[Row] = []
    for moment, state, violations, reason in sorted(_outcomes(executions, missing)):
        last = found[-1] if found else None
        if last is not None and (last.state, last.violations, last.reason) == (state, violations, reason):
            found[-1] = Row(last.first, moment, last.windows + 1, state, violations, reason)
        else:
            found.append(Row(moment, moment, 1, state, violations, reason))
    return found


def _outcomes(executions: Sequence[Execution], missing: Sequence[datetime]) -> Iterator[tuple[datetime, str, str, str]]:
    for execution in executions:
        reason = execution.problem or execution.reason or ""
        yield execution.scheduled, state_of(execution), _violations(execution), _shortened(reason)
    for moment in missing:
        yield moment, MISSING, "", "The schedule had it due, and nothing was started."


def _violations(execution: Execution) -> str:
    """The metrics that violate, by name, each once; the NDCG for attributions."""
    names = [violation.metric if violation.facet is not None else "NDCG" for violation in execution.violations]
    return _shortened(", ".join(dict.fromkeys(names)))


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
