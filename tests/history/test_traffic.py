"""Hours of traffic, counted from what lies in S3."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.history import counting, traffic
from model_monitor.history.model import Hour
from tests.denying_proxy import DenyingProxy
from tests.history.stored import Place, hooks_of
from tests.polling import until
from tests.preflight.proxied import proxied
from tests.running_aws import Running

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def watched(aws: Running, endpoint: MonitoredEndpoint) -> Iterator[tuple[Place, DenyingProxy]]:
    """A place, and the proxy that sees what is asked."""
    with proxied(aws.url, endpoint) as (proxy, behind):
        yield Place.of(behind, hooks_of(behind)), proxy


def capture(place: Place, hour: datetime, content: str, name: str = "00-00-000-a.jsonl") -> None:
    place.put(f"{names.captures(place.endpoint, hour)}/{name}", content)


def label(place: Place, moment: datetime, records: int) -> None:
    place.put(names.ground_truth_file(place.endpoint, moment), "\n".join(["{}"] * records))


def merge(place: Place, hour: datetime, records: int) -> None:
    folder = f"{names.merged(place.endpoint)}/{place.endpoint.name}/{place.endpoint.endpoint.variant}"
    place.put(f"{folder}/{names.hour_path(hour)}/part-0.jsonl", "{}\n" * records)


def test_each_hour_with_its_requests_labels_and_matches(place: Place) -> None:
    capture(place, TEN, "{}\n" * 3)
    capture(place, TEN, "{}\n{}", "30-00-000-b.jsonl")
    label(place, TEN, 2)
    label(place, TEN + timedelta(minutes=30), 2)
    merge(place, TEN, 4)
    capture(place, TEN + 2 * HOUR, "{}\n")
    capture(place, TEN + 4 * HOUR, "{}\n")
    hours = place.history.hours(TEN - HOUR + timedelta(minutes=5), TEN + 3 * HOUR)
    assert hours == [
        Hour(TEN - HOUR, 0, 0, 0),
        Hour(TEN, 5, 4, 4),
        Hour(TEN + HOUR, 0, 0, 0),
        # Nobody has merged this hour yet.
        Hour(TEN + 2 * HOUR, 1, 0, None),
    ]
    assert [hour.unmatched for hour in hours] == [0, 1, 0, None]
    assert place.history.hours(TEN, TEN) == []
    assert place.history.hours(TEN, TEN + timedelta(minutes=1)) == [hours[1]]


def test_an_empty_file_and_an_unfinished_line(place: Place) -> None:
    capture(place, TEN, "")
    assert place.history.hours(TEN, TEN + HOUR)[0].captured == 0
    capture(place, TEN, "{}", "10-00-000-c.jsonl")
    place.later()
    assert place.history.hours(TEN, TEN + HOUR)[0].captured == 1


def test_files_are_counted_once(watched: tuple[Place, DenyingProxy]) -> None:
    place, proxy = watched
    capture(place, TEN, "{}\n" * 3)
    label(place, TEN, 2)
    assert place.history.hours(TEN, TEN + HOUR)[0].captured == 3
    place.later()
    capture(place, TEN, "{}\n", "30-00-000-b.jsonl")
    proxy.seen.clear()
    assert place.history.hours(TEN, TEN + HOUR)[0].captured == 4
    assert proxy.seen.count("s3:GetObject") == 1
    assert proxy.seen.count("s3:ListObjectsV2") == 3


def test_large_hours_are_estimated_by_their_size(
    watched: tuple[Place, DenyingProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, proxy = watched
    monkeypatch.setattr(counting, "COUNTED_BYTES", 10_000)
    monkeypatch.setattr(counting, "SAMPLED_BYTES", 1_000)
    record = "x" * 99 + "\n"
    capture(place, TEN, record * 80)
    capture(place, TEN, record * 60, "30-00-000-b.jsonl")
    capture(place, TEN + HOUR, record * 100)
    large, small = place.history.hours(TEN, TEN + 2 * HOUR)
    assert large == Hour(TEN, 140, 0, None, estimated=True)
    assert small == Hour(TEN + HOUR, 100, 0, None, estimated=False)
    assert proxy.seen.count("s3:GetObject") == 2


def test_of_a_large_file_its_beginning_is_looked_at(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A last line that is cut off is none of the sample's."""
    monkeypatch.setattr(counting, "COUNTED_BYTES", 2 * 2**20)
    record = "x" * (2**18 + 9) + "\n"
    capture(place, TEN, record * 12)
    (hour,) = place.history.hours(TEN, TEN + HOUR)
    assert hour.estimated
    assert hour.captured == pytest.approx(12, abs=3)


def test_a_day_on_the_hour_does_not_read_the_next(watched: tuple[Place, DenyingProxy]) -> None:
    place, proxy = watched
    capture(place, TEN + HOUR, "{}\n")
    assert len(place.history.hours(TEN, TEN + HOUR)) == 1
    assert "s3:GetObject" not in proxy.seen


def slowed_down(place: Place, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Files come when a test lets them; tells when one is asked for."""
    begun, go_on = threading.Event(), threading.Event()
    chunks = place.storage.chunks

    def slowly(uri: str) -> Iterator[bytes]:
        begun.set()
        go_on.wait(10)
        yield from chunks(uri)

    monkeypatch.setattr(place.storage, "chunks", slowly)
    return begun, go_on


def test_without_time_hours_are_estimated_and_counted_when_asked_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "THREADS", 1)
    monkeypatch.setattr(traffic, "COUNTING_SECONDS", 0)
    begun, go_on = slowed_down(place, monkeypatch)
    for number in range(3):
        capture(place, TEN + number * HOUR, "{}\n" * (number + 1))
    hours = place.history.hours(TEN, TEN + 3 * HOUR)
    assert [hour.captured for hour in hours] == [None] * 3
    assert [hour.unmatched for hour in hours] == [None] * 3

    begun.wait(10)
    go_on.set()
    newest = until(lambda: place.history.hours(TEN, TEN + 3 * HOUR)[2], lambda hour: hour.captured is not None)
    assert newest == Hour(TEN + 2 * HOUR, 3, 0, None)
    monkeypatch.setattr(traffic, "COUNTING_SECONDS", 10)
    assert [hour.captured for hour in place.history.hours(TEN, TEN + 3 * HOUR)] == [1, 2, 3]


def test_hours_that_were_not_reached_are_estimated_by_those_that_were(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture(place, TEN + HOUR, "{}\n" * 20)
    place.history.hours(TEN + HOUR, TEN + 2 * HOUR)
    monkeypatch.setattr(traffic, "COUNTING_SECONDS", 0)
    _, go_on = slowed_down(place, monkeypatch)
    capture(place, TEN, "{}\n" * 5)
    assert place.history.hours(TEN, TEN + 2 * HOUR) == [
        Hour(TEN, 5, 0, None, estimated=True),
        Hour(TEN + HOUR, 20, 0, None),
    ]
    go_on.set()


def test_files_that_may_not_be_read_are_not_known_and_told(watched: tuple[Place, DenyingProxy]) -> None:
    place, proxy = watched
    capture(place, TEN, "{}\n")
    proxy.deny("s3:GetObject")
    assert place.history.hours(TEN, TEN + HOUR) == [Hour(TEN, None, 0, None)]
    assert "Allow 's3:GetObject'" in str(place.history.traffic_problem())
    proxy.reset()
    assert place.history.hours(TEN, TEN + HOUR) == [Hour(TEN, 1, 0, None)]
    assert place.history.traffic_problem() is None
