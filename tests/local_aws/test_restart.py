"""What a stop or a crash of the server leaves behind, and what the next start makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_aws.clock import Clock
from local_aws.monitoring import scheduler
from tests.local_aws.embedded import BUCKET, embedded, job_request, stub_every_image
from tests.local_aws.monitoring.monitors import (
    captured,
    executions,
    make_endpoint,
    monitor,
    now,
    prepare,
    status,
)
from tests.polling import until
from tests.running_aws import REGION

ARN = f"arn:aws:sagemaker:{REGION}:123456789012:processing-job/lost"

ARN = f"arn:aws:sagemaker:{REGION}:123456789012:processing-job/lost"


def test_jobs_that_a_stop_of_the_server_ended_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_every_image(monkeypatch)
    with embedded(tmp_path) as first:
        first.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        first.create_job("running", Environment={"BEHAVIOUR": "wait", "RELEASE": str(tmp_path / "never")})
        until(
            lambda: first.sagemaker.describe_processing_job(ProcessingJobName="running"),
            lambda job: "ProcessingStartTime" in job,
        )
    with embedded(tmp_path) as second:
        job = second.sagemaker.describe_processing_job(ProcessingJobName="running")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "local_aws was stopped while the job ran" in job["FailureReason"]


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        ({"ProcessingJobStatus": "InProgress", "ProcessingStartTime": 2.0}, "Failed", "was stopped while the job ran"),
        ({"ProcessingJobStatus": "InProgress"}, "Failed", "was stopped before the job began"),
        ({"ProcessingJobStatus": "Stopping", "ProcessingStartTime": 2.0}, "Stopped", None),
    ],
    ids=["running", "queued", "being stopped"],
)
def test_jobs_that_a_crash_of_the_server_ended_say_so(
    tmp_path: Path, state: dict[str, Any], status: str, reason: str | None
) -> None:
    with embedded(tmp_path) as first:
        job = job_request("lost") | {"ProcessingJobArn": ARN, "CreationTime": 1.0, "Region": REGION} | state
        first.server.aws.store.put("processing-job", f"{REGION}/lost", job)
    with embedded(tmp_path) as second:
        lost = second.sagemaker.describe_processing_job(ProcessingJobName="lost")
    assert lost["ProcessingJobStatus"] == status
    assert (reason or "") in lost.get("FailureReason", "")
    assert ("FailureReason" in lost) == (reason is not None)


def test_schedules_go_on_after_a_restart_and_lost_executions_have_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_every_image(monkeypatch)
    with embedded(tmp_path) as first:
        prepare(first)
        captured(first, now(first))
        monitor(first, "lasting", behaviour="wait", environment={"RELEASE": str(tmp_path / "never")})
        first.server.aws.clock.advance(3600)
        until(
            lambda: first.sagemaker.list_monitoring_executions()["MonitoringExecutionSummaries"],
            lambda found: found[0]["MonitoringExecutionStatus"] == "InProgress",
        )
        first.server.aws.store.delete("endpoint", f"{REGION}/churn")
    with embedded(tmp_path) as second:
        (lost,) = executions(second, "lasting")
        assert lost["MonitoringExecutionStatus"] == "Failed"
        assert "local_aws was stopped" in lost["FailureReason"]
        assert status(second, "lasting") == "Scheduled"
        second.server.aws.clock.advance(3600)
        assert len(executions(second, "lasting")) == 2, "missed hours are not made up for"


class Watch:
    """A clock of its own kind: real time that the test sets."""

    def __init__(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def clock(self) -> Clock:
        return Clock(source=lambda: self.now)

    def move(self, clock: Clock, by: timedelta) -> None:
        """Set the time of a clock that goes, which would look at it only every few seconds."""
        self.now += by
        clock.call_at(self.now, lambda: None)


def test_hours_that_nobody_was_there_for_are_recorded_as_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stub_every_image(monkeypatch)
    watch = Watch("2026-11-22T10:30")
    with embedded(tmp_path, clock=watch.clock()) as first:
        make_endpoint(first)
        monitor(first, "hourly")
        monitor(first, "stopped")
        first.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="stopped")
        first.server.aws.store.delete("endpoint", f"{REGION}/churn")
    watch.now += timedelta(hours=3)
    with embedded(tmp_path, clock=watch.clock()) as second:
        missed = sorted(executions(second, "hourly"), key=lambda item: item["ScheduledTime"])
        assert [item["ScheduledTime"].hour for item in missed] == [11, 12, 13]
        assert {item["MonitoringExecutionStatus"] for item in missed} == {"Failed"}
        assert all("local_aws was not running when this execution was due" in item["FailureReason"] for item in missed)
        assert not any("ProcessingJobArn" in item for item in missed)
        assert executions(second, "stopped") == []
        assert "hourly missed 3 executions" in caplog.text
    with embedded(tmp_path, clock=watch.clock()) as third:
        assert len(executions(third, "hourly")) == 3, "missed hours are recorded once"


def test_an_hour_that_is_late_by_the_schedules_delay_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_every_image(monkeypatch)
    watch = Watch("2026-11-22T10:30")
    delay = timedelta(minutes=20)
    with embedded(tmp_path, delay, watch.clock()) as first:
        make_endpoint(first)
        monitor(first, "hourly")
        first.server.aws.store.delete("endpoint", f"{REGION}/churn")
    watch.now += timedelta(minutes=40)
    with embedded(tmp_path, delay, watch.clock()) as second:
        assert executions(second, "hourly") == []
        watch.move(second.server.aws.clock, timedelta(minutes=15))
        (begun,) = until(lambda: executions(second, "hourly"), lambda found: len(found) == 1)
        assert begun["ScheduledTime"].hour == 11
        assert "was not running" not in begun.get("FailureReason", "")


def test_only_the_latest_missed_hours_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stub_every_image(monkeypatch)
    monkeypatch.setattr(scheduler, "MOST_MISSED", 5)
    watch = Watch("2026-11-22T10:30")
    with embedded(tmp_path, clock=watch.clock()) as first:
        make_endpoint(first)
        monitor(first, "hourly")
        first.server.aws.store.delete("endpoint", f"{REGION}/churn")
    watch.now += timedelta(days=2)
    with embedded(tmp_path, clock=watch.clock()) as second:
        hours = sorted(item["ScheduledTime"] for item in executions(second, "hourly"))
        assert [hour.hour for hour in hours] == [6, 7, 8, 9, 10]
        assert "missed 48 executions" in caplog.text
        assert "5 are recorded" in caplog.text


def test_an_hour_whose_execution_the_kill_interrupted_is_not_missed_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_every_image(monkeypatch)
    watch = Watch("2026-11-22T10:30")
    with embedded(tmp_path, clock=watch.clock()) as first:
        make_endpoint(first)
        monitor(first, "hourly")
        store, executions_of = first.server.aws.store, first.server.aws.executions
        schedule = store.get("monitoring-schedule", f"{REGION}/hourly")
        assert schedule is not None
        executions_of._insert(REGION, schedule, watch.now.replace(hour=11, minute=0), "begun", "Pending")
        store.delete("endpoint", f"{REGION}/churn")
    watch.now += timedelta(hours=1)
    with embedded(tmp_path, clock=watch.clock()) as second:
        (lost,) = executions(second, "hourly")
        assert "local_aws was stopped while the execution ran" in lost["FailureReason"]


def test_a_sleeping_machine_misses_hours_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_every_image(monkeypatch)
    watch = Watch("2026-11-22T10:59")
    with embedded(tmp_path, clock=watch.clock()) as aws:
        make_endpoint(aws)
        monitor(aws, "hourly")
        watch.move(aws.server.aws.clock, timedelta(hours=3))
        found = until(lambda: executions(aws, "hourly"), lambda found: len(found) == 3)
        by_hour = {item["ScheduledTime"].hour: item.get("FailureReason", "") for item in found}
    assert "was not running" not in by_hour[11]
    assert "was not running" in by_hour[12]
    assert "was not running" in by_hour[13]
