from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from local_aws.clock import Clock, ClockIsReal

START = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def stepped() -> Clock:
    return Clock(stepped=True, start=START)


def test_stepped_time_moves_only_by_advance() -> None:
    clock = stepped()
    assert clock.now() == START
    assert clock.advance(3600) == START + timedelta(hours=1)
    assert clock.now() == START + timedelta(hours=1)


def test_alarms_go_off_in_order_each_at_its_moment() -> None:
    clock = stepped()
    seen: list[tuple[str, datetime]] = []
    clock.call_at(START + timedelta(minutes=50), lambda: seen.append(("late", clock.now())))
    clock.call_at(START + timedelta(minutes=10), lambda: seen.append(("early", clock.now())))
    clock.call_at(START + timedelta(minutes=61), lambda: seen.append(("not yet", clock.now())))
    clock.advance(3600)
    assert seen == [("early", START + timedelta(minutes=10)), ("late", START + timedelta(minutes=50))]


def test_an_alarm_may_set_the_next_one() -> None:
    clock = stepped()
    hours: list[datetime] = []

    def hourly(moment: datetime) -> None:
        hours.append(clock.now())
        clock.call_at(moment + timedelta(hours=1), lambda: hourly(moment + timedelta(hours=1)))

    first = START.replace(minute=0) + timedelta(hours=1)
    clock.call_at(first, lambda: hourly(first))
    clock.advance(24 * 3600)
    assert hours == [first + timedelta(hours=n) for n in range(24)]


def test_a_cancelled_alarm_does_not_go_off() -> None:
    clock = stepped()
    seen: list[str] = []
    clock.call_at(START + timedelta(minutes=1), lambda: seen.append("x")).cancel()
    clock.advance(3600)
    assert seen == []


def test_what_fails_does_not_stop_what_comes_after() -> None:
    clock = stepped()
    seen: list[str] = []
    clock.call_at(START + timedelta(minutes=1), lambda: seen.append(str(1 / 0)))
    clock.call_at(START + timedelta(minutes=2), lambda: seen.append("done"))
    clock.advance(3600)
    assert seen == ["done"]


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_time_goes_forward_only(seconds: float) -> None:
    with pytest.raises(ValueError):
        stepped().advance(seconds)


def test_real_time_cannot_be_moved() -> None:
    with pytest.raises(ClockIsReal):
        Clock().advance(1)


def test_with_real_time_alarms_go_off_by_themselves() -> None:
    clock = Clock()
    clock.start()
    rang = threading.Event()
    clock.call_at(clock.now() + timedelta(milliseconds=20), rang.set)
    assert rang.wait(10)
    clock.stop()


def test_with_real_time_an_alarm_goes_off_when_the_source_reaches_its_moment() -> None:
    began = time.monotonic()
    clock = Clock(source=lambda: START + timedelta(minutes=59, seconds=59.9 + time.monotonic() - began))
    rang: list[datetime] = []
    done = threading.Event()
    clock.call_at(START + timedelta(hours=1, seconds=0.05), done.set)
    clock.call_at(START + timedelta(hours=1), lambda: rang.append(clock.now()))
    clock.start()
    assert done.wait(10)
    clock.stop()
    (moment,) = rang
    assert START + timedelta(hours=1) <= moment < START + timedelta(hours=1, seconds=5)


def test_what_is_done_after_each_moment_sees_that_moment_and_all_that_was_due_at_it() -> None:
    clock = stepped()
    seen: list[str] = []
    for minutes, name in ((10, "a"), (10, "b"), (20, "c")):
        clock.call_at(START + timedelta(minutes=minutes), lambda name=name: seen.append(name))
    clock.advance(1800, after_each=lambda: seen.append(f"{(clock.now() - START).total_seconds() / 60:g}"))
    assert seen == ["0", "a", "b", "10", "c", "20"]


def test_what_after_each_sets_comes_in_its_turn() -> None:
    clock = stepped()
    seen: list[str] = []

    def settle() -> None:
        if seen == ["first"]:
            clock.call_at(START + timedelta(minutes=15), lambda: seen.append("between"))

    clock.call_at(START + timedelta(minutes=10), lambda: seen.append("first"))
    clock.call_at(START + timedelta(minutes=20), lambda: seen.append("last"))
    clock.advance(1800, after_each=settle)
    assert seen == ["first", "between", "last"]


def test_an_error_after_a_moment_leaves_time_there() -> None:
    clock = stepped()
    clock.call_at(START + timedelta(minutes=10), lambda: None)

    def settle() -> None:
        if clock.now() > START:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        clock.advance(1800, after_each=settle)
    assert clock.now() == START + timedelta(minutes=10)
    assert clock.advance(60) == START + timedelta(minutes=11)


def test_stepped_time_knows_how_far_it_is_from_the_real_one() -> None:
    clock = Clock(stepped=True, start=START, source=lambda: START + timedelta(days=7))
    clock.advance(3600)
    assert clock.seconds_ahead() == -6 * 86400 - 23 * 3600
    assert Clock().seconds_ahead() == 0
