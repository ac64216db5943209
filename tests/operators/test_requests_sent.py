"""What the operators of the whole flow really send equals what SageMaker's own SDK sends (golden/requests.json)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from model_monitor import names, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.names import KINDS
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.endpoint import (
    CreateEndpointConfigOperator,
    CreateModelOperator,
    DeployEndpointOperator,
)
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from model_monitor.operators.schedule import (
    CreateJobDefinitionOperator,
    CreateScheduleOperator,
    StartScheduleOperator,
    StopScheduleOperator,
)
from model_monitor.operators.storage import CheckBucketOperator, UploadFilesOperator
from model_monitor.operators.teardown import (
    DeleteEndpointConfigsOperator,
    DeleteEndpointOperator,
    DeleteModelsOperator,
    DeleteMonitorOperator,
)
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.operators.verdict import VerdictOperator
from model_monitor.sensors.captures import CapturesSensor
from model_monitor.sensors.executions import ExecutionFinishedSensor, ExecutionStartedSensor
from tests.monitored import context, run_task
from tests.running_aws import Running

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "requests.json").read_text())["requests"]

# Requests that the SDK never sends: they find out whose a resource is, or look for what to delete.
OURS_ALONE = {
    "ListTags",
    "AddTags",
    "DescribeModel",
    "ListModels",
    "ListEndpointConfigs",
    "ListModelBiasJobDefinitions",
    "ListModelExplainabilityJobDefinitions",
}
STORAGE_AND_IDENTITY = {"S3", "STS", "CloudWatch Logs"}

# Places for a name, in a pattern made of golden text; the others are addresses, which `normal` puts into our text too.
NAME = re.compile(r"\\\{(?!prefix|ground_truth|model_archive|validation_dataset)\w+\\\}")

Sent = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Every request to SageMaker, as boto3 gets it."""
    requests: Sent = []
    call = BaseClient._make_api_call

    def record(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if client.meta.service_model.service_id not in STORAGE_AND_IDENTITY:
            requests.append((operation, json.loads(json.dumps(parameters))))
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    return requests


def deploy(endpoint: MonitoredEndpoint) -> None:
    for step in (CheckBucketOperator, UploadFilesOperator, CreateModelOperator, CreateEndpointConfigOperator):
        run_task(step(task_id="step", endpoint=endpoint))
    run_task(DeployEndpointOperator(task_id="deploy", endpoint=endpoint))
    traffic = run_task(SendTrafficOperator(task_id="send", endpoint=endpoint, count=2, inference_ids=False))
    run_task(CapturesSensor(task_id="captures", endpoint=endpoint, traffic=traffic))
    for kind in KINDS:
        run_task(BaselineOperator(task_id="baseline", endpoint=endpoint, kind=kind))


def monitor(endpoint: MonitoredEndpoint) -> None:
    run_task(SendTrafficOperator(task_id="send", endpoint=endpoint))
    run_task(UploadGroundTruthOperator(task_id="labels", endpoint=endpoint))
    for kind in KINDS:
        about = {"endpoint": endpoint, "kind": kind}
        for compare in ("none", "baseline"):
            run_task(CreateJobDefinitionOperator(task_id="define", compare=compare, **about))
        run_task(CreateScheduleOperator(task_id="create", **about))
        run_task(StopScheduleOperator(task_id="stop", **about))
        run_task(StartScheduleOperator(task_id="start", **about))
    rarer = endpoint.monitoring.model_copy(update={"cron": "cron(0 2/6 ? * * *)"})
    moved = {"endpoint": endpoint.model_copy(update={"monitoring": rarer}), "kind": "bias"}
    run_task(CreateJobDefinitionOperator(task_id="define", **moved))
    run_task(CreateScheduleOperator(task_id="move", **moved))
    constraints = names.baseline_constraints(endpoint, "bias")
    once = {"endpoint": endpoint, "kind": "bias", "schedule": "now", "compare": constraints}
    run_task(CreateJobDefinitionOperator(task_id="define", **once))
    created = run_task(CreateScheduleOperator(task_id="create", **once), context("manual__once"))
    about = {"endpoint": endpoint, "kind": "bias"}
    execution = run_task(ExecutionStartedSensor(task_id="started", schedule=created, **about))
    run_task(ExecutionFinishedSensor(task_id="finished", execution=execution, **about))
    run_task(VerdictOperator(task_id="verdict", execution=execution, **about))


def tear_down(endpoint: MonitoredEndpoint) -> None:
    for kind in KINDS:
        run_task(DeleteMonitorOperator(task_id="delete", endpoint=endpoint, kind=kind))
    for step in (DeleteEndpointOperator, DeleteEndpointConfigsOperator, DeleteModelsOperator):
        run_task(step(task_id="delete", endpoint=endpoint))


def test_the_flow_sends_what_the_sdk_sends(endpoint: MonitoredEndpoint, aws: Running, sent: Sent) -> None:
    deploy(endpoint)
    monitor(endpoint)
    tear_down(endpoint)

    golden: dict[str, list[Any]] = defaultdict(list)
    for request in GOLDEN.values():
        golden[request["operation"]].append(request["params"])
    covered = set()
    for operation, request in sent:
        if operation in OURS_ALONE:
            continue
        ours = normal(request, endpoint)
        alike = [expected for expected in golden[operation] if same(expected, ours)]
        assert alike, f"{operation} {ours}\nis none of\n{golden[operation]}"
        covered.add(operation)
    assert covered >= {
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "InvokeEndpoint",
        "CreateProcessingJob",
        "CreateModelBiasJobDefinition",
        "CreateModelExplainabilityJobDefinition",
        "CreateMonitoringSchedule",
        "UpdateMonitoringSchedule",
        "StartMonitoringSchedule",
        "StopMonitoringSchedule",
        "ListMonitoringExecutions",
        "DeleteMonitoringSchedule",
        "DeleteModelBiasJobDefinition",
        "DeleteModelExplainabilityJobDefinition",
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
    }


def normal(request: dict[str, Any], endpoint: MonitoredEndpoint) -> dict[str, Any]:
    """Our request with golden's places for names, without tags and what means the same as nothing."""
    archive, validation = sources.archive(endpoint), sources.validation_uri(endpoint)
    known = {
        names.model_archive(endpoint, archive): "{model_archive}",
        validation: "{validation_dataset}",
        names.ground_truth(endpoint): "{ground_truth}",
        names.s3(endpoint): "{prefix}",
    }
    text = json.dumps(without_nothing(request))
    for value, place in known.items():
        text = text.replace(value, place)
    content: dict[str, Any] = json.loads(text)
    content.pop("Tags", None)
    # How an execution of this schedule is told from one of an earlier schedule of the name.
    if content.pop("CreationTimeAfter", None):
        content["SortOrder"] = "Descending"
    return content


def without_nothing(value: Any) -> Any:
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    if isinstance(value, dict):
        return {key: without_nothing(item) for key, item in value.items() if not (key == "Environment" and not item)}
    return value


def same(expected: Any, ours: Any) -> bool:
    """Equal, but for what is free: which row is sent, and names, for which golden has places such as `{model}`."""
    if isinstance(expected, dict) and isinstance(ours, dict):
        return expected.keys() == ours.keys() and all(
            key in {"Body", "InferenceId"} or same(value, ours[key]) for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(ours, list):
        return len(expected) == len(ours) and all(map(same, expected, ours))
    if isinstance(expected, str) and isinstance(ours, str):
        return re.fullmatch(NAME.sub(r"[\\w-]+", re.escape(expected)), ours) is not None
    return bool(expected == ours)
