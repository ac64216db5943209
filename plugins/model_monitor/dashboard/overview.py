"""What the first page shows: every endpoint, and how its monitors stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard.asking import Answer, ask_all
from model_monitor.dashboard.charts import Figure
from model_monitor.dashboard.next_runs import SCHEDULED, Next, next_verdict
from model_monitor.dashboard.runs import next_runs
from model_monitor.dashboard.traffic_charts import sparkline
from model_monitor.history.model import Execution
from model_monitor.history.reader import History
from model_monitor.names import KINDS, Kind

TREND = timedelta(days=7)


@dataclass(frozen=True)
class Monitor:
    """One monitor: its newest execution, its trend, its next verdict."""

    kind: Kind
    newest: Execution | None
    trend: Figure | None
    violating: int
    judged: int
    next: Next | None


@dataclass(frozen=True)
class Card:
    """One endpoint."""

    endpoint: MonitoredEndpoint
    monitors: list[Monitor]
    now: datetime | None
    problem: str | None

    @property
    def never_judged(self) -> bool:
        """Whether there is nothing to show yet."""
        return self.problem is None and all(monitor.newest is None for monitor in self.monitors)


@dataclass(frozen=True)
class _Known:
    now: datetime
    executions: dict[Kind, list[Execution]]
    newest: dict[Kind, Execution | None]


def cards(endpoints: list[MonitoredEndpoint]) -> list[Card]:
    """Every endpoint; those that violate first, then by name."""
    runs = next_runs(f"{endpoint.name}.{kind}" for endpoint in endpoints for kind in SCHEDULED)
    found = []
    for endpoint, answer in zip(endpoints, ask_all(endpoints, _known), strict=True):
        known = answer.value
        if known is None:
            found.append(Card(endpoint, [], None, _problem(answer)))
            continue
        monitors = [
            _monitor(kind, known, next_verdict(endpoint, known.newest[kind], known.now, runs)) for kind in KINDS
        ]
        found.append(Card(endpoint, monitors, known.now, None))
    return sorted(found, key=lambda card: (not _violates(card), card.endpoint.name))


def _known(endpoint: MonitoredEndpoint, history: History) -> _Known:
    now = history.now()
    executions = {kind: history.executions(kind, now - TREND) for kind in KINDS}
    newest = {kind: executions[kind][-1] if executions[kind] else history.newest(kind) for kind in KINDS}
    return _Known(now, executions, newest)


def _monitor(kind: Kind, known: _Known, following: Next | None) -> Monitor:
    executions = [execution for execution in known.executions[kind] if execution.judged]
    trend = sparkline(known.executions[kind], kind, known.now - TREND, known.now) if executions else None
    violating = sum(1 for execution in executions if execution.violations)
    return Monitor(kind, known.newest[kind], trend, violating, len(executions), following)


def _violates(card: Card) -> bool:
    return any(monitor.newest is not None and bool(monitor.newest.violations) for monitor in card.monitors)


def _problem(answer: Answer[_Known]) -> str:
    return answer.problem or "Its history could not be read."
