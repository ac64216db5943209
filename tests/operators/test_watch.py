"""What `<endpoint>.watch` finds of a schedule that goes on by itself: news, what ended between two looks, nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from model_monitor import names
from model_monitor.alerts.outcome import Outcome
from model_monitor.alerts.state import Kept, State, Teller
from model_monitor.config import MonitoredEndpoint
from model_monitor.config.alerts import Alerts
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.alert import AlertOperator
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.teardown import DeleteMonitorOperator
from model_monitor.operators.verdict import VerdictOperator
from model_monitor.operators.watch import NEWS, LookForNewsOperator
from tests.monitored import context, run_task
from tests.running_aws import Running


@pytest.fixture
def scheduled(untold: MonitoredEndpoint, aws: Running) -> Iterator[MonitoredEndpoint]:
    """An hourly bias monitor without traffic, so that each of its executions fails; told of when two of three do."""
    endpoint = untold.model_copy(update={"alerts": Alerts(violating_windows=2, of_windows=3)})
    aws.advance(5)
    run_task(CreateJobDefinitionOperator(task_id="define", endpoint=endpoint, kind="bias"))
    run_task(CreateScheduleOperator(task_id="create", endpoint=endpoint, kind="bias"))
    yield endpoint
    run_task(DeleteMonitorOperator(task_id="delete", endpoint=endpoint, kind="bias"))


def keeper(endpoint: MonitoredEndpoint) -> Kept:
    return Kept(StorageHook(aws_conn_id="aws_default", region_name="us-west-2"), endpoint, "bias")


def states(endpoint: MonitoredEndpoint) -> list[str]:
    return [window.state for window in keeper(endpoint).read().windows]


def look(endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any] | None:
    """The execution that is news."""
    monkeypatch.setattr(LookForNewsOperator, "skip_all_except", lambda *arguments: None)
    branches = {kind: f"{kind}.verdict" for kind in names.KINDS}
    task = LookForNewsOperator(task_id="look", endpoint=endpoint, branches=branches)
    given = context()
    task.execute(given)
    news: dict[str, Any] = given["ti"].pushed[NEWS]
    assert set(news) <= {"bias"}
    return news.get("bias")


def listed(monkeypatch: pytest.MonkeyPatch, *statuses: str) -> None:
    """Let the bias schedule have had executions of these statuses, an hour apart from 10:00 on."""
    executions = [
        {
            "MonitoringScheduleName": "small-bias",
            "ScheduledTime": datetime(2026, 11, 22, hour, tzinfo=UTC),
            "CreationTime": datetime(2026, 11, 22, hour, 5, tzinfo=UTC),
            "MonitoringExecutionStatus": status,
        }
        for hour, status in enumerate(statuses, 10)
    ]
    monkeypatch.setattr(
        LookForNewsOperator, "_finished", lambda task, kind: iter(executions[::-1] if kind == "bias" else ())
    )


def tell(endpoint: MonitoredEndpoint, execution: dict[str, Any] | None, **changes: Any) -> list[str]:
    verdict = run_task(VerdictOperator(task_id="verdict", endpoint=endpoint, kind="bias", execution=execution))
    task = AlertOperator(task_id="alert", endpoint=endpoint, kind="bias", verdict={**verdict, **changes})
    told: list[str] = run_task(task)
    return told


def test_what_ends_between_two_looks_is_counted(
    scheduled: MonitoredEndpoint, aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(scheduled, monkeypatch) is None
    aws.advance(3600, settle=True)
    first = look(scheduled, monkeypatch)
    assert first is not None
    assert tell(scheduled, first) == []
    assert states(scheduled) == ["failed"]
    assert look(scheduled, monkeypatch) is None

    for _ in range(2):
        aws.advance(3600, settle=True)
    newest = look(scheduled, monkeypatch)
    assert newest is not None
    assert newest["scheduled"] > first["scheduled"]
    assert states(scheduled) == ["failed", "failed"]
    assert look(scheduled, monkeypatch) == newest, "counted, and not told of"
    assert tell(scheduled, newest) == ["log"]
    assert states(scheduled) == ["failed"] * 3
    assert look(scheduled, monkeypatch) is None


def test_violations_that_ended_between_two_looks_are_counted(
    endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = endpoint.model_copy(update={"alerts": Alerts(violating_windows=2, of_windows=3)})
    assert keeper(endpoint).write(State((Outcome("2026-11-22T10:00:00Z", "fine"),)))
    found = {"facet": "Age", "facet_value": "(0, 2]", "metric_name": "DI", "description": "worse"}
    group = {"value_or_threshold": "(0, 2]", "metrics": [{"name": "DI", "value": 2.0, "description": ""}]}
    report = names.report_folder(endpoint, "bias", "2026/11/22/12")
    storage = StorageHook(aws_conn_id="aws_default", region_name="us-west-2")
    storage.put(f"{report}/constraint_violations.json", json.dumps({"violations": [found]}))
    storage.put(f"{report}/analysis.json", json.dumps({"post_training_bias_metrics": {"facets": {"Age": [group]}}}))

    listed(monkeypatch, "Completed", "Completed", "CompletedWithViolations", "Failed", "CompletedWithViolations")
    news = look(endpoint, monkeypatch)
    assert news is not None
    assert news["scheduled"] == "2026-11-22T14:00:00+00:00"
    assert [(window.scheduled[11:13], window.state) for window in keeper(endpoint).read().windows] == [
        ("10", "fine"),
        ("11", "fine"),
        ("12", "violating"),
        ("13", "failed"),
    ]
    assert keeper(endpoint).read().windows[2].violations == ("Age[0] DI",)


def test_what_was_compared_with_nothing_is_news_once(
    endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(monkeypatch, "Completed")
    assert look(endpoint, monkeypatch) is not None
    assert keeper(endpoint).write(State((Outcome("2026-11-22T10:00:00Z", "measured"),)))
    assert look(endpoint, monkeypatch) is None
    listed(monkeypatch, "CompletedWithViolations")
    assert look(endpoint, monkeypatch) is not None


def test_what_a_task_was_killed_over_is_news_when_nobody_waits_for_it_any_more(
    endpoint: MonitoredEndpoint, aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(monkeypatch, "CompletedWithViolations")
    telling = keeper(endpoint)
    until = telling.teller("small.watch/manual__1/bias.alert").until
    windows = (Outcome("2026-11-22T10:00:00Z", "violating", ("Age[0] DI",)),)
    assert telling.write(State(windows, teller=Teller("small.watch/manual__1/bias.alert", until)))
    assert look(endpoint, monkeypatch) is None
    aws.advance(301)
    assert look(endpoint, monkeypatch) is not None
    assert telling.write(State(windows))
    assert look(endpoint, monkeypatch) is None
