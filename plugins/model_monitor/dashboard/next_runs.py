"""When an endpoint is judged next, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from croniter import croniter

from model_monitor import windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard.runs import NextRun
from model_monitor.history.model import Execution

SCHEDULED = ("windows", "watch")
"""The kinds of DAGs that judge, or tell of verdicts, by themselves."""

LATE = timedelta(hours=1)
"""How late a managed execution may start before its schedule no longer counts as alive."""


@dataclass(frozen=True)
class Next:
    """The next verdict's time, and who gives it: a DAG, or SageMaker's schedule where it is None."""

    at: datetime
    dag_id: str | None


def next_verdict(
    endpoint: MonitoredEndpoint, newest: Execution | None, now: datetime, runs: Mapping[str, NextRun]
) -> Next | None:
    """None where nothing is scheduled."""
    due = [
        Next(run.at, run.dag_id)
        for kind in SCHEDULED
        if (run := runs.get(f"{endpoint.name}.{kind}")) and run.at and not run.paused
    ]
    if due:
        return min(due, key=lambda one: one.at)
    if newest is None:
        return None
    times = croniter(windows.cron(endpoint), now)
    last = times.get_prev(datetime)
    before = times.get_prev(datetime)
    alive = newest.scheduled >= before - LATE
    return Next(croniter(windows.cron(endpoint), max(now, last)).get_next(datetime), None) if alive else None
