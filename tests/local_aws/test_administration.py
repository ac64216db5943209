"""Waiting for the end of what goes on, by /_local/idle and by a clock that settles as it moves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_aws import administration
from local_aws.clock import Clock
from tests.local_aws.embedded import BUCKET, Embedded, embedded, stub_every_image
from tests.running_aws import REGION

START = datetime(2026, 11, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    stub_every_image(monkeypatch)
    with embedded(tmp_path / "aws", clock=Clock(stepped=True, start=START)) as running:
        running.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield running


def ask(aws: Embedded, method: str, path: str, query: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
    return administration.answer(aws.server.aws, method, f"/_local/{path}", query, json.dumps(body).encode())


def status(aws: Embedded, job: str) -> str:
    return str(aws.sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"])


def test_idle_is_answered_when_all_is_over(aws: Embedded) -> None:
    aws.create_job("first")
    aws.create_job("second")
    assert ask(aws, "GET", "idle") == (200, {"now": "2026-11-16T00:00:00Z", "going_on": []})
    assert [status(aws, job) for job in ("first", "second")] == ["Completed", "Completed"]


def test_what_is_not_over_in_time_is_named(aws: Embedded, tmp_path: Path) -> None:
    release = tmp_path / "release"
    aws.create_job("long", Environment={"BEHAVIOUR": "wait", "RELEASE": str(release)})
    code, answer = ask(aws, "GET", "idle", "timeout_seconds=0.1")
    assert code == 504
    assert answer["going_on"] == [f"processing job {REGION}/long"]
    assert "processing job" in answer["message"]
    release.touch()
    assert ask(aws, "GET", "idle")[0] == 200
    assert status(aws, "long") == "Completed"


def test_a_step_that_settles_ends_each_moment_before_the_next(aws: Embedded) -> None:
    clock = aws.server.aws.clock
    for number in (1, 2):
        clock.call_at(START + number * HOUR, lambda number=number: aws.create_job(f"job-{number}"))
    assert ask(aws, "POST", "clock", advance_seconds=3 * 3600, settle=True) == (200, {"now": "2026-11-16T03:00:00Z"})
    for number in (1, 2):
        job = aws.sagemaker.describe_processing_job(ProcessingJobName=f"job-{number}")
        assert {job["CreationTime"], job["ProcessingEndTime"]} == {START + number * HOUR}


def test_a_step_that_does_not_settle_only_starts_what_is_due(aws: Embedded, tmp_path: Path) -> None:
    release = tmp_path / "release"
    environment = {"BEHAVIOUR": "wait", "RELEASE": str(release)}
    aws.server.aws.clock.call_at(START + HOUR, lambda: aws.create_job("long", Environment=environment))
    assert ask(aws, "POST", "clock", advance_seconds=7200)[0] == 200
    assert status(aws, "long") == "InProgress"
    release.touch()


def test_a_settling_step_stops_at_what_is_not_over_in_time(aws: Embedded, tmp_path: Path) -> None:
    release = tmp_path / "release"
    environment = {"BEHAVIOUR": "wait", "RELEASE": str(release)}
    aws.server.aws.clock.call_at(START + HOUR, lambda: aws.create_job("long", Environment=environment))
    code, answer = ask(aws, "POST", "clock", advance_seconds=7200, settle=True, timeout_seconds=0.1)
    assert (code, answer["now"]) == (504, "2026-11-16T01:00:00Z")
    release.touch()
    assert ask(aws, "POST", "clock", advance_seconds=3600, settle=True) == (200, {"now": "2026-11-16T02:00:00Z"})


def test_waiting_does_not_keep_others_from_being_answered(aws: Embedded, tmp_path: Path) -> None:
    release = tmp_path / "release"
    aws.create_job("long", Environment={"BEHAVIOUR": "wait", "RELEASE": str(release)})
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(ask(aws, "GET", "idle")[0]))
    waiting.start()
    assert ask(aws, "GET", "health")[1]["status"] == "ok"
    assert answers == []
    release.touch()
    waiting.join(30)
    assert answers == [200]


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("clock", "", {"advance_seconds": 1, "settle": "yes"}),
        ("clock", "", {"advance_seconds": 1, "settle": True, "timeout_seconds": -1}),
    ],
)
def test_a_wrong_wish_is_told(aws: Embedded, path: str, query: str, body: dict[str, Any]) -> None:
    code, answer = ask(aws, "POST", path, query, **body)
    assert code == 400
    assert "advance_seconds" in answer["message"]


def test_a_wrong_timeout_is_told(aws: Embedded) -> None:
    assert ask(aws, "GET", "idle", "timeout_seconds=soon")[0] == 400
    assert ask(aws, "GET", "idle", "timeout_seconds=inf")[0] == 400
