from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from local_aws.services.events import deliveries
from local_aws.services.events.deliveries import Deliveries
from local_aws.work import Work


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def posted(work: Work) -> Iterator[Deliveries]:
    running = Deliveries(work)
    yield running
    running.stop()


def test_what_is_posted_before_the_start_waits_and_the_order_stays(work: Work, posted: Deliveries) -> None:
    delivered: list[int] = []
    for number in range(3):
        posted.post(f"letter {number}", lambda number=number: delivered.append(number))  # type: ignore[misc]
    assert delivered == []
    assert work.wait(0) == ["delivery of letter 0", "delivery of letter 1", "delivery of letter 2"]
    posted.start()
    assert work.wait(10) == []
    assert delivered == [0, 1, 2]


def test_one_that_fails_is_told_and_keeps_no_other(
    work: Work, posted: Deliveries, caplog: pytest.LogCaptureFixture
) -> None:
    delivered: list[str] = []

    def fail() -> None:
        raise ConnectionError("nobody is at home")

    posted.start()
    posted.post("the first letter", fail)
    posted.post("the second letter", lambda: delivered.append("second"))
    assert work.wait(10) == []
    assert delivered == ["second"]
    assert "the first letter could not be delivered." in caplog.text


def test_too_many_are_told_and_not_kept(
    work: Work, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(deliveries, "MOST_WAITING", 2)
    full = Deliveries(work)
    for number in range(3):
        full.post(f"letter {number}", lambda: None)
    assert "letter 2 is not delivered" in caplog.text
    assert len(work.wait(0)) == 2


def test_stopping_delivers_what_waits(work: Work, posted: Deliveries) -> None:
    may_go = threading.Event()
    delivered: list[str] = []
    posted.start()
    posted.post("a slow letter", lambda: delivered.append(str(may_go.wait(10))))
    posted.post("a quick letter", lambda: delivered.append("quick"))
    may_go.set()
    posted.stop()
    assert delivered == ["True", "quick"]
