"""The axis of time: which moments are marked, and how they are written, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_STEPS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)]
_STEPS += [timedelta(hours=hours) for hours in (1, 3, 6, 12)]
_STEPS += [timedelta(days=days) for days in (1, 2, 7, 14, 28, 91, 182, 364)]
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def time_ticks(start: datetime, end: datetime, most: int) -> list[tuple[datetime, str]]:
    """Round moments between two, at most so many, and their texts: days, or hours where a step is shorter."""
    step = next((step for step in _STEPS if (end - start) / step <= most), None)
    if step is None:
        step = _STEPS[-1] * (1 + (end - start) // (_STEPS[-1] * most))
    first = _MONDAY + step * -((_MONDAY - start) // step)
    moments = []
    while first <= end:
        moments.append(first)
        first += step
    years = (end - start) > timedelta(days=364)
    return [(moment, _text(moment, step, years)) for moment in moments]


def _text(moment: datetime, step: timedelta, years: bool) -> str:
    if step < _DAY and (moment.hour, moment.minute) != (0, 0):
        return f"{moment:%H:%M}"
    return f"{moment.day} {moment:%b %Y}" if years else f"{moment.day} {moment:%b}"
