"""Executions: from a window of data to a verdict."""

from __future__ import annotations

import json
import signal
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.jobs import job_process
from tests.local_aws.embedded import BUCKET, Embedded
from tests.local_aws.monitoring.monitors import (
    DELAY,
    captured,
    executions,
    job_of,
    labelled,
    monitor,
    now,
    status,
    to_the_next_firing,
)
from tests.polling import until
from tests.running_aws import REGION


def test_an_hour_without_data_fails_without_a_job(aws: Embedded) -> None:
    monitor(aws, "without-captures")
    monitor(aws, "without-labels", "ModelBias")
    captured(aws, now(aws) - timedelta(hours=1))
    to_the_next_firing(aws)
    captured(aws, now(aws))
    to_the_next_firing(aws)
    for execution in (executions(aws, "without-captures")[1], executions(aws, "without-labels")[0]):
        assert execution["MonitoringExecutionStatus"] == "Failed"
        assert execution["FailureReason"] == "Job inputs had no data"
        assert "ProcessingJobArn" not in execution


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Completed: Job completed successfully with no violations.", "Completed"),
        ("CompletedWithViolations: Job completed successfully with 6 violations.", "CompletedWithViolations"),
    ],
)
def test_the_exit_message_is_the_verdict(aws: Embedded, message: str, expected: str) -> None:
    captured(aws, now(aws))
    monitor(aws, "judged", behaviour=f"complete:{message}")
    to_the_next_firing(aws)
    (execution,) = executions(aws, "judged")
    assert execution["MonitoringExecutionStatus"] == expected
    assert job_of(aws, execution)["ProcessingJobStatus"] == "Completed"
    assert job_of(aws, execution)["ExitMessage"] == message


def test_a_failed_analysis_gives_its_reason(aws: Embedded) -> None:
    captured(aws, now(aws))
    monitor(aws, "failing", behaviour="fail:1")
    to_the_next_firing(aws)
    (execution,) = executions(aws, "failing")
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "ClientError: the data is wrong"


def test_a_merge_that_finds_no_pair_is_no_data(aws: Embedded) -> None:
    captured(aws, now(aws))
    labelled(aws, now(aws))
    monitor(aws, "unmatched", "ModelBias")
    to_the_next_firing(aws)
    (execution,) = executions(aws, "unmatched")
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Job inputs had no data"
    assert "/groundtruth-merge-" in execution["ProcessingJobArn"], "the merge's log says what was found"


def test_a_running_execution_outlasts_a_stop_and_prevents_a_deletion(aws: Embedded, tmp_path: Path) -> None:
    release = tmp_path / "release"
    captured(aws, now(aws))
    monitor(aws, "slow", behaviour="wait", environment={"RELEASE": str(release)})
    hour = to_the_next_firing(aws)
    (execution,) = until(
        lambda: aws.sagemaker.list_monitoring_executions(MonitoringScheduleName="slow")["MonitoringExecutionSummaries"],
        lambda found: found[0]["MonitoringExecutionStatus"] == "InProgress",
    )
    assert f"/model-explainability-monitoring-{hour:%Y%m%d%H%M}-" in execution["ProcessingJobArn"]
    with pytest.raises(ClientError, match="execution in status InProgress"):
        aws.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="slow")
    aws.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="slow")
    assert status(aws, "slow") == "Stopped"
    release.touch()
    assert executions(aws, "slow")[0]["MonitoringExecutionStatus"] == "Completed", "stopping leaves it running"
    aws.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="slow")


def test_stopping_the_job_stops_the_execution(aws: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    captured(aws, now(aws))
    monitor(aws, "stopped", behaviour="wait", environment={"RELEASE": str(tmp_path / "never")})
    to_the_next_firing(aws)
    (execution,) = until(
        lambda: aws.sagemaker.list_monitoring_executions(MonitoringScheduleName="stopped")[
            "MonitoringExecutionSummaries"
        ],
        lambda found: "ProcessingJobArn" in found[0],
    )
    name = execution["ProcessingJobArn"].rsplit("/", 1)[-1]
    stop = threading.Event()
    monkeypatch.setattr(job_process, "_end", lambda running: (stop.wait(30), running.signal(signal.SIGKILL)))
    aws.sagemaker.stop_processing_job(ProcessingJobName=name)
    (execution,) = aws.sagemaker.list_monitoring_executions(StatusEquals="Stopping")["MonitoringExecutionSummaries"]
    assert execution["MonitoringScheduleName"] == "stopped"
    stop.set()
    assert executions(aws, "stopped")[0]["MonitoringExecutionStatus"] == "Stopped"


def test_an_execution_waits_for_its_baselining_job_and_shares_its_failure(aws: Embedded) -> None:
    captured(aws, now(aws))
    aws.run_job("good", "complete", ProcessingOutputConfig=baseline_output("baseline"))
    aws.run_job("bad", "fail:1", ProcessingOutputConfig=baseline_output("nothing"))
    for name in ("good", "bad", "missing"):
        monitor(aws, f"on-{name}", ModelExplainabilityBaselineConfig={"BaseliningJobName": name})
    to_the_next_firing(aws)
    (good,), (bad,), (missing,) = (executions(aws, f"on-{name}") for name in ("good", "bad", "missing"))
    assert good["MonitoringExecutionStatus"] == "Completed"
    constraints = [item for item in job_of(aws, good)["ProcessingInputs"] if item["InputName"] == "constraints"]
    assert constraints[0]["S3Input"]["S3Uri"] == f"s3://{BUCKET}/baseline/analysis.json"
    assert bad["MonitoringExecutionStatus"] == missing["MonitoringExecutionStatus"] == "Failed"
    assert "ClientError: the data is wrong" in bad["FailureReason"]
    assert "missing" in missing["FailureReason"]


def baseline_output(folder: str) -> dict[str, Any]:
    place = {"S3Uri": f"s3://{BUCKET}/{folder}", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": "analysis_result", "S3Output": place}]}


def test_metrics_of_a_monitor_are_published(aws: Embedded) -> None:
    captured(aws, now(aws))
    monitor(aws, "measured", behaviour="metrics", environment={"publish_cloudwatch_metrics": "Enabled"})
    hour = to_the_next_firing(aws)
    assert executions(aws, "measured")[0]["MonitoringExecutionStatus"] == "Completed"
    statistics = aws.client("cloudwatch").get_metric_statistics(
        Namespace="stub",
        MetricName="stub",
        StartTime=hour - timedelta(hours=1),
        EndTime=hour,
        Period=3600,
        Statistics=["Average"],
    )
    assert [(point["Timestamp"], point["Average"]) for point in statistics["Datapoints"]] == [
        (hour - timedelta(hours=1), 0.5)
    ]


def test_executions_are_found_by_every_filter(aws: Embedded) -> None:
    monitor(aws, "one")
    monitor(aws, "two", "ModelBias")
    first = to_the_next_firing(aws)
    captured(aws, now(aws))
    second = to_the_next_firing(aws)
    executions(aws, "one")

    def names_and_times(**request: Any) -> set[tuple[str, datetime]]:
        answer = aws.sagemaker.list_monitoring_executions(**request)
        return {
            (item["MonitoringScheduleName"], item["ScheduledTime"]) for item in answer["MonitoringExecutionSummaries"]
        }

    assert names_and_times(EndpointName="churn") == {("one", first), ("one", second), ("two", first), ("two", second)}
    assert names_and_times(EndpointName="other") == set()
    assert names_and_times(MonitoringTypeEquals="ModelBias") == {("two", first), ("two", second)}
    assert names_and_times(MonitoringJobDefinitionName="one") == {("one", first), ("one", second)}
    assert names_and_times(StatusEquals="Completed") == {("one", second)}
    assert names_and_times(ScheduledTimeAfter=first) == {("one", second), ("two", second)}
    assert names_and_times(ScheduledTimeBefore=second) == {("one", first), ("two", first)}
    assert names_and_times(CreationTimeAfter=second) == {("one", second), ("two", second)}
    assert names_and_times(LastModifiedTimeBefore=second) == {("one", first), ("two", first)}


def test_executions_come_in_pages_of_ten_newest_first(aws: Embedded) -> None:
    monitor(aws, "long")
    first = to_the_next_firing(aws)
    aws.server.aws.clock.advance(11 * 3600)
    page = aws.sagemaker.list_monitoring_executions(MonitoringScheduleName="long")
    times = [item["ScheduledTime"] for item in page["MonitoringExecutionSummaries"]]
    assert times == [first + timedelta(hours=n) for n in range(11, 1, -1)]
    rest = aws.sagemaker.list_monitoring_executions(MonitoringScheduleName="long", NextToken=page["NextToken"])
    assert [item["ScheduledTime"] for item in rest["MonitoringExecutionSummaries"]] == [
        first + timedelta(hours=1),
        first,
    ]
    assert "NextToken" not in rest
    ascending = aws.sagemaker.list_monitoring_executions(
        MonitoringScheduleName="long", SortBy="ScheduledTime", SortOrder="Ascending", MaxResults=1
    )
    assert ascending["MonitoringExecutionSummaries"][0]["ScheduledTime"] == first


def test_reports_and_merges_of_an_hour_are_replaced_not_mixed(aws: Embedded) -> None:
    captured(aws, now(aws))
    monitor(aws, "clean")
    hour = (now(aws) - DELAY).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    aws.put(f"reports/churn/clean/{hour:%Y/%m/%d/%H}/constraint_violations.json", json.dumps({"old": True}))
    to_the_next_firing(aws)
    assert executions(aws, "clean")[0]["MonitoringExecutionStatus"] == "Completed"
    assert aws.keys(f"reports/churn/clean/{hour:%Y/%m/%d/%H}/") == [
        f"reports/churn/clean/{hour:%Y/%m/%d/%H}/inputs.json"
    ]


def test_captures_at_an_impossible_address_fail_the_execution_and_not_the_schedule(aws: Embedded) -> None:
    deployment = {
        "DataCaptureConfig": {"DestinationS3Uri": "s3://BAD_bucket!!/capture"},
        "Variants": [{"VariantName": "AllTraffic"}],
    }
    aws.server.aws.store.update("endpoint", f"{REGION}/churn", lambda document: document | {"Deployment": deployment})
    monitor(aws, "misled")
    to_the_next_firing(aws)
    (execution,) = executions(aws, "misled")
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert "BAD_bucket!!" in execution["FailureReason"]
    assert status(aws, "misled") == "Scheduled"
    aws.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="misled")


def test_an_impossible_address_of_the_past_fails_nothing(aws: Embedded) -> None:
    past = {"CaptureFolders": ["s3://BAD_bucket!!/capture/churn/AllTraffic"]}
    aws.server.aws.store.update("endpoint", f"{REGION}/churn", lambda document: document | past)
    captured(aws, now(aws))
    monitor(aws, "recovered")
    to_the_next_firing(aws)
    (execution,) = executions(aws, "recovered")
    assert execution["MonitoringExecutionStatus"] == "Completed"
