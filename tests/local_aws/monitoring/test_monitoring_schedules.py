"""Schedules: when they fire, and what they are refused."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.clock import Clock
from tests.local_aws.embedded import BUCKET, Embedded, embedded, stub_every_image
from tests.local_aws.monitoring.monitors import (
    DELAY,
    captured,
    define,
    executions,
    job_of,
    make_endpoint,
    monitor,
    now,
    schedule,
    status,
    to_the_next_firing,
)
from tests.polling import until
from tests.running_aws import REGION


def test_it_fires_on_the_hour_and_the_delay(aws: Embedded) -> None:
    captured(aws, now(aws))
    monitor(aws, "hourly")
    aws.server.aws.clock.advance(51 * 60)
    assert executions(aws, "hourly") == []
    hour = to_the_next_firing(aws)
    (execution,) = executions(aws, "hourly")
    assert execution["ScheduledTime"] == hour
    assert execution["CreationTime"] == hour + DELAY
    assert execution["MonitoringExecutionStatus"] == "Completed"
    assert execution["MonitoringType"] == "ModelExplainability"
    assert execution["MonitoringJobDefinitionName"] == "hourly"
    assert aws.keys(f"reports/churn/hourly/{hour:%Y/%m/%d/%H}/")
    described = aws.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")
    assert described["LastMonitoringExecutionSummary"] == execution


def test_several_hours_at_once_make_an_execution_each_newest_first(aws: Embedded) -> None:
    monitor(aws, "hourly")
    first = to_the_next_firing(aws)
    aws.server.aws.clock.advance(3 * 3600)
    scheduled = [execution["ScheduledTime"] for execution in executions(aws, "hourly")]
    assert scheduled == [first + timedelta(hours=n) for n in (3, 2, 1, 0)]


def test_a_one_time_schedule_runs_at_once_and_only_then(aws: Embedded) -> None:
    captured(aws, now(aws))
    define(aws, "once")
    moment = now(aws)
    schedule(aws, "once", expression="NOW", DataAnalysisStartTime="-PT1H", DataAnalysisEndTime="-PT0H")
    (execution,) = executions(aws, "once")
    assert execution["ScheduledTime"] == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    environment = job_of(aws, execution)["Environment"]
    assert environment["start_time"] == f"{moment - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    assert environment["end_time"] == f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    to_the_next_firing(aws)
    assert len(executions(aws, "once")) == 1


def test_a_stopped_schedule_fires_again_when_started(aws: Embedded) -> None:
    monitor(aws, "paused")
    aws.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="paused")
    to_the_next_firing(aws)
    assert executions(aws, "paused") == []
    aws.sagemaker.start_monitoring_schedule(MonitoringScheduleName="paused")
    assert status(aws, "paused") == "Scheduled"
    hour = to_the_next_firing(aws)
    assert [execution["ScheduledTime"] for execution in executions(aws, "paused")] == [hour]


def test_an_hour_that_comes_while_a_schedule_is_taken_up_is_not_lost(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured(aws, now(aws))
    scheduler, clock = aws.server.aws.scheduler, aws.server.aws.clock
    take_note = scheduler._keep_next

    def just_before_the_hour(region: str, name: str) -> None:
        take_note(region, name)
        monkeypatch.setattr(scheduler, "_keep_next", take_note)
        clock.advance(3600)

    monkeypatch.setattr(scheduler, "_keep_next", just_before_the_hour)
    monitor(aws, "late")
    assert status(aws, "late") == "Scheduled"
    assert len(executions(aws, "late")) == 1
    to_the_next_firing(aws)
    assert len(executions(aws, "late")) == 2


def test_a_start_that_crosses_a_stop_is_not_undone(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    captured(aws, now(aws))
    monitor(aws, "crossed")
    forget = aws.server.aws.scheduler.forget
    starting = threading.Thread(
        target=aws.sagemaker.start_monitoring_schedule, kwargs={"MonitoringScheduleName": "crossed"}
    )

    def meanwhile(region: str, name: str) -> None:
        monkeypatch.setattr(aws.server.aws.scheduler, "forget", forget)
        starting.start()
        starting.join(timeout=0.5)
        forget(region, name)

    monkeypatch.setattr(aws.server.aws.scheduler, "forget", meanwhile)
    aws.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="crossed")
    starting.join()
    assert status(aws, "crossed") == "Scheduled"
    to_the_next_firing(aws)
    assert len(executions(aws, "crossed")) == 1


def test_an_update_takes_the_place_of_what_was(aws: Embedded) -> None:
    monitor(aws, "changed")
    hour = (now(aws) + timedelta(hours=3)).hour
    aws.sagemaker.update_monitoring_schedule(
        MonitoringScheduleName="changed",
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": "changed",
            "MonitoringType": "ModelExplainability",
            "ScheduleConfig": {"ScheduleExpression": f"cron(0 {hour} ? * * *)"},
        },
    )
    assert status(aws, "changed") == "Scheduled"
    aws.server.aws.clock.advance(24 * 3600)
    (execution,) = executions(aws, "changed")
    assert execution["ScheduledTime"].hour == hour


def test_a_schedule_is_not_deleted_while_it_is_pending(aws: Embedded) -> None:
    monitor(aws, "pending")
    store = aws.server.aws.store
    store.update(
        "monitoring-schedule", f"{REGION}/pending", lambda item: {**item, "MonitoringScheduleStatus": "Pending"}
    )
    with pytest.raises(ClientError, match="Monitoring schedule in status Pending") as error:
        aws.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="pending")
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_new_schedule_of_an_old_name_has_no_last_execution(aws: Embedded) -> None:
    monitor(aws, "again")
    to_the_next_firing(aws)
    aws.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="again")
    schedule(aws, "again")
    described = aws.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="again")
    assert "LastMonitoringExecutionSummary" not in described
    assert len(executions(aws, "again")) == 1


def test_schedules_and_definitions_are_listed(aws: Embedded) -> None:
    monitor(aws, "alpha")
    monitor(aws, "beta", "ModelBias")
    aws.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="beta")

    def names(**request: Any) -> list[str]:
        answer = aws.sagemaker.list_monitoring_schedules(SortBy="Name", SortOrder="Ascending", **request)
        return [item["MonitoringScheduleName"] for item in answer["MonitoringScheduleSummaries"]]

    assert names() == ["alpha", "beta"]
    assert names(StatusEquals="Stopped") == ["beta"]
    assert names(EndpointName="churn", MonitoringTypeEquals="ModelExplainability") == ["alpha"]
    assert names(MonitoringJobDefinitionName="beta", NameContains="BET") == ["beta"]
    assert names(EndpointName="other") == []
    (definition,) = aws.sagemaker.list_model_bias_job_definitions(EndpointName="churn")["JobDefinitionSummaries"]
    assert definition["MonitoringJobDefinitionName"] == "beta"
    assert definition["EndpointName"] == "churn"
    assert aws.sagemaker.list_model_explainability_job_definitions(NameContains="beta")["JobDefinitionSummaries"] == []


def test_definitions_are_kept_as_given_and_tags_too(aws: Embedded) -> None:
    define(aws, "kept", "ModelBias", Tags=[{"Key": "team", "Value": "ml"}])
    described = aws.sagemaker.describe_model_bias_job_definition(JobDefinitionName="kept")
    assert described["JobDefinitionArn"] == f"arn:aws:sagemaker:{REGION}:123456789012:model-bias-job-definition/kept"
    assert described["ModelBiasJobInput"]["GroundTruthS3Input"] == {"S3Uri": f"s3://{BUCKET}/labels"}
    assert described["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    tags = aws.sagemaker.list_tags(ResourceArn=described["JobDefinitionArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    with pytest.raises(ClientError) as taken:
        define(aws, "kept", "ModelBias")
    assert taken.value.response["Error"]["Code"] == "ResourceInUse"
    aws.sagemaker.delete_model_bias_job_definition(JobDefinitionName="kept")
    for call in (
        aws.sagemaker.describe_model_bias_job_definition,
        aws.sagemaker.delete_model_bias_job_definition,
        aws.sagemaker.describe_model_explainability_job_definition,
    ):
        with pytest.raises(ClientError) as missing:
            call(JobDefinitionName="kept")
        assert missing.value.response["Error"]["Code"] == "ResourceNotFound"


def test_schedules_that_cannot_work_are_refused(aws: Embedded) -> None:
    define(aws, "slow", "ModelBias", StoppingCondition={"MaxRuntimeInSeconds": 3000})
    with pytest.raises(ClientError, match="MaxRuntimeInSeconds 3000 of job definition slow exceeds 1800"):
        schedule(aws, "slow", "ModelBias")
    schedule(aws, "slow", "ModelBias", "cron(0 2/6 ? * * *)")
    define(aws, "fine")
    for problem, arguments in {
        "Invalid ScheduleExpression": {"expression": "rate(1 hour)"},
        "required for one time": {"expression": "NOW"},
        "Could not find ModelBias job definition": {"kind": "ModelBias"},
        "MonitoringType DataQuality is not supported": {"kind": "DataQuality"},
    }.items():
        with pytest.raises(ClientError, match=problem):
            schedule(aws, "fine", **arguments)
    schedule(aws, "fine")
    with pytest.raises(ClientError) as taken:
        schedule(aws, "fine")
    assert taken.value.response["Error"]["Code"] == "ResourceInUse"
    define(aws, "orphan")
    aws.server.aws.store.delete("endpoint", f"{REGION}/churn")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        schedule(aws, "orphan")


def test_with_real_time_the_hour_itself_fires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's timer, not `advance`: real time, from a source that skips to the end of an hour."""
    stub_every_image(monkeypatch)
    hour = datetime(2026, 11, 22, 11, tzinfo=UTC)
    started = time.monotonic()
    shift = -600.0
    clock = Clock(source=lambda: hour + timedelta(seconds=shift + time.monotonic() - started))
    with embedded(tmp_path / "aws", clock=clock) as aws:
        make_endpoint(aws)
        captured(aws, now(aws))
        monitor(aws, "timed")
        assert executions(aws, "timed") == []
        shift = started - time.monotonic() - 0.2
        define(aws, "wakes-the-timer")
        schedule(aws, "wakes-the-timer")
        until(lambda: executions(aws, "timed"), bool)
        (execution,) = executions(aws, "timed")
    assert execution["MonitoringExecutionStatus"] == "Completed"
    assert execution["ScheduledTime"] == hour


@pytest.mark.parametrize("path", ["/etc", "/opt/ml/processing/../../../../etc", "/opt/ml/processing-not"])
def test_a_definition_keeps_to_the_folder_of_jobs(aws: Embedded, path: str) -> None:
    endpoint_input = {"EndpointInput": {"EndpointName": "churn", "LocalPath": path}}
    with pytest.raises(ClientError, match="LocalPath of EndpointInput must be /opt/ml/processing or lie below it"):
        define(aws, "outside", ModelExplainabilityJobInput=endpoint_input)
