from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_aws.errors import AwsError
from local_aws.monitoring.schedule_expressions import Window, check_window_of_schedule, offset, recurrence, window

NOON = datetime(2020, 1, 9, 12, 0, tzinfo=UTC)
HOURLY = "cron(0 * ? * * *)"


def firings(expression: str, after: datetime, count: int) -> list[datetime]:
    times = [after]
    while len(times) <= count:
        times.append(recurrence(expression).next_after(times[-1]))
    return times[1:]


def test_hourly() -> None:
    assert firings("cron(0 * ? * * *)", NOON, 3) == [NOON + timedelta(hours=n) for n in (1, 2, 3)]
    assert recurrence("cron(0 * ? * * *)").period == timedelta(hours=1)


def test_daily_at_an_hour() -> None:
    assert firings("cron(0 17 ? * * *)", NOON, 2) == [NOON + timedelta(hours=5), NOON + timedelta(hours=29)]
    assert recurrence("cron(0 17 ? * * *)").period == timedelta(days=1)


def test_every_n_hours_starts_anew_each_day() -> None:
    hours = [moment.hour for moment in firings("cron(0 2/6 ? * * *)", NOON, 5)]
    assert hours == [14, 20, 2, 8, 14]
    assert [moment.hour for moment in firings("cron(0 17/12 ? * * *)", NOON, 2)] == [17, 17]
    assert recurrence("cron(0 0/5 ? * * *)").period == timedelta(hours=4)


def test_a_firing_is_strictly_later() -> None:
    assert recurrence("cron(0 * ? * * *)").next_after(NOON + timedelta(seconds=1)) == NOON + timedelta(hours=1)
    assert recurrence("cron(0 * ? * * *)").next_after(NOON - timedelta(microseconds=1)) == NOON


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "cron(5 * ? * * *)",
        "cron(0 24 ? * * *)",
        "cron(0 0/25 ? * * *)",
        "cron(0 0/0 ? * * *)",
        "rate(1 hour)",
        "now",
        "cron(0 * ? * * *)\n",
        "cron(0 \N{ARABIC-INDIC DIGIT THREE} ? * * *)",
    ],
)
def test_other_expressions_are_refused_with_the_forms_that_are_allowed(expression: str) -> None:
    with pytest.raises(AwsError, match=r"cron\(0 \* \? \* \* \*\).*NOW") as refused:
        recurrence(expression)
    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-PT1H", timedelta(hours=-1)),
        ("-PT0H", timedelta(0)),
        ("PT0S", timedelta(0)),
        ("-P8D", timedelta(days=-8)),
        ("-P1DT2H30M", timedelta(days=-1, hours=-2, minutes=-30)),
        ("+P1W", timedelta(weeks=1)),
    ],
)
def test_offsets_are_iso_durations(text: str, expected: timedelta) -> None:
    assert offset(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "-1H", "PT1", "-PT1H30", "P1H", "-PT1H\n"])
def test_other_offsets_are_refused(text: str) -> None:
    with pytest.raises(AwsError, match="ISO 8601"):
        offset(text)


@pytest.mark.parametrize("text", ["-P367D", "P53W", "-P999999999999D", "P99999999999999999999W"])
def test_offsets_of_more_than_a_year_are_refused(text: str) -> None:
    with pytest.raises(AwsError, match=f"Invalid offset '{text}': it must not be longer than 366 days"):
        offset(text)


def test_the_documented_window_of_a_week_that_ends_a_day_before() -> None:
    scheduled = datetime(2020, 1, 9, 13, 0, tzinfo=UTC)
    assert window(scheduled, "-P8D", "-P1D", timedelta(days=1)) == Window(
        datetime(2020, 1, 1, 13, 0, tzinfo=UTC), datetime(2020, 1, 8, 13, 0, tzinfo=UTC)
    )


def test_without_offsets_the_window_is_the_period_before() -> None:
    assert window(NOON, None, None, timedelta(hours=6)) == Window(NOON - timedelta(hours=6), NOON)


def test_a_window_touches_the_hour_that_it_ends_in() -> None:
    assert [hour.hour for hour in window(NOON, "-PT1H", "-PT0H", timedelta(hours=1)).hours()] == [11, 12]
    late = NOON + timedelta(minutes=25)
    assert [hour.hour for hour in window(late, "-PT1H", "-PT0H", timedelta(hours=1)).hours()] == [11, 12]


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_hours_cover_the_window(before: int, length: int) -> None:
    covered = Window(NOON - timedelta(minutes=before), NOON - timedelta(minutes=before) + timedelta(minutes=length))
    hours = covered.hours()
    assert hours[0] <= covered.start < hours[0] + timedelta(hours=1)
    assert hours[-1] <= covered.end < hours[-1] + timedelta(hours=1)
    assert hours == [hours[0] + timedelta(hours=n) for n in range(len(hours))]


@pytest.mark.parametrize(
    ("expression", "start", "end", "problem"),
    [
        ("NOW", None, "-PT0H", "are required for one time monitoring schedule"),
        ("NOW", "-PT1H", None, "are required for one time monitoring schedule"),
        ("NOW", "-PT1H", "-PT2H", "is after"),
        ("NOW", "-PT25H", "-PT0H", "more than 24 hours"),
        (HOURLY, "-PT1H", "-PT2H", "is after"),
        (HOURLY, "-PT26H", "-PT1H", "more than 24 hours"),
        (HOURLY, "-PT25H", None, "precedes DataAnalysisEndTime PT0H, which is the default, by more than 24 hours"),
    ],
)
def test_a_schedules_window_has_its_ends_in_order_within_a_day(
    expression: str, start: str | None, end: str | None, problem: str
) -> None:
    with pytest.raises(AwsError, match=problem):
        check_window_of_schedule(expression, start, end)


@pytest.mark.parametrize(
    ("expression", "start", "end"),
    [
        ("NOW", "-PT24H", "-PT0H"),
        (HOURLY, "-PT25H", "-PT1H"),
        (HOURLY, "-PT24H", None),
        (HOURLY, None, "-PT1H"),
        (HOURLY, None, None),
    ],
)
def test_a_schedules_window_of_a_day_is_fine(expression: str, start: str | None, end: str | None) -> None:
    check_window_of_schedule(expression, start, end)
