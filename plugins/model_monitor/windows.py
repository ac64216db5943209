"""Which stretch of time a run judges: by its data interval, by the form's two moments, or the last one that is over.

A window is `[start, end)`. Its scheduled time names its report's folder, as a managed execution's does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from croniter import croniter

from model_monitor.durations import duration
from model_monitor.errors import InputError

if TYPE_CHECKING:
    from model_monitor.config import MonitoredEndpoint

HOUR = timedelta(hours=1)
_HOURLY_CRON = "cron(0 "
_SOME_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
_FIRINGS = 100


@dataclass(frozen=True)
class Window:
    """The moments in UTC; `regular` tells a window that the schedule makes from one that somebody asked for."""

    start: datetime
    end: datetime
    scheduled: datetime
    regular: bool = True

    @property
    def name(self) -> str:
        """The path that stands for the window: `yyyy/mm/dd/hh` of the scheduled time, as the managed service has it.

        Schedules that fire at other minutes have `hh-MM`; windows that no schedule makes have their start in addition,
        so that none overwrites another's report.
        """
        day = f"{self.scheduled:%Y/%m/%d}"
        if not self.regular:
            return f"{day}/{self.scheduled:%H-%M-%S}-from-{self.start:%Y%m%dT%H%M%S}"
        return f"{day}/{self.scheduled:%H}" if self.scheduled.minute == 0 else f"{day}/{self.scheduled:%H-%M}"

    def hours(self) -> list[datetime]:
        """The hours that hold the window's records."""
        first = self.start.replace(minute=0, second=0, microsecond=0)
        return [first + number * HOUR for number in range(-(-(self.end - first) // HOUR))]

    def covers(self, hour: datetime) -> bool:
        """Whether all of an hour lies in the window."""
        return self.start <= hour and hour + HOUR <= self.end

    def __str__(self) -> str:
        return f"{shown(self.start)} – {shown(self.end)}"

    def as_dict(self) -> dict[str, str | bool]:
        """The window as XCom carries it."""
        moments = {key: shown(getattr(self, key)) for key in ("start", "end", "scheduled")}
        return {**moments, "regular": self.regular}

    @classmethod
    def from_dict(cls, content: dict[str, str | bool]) -> Window:
        """The window behind `as_dict`."""
        start, end, scheduled = (moment(str(content[key])) for key in ("start", "end", "scheduled"))
        return cls(start, end, scheduled, bool(content["regular"]))


def cron(endpoint: MonitoredEndpoint) -> str:
    """When windows are judged, as a cron expression of five fields in UTC; that of the monitors unless given."""
    if endpoint.windows.schedule is not None:
        return endpoint.windows.schedule
    hours = endpoint.monitoring.cron.removeprefix(_HOURLY_CRON).split()[0]
    start, _, step = hours.partition("/")
    return f"0 {f'{int(start)}-23/{step}' if step else hours} * * *"


def period(endpoint: MonitoredEndpoint) -> timedelta:
    """The time between two windows; the shortest where the schedule has several."""
    return _shortest(cron(endpoint))


def age(endpoint: MonitoredEndpoint) -> timedelta:
    """How long before it is judged a window begins, at least."""
    if endpoint.windows.schedule is None:
        return -duration(endpoint.monitoring.start_time_offset)
    return period(endpoint) - duration(endpoint.windows.start_offset)


def of_interval(endpoint: MonitoredEndpoint, start: datetime, end: datetime) -> Window:
    """The window of a data interval of the schedule."""
    windows, monitoring = endpoint.windows, endpoint.monitoring
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if windows.schedule is None:
        begins, ends = end + duration(monitoring.start_time_offset), end + duration(monitoring.end_time_offset)
    else:
        begins, ends = start + duration(windows.start_offset), end + duration(windows.end_offset)
    if ends <= begins:
        raise InputError(f"{endpoint.name}: the window {shown(begins)} – {shown(ends)} is empty; mend the offsets")
    return Window(begins, ends, end)


def scheduled_at(endpoint: MonitoredEndpoint, scheduled: datetime) -> Window:
    """The window that the schedule makes at one of its times."""
    return of_interval(endpoint, croniter(cron(endpoint), scheduled).get_prev(datetime), scheduled)


def latest(endpoint: MonitoredEndpoint, now: datetime) -> Window:
    """The last window of the schedule that is due."""
    # Just after a firing, that firing is the last one.
    return scheduled_at(endpoint, croniter(cron(endpoint), now + timedelta(microseconds=1)).get_prev(datetime))


def asked_for(endpoint: MonitoredEndpoint, start: str, end: str) -> Window:
    """The window between two moments that somebody gave; the schedule's own where it has such a one.

    Raises:
        InputError: when a moment cannot be read, or the end does not come after the start.
    """
    begins, ends = moment(start), moment(end)
    if ends <= begins:
        raise InputError(f"The window's end {end} does not come after its start {start}.")
    windows, monitoring = endpoint.windows, endpoint.monitoring
    shift = monitoring.end_time_offset if windows.schedule is None else windows.end_offset
    due = ends - duration(shift)
    if croniter.match(cron(endpoint), due) and due.second == 0:
        own = scheduled_at(endpoint, due)
        if (own.start, own.end) == (begins, ends):
            return own
    return Window(begins, ends, ends, regular=False)


def before(endpoint: MonitoredEndpoint, window: Window) -> Iterator[Window]:
    """The schedule's windows before this one, the newest first."""
    times = croniter(cron(endpoint), window.scheduled)
    while True:
        yield scheduled_at(endpoint, times.get_prev(datetime))


def moment(text: str) -> datetime:
    """A moment in UTC, to the second; without a zone it is UTC.

    Raises:
        InputError: when it is none.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"'{text}' is no moment; expected one such as 2026-11-22T10:00:00Z") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def shown(moment: datetime) -> str:
    """`2026-11-22T10:00:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@cache
def _shortest(expression: str) -> timedelta:
    """The shortest time between two firings; DAG files ask for it whenever they are parsed."""
    firings = islice(croniter(expression, _SOME_MONDAY).all_next(datetime), _FIRINGS)
    return min(after - before for before, after in pairwise(firings))
