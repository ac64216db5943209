"""Executions on a server whose clock the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import ExecutionFailed, NoExecution, WaitTimeout
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.teardown import DeleteMonitorOperator
from model_monitor.sensors.executions import ExecutionFinishedSensor, ExecutionStartedSensor
from model_monitor.waiting import Outcome, Wait
from tests.monitored import context, run_task
from tests.running_aws import Running


@pytest.fixture
def monitored(captured: MonitoredEndpoint, aws: Running) -> Iterator[MonitoredEndpoint]:
    """The shared endpoint with data, whose bias monitor goes when the test ends."""
    aws.advance(5)
    yield captured
    run_task(DeleteMonitorOperator(task_id="delete", endpoint=captured, kind="bias"))


def schedule(endpoint: MonitoredEndpoint, when: str, run_id: str = "manual__1") -> Any:
    asked = {"endpoint": endpoint, "kind": "bias", "schedule": when}
    run_task(CreateJobDefinitionOperator(task_id="define", **asked))
    return run_task(CreateScheduleOperator(task_id="create", **asked), context(run_id))


def started(endpoint: MonitoredEndpoint, **options: Any) -> Any:
    return run_task(ExecutionStartedSensor(task_id="started", endpoint=endpoint, kind="bias", **options))


def finished(endpoint: MonitoredEndpoint, **options: Any) -> Any:
    return run_task(ExecutionFinishedSensor(task_id="finished", endpoint=endpoint, kind="bias", **options))


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_once_schedule_executes_at_once(
    monitored: MonitoredEndpoint, deferrable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExecutionFinishedSensor, "patience", 0.1)
    execution = started(monitored, schedule=schedule(monitored, "now", run_id=f"run {deferrable}"))
    assert execution["schedule"] == f"{monitored.name}-bias"
    ended = finished(monitored, execution=execution, deferrable=deferrable, poke_interval=0.5)
    assert ended["status"] in {"Completed", "CompletedWithViolations"}
    assert ended["created"] == execution["created"]


def test_an_hourly_schedule_executes_on_the_hour(monitored: MonitoredEndpoint, aws: Running) -> None:
    created = schedule(monitored, "hourly")
    with pytest.raises(
        NoExecution, match=r"-bias \(cron\(0 \* \? \* \* \*\), Scheduled\) has not started any execution"
    ):
        started(monitored, schedule=created, timeout=0.3)
    aws.advance(3600)
    execution = started(monitored, schedule=created)
    scheduled = datetime.fromisoformat(execution["scheduled"])
    assert (scheduled.minute, scheduled.second) == (0, 0)
    assert finished(monitored, execution=execution)["status"] in {"Completed", "CompletedWithViolations"}


def test_executions_of_an_earlier_schedule_of_the_name_do_not_count(monitored: MonitoredEndpoint, aws: Running) -> None:
    finished(monitored, execution=started(monitored, schedule=schedule(monitored, "now", "an earlier run")))
    aws.advance(5)
    schedule(monitored, "hourly")
    with pytest.raises(NoExecution, match="has not started any execution"):
        started(monitored, timeout=0.3)
    with pytest.raises(NoExecution, match="has not started any execution"):
        finished(monitored, timeout=0.3)


def test_tested_alone_the_newest_execution_is_meant(monitored: MonitoredEndpoint) -> None:
    schedule(monitored, "now", "tested alone")
    assert started(monitored, schedule="None")["created"] == finished(monitored)["created"]


def test_an_hour_without_data_fails_with_the_reason_and_what_is_there(
    deployed: MonitoredEndpoint, aws: Running
) -> None:
    aws.advance(3 * 3600)
    try:
        execution = started(deployed, schedule=schedule(deployed, "now", "no data"))
        with pytest.raises(ExecutionFailed) as failed:
            finished(deployed, execution=execution)
    finally:
        run_task(DeleteMonitorOperator(task_id="delete", endpoint=deployed, kind="bias"))
    told = str(failed.value)
    assert f"The execution of {deployed.name}-bias" in told
    assert "ended as Failed: Job inputs had no data" in told
    assert f"Captures: no files in s3://{deployed.bucket}/monitors/datacapture/{deployed.name}/AllTraffic/" in told
    assert f"Ground truth: no files in s3://{deployed.bucket}/monitors/ground_truth/" in told
    assert f"{deployed.name}.traffic makes captures" in told


def test_ground_truth_that_is_no_json_fails_with_the_job_s_words(monitored: MonitoredEndpoint, aws: Running) -> None:
    broken = f"{names.ground_truth(monitored, aws.now())}/broken.jsonl"
    StorageHook().put(broken, "1,0,1\n")
    try:
        execution = started(monitored, schedule=schedule(monitored, "now", "broken ground truth"))
        with pytest.raises(ExecutionFailed, match=r"(?s)ended as Failed: .*broken\.jsonl") as failed:
            finished(monitored, execution=execution)
        assert str(failed.value).count("broken.jsonl") == 1
    finally:
        StorageHook().delete(broken)


def summary(status: str, **more: Any) -> dict[str, Any]:
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    return {
        "MonitoringScheduleName": "churn-bias",
        "ScheduledTime": moment,
        "CreationTime": moment,
        "MonitoringExecutionStatus": status,
        **more,
    }


def end(endpoint: MonitoredEndpoint, state: Any, *summaries: dict[str, Any]) -> Any:
    sensor = ExecutionFinishedSensor(task_id="finished", endpoint=endpoint, kind="bias")
    wait = Wait.until("ExecutionFinished", {"MonitoringScheduleName": "churn-bias"})
    return sensor.finish(Outcome(state, {"MonitoringExecutionSummaries": list(summaries)}), wait)


def test_a_stopped_execution_is_a_failure_with_its_reason(endpoint: MonitoredEndpoint) -> None:
    with pytest.raises(ExecutionFailed, match=r"scheduled for 2026-11-22T10:00:00\+00:00 ended as Stopped: Too long."):
        end(endpoint, "failure", summary("Stopped", FailureReason="Too long"))


def test_an_execution_that_takes_too_long_is_told_by_its_status(endpoint: MonitoredEndpoint) -> None:
    with pytest.raises(WaitTimeout, match="execution of churn-bias did not finish in time: InProgress"):
        end(endpoint, "deadline", summary("InProgress"))


def test_violations_are_an_end_not_a_failure(endpoint: MonitoredEndpoint) -> None:
    assert end(endpoint, "success", summary("CompletedWithViolations"))["status"] == "CompletedWithViolations"
