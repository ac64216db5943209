"""The report on a range of an endpoint's windows, made from what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from croniter import croniter

from model_monitor import names, windows
from model_monitor.errors import InputError
from model_monitor.names import Kind

if TYPE_CHECKING:
    from model_monitor.analysis.range_report import Range
    from model_monitor.history.model import Execution
    from model_monitor.history.reader import History

MOST_WINDOWS = 10_000
GRACE = timedelta(hours=1)
"""A managed monitor takes some of it to start."""


def render_range(history: History, kind: Kind, start: datetime, end: datetime) -> str:
    """The report's HTML on the windows due from `start` to before `end`.

    Raises:
        InputError: when the range holds no time, or more windows than a report has room for.
        MonitorError: when S3 refuses or does not answer.
    """
    return report_on(history, kind, range_of(history, kind, start, end))


def range_of(history: History, kind: Kind, start: datetime, end: datetime) -> Range:
    """What is known of the windows due from `start` to before `end`; raises as `render_range` does."""
    from model_monitor.analysis.range_report import Range

    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end <= start:
        raise InputError(f"The range's end {windows.shown(end)} does not come after its start {windows.shown(start)}.")
    executions = history.executions(kind, start, end)
    due = _due(history, start, min(end, history.now() - GRACE))
    if max(len(executions), len(due)) > MOST_WINDOWS:
        raise InputError(
            f"{history.endpoint.name} has more than {MOST_WINDOWS:,} windows from {windows.shown(start)} to "
            f"{windows.shown(end)}: ask for a shorter range"
        )
    return Range(start, end, executions, _missing(history, kind, due, executions))


def report_on(history: History, kind: Kind, about: Range) -> str:
    """The report's HTML on windows that were looked up."""
    from model_monitor.analysis.range_report import render_range_report
    from model_monitor.analysis.range_template import moment

    endpoint = history.endpoint
    facts = {
        "Endpoint": endpoint.name,
        "Monitor": names.schedule(endpoint, kind),
        "Windows due": f"from {moment(about.start)} until before {moment(about.end)} UTC",
    }
    title = f"{endpoint.name}: {kind} over time"
    return render_range_report(title, facts, about, history.service_problem())


def _due(history: History, start: datetime, end: datetime) -> list[datetime]:
    """When the schedule has windows due; one more than `MOST_WINDOWS` at most."""
    times = croniter(windows.cron(history.endpoint), start - timedelta(microseconds=1))
    found: list[datetime] = []
    while len(found) <= MOST_WINDOWS and (moment := times.get_next(datetime)) < end:
        found.append(moment)
    return found


def _missing(history: History, kind: Kind, due: Sequence[datetime], executions: Sequence[Execution]) -> list[datetime]:
    """The windows that were due and of which nothing is there.

    Those before the first one are missing only if the one before the range is there: else the monitor was not yet. None
    is, where managed monitors ran beside `windows.schedule`, as their own schedule is another.
    """
    endpoint = history.endpoint
    if not due or (endpoint.windows.schedule is not None and any(execution.job for execution in executions)):
        return []
    there = {execution.window for execution in executions}
    missing = [moment for moment in due if windows.scheduled_at(endpoint, moment).name not in there]
    before = next(windows.before(endpoint, windows.scheduled_at(endpoint, due[0])))
    if not executions or history.execution(kind, before.name) is not None:
        return missing
    return [moment for moment in missing if moment > executions[0].scheduled]
