"""When windows are judged, and which time they cover."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from model_monitor import windows
from model_monitor.durations import duration
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok, warning

SOME_NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""Any moment will do: schedules repeat."""


def check_monitoring(definition: Definition) -> Iterator[Finding]:
    """The order of the monitors' offsets."""
    own = definition.endpoint.monitoring
    start, end = duration(own.start_time_offset), duration(own.end_time_offset)
    where = "monitoring.start_time_offset"
    if start >= end:
        what = f"{own.start_time_offset} is not before end_time_offset {own.end_time_offset}"
        yield error("schedule", where, what, "Give the start the longer way back, such as -PT1H to -PT0H.")
    else:
        yield ok("schedule", where, f"{own.cron} analyses {end - start} up to {own.end_time_offset}")


def check_windows(definition: Definition) -> Iterator[Finding]:
    """The windows of two firings in a row: each ends before it is judged, and together they leave nothing out."""
    endpoint = definition.endpoint
    where = "monitoring.cron" if endpoint.windows.schedule is None else "windows.schedule"
    last = windows.latest(endpoint, SOME_NOON)
    before = next(windows.before(endpoint, last))
    late = last.end - last.scheduled
    if late > timedelta(0):
        what = f"windows end {late} after they are judged"
        yield error("windows", where, what, "Let windows.end_offset be zero or negative.")
    elif last.start > before.end:
        what = f"between two windows lie {last.start - before.end} that no window covers"
        yield warning("windows", where, what, "Move the start's offset back by as much, unless this is meant.")
    elif last.start < before.end:
        what = f"two windows share {before.end - last.start}, which are judged twice"
        yield warning("windows", where, what, "Move the start's offset forward by as much, unless this is meant.")
    else:
        yield ok("windows", where, f"'{windows.cron(endpoint)}' judges {last.end - last.start} at a time, without gaps")
