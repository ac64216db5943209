from __future__ import annotations

from typing import Any

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.hooks.s3 import StorageHook
from model_monitor.names import KINDS
from model_monitor.operators.endpoint import (
    CreateEndpointConfigOperator,
    CreateModelOperator,
    DeployEndpointOperator,
)
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.storage import UploadFilesOperator
from model_monitor.operators.teardown import (
    DeleteEndpointConfigsOperator,
    DeleteEndpointOperator,
    DeleteModelsOperator,
    DeleteMonitorOperator,
)
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.sensors.captures import CapturesSensor
from tests.monitored import run_task
from tests.running_aws import Running


def tear_down(endpoint: MonitoredEndpoint, **waiting: Any) -> list[Any]:
    monitors = [
        run_task(DeleteMonitorOperator(task_id="delete", endpoint=endpoint, kind=kind, **waiting)) for kind in KINDS
    ]
    deleted = run_task(DeleteEndpointOperator(task_id="delete", endpoint=endpoint, **waiting))
    rest = [
        run_task(step(task_id="delete", endpoint=endpoint))
        for step in (DeleteEndpointConfigsOperator, DeleteModelsOperator)
    ]
    return [*monitors, deleted, *rest]


def what_is_left(aws: Running, endpoint: MonitoredEndpoint) -> list[str]:
    sagemaker = aws.client("sagemaker")
    listings = {
        "list_monitoring_schedules": "MonitoringScheduleSummaries",
        "list_model_bias_job_definitions": "JobDefinitionSummaries",
        "list_model_explainability_job_definitions": "JobDefinitionSummaries",
        "list_endpoints": "Endpoints",
        "list_endpoint_configs": "EndpointConfigs",
        "list_models": "Models",
    }
    return [method for method, key in listings.items() if getattr(sagemaker, method)(NameContains=endpoint.name)[key]]


@pytest.mark.parametrize("deferrable", [False, True])
def test_everything_goes_and_captures_stay(
    endpoint: MonitoredEndpoint, aws: Running, deferrable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if deferrable:
        monkeypatch.setattr(DeleteEndpointOperator, "patience", 0.0)
    for step in (UploadFilesOperator, CreateModelOperator, CreateEndpointConfigOperator, DeployEndpointOperator):
        run_task(step(task_id="step", endpoint=endpoint))
    larger = endpoint.endpoint.model_copy(update={"instance_count": 2})
    run_task(CreateEndpointConfigOperator(task_id="step", endpoint=endpoint.model_copy(update={"endpoint": larger})))
    for kind in KINDS:
        asked = {"endpoint": endpoint, "kind": kind, "compare": "none"}
        run_task(CreateJobDefinitionOperator(task_id="define", **asked))
        run_task(CreateScheduleOperator(task_id="create", **asked))
    traffic = run_task(SendTrafficOperator(task_id="send", endpoint=endpoint))
    captures = run_task(CapturesSensor(task_id="captures", endpoint=endpoint, traffic=traffic))

    bias, explainability, deleted, configs, models = tear_down(endpoint, deferrable=deferrable)

    assert bias[0] == f"{endpoint.name}-bias"
    assert explainability[0] == f"{endpoint.name}-explain"
    assert deleted == endpoint.name
    assert (len(configs), len(models)) == (2, 1)
    assert what_is_left(aws, endpoint) == []
    assert StorageHook().read(captures["newest"][-1])


def test_tearing_down_nothing_is_no_error(endpoint: MonitoredEndpoint) -> None:
    assert tear_down(endpoint) == [[], [], None, [], []]


def test_an_endpoint_whose_name_begins_alike_stays(deployed: MonitoredEndpoint, aws: Running) -> None:
    alike = deployed.model_copy(update={"name": deployed.name[:-1]})
    tear_down(alike)
    assert {"list_endpoints", "list_endpoint_configs", "list_models"} <= set(what_is_left(aws, deployed))
