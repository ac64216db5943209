"""The names of report folders: when their windows were due, and what stretch of time they are about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from croniter import croniter

from model_monitor import windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.durations import duration
from model_monitor.errors import InputError

# Year, month, day, hour; the minute of other schedules; the second and the start of what no schedule makes.
_FOLDER = re.compile(r"(\d{4})/(\d\d)/(\d\d)/(\d\d)(?:-(\d\d)(?:-(\d\d)-from-(\d{8}T\d{6}))?)?", re.ASCII)


@dataclass(frozen=True)
class Due:
    """When a window was due, and its start where its folder's name says it."""

    scheduled: datetime
    start: datetime | None = None


def due(window: str) -> Due | None:
    """What the folder's name says; None where it is not the name of a window's folder."""
    found = _FOLDER.fullmatch(window)
    if found is None:
        return None
    *parts, start = found.groups()
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in parts)
        scheduled = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return Due(scheduled, datetime.strptime(start, "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if start else None)
    except ValueError:
        return None


def split(path: str) -> tuple[str, str] | None:
    """The window and the file's name in its folder, of a path below a monitor's reports; None for other files."""
    parts = path.split("/", 4)
    if len(parts) < 5 or not parts[4]:
        return None
    window = "/".join(parts[:4])
    return (window, parts[4]) if _FOLDER.fullmatch(window) else None


def stretch(endpoint: MonitoredEndpoint, window: Due, managed: bool) -> tuple[datetime | None, datetime | None]:
    """The window's start and end, as its folder or today's configuration say; None where neither does.

    Args:
        managed: whether the managed service judged it, which has offsets of its own.
    """
    if window.start is not None:
        return window.start, window.scheduled
    if managed:
        monitoring = endpoint.monitoring
        offsets = (monitoring.start_time_offset, monitoring.end_time_offset)
        start, end = (window.scheduled + duration(offset) for offset in offsets)
        return start, end
    if not croniter.match(windows.cron(endpoint), window.scheduled):
        return None, None
    try:
        own = windows.scheduled_at(endpoint, window.scheduled)
    except InputError:
        return None, None
    return own.start, own.end
