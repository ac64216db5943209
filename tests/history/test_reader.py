"""What is read, when it is read again, and what several threads make of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.config.windows import Windows
from model_monitor.errors import InputError, MonitorError
from model_monitor.history import reader
from model_monitor.history.listing import OLDER_SECONDS, TAIL
from model_monitor.history.memory import Memory
from tests.denying_proxy import DenyingProxy
from tests.history.stored import Hooks, Place, bias, explained, hooks_of, violations
from tests.preflight.proxied import proxied
from tests.running_aws import Running, make_bucket

SINCE = datetime(2026, 11, 20, tzinfo=UTC)
GOOD = bias({"a": {"AD": 0.1}})


@pytest.fixture
def watched(aws: Running, endpoint: MonitoredEndpoint) -> Iterator[tuple[Place, DenyingProxy]]:
    """A place, and the proxy that sees what is asked."""
    with proxied(aws.url, endpoint) as (proxy, behind):
        place = Place.of(behind, hooks_of(behind))
        yield place, proxy


def windows(place: Place, since: datetime = SINCE, until: datetime | None = None) -> list[str]:
    return [execution.window for execution in place.history.executions("bias", since, until)]


def test_windows_in_the_order_in_which_they_were_due(place: Place) -> None:
    folders = ["2026/11/22/10", "2026/11/22/10-15", "2026/11/22/09", "2026/12/01/00"]
    by_hand = "2026/11/22/10-05-07-from-20261122T092000"
    for window in (*folders, by_hand):
        place.report("bias", window, analysis=GOOD)
    for other in ("2026/11/22/junk", "2026/11/22/99", "2026/11/22", "merge/2026/11/22/10"):
        place.put(f"{names.report_folder(place.endpoint, 'bias', other)}/analysis.json", GOOD)
    place.put(f"{names.report_folder(place.endpoint, 'bias', '2026/11/22/11')}/", "")
    place.report("explainability", "2026/11/22/12", analysis=explained({"Age": 1.0}))

    assert windows(place) == ["2026/11/22/09", "2026/11/22/10", by_hand, "2026/11/22/10-15", "2026/12/01/00"]
    assert windows(place, datetime(2026, 11, 22, 10, 1, tzinfo=UTC)) == [by_hand, "2026/11/22/10-15", "2026/12/01/00"]
    ten = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert windows(place, ten, ten + timedelta(minutes=15)) == ["2026/11/22/10", by_hand]
    assert windows(place, datetime.min.replace(tzinfo=UTC), ten) == ["2026/11/22/09"]
    execution = place.history.execution("bias", by_hand)
    assert execution is not None
    assert execution.start == datetime(2026, 11, 22, 9, 20, tzinfo=UTC)
    assert execution.scheduled == execution.end == datetime(2026, 11, 22, 10, 5, 7, tzinfo=UTC)
    assert [place.history.execution("bias", window) for window in ("2026/11/22/13", "../x", "2026/11/22/99")] == [
        None
    ] * 3


def test_the_stretch_of_a_window_is_that_of_its_schedule(endpoint: MonitoredEndpoint, hooks: Hooks) -> None:
    daily = Windows.model_validate({"schedule": "30 6 * * *", "start_offset": "-PT1H", "end_offset": "-PT2H"})
    place = Place.of(endpoint.model_copy(update={"windows": daily}), hooks)
    place.report("bias", "2026/11/22/06-30", analysis=GOOD)
    place.report("bias", "2026/11/22/07", analysis=GOOD)
    own, other = place.history.executions("bias", SINCE)
    assert own.start == datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
    assert own.end == datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
    assert (other.start, other.end) == (None, None)


def test_new_and_judged_again_windows_show_and_what_is_known_is_not_read_again(
    watched: tuple[Place, DenyingProxy],
) -> None:
    place, proxy = watched
    place.baseline("bias", bias({"a": {"AD": 0.05}}))
    for hour in range(5):
        place.report("bias", f"2026/11/22/{hour:02}", analysis=GOOD)
    assert len(windows(place)) == 5
    assert proxy.seen.count("s3:GetObject") == 6

    proxy.seen.clear()
    assert len(windows(place)) == 5
    assert proxy.seen == []

    place.later()
    worse = bias({"a": {"AD": 0.9}})
    place.report("bias", "2026/11/22/03", analysis=worse, constraint_violations=violations(("Age", "a", "AD")))
    place.report("bias", "2026/11/22/05", analysis=GOOD)
    proxy.seen.clear()
    found = place.history.executions("bias", SINCE)
    assert len(found) == 6
    assert (found[3].state, found[3].metrics[0].value) == ("CompletedWithViolations", 0.9)
    assert proxy.seen.count("s3:GetObject") == 3
    assert proxy.seen.count("s3:ListObjectsV2") == 1

    place.storage.delete(f"{names.report_folder(place.endpoint, 'bias', '2026/11/22/03')}/constraint_violations.json")
    place.later()
    assert place.history.executions("bias", SINCE)[3].state == "Completed"


def test_a_new_baseline_is_compared_with_and_windows_are_not_read_again(watched: tuple[Place, DenyingProxy]) -> None:
    place, proxy = watched
    place.baseline("bias", bias({"a": {"AD": 0.05}}))
    place.report("bias", "2026/11/22/10", analysis=GOOD)
    assert place.history.executions("bias", SINCE)[0].metrics[0].baseline == 0.05
    place.baseline("bias", bias({"a": {"AD": 0.07}}))
    place.later(60)
    proxy.seen.clear()
    assert place.history.executions("bias", SINCE)[0].metrics[0].baseline == 0.07
    assert proxy.seen.count("s3:GetObject") == 1


def test_an_old_window_that_was_judged_again_shows_after_a_while(place: Place) -> None:
    for number in range(TAIL):
        folder = f"2026/10/{1 + number // 24:02}/{number % 24:02}"
        place.put(f"{names.report_folder(place.endpoint, 'bias', folder)}/analysis.json", GOOD)
    since = datetime(2026, 10, 1, tzinfo=UTC)
    place.report("bias", "2026/11/22/10", analysis=GOOD)
    assert len(windows(place, since)) == TAIL + 1
    place.report("bias", "2026/10/01/00", analysis=bias({"a": {"AD": 0.9}}))

    place.later(OLDER_SECONDS)
    assert place.history.executions("bias", since)[0].metrics[0].value == 0.1
    place.history.settle()
    assert place.history.executions("bias", since)[0].metrics[0].value == 0.9
    found = place.history.execution("bias", "2026/10/01/00")
    assert found is not None
    assert found.metrics[0].value == 0.9


def test_what_comes_before_is_read_when_it_is_asked_for(watched: tuple[Place, DenyingProxy]) -> None:
    place, proxy = watched
    for day in (20, 21, 22):
        place.report("bias", f"2026/11/{day}/10", analysis=GOOD)
    assert windows(place, datetime(2026, 11, 22, tzinfo=UTC)) == ["2026/11/22/10"]
    assert proxy.seen.count("s3:GetObject") == 1
    assert len(windows(place)) == 3
    assert proxy.seen.count("s3:GetObject") == 3


def test_requests_at_once_read_each_file_once(watched: tuple[Place, DenyingProxy]) -> None:
    place, proxy = watched
    place.baseline("bias", bias({"a": {"AD": 0.05}}))
    for hour in range(20):
        place.report("bias", f"2026/11/22/{hour:02}", analysis=GOOD)
    together = threading.Barrier(4)

    def ask(_: int) -> list[str]:
        together.wait(10)
        return windows(place)

    with ThreadPoolExecutor(4) as pool:
        assert {tuple(found) for found in pool.map(ask, range(4))} == {tuple(windows(place))}
    assert proxy.seen.count("s3:GetObject") == 21


def test_a_file_that_may_not_be_read_hides_nothing_and_is_tried_again(watched: tuple[Place, DenyingProxy]) -> None:
    place, proxy = watched
    place.baseline("bias", bias({"a": {"AD": 0.05}}))
    place.report("bias", "2026/11/22/10", analysis=GOOD)
    proxy.deny("s3:GetObject")
    (execution,) = place.history.executions("bias", SINCE)
    baseline = place.history.baseline("bias")
    assert not execution.judged
    assert baseline is not None
    assert "Allow 's3:GetObject'" in str(baseline.problem)
    assert execution.problem is not None
    assert "Allow 's3:GetObject'" in execution.problem
    proxy.reset()
    assert place.history.executions("bias", SINCE)[0].metrics[0].baseline == 0.05


def test_a_bucket_that_may_not_be_listed_is_told(watched: tuple[Place, DenyingProxy]) -> None:
    place, proxy = watched
    proxy.deny("s3:ListObjectsV2")
    with pytest.raises(MonitorError, match="Allow 's3:ListBucket'"):
        place.history.executions("bias", SINCE)


def test_a_bucket_that_is_not_there_is_told(endpoint: MonitoredEndpoint, hooks: Hooks) -> None:
    place = Place.of(endpoint.model_copy(update={"bucket": "no-such-bucket-here"}), hooks)
    with pytest.raises(MonitorError, match=rf"s3://no-such-bucket-here: .*; {endpoint.name}\.preflight says more"):
        place.history.executions("bias", SINCE)
    with pytest.raises(MonitorError, match="s3://no-such-bucket-here"):
        place.history.now()


def test_the_newest_window_is_found_however_old_it_is(place: Place, aws: Running) -> None:
    assert place.history.newest("bias") is None
    place.report("bias", "2021/02/28/23", analysis=GOOD)
    place.report("bias", "2021/03/01/05-30", analysis=GOOD)
    place.later()
    newest = place.history.newest("bias")
    assert newest is not None
    assert newest.window == "2021/03/01/05-30"
    recent = names.hour_path(aws.now())
    place.report("bias", recent, analysis=GOOD)
    place.later()
    newest = place.history.newest("bias")
    assert newest is not None
    assert newest.window == recent


def test_the_time_is_the_service_s(place: Place, aws: Running) -> None:
    aws.advance(24 * 3600)
    assert abs(place.history.now() - aws.now()) < timedelta(seconds=2)


def test_a_file_for_download_has_a_bound(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.report("bias", "2026/11/22/10", analysis=GOOD)
    monkeypatch.setattr(reader, "FILE_BYTES", 10)
    with pytest.raises(InputError, match=r"report\.html has 31 bytes; files of more than 10 stay in S3"):
        place.history.read("bias", "2026/11/22/10", "report.html")


def test_buckets_of_equal_content_are_told_apart(place: Place, aws: Running, hooks: Hooks) -> None:
    """What is kept of one endpoint is not shown for another."""
    memory = Memory()
    place = Place.of(place.endpoint, hooks, memory)
    other = Place.of(place.endpoint.model_copy(update={"bucket": make_bucket(aws)}), hooks, memory)
    place.report("bias", "2026/11/22/10", analysis=GOOD)
    other.report("bias", "2026/11/22/10", analysis=bias({"a": {"AD": 0.8}}))
    assert place.history.executions("bias", SINCE)[0].metrics[0].value == 0.1
    assert other.history.executions("bias", SINCE)[0].metrics[0].value == 0.8
