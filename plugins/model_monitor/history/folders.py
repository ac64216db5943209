"""The names of report folders: when their windows were due, and what stretch of time they are about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from croniter import croniter

from model_monitor import windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.config_types import duration
from model_monitor.errors import InputError

_FOLDER = re.compile(
    r"(?P<day>\d{4}/\d\d/\d\d)/(?P<hour>\d\d)"
    r"(?:-(?P<minute>\d\d)(?:-(?P<second>\d\d)-from-(?P<start>\d{8}T\d{6}))?)?",
    re.ASCII,
)


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
    clock = f"{found['hour']}:{found['minute'] or '00'}:{found['second'] or '00'}"
    try:
        scheduled = datetime.strptime(f"{found['day']} {clock}", "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
        start = datetime.strptime(found["start"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if found["start"] else None
    except ValueError:
        return None
    return Due(scheduled, start)


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
