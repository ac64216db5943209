"""A running schedule follows the model in force; one that does not run is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names, requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import NoBaseline
from model_monitor.hooks.s3 import StorageHook
from model_monitor.model_in_force import ApprovedModel, put_in_force
from model_monitor.operators.schedule import (
    CreateJobDefinitionOperator,
    CreateScheduleOperator,
    FollowModelOperator,
    StopScheduleOperator,
)
from model_monitor.operators.teardown import DeleteMonitorOperator
from model_monitor.windows import moment
from tests.monitored import run_task
from tests.running_aws import Running

KIND = "explainability"
APPROVED = "0123456789ab"


@pytest.fixture
def scheduled(deployed: MonitoredEndpoint) -> Iterator[MonitoredEndpoint]:
    """The shared endpoint, whose explainability monitor and approved model go when the test ends."""
    yield deployed
    StorageHook().delete(names.approved_model(deployed))
    run_task(DeleteMonitorOperator(task_id="delete", endpoint=deployed, kind=KIND))


def create(endpoint: MonitoredEndpoint, **options: str) -> str:
    run_task(CreateJobDefinitionOperator(task_id="define", endpoint=endpoint, kind=KIND, **options))
    made = run_task(CreateScheduleOperator(task_id="create", endpoint=endpoint, kind=KIND, **options))
    return str(made["definition"])


def approve(endpoint: MonitoredEndpoint) -> None:
    moment_of_approval = moment("2026-11-22T10:00:00Z")
    put_in_force(endpoint, StorageHook(), ApprovedModel(APPROVED, sources.archive(endpoint), "ann", moment_of_approval))


def follow(endpoint: MonitoredEndpoint) -> dict[str, str]:
    return dict(run_task(FollowModelOperator(task_id="follow", endpoint=endpoint, kind=KIND)))


def definition_of(aws: Running, endpoint: MonitoredEndpoint) -> dict[str, Any]:
    """The job definition that the schedule runs, with its analysis configuration."""
    sagemaker = aws.client("sagemaker")
    schedule = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=names.schedule(endpoint, KIND))
    name = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
    found: dict[str, Any] = sagemaker.describe_model_explainability_job_definition(JobDefinitionName=name)
    config = StorageHook().read(requests.config_uri(KIND, found))
    return found | {"analysis": json.loads(config or b""), "status": schedule["MonitoringScheduleStatus"]}


@pytest.mark.parametrize("compare", ["none", "baseline"])
def test_it_is_moved_to_the_model_and_goes_on_comparing_as_before(
    scheduled: MonitoredEndpoint, aws: Running, compare: str
) -> None:
    place = names.baseline_constraints(scheduled, KIND) if compare == "baseline" else compare
    before = create(scheduled, compare=place)
    approve(scheduled)
    answer = follow(scheduled)
    found = definition_of(aws, scheduled)
    assert (found["JobDefinitionName"], found["status"]) == (answer["definition"], "Scheduled")
    assert answer["definition"] != before
    assert found["analysis"]["predictor"]["model_name"] == requests.model_name(scheduled, APPROVED)
    baseline = found.get("ModelExplainabilityBaselineConfig", {}).get("ConstraintsResource", {}).get("S3Uri", "none")
    assert baseline == place


def test_without_a_baselining_job_of_the_model_it_stays_as_it_is(scheduled: MonitoredEndpoint, aws: Running) -> None:
    before = create(scheduled)
    assert follow(scheduled)["definition"] == before
    approve(scheduled)
    with pytest.raises(NoBaseline):
        follow(scheduled)
    assert definition_of(aws, scheduled)["JobDefinitionName"] == before


def test_what_does_not_run_is_left_alone(scheduled: MonitoredEndpoint, aws: Running) -> None:
    with pytest.raises(AirflowSkipException, match="no running schedule"):
        follow(scheduled)
    create(scheduled, compare="none")
    run_task(StopScheduleOperator(task_id="stop", endpoint=scheduled, kind=KIND))
    approve(scheduled)
    with pytest.raises(AirflowSkipException, match="no running schedule"):
        follow(scheduled)
    assert definition_of(aws, scheduled)["status"] == "Stopped"
