"""When a monitoring schedule fires and which data an execution looks at.

The grammar is SageMaker's: `cron(0 * ? * * *)` every hour, `cron(0 H ? * * *)` every day at H,
`cron(0 H/N ? * * *)` every N hours from H on each day, `NOW` once. All times are UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local_aws.errors import AwsError, validation_error

NOW = "NOW"
DAILY = "cron(0 0 ? * * *)"
LONGEST_WINDOW_OF_SCHEDULE = timedelta(hours=24)
LONGEST_OFFSET = timedelta(days=366)

_CRON = re.compile(r"cron\(0 (?:(?P<every_hour>\*)|(?P<hour>\d{1,2})(?:/(?P<step>\d{1,2}))?) \? \* \* \*\)", re.ASCII)
_DURATION = re.compile(
    r"(?P<sign>[-+]?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Recurrence:
    """The hours of the day, UTC, at which a schedule fires."""

    hours: tuple[int, ...]

    @property
    def period(self) -> timedelta:
        """The shortest time between two firings."""
        following = (*self.hours[1:], self.hours[0] + 24)
        return timedelta(hours=min(later - hour for hour, later in zip(self.hours, following, strict=True)))

    def next_after(self, moment: datetime) -> datetime:
        """The first firing strictly after the moment."""
        candidate = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        while candidate.hour not in self.hours:
            candidate += timedelta(hours=1)
        return candidate


@dataclass(frozen=True)
class Window:
    """The stretch of time whose data an execution analyses."""

    start: datetime
    end: datetime

    def hours(self) -> list[datetime]:
        """The whole hours that the window touches, the one that it ends in included."""
        first = self.start.replace(minute=0, second=0, microsecond=0)
        count = int((self.end - first) // timedelta(hours=1)) + 1
        return [first + timedelta(hours=number) for number in range(count)]


def recurrence(expression: str) -> Recurrence:
    """Read a cron expression.

    Raises:
        AwsError: ValidationException, when it is none of the supported forms.
    """
    match = _CRON.fullmatch(expression)
    if match is None:
        raise _unsupported(expression)
    if match["every_hour"]:
        return Recurrence(tuple(range(24)))
    hour, step = int(match["hour"]), int(match["step"] or 24)
    if hour > 23 or not 1 <= step <= 24:
        raise _unsupported(expression)
    return Recurrence(tuple(range(hour, 24, step)))


def offset(text: str) -> timedelta:
    """Read an ISO-8601 duration such as `-PT1H`, `-P8D` or `PT0H`.

    Raises:
        AwsError: ValidationException, when it is not one, or reaches further than a year.
    """
    match = _DURATION.fullmatch(text)
    amounts = {unit: int(match[unit] or 0) for unit in _UNITS} if match else {}
    if match is None or not any(match[unit] for unit in _UNITS):
        raise validation_error(f"Invalid offset '{text}': expected an ISO 8601 duration such as -PT1H or -P1D")
    try:
        duration = timedelta(**amounts)
    except OverflowError:
        duration = timedelta.max
    if duration > LONGEST_OFFSET:
        raise validation_error(f"Invalid offset '{text}': it must not be longer than {LONGEST_OFFSET.days} days")
    return -duration if match["sign"] == "-" else duration


def window(scheduled: datetime, start_offset: str | None, end_offset: str | None, period: timedelta) -> Window:
    """The window of an execution: `[scheduled + start, scheduled + end]`; without offsets, the period before."""
    start = offset(start_offset) if start_offset else -period
    end = offset(end_offset) if end_offset else timedelta(0)
    return Window(scheduled + start, scheduled + end)


def check_order(start_name: str, start: str | None, end_name: str, end: str | None) -> None:
    """Offsets have to be durations; the start must not come after the end, which without one is the scheduled time.

    Raises:
        AwsError: ValidationException.
    """
    from_start = offset(start) if start else None
    from_end = offset(end) if end else timedelta(0)
    if from_start is not None and from_start > from_end:
        raise validation_error(f"{start_name} {start} is after {end_name} {end or 'PT0H, which is the default'}")


def check_window_of_schedule(expression: str, start: str | None, end: str | None) -> None:
    """A schedule's own window begins before it ends, a day before at most; one for `NOW` has to have both ends.

    Raises:
        AwsError: ValidationException.
    """
    if expression == NOW and not (start and end):
        raise validation_error(
            "Both DataAnalysisStartTime and DataAnalysisEndTime are required for one time monitoring schedule"
        )
    check_order("DataAnalysisStartTime", start, "DataAnalysisEndTime", end)
    if start and (offset(end) if end else timedelta(0)) - offset(start) > LONGEST_WINDOW_OF_SCHEDULE:
        raise validation_error(
            f"DataAnalysisStartTime {start} precedes DataAnalysisEndTime {end or 'PT0H, which is the default,'} "
            "by more than 24 hours"
        )


def _unsupported(expression: str) -> AwsError:
    return validation_error(
        f"Invalid ScheduleExpression '{expression}': expected cron(0 * ? * * *), cron(0 [00-23] ? * * *), "
        "cron(0 [00-23]/[01-24] ? * * *) or NOW"
    )


_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
