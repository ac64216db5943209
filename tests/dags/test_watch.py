"""`<endpoint>.watch` beside a managed schedule that goes on by itself, hour after hour of a stepped clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.teardown import DeleteMonitorOperator
from tests.dags.running import RunDag, an_hour, runs_of, subjects, with_topic
from tests.monitored import run_task
from tests.receivers import Posts, http_server
from tests.running_aws import Running

NOTHING = {"look": "success"} | {
    f"{kind}.{task}": "skipped" for kind in names.KINDS for task in ("verdict", "alert", "violations", "done")
}


@pytest.fixture
def sns() -> Iterator[Posts]:
    with http_server() as posts:
        yield posts


@pytest.fixture
def told(untold: MonitoredEndpoint, aws: Running, sns: Posts) -> MonitoredEndpoint:
    """The shared endpoint, with a topic that is told."""
    return with_topic(untold, aws, sns)


@pytest.fixture
def watch(told: MonitoredEndpoint, tmp_path: Path) -> Iterator[RunDag]:
    with runs_of("watch", told, tmp_path) as run:
        yield run


@pytest.fixture
def scheduled(told: MonitoredEndpoint, aws: Running) -> Iterator[str]:
    """An hourly bias monitor that compares with constraints of its own, which a test may change; their address."""
    aws.advance(5)
    constraints = names.s3(told, "constraints", "analysis.json")
    constrain(told, constraints, 1000)
    asked = {"endpoint": told, "kind": "bias", "compare": constraints}
    run_task(CreateJobDefinitionOperator(task_id="define", **asked))
    run_task(CreateScheduleOperator(task_id="create", **asked))
    yield constraints
    run_task(DeleteMonitorOperator(task_id="delete", endpoint=told, kind="bias"))


def constrain(endpoint: MonitoredEndpoint, uri: str, factor: float) -> None:
    """Allow so much more than at the baseline."""
    storage = StorageHook(aws_conn_id=endpoint.aws_conn_id, region_name=endpoint.region)
    content = storage.read(names.baseline_constraints(endpoint, "bias"))
    assert content is not None
    analysis = json.loads(content)
    for section in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        for groups in analysis[section]["facets"].values():
            for metric in (metric for group in groups for metric in group["metrics"]):
                if isinstance(metric["value"], float):
                    # Metrics that are 0 at the baseline must not violate either.
                    metric["value"] = (abs(metric["value"]) + 0.001) * factor
    storage.put(uri, json.dumps(analysis))


def test_a_schedule_is_watched_hour_by_hour(
    told: MonitoredEndpoint, scheduled: str, watch: RunDag, sns: Posts, aws: Running
) -> None:
    an_hour(told, aws)
    ran = watch()
    assert ran["state"] == "success"
    news = {"bias.verdict": "success", "bias.alert": "success", "bias.violations": "skipped", "bias.done": "success"}
    assert ran["tasks"] == NOTHING | news
    assert (ran["events"], subjects(sns)) == ([], [])
    assert watch()["tasks"] == NOTHING, "no window is told of twice"

    constrain(told, scheduled, 0.001)
    an_hour(told, aws)
    ran = watch()
    assert ran["tasks"] == NOTHING | news | {"bias.violations": "success"}
    (event,) = ran["events"]
    assert (event["endpoint"], event["kind"], event["status"]) == (told.name, "bias", "CompletedWithViolations")
    (subject,) = subjects(sns)
    assert subject == f"bias: {len(event['violations'])} violations"

    an_hour(told, aws)
    ran = watch()
    assert ran["tasks"]["bias.violations"] == "success", "every window with violations updates the asset"
    assert len(subjects(sns)) == 1, "the same violations are no news"

    aws.advance(3600, settle=True)
    ran = watch()
    assert ran["state"] == "success"
    assert ran["tasks"]["bias.violations"] == "skipped"
    assert subjects(sns)[1:] == ["bias: cannot judge"]
    assert "Job inputs had no data" in sns.received[1]["Message"]
    assert "Captures: no files in s3://" in sns.received[1]["Message"]

    constrain(told, scheduled, 1000)
    an_hour(told, aws)
    watch()
    assert subjects(sns)[2:] == ["bias: fine again"]
