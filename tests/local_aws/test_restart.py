"""What a stop or a crash of the server leaves behind, and what the next start makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local_aws.embedded import BUCKET, embedded, job_request, stub_every_image
from tests.local_aws.monitoring.test_monitoring_schedules import captured, executions, monitor, now, prepare, status
from tests.polling import until
from tests.running_aws import REGION

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


def test_jobs_that_a_crash_of_the_server_ended_say_so(tmp_path: Path) -> None:
    with embedded(tmp_path) as first:
        state = {"ProcessingJobStatus": "InProgress", "ProcessingJobArn": ARN, "CreationTime": 1.0, "Region": REGION}
        job = job_request("lost") | state
        first.server.aws.store.put("processing-job", f"{REGION}/lost", job)
    with embedded(tmp_path) as second:
        lost = second.sagemaker.describe_processing_job(ProcessingJobName="lost")
    assert lost["ProcessingJobStatus"] == "Failed"
    assert "local_aws was stopped while the job ran" in lost["FailureReason"]


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
