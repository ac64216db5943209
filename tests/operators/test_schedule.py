from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import NoBaseline, NoExecution, ResourceConflict
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.schedule import (
    CreateJobDefinitionOperator,
    CreateScheduleOperator,
    StartScheduleOperator,
    StopScheduleOperator,
)
from model_monitor.operators.teardown import DeleteMonitorOperator
from tests.monitored import context, run_task
from tests.running_aws import Running


@pytest.fixture
def monitored(deployed: MonitoredEndpoint) -> Iterator[MonitoredEndpoint]:
    """The shared endpoint, whose bias monitor goes when the test ends."""
    yield deployed
    run_task(DeleteMonitorOperator(task_id="delete", endpoint=deployed, kind="bias"))


def create(endpoint: MonitoredEndpoint, run_id: str = "manual__1", **options: Any) -> Any:
    run_task(CreateJobDefinitionOperator(task_id="define", endpoint=endpoint, kind="bias", **options))
    task = CreateScheduleOperator(task_id="create", endpoint=endpoint, kind="bias", **options)
    return run_task(task, context(run_id))


def describe(aws: Running, endpoint: MonitoredEndpoint) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("sagemaker").describe_monitoring_schedule(
        MonitoringScheduleName=f"{endpoint.name}-bias"
    )
    return found


def definition_of(aws: Running, created: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("sagemaker").describe_model_bias_job_definition(
        JobDefinitionName=created["definition"]
    )
    return found


def test_an_hourly_schedule_runs_the_definition_that_compares_with_the_baseline(
    monitored: MonitoredEndpoint, aws: Running
) -> None:
    created = create(monitored)
    found = describe(aws, monitored)
    assert found["MonitoringScheduleStatus"] == "Scheduled"
    assert found["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"] == "cron(0 * ? * * *)"
    assert found["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] == created["definition"]
    definition = definition_of(aws, created)
    assert definition["ModelBiasBaselineConfig"]["BaseliningJobName"].startswith(f"{monitored.name}-bias-baseline")
    config = json.loads(StorageHook().read(definition["ModelBiasAppSpecification"]["ConfigUri"]) or b"")
    assert (config["label"], config["headers"][0]) == ("Left", "Left")


def test_without_comparing_the_definition_has_no_baseline(monitored: MonitoredEndpoint, aws: Running) -> None:
    assert "ModelBiasBaselineConfig" not in definition_of(aws, create(monitored, compare="none"))


def test_constraints_can_lie_anywhere(monitored: MonitoredEndpoint, aws: Running) -> None:
    definition = definition_of(aws, create(monitored, compare="s3://bucket/constraints/analysis.json"))
    assert definition["ModelBiasBaselineConfig"] == {
        "ConstraintsResource": {"S3Uri": "s3://bucket/constraints/analysis.json"}
    }


def test_without_baselining_job_there_is_nothing_to_compare_with(endpoint: MonitoredEndpoint) -> None:
    with pytest.raises(NoBaseline, match=f"no bias baselining job .* Run {endpoint.name}.deploy"):
        create(endpoint)


def test_a_second_try_adopts_the_schedule(monitored: MonitoredEndpoint, aws: Running) -> None:
    first = create(monitored)
    before = describe(aws, monitored)
    assert create(monitored) == first
    assert describe(aws, monitored)["LastModifiedTime"] == before["LastModifiedTime"]


def test_a_stopped_schedule_is_started_again(monitored: MonitoredEndpoint, aws: Running) -> None:
    create(monitored)
    aws.client("sagemaker").stop_monitoring_schedule(MonitoringScheduleName=f"{monitored.name}-bias")
    create(monitored)
    assert describe(aws, monitored)["MonitoringScheduleStatus"] == "Scheduled"


def test_a_changed_configuration_updates_the_schedule(monitored: MonitoredEndpoint, aws: Running) -> None:
    first = create(monitored)
    created = describe(aws, monitored)["CreationTime"]
    daily = monitored.monitoring.model_copy(update={"cron": "cron(0 6 ? * * *)"})
    second = create(monitored.model_copy(update={"monitoring": daily}), compare="none")
    found = describe(aws, monitored)
    assert second["definition"] != first["definition"]
    assert found["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] == second["definition"]
    assert found["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"] == "cron(0 6 ? * * *)"
    assert found["CreationTime"] == created
    assert create(monitored.model_copy(update={"monitoring": daily}), compare="none")["since"]


def test_a_once_schedule_is_adopted_by_a_retry_and_replaced_by_the_next_run(
    monitored: MonitoredEndpoint, aws: Running
) -> None:
    create(monitored, run_id="manual__1", schedule="now")
    first = describe(aws, monitored)
    assert first["MonitoringScheduleConfig"]["ScheduleConfig"] == {
        "ScheduleExpression": "NOW",
        "DataAnalysisStartTime": "-PT1H",
        "DataAnalysisEndTime": "-PT0H",
    }
    aws.advance(1)
    create(monitored, run_id="manual__1", schedule="now")
    assert describe(aws, monitored)["CreationTime"] == first["CreationTime"]
    create(monitored, run_id="manual__2", schedule="now")
    assert describe(aws, monitored)["CreationTime"] > first["CreationTime"]


def test_a_schedule_is_stopped_and_started(monitored: MonitoredEndpoint) -> None:
    create(monitored)
    about = {"endpoint": monitored, "kind": "bias"}
    for _ in range(2):
        assert run_task(StopScheduleOperator(task_id="stop", **about)) == "Stopped"
    for _ in range(2):
        assert run_task(StartScheduleOperator(task_id="start", **about)) == "Scheduled"


@pytest.mark.parametrize("when", [False, "False", "false"])
def test_a_schedule_that_is_to_go_on_is_not_stopped(endpoint: MonitoredEndpoint, when: bool | str) -> None:
    with pytest.raises(AirflowSkipException):
        run_task(StopScheduleOperator(task_id="stop", endpoint=endpoint, kind="bias", when=when))


def test_a_missing_schedule_is_named(endpoint: MonitoredEndpoint) -> None:
    with pytest.raises(NoExecution, match=f"no monitoring schedule '{endpoint.name}-bias'. {endpoint.name}.monitor"):
        run_task(StopScheduleOperator(task_id="stop", endpoint=endpoint, kind="bias"))


def test_somebody_else_s_schedule_is_left_alone(deployed: MonitoredEndpoint, aws: Running) -> None:
    sagemaker = aws.client("sagemaker")
    created = create(deployed)
    config = describe(aws, deployed)["MonitoringScheduleConfig"]
    run_task(DeleteMonitorOperator(task_id="delete", endpoint=deployed, kind="bias"))
    run_task(CreateJobDefinitionOperator(task_id="define", endpoint=deployed, kind="bias"))
    sagemaker.create_monitoring_schedule(MonitoringScheduleName=created["schedule"], MonitoringScheduleConfig=config)
    with pytest.raises(ResourceConflict, match="was not made by this project"):
        create(deployed)
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=created["schedule"])
