"""The time of a data folder never goes back, whichever clock opens it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_aws.__main__ import main
from local_aws.clock import Clock
from local_aws.database_files import UnusableStore
from local_aws.kept_time import KeptTime
from local_aws.store import Store
from tests.running_aws import start_local_aws

START = datetime(2026, 11, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


def opened(store: Store, clock: Clock) -> Clock:
    KeptTime(store, clock).take_up()
    return clock


def stepped(start: datetime | None = None, real: datetime = START) -> Clock:
    return Clock(stepped=True, start=start, source=lambda: real)


def real(now: datetime) -> Clock:
    return Clock(source=lambda: now)


def test_stepped_time_goes_on_where_it_stood(store: Store) -> None:
    opened(store, stepped(START)).advance(90.25)
    assert opened(store, stepped(real=START + 9 * HOUR)).now() == START + timedelta(seconds=90.25)


def test_every_moment_on_the_way_is_kept_before_anybody_sees_it(store: Store) -> None:
    clock = opened(store, stepped(START))
    seen: list[datetime] = []
    for minutes in (10, 20):
        clock.call_at(START + timedelta(minutes=minutes), lambda: seen.append(opened(store, stepped()).now()))
    clock.advance(3600)
    assert seen == [START + timedelta(minutes=10), START + timedelta(minutes=20)]


def test_a_start_before_what_has_been_is_refused(store: Store) -> None:
    opened(store, stepped(START)).advance(3600)
    with pytest.raises(UnusableStore, match=r"--start 2026-11-16T00:30:00Z is before 2026-11-16T01:00:00Z"):
        opened(store, stepped(START + HOUR / 2))
    assert opened(store, stepped(START + 2 * HOUR)).now() == START + 2 * HOUR


def test_a_start_before_real_time_that_was_is_refused_too(store: Store) -> None:
    opened(store, real(START + HOUR))
    with pytest.raises(UnusableStore, match="--start"):
        opened(store, stepped(START))


def test_the_real_clock_takes_over_when_stepped_time_is_not_in_its_future(store: Store) -> None:
    opened(store, stepped(START)).advance(3600)
    with pytest.raises(UnusableStore, match=r"2026-11-16T01:00:00Z, which is in the future"):
        opened(store, real(START + HOUR / 2))
    assert opened(store, real(START + HOUR)).now() == START + HOUR


def test_stepped_time_after_real_time_begins_at_the_real_one(store: Store) -> None:
    opened(store, real(START))
    assert opened(store, stepped(real=START + HOUR)).now() == START + HOUR


def test_the_server_keeps_its_stepped_time_through_a_kill(tmp_path: Path) -> None:
    first = start_local_aws(tmp_path / "aws", "--clock", "stepped", "--start", "2026-11-16T00:00:00Z")
    assert first.now() == START
    first.advance(3 * 3600)
    first.process.kill()
    first.process.wait()
    second = start_local_aws(tmp_path / "aws", "--clock", "stepped")
    try:
        assert second.now() == START + 3 * HOUR
    finally:
        second.stop()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--start", "2026-11-16T00:00:00Z"], "--start is for --clock stepped"),
        (["--clock", "stepped", "--start", "yesterday"], "no ISO 8601 time such as"),
    ],
)
def test_a_start_that_makes_no_sense_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    complaint: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["local_aws", "--port", "0", "--data-dir", str(tmp_path / "aws"), *options])
    with pytest.raises(SystemExit):
        main()
    assert complaint in capsys.readouterr().err
