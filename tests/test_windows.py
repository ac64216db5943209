from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from model_monitor import windows
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.errors import InputError
from model_monitor.windows import Window

CHURN = load_endpoint(Path(__file__).parents[1] / "include" / "endpoints" / "churn.yaml")


def at(hour: int, minute: int = 0, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def configured(monitoring: dict[str, Any] | None = None, **own: Any) -> MonitoredEndpoint:
    content = CHURN.model_dump() | {"alarms": None}
    return MonitoredEndpoint.model_validate(
        content | {"monitoring": content["monitoring"] | (monitoring or {}), "windows": own}
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 * ? * * *)", "0 * * * *"),
        ("cron(0 14 ? * * *)", "0 14 * * *"),
        ("cron(0 0/6 ? * * *)", "0 0-23/6 * * *"),
        ("cron(0 05/12 ? * * *)", "0 5-23/12 * * *"),
    ],
)
def test_windows_fall_due_when_the_monitors_do(expression: str, expected: str) -> None:
    assert windows.cron(configured({"cron": expression})) == expected


def test_a_schedule_of_its_own_goes_before() -> None:
    assert windows.cron(configured(schedule="*/15 * * * *")) == "*/15 * * * *"


def test_an_hourly_window_is_its_data_interval_and_its_report_lies_in_the_hour_it_was_due() -> None:
    window = windows.of_interval(CHURN, at(9), at(10))
    assert (window.start, window.end) == (at(9), at(10))
    assert window.name == "2026/11/22/10"
    assert window.hours() == [at(9)]
    assert window.covers(at(9))


def test_without_a_schedule_of_its_own_the_window_is_the_managed_one_s() -> None:
    rolling = configured({"start_time_offset": "-P1D", "end_time_offset": "-PT1H"})
    window = windows.of_interval(rolling, at(9), at(10))
    assert (window.start, window.end, window.scheduled) == (at(10, day=21), at(9), at(10))


@pytest.mark.parametrize(
    ("schedule", "due", "start", "name"),
    [
        ("*/15 * * * *", at(10, 15), at(10), "2026/11/22/10-15"),
        ("*/15 * * * *", at(10), at(9, 45), "2026/11/22/10"),
        ("0 6 * * *", at(6), at(6, day=21), "2026/11/22/06"),
        ("0 0 * * 1", at(0, day=23), at(0, day=16), "2026/11/23/00"),
    ],
)
def test_other_periods(schedule: str, due: datetime, start: datetime, name: str) -> None:
    window = windows.scheduled_at(configured(schedule=schedule), due)
    assert (window.start, window.end, window.name) == (start, due, name)


def test_offsets_shift_the_interval() -> None:
    late = configured(schedule="0 * * * *", start_offset="-P1D", end_offset="-P1D")
    window = windows.of_interval(late, at(9), at(10))
    assert (window.start, window.end, window.name) == (at(9, day=21), at(10, day=21), "2026/11/22/10")


def test_offsets_that_leave_nothing_are_told() -> None:
    with pytest.raises(InputError, match=r"churn: the window .* is empty; mend the offsets"):
        windows.of_interval(configured(schedule="0 * * * *", start_offset="PT2H"), at(9), at(10))


@pytest.mark.parametrize(("now", "due"), [(at(10), at(10)), (at(10, 59), at(10)), (at(0, 1), at(0))])
def test_the_last_window_is_the_one_that_fell_due_last(now: datetime, due: datetime) -> None:
    assert windows.latest(CHURN, now) == Window(due - timedelta(hours=1), due, due)


def test_what_is_asked_for_is_the_schedule_s_own_window_where_it_has_it() -> None:
    assert windows.asked_for(CHURN, "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z") == windows.latest(CHURN, at(10))


@pytest.mark.parametrize(
    ("start", "end", "name"),
    [
        ("2026-11-22T09:20:00Z", "2026-11-22T09:50:00Z", "2026/11/22/09-50-00-from-20261122T092000"),
        ("2026-11-22T08:00:00+00:00", "2026-11-22T10:00:00", "2026/11/22/10-00-00-from-20261122T080000"),
        ("2026-11-22T10:30:00+01:00", "2026-11-22T10:00:00Z", "2026/11/22/10-00-00-from-20261122T093000"),
    ],
)
def test_any_other_interval_has_a_folder_of_its_own(start: str, end: str, name: str) -> None:
    window = windows.asked_for(CHURN, start, end)
    assert (window.regular, window.name) == (False, name)


@pytest.mark.parametrize(
    ("start", "end", "complaint"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z", "does not come after"),
        ("yesterday", "2026-11-22T10:00:00Z", "'yesterday' is no moment"),
    ],
)
def test_moments_that_make_no_window_are_told(start: str, end: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        windows.asked_for(CHURN, start, end)


def test_hours_that_a_window_cuts_are_not_covered() -> None:
    window = windows.asked_for(CHURN, "2026-11-22T09:20:00Z", "2026-11-22T11:10:00Z")
    assert [(hour.hour, window.covers(hour)) for hour in window.hours()] == [(9, False), (10, True), (11, False)]


def test_windows_before() -> None:
    window = windows.latest(CHURN, at(2))
    assert [one.scheduled for one in islice(windows.before(CHURN, window), 3)] == [at(1), at(0), at(23, day=21)]


def test_a_window_goes_through_xcom() -> None:
    window = windows.asked_for(CHURN, "2026-11-22T09:20:00Z", "2026-11-22T09:50:00Z")
    assert Window.from_dict(window.as_dict()) == window
    assert window.as_dict()["start"] == "2026-11-22T09:20:00Z"


@pytest.mark.parametrize(
    ("monitoring", "own", "period", "age"),
    [
        ({}, {}, timedelta(hours=1), timedelta(hours=1)),
        ({"cron": "cron(0 14 ? * * *)", "start_time_offset": "-P1D"}, {}, timedelta(days=1), timedelta(days=1)),
        ({"cron": "cron(0 0/6 ? * * *)"}, {}, timedelta(hours=6), timedelta(hours=1)),
        ({}, {"schedule": "*/15 * * * *"}, timedelta(minutes=15), timedelta(minutes=15)),
        ({}, {"schedule": "0 8-18 * * 1-5"}, timedelta(hours=1), timedelta(hours=1)),
        (
            {},
            {"schedule": "0 6 * * 1", "start_offset": "-P1D", "end_offset": "-P1D"},
            timedelta(days=7),
            timedelta(days=8),
        ),
    ],
)
def test_how_often_windows_come_and_how_old_they_are_then(
    monitoring: dict[str, Any], own: dict[str, Any], period: timedelta, age: timedelta
) -> None:
    endpoint = configured(monitoring, **own)
    assert (windows.period(endpoint), windows.age(endpoint)) == (period, age)
