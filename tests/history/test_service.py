"""The managed service's executions beside the folders in S3, and what is told where it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.history.service import ASKED_AGAIN_SECONDS
from tests.denying_proxy import DenyingProxy
from tests.history.stored import Place, bias, explained, hooks_of, violations
from tests.local_aws.embedded import Embedded, embedded, stub_every_image
from tests.local_aws.monitoring.monitors import (
    DELAY,
    captured,
    executions,
    monitor,
    prepare,
    to_the_next_firing,
)
from tests.monitored import monitored_endpoint
from tests.preflight.proxied import proxied

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
GOOD = bias({"a": {"AD": 0.1}})
SCHEDULE = "churn-bias"


@dataclass
class Managed:
    """A server of this process with a schedule, what lies in its bucket, and the proxy in between."""

    aws: Embedded
    place: Place
    proxy: DenyingProxy

    @property
    def endpoint(self) -> MonitoredEndpoint:
        return self.place.endpoint

    def next_execution(self, schedule: str = SCHEDULE) -> str:
        """Let the schedule fire; returns the window."""
        due = to_the_next_firing(self.aws)
        executions(self.aws, schedule)
        return names.hour_path(due)


@pytest.fixture
def managed(tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Managed]:
    stub_every_image(monkeypatch)
    with embedded(tmp_path / "aws", DELAY) as aws:
        prepare(aws)
        endpoint = monitored_endpoint(files, "bucket", name="churn")
        with proxied(aws.server.aws.url, endpoint) as (proxy, behind):
            yield Managed(aws, Place.of(behind, hooks_of(behind)), proxy)


def test_an_execution_without_a_folder_keeps_its_reason(managed: Managed) -> None:
    monitor(managed.aws, SCHEDULE, "ModelBias")
    window = managed.next_execution()
    (execution,) = managed.place.history.executions("bias", SINCE)
    assert (execution.window, execution.state) == (window, "Failed")
    assert (execution.reason, execution.problem, execution.files) == ("Job inputs had no data", None, ())
    assert execution.scheduled.strftime("%Y/%m/%d/%H") == window
    assert (execution.start, execution.end) == (execution.scheduled - timedelta(hours=1), execution.scheduled)
    assert managed.place.history.execution("bias", window) == execution
    assert managed.place.history.newest("bias") == execution
    assert managed.place.history.executions("explainability", SINCE) == []


def judged_by_the_service(managed: Managed, message: str) -> str:
    """An execution of the explainability monitor that ends so; returns its window."""
    captured(managed.aws, managed.aws.server.aws.clock.now())
    monitor(managed.aws, "churn-explain", behaviour=f"complete:{message}: Job completed successfully.")
    return managed.next_execution("churn-explain")


def test_an_execution_and_its_folder_are_one(managed: Managed) -> None:
    window = judged_by_the_service(managed, "CompletedWithViolations")
    drifted = {"violations": [{"label": "label0", "metric_name": "shap"}]}
    analysis = explained({"Age": 1.0})
    managed.place.report("explainability", window, analysis=analysis, constraint_violations=drifted)
    managed.place.report("explainability", "2021/03/01/10", analysis=analysis)
    alone, execution = managed.place.history.executions("explainability", SINCE)
    assert (alone.window, alone.job) == ("2021/03/01/10", None)
    assert (execution.window, execution.state, execution.problem) == (window, "CompletedWithViolations", None)
    assert str(execution.job).startswith("model-explainability-monitoring-")
    assert execution.explanations[0].verdict == "violation"


def test_violations_that_an_earlier_execution_left_are_not_this_one_s(managed: Managed) -> None:
    window = judged_by_the_service(managed, "Completed")
    drifted = {"violations": [{"label": "label0", "metric_name": "shap"}]}
    managed.place.report("explainability", window, analysis=explained({"Age": 1.0}), constraint_violations=drifted)
    (execution,) = managed.place.history.executions("explainability", SINCE)
    assert (execution.state, execution.violations) == ("Completed", ())


def test_violations_without_their_file_are_told(managed: Managed) -> None:
    window = judged_by_the_service(managed, "CompletedWithViolations")
    managed.place.report("explainability", window, analysis=explained({"Age": 1.0}))
    (execution,) = managed.place.history.executions("explainability", SINCE)
    assert execution.state == "CompletedWithViolations"
    assert execution.problem == "The service found violations, and there is no constraint_violations.json in its folder"


def test_the_interval_rule_judged_last(managed: Managed) -> None:
    window = judged_by_the_service(managed, "CompletedWithViolations")
    entry = {"label": "label0", "low": 0.8, "high": 1.0, "verdict": "not certain"}
    managed.place.report("explainability", window, analysis=explained({"Age": 1.0}), uncertainty={"ndcg": [entry]})
    (execution,) = managed.place.history.executions("explainability", SINCE)
    assert (execution.state, execution.problem) == ("Completed", None)
    assert execution.explanations[0].verdict == "not certain"


def test_a_failed_hour_that_was_judged_since_is_judged(managed: Managed) -> None:
    monitor(managed.aws, SCHEDULE, "ModelBias")
    window = managed.next_execution()
    worse = violations(("Age", "a", "AD"))
    managed.place.report("bias", window, analysis=GOOD, constraint_violations=worse)
    (execution,) = managed.place.history.executions("bias", SINCE)
    assert (execution.state, execution.reason) == ("CompletedWithViolations", "Job inputs had no data")
    assert execution.judged


def test_more_executions_than_fit_a_page_are_asked_for_once(managed: Managed) -> None:
    monitor(managed.aws, SCHEDULE, "ModelBias")
    for _ in range(105):
        to_the_next_firing(managed.aws)
    executions(managed.aws, SCHEDULE)
    managed.proxy.seen.clear()
    found = managed.place.history.executions("bias", SINCE)
    assert len({one.window for one in found}) == 105
    assert [one.scheduled for one in found] == sorted(one.scheduled for one in found)
    assert managed.proxy.seen.count("sagemaker:ListMonitoringExecutions") == 2

    newest = managed.next_execution()
    managed.place.later()
    managed.proxy.seen.clear()
    assert managed.place.history.executions("bias", SINCE)[-1].window == newest
    assert len(managed.place.history.executions("bias", SINCE)) == 106
    assert managed.proxy.seen.count("sagemaker:ListMonitoringExecutions") == 1


def test_a_service_that_refuses_is_told_and_folders_show(managed: Managed) -> None:
    history, proxy = managed.place.history, managed.proxy
    managed.place.report("bias", "2021/03/01/10", analysis=GOOD)
    proxy.deny("sagemaker:ListMonitoringExecutions")
    assert [one.state for one in history.executions("bias", SINCE)] == ["Completed"]
    problem = history.service_problem()
    assert problem is not None
    assert "Allow 'sagemaker:ListMonitoringExecutions'" in problem

    proxy.reset()
    managed.place.later()
    history.executions("bias", SINCE)
    assert proxy.seen.count("sagemaker:ListMonitoringExecutions") == 0
    assert history.service_problem() == problem
    managed.place.later(ASKED_AGAIN_SECONDS)
    history.executions("bias", SINCE)
    assert history.service_problem() is None


def test_what_the_service_said_stays_known_when_it_refuses(managed: Managed) -> None:
    monitor(managed.aws, SCHEDULE, "ModelBias")
    window = managed.next_execution()
    history = managed.place.history
    assert [one.window for one in history.executions("bias", SINCE)] == [window]
    managed.place.later()
    managed.proxy.deny("sagemaker:ListMonitoringExecutions")
    assert [one.window for one in history.executions("bias", SINCE)] == [window]
    assert history.service_problem() is not None


def test_no_schedule_is_no_problem(managed: Managed) -> None:
    managed.place.report("bias", "2021/03/01/10", analysis=GOOD)
    assert len(managed.place.history.executions("bias", SINCE)) == 1
    assert managed.place.history.service_problem() is None


def test_a_service_that_does_not_answer_is_told(
    endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    connection = {
        "conn_type": "aws",
        "login": "tester",
        "password": "password",
        "extra": {
            "region_name": "us-west-2",
            "endpoint_url": "http://127.0.0.1:9",
            "config_kwargs": {"retries": {"total_max_attempts": 1}},
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_NOWHERE", json.dumps(connection))
    _, nobody = hooks_of(endpoint.model_copy(update={"aws_conn_id": "nowhere"}))
    half = Place.of(endpoint, (place.storage, nobody))
    half.report("bias", "2021/03/01/10", analysis=GOOD)
    assert len(half.history.executions("bias", SINCE)) == 1
    assert "http://127.0.0.1:9 does not answer" in str(half.history.service_problem())
