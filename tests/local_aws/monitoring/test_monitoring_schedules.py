from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.clock import Clock
from local_aws.jobs import job_process
from tests.local_aws.embedded import BUCKET, CLARIFY, Embedded, embedded, stub_every_image
from tests.polling import until
from tests.running_aws import REGION, ROLE

TERMINAL = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
CAPTURES = f"s3://{BUCKET}/capture"
DELAY = timedelta(minutes=3)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    """A server at ten past an hour; its endpoint `churn` needs no model here."""
    stub_every_image(monkeypatch)
    with embedded(tmp_path / "aws", DELAY) as running:
        prepare(running)
        yield running


def prepare(aws: Embedded) -> None:
    now = aws.server.aws.clock.now()
    aws.server.aws.clock.advance(3600 - now.minute * 60 - now.second - now.microsecond / 1e6 + 600)
    make_endpoint(aws)


def make_endpoint(aws: Embedded) -> None:
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    deployment = {
        "DataCaptureConfig": {"DestinationS3Uri": CAPTURES},
        "Variants": [{"VariantName": "AllTraffic"}],
    }
    endpoint = {"EndpointName": "churn", "EndpointStatus": "InService", "Deployment": deployment}
    aws.server.aws.store.put(
        "endpoint", f"{REGION}/churn", endpoint | {"EndpointArn": f"arn:aws:sagemaker:{REGION}:1:x"}
    )
    aws.put("config/analysis_config.json", "{}")
    aws.put("baseline/analysis.json", "{}")


def now(aws: Embedded) -> datetime:
    return aws.server.aws.clock.now()


def to_the_next_firing(aws: Embedded) -> datetime:
    """Move to the next hour and the delay; returns the hour."""
    clock = aws.server.aws.clock
    hour = (clock.now() - DELAY).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    clock.advance((hour + DELAY - clock.now()).total_seconds())
    return hour


def captured(aws: Embedded, moment: datetime) -> None:
    aws.put(f"capture/churn/AllTraffic/{moment:%Y/%m/%d/%H}/00-00-000-x.jsonl", "{}\n")


def labelled(aws: Embedded, moment: datetime) -> None:
    aws.put(f"labels/{moment:%Y/%m/%d/%H}/0000.jsonl", "{}\n")


def define(
    aws: Embedded, name: str, kind: str = "ModelExplainability", behaviour: str = "complete", **more: Any
) -> None:
    """A job definition whose analysis behaves as told."""
    job_input: dict[str, Any] = {"EndpointInput": {"EndpointName": "churn", "LocalPath": "/opt/ml/processing/input/e"}}
    if kind == "ModelBias":
        job_input["GroundTruthS3Input"] = {"S3Uri": f"s3://{BUCKET}/labels"}
    environment = {"BEHAVIOUR": behaviour, "publish_cloudwatch_metrics": "Disabled", **more.pop("environment", {})}
    place = {"S3Uri": f"s3://{BUCKET}/reports", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "Continuous"}
    request: dict[str, Any] = {
        "JobDefinitionName": name,
        f"{kind}AppSpecification": {
            "ImageUri": CLARIFY,
            "ConfigUri": f"s3://{BUCKET}/config/analysis_config.json",
            "Environment": environment,
        },
        f"{kind}JobInput": job_input,
        f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": place}]},
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
    } | more
    create = {
        "ModelBias": aws.sagemaker.create_model_bias_job_definition,
        "ModelExplainability": aws.sagemaker.create_model_explainability_job_definition,
    }[kind]
    create(**request)


def schedule(
    aws: Embedded, name: str, kind: str = "ModelExplainability", expression: str = "cron(0 * ? * * *)", **times: str
) -> None:
    aws.sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=name,
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": name,
            "MonitoringType": kind,
            "ScheduleConfig": {"ScheduleExpression": expression, **times},
        },
    )


def monitor(
    aws: Embedded, name: str, kind: str = "ModelExplainability", behaviour: str = "complete", **more: Any
) -> None:
    """A definition and an hourly schedule of one name."""
    define(aws, name, kind, behaviour, **more)
    schedule(aws, name, kind)


def executions(aws: Embedded, name: str, **request: Any) -> list[dict[str, Any]]:
    """A schedule's executions, newest first, when all are over."""
    found: list[dict[str, Any]] = until(
        lambda: aws.sagemaker.list_monitoring_executions(MonitoringScheduleName=name, **request)[
            "MonitoringExecutionSummaries"
        ],
        lambda items: all(item["MonitoringExecutionStatus"] in TERMINAL for item in items),
    )
    return found


def job_of(aws: Embedded, execution: dict[str, Any]) -> dict[str, Any]:
    name = execution["ProcessingJobArn"].rsplit("/", 1)[-1]
    job: dict[str, Any] = aws.sagemaker.describe_processing_job(ProcessingJobName=name)
    return job


def status(aws: Embedded, name: str) -> str:
    return str(aws.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)["MonitoringScheduleStatus"])


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


@pytest.mark.parametrize("path", ["/etc", "/opt/ml/processing/../../../../etc", "/opt/ml/processing-not"])
def test_a_definition_keeps_to_the_folder_of_jobs(aws: Embedded, path: str) -> None:
    endpoint_input = {"EndpointInput": {"EndpointName": "churn", "LocalPath": path}}
    with pytest.raises(ClientError, match="LocalPath of EndpointInput must be /opt/ml/processing or lie below it"):
        define(aws, "outside", ModelExplainabilityJobInput=endpoint_input)
