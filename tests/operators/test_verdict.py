from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import ExecutionFailed, NoExecution, ViolationsFound
from model_monitor.names import KINDS
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.teardown import DeleteMonitorOperator
from model_monitor.operators.verdict import VerdictOperator
from model_monitor.sensors.executions import ExecutionFinishedSensor, ExecutionStartedSensor
from tests.monitored import FEATURES, context, run_task
from tests.running_aws import Running


@pytest.fixture
def executed(captured: MonitoredEndpoint) -> Iterator[dict[str, Any]]:
    """One finished execution of each monitor, and the endpoint."""
    executions: dict[str, Any] = {"endpoint": captured}
    for kind in KINDS:
        about = {"endpoint": captured, "kind": kind}
        run_task(CreateJobDefinitionOperator(task_id="define", schedule="now", **about))
        task = CreateScheduleOperator(task_id="create", schedule="now", **about)
        executions[kind] = run_task(task, context("manual__verdict"))
    for kind in KINDS:
        about = {"endpoint": captured, "kind": kind}
        execution = run_task(ExecutionStartedSensor(task_id="started", schedule=executions[kind], **about))
        executions[kind] = run_task(ExecutionFinishedSensor(task_id="finished", execution=execution, **about))
    yield executions
    for kind in KINDS:
        run_task(DeleteMonitorOperator(task_id="delete", endpoint=captured, kind=kind))


def test_the_verdicts_of_both_monitors(executed: dict[str, Any]) -> None:
    endpoint = executed["endpoint"]
    bias = run_task(VerdictOperator(task_id="verdict", endpoint=endpoint, kind="bias", execution=executed["bias"]))
    assert bias["status"] == "CompletedWithViolations"
    assert bias["files"] == ["analysis.json", "constraint_violations.json", "report.html"]
    assert bias["report"].startswith(f"s3://{endpoint.bucket}/monitors/reports/{endpoint.name}/{endpoint.name}-bias/")
    worst = bias["violations"][0]
    assert set(worst) == {"facet", "position", "facet_value", "metric", "value", "baseline", "description"}
    assert abs(worst["value"]) > abs(worst["baseline"])
    assert len(json.dumps(bias)) < 10_000

    explained = run_task(VerdictOperator(task_id="verdict", endpoint=endpoint, kind="explainability", execution=None))
    assert explained["status"] == "Completed"
    assert explained["violations"] == []
    assert explained["ndcg"]["label0"] >= 0.9
    assert {item["feature"] for item in explained["top_features"]["label0"]} == set(FEATURES)

    judge = VerdictOperator(
        task_id="verdict", endpoint=endpoint, kind="bias", execution=executed["bias"], fail_on_violations="True"
    )
    given = context()
    with pytest.raises(ViolationsFound, match=f"violations in {endpoint.name}-bias, report {bias['report']}"):
        run_task(judge, given)
    assert given["ti"].pushed == {"return_value": bias}
    links = {link.name: link.get_link(judge, ti_key=None) for link in judge.operator_extra_links}
    window = bias["report"].partition(f"{endpoint.name}-bias/")[2]
    execution = f"model-monitor/endpoints/{endpoint.name}/bias/executions/{window}"
    assert links == {
        "Dashboard": execution,
        "Report": f"{execution}/files/report.html",
        "SageMaker console": "",
        "S3 console": "",
    }


def executed_now(endpoint: MonitoredEndpoint, run_id: str, compare: str) -> None:
    """A bias execution that is over, however it ended."""
    about: dict[str, Any] = {"endpoint": endpoint, "kind": "bias"}
    run_task(CreateJobDefinitionOperator(task_id="define", schedule="now", compare=compare, **about))
    create = CreateScheduleOperator(task_id="create", schedule="now", compare=compare, **about)
    begun = run_task(ExecutionStartedSensor(task_id="started", schedule=run_task(create, context(run_id)), **about))
    with suppress(ExecutionFailed):
        run_task(ExecutionFinishedSensor(task_id="finished", execution=begun, **about))


def test_what_was_compared_with_nothing_says_so(captured: MonitoredEndpoint) -> None:
    try:
        executed_now(captured, "manual__nothing", "none")
        verdict = run_task(VerdictOperator(task_id="verdict", endpoint=captured, kind="bias"))
    finally:
        run_task(DeleteMonitorOperator(task_id="delete", endpoint=captured, kind="bias"))
    assert (verdict["status"], verdict["compared"], verdict["violations"]) == ("Completed", False, [])


def test_an_execution_that_failed_has_a_verdict_that_says_why(deployed: MonitoredEndpoint, aws: Running) -> None:
    aws.advance(3 * 3600)
    try:
        executed_now(deployed, "manual__failed", "baseline")
        verdict = run_task(VerdictOperator(task_id="verdict", endpoint=deployed, kind="bias"))
    finally:
        run_task(DeleteMonitorOperator(task_id="delete", endpoint=deployed, kind="bias"))
    assert (verdict["status"], verdict["files"], verdict["violations"]) == ("Failed", [], [])
    assert "ended as Failed: Job inputs had no data" in verdict["reason"]
    assert f"Captures: no files in s3://{deployed.bucket}/monitors/datacapture/" in verdict["reason"]
    hour = names.hour_path(datetime.fromisoformat(verdict["scheduled"]))
    assert verdict["report"] == names.report_folder(deployed, "bias", hour)


def test_a_schedule_that_has_not_executed_has_no_verdict(deployed: MonitoredEndpoint, aws: Running) -> None:
    aws.advance(5)
    about = {"endpoint": deployed, "kind": "bias"}
    run_task(CreateJobDefinitionOperator(task_id="define", **about))
    run_task(CreateScheduleOperator(task_id="create", **about))
    try:
        with pytest.raises(NoExecution, match=f"{deployed.name}-bias has not started any execution yet"):
            run_task(VerdictOperator(task_id="verdict", **about))
    finally:
        run_task(DeleteMonitorOperator(task_id="delete", **about))
