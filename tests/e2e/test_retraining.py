"""From violations to a new model through a real Airflow: asked of a human, replaced, with baselines and monitors."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from demo.airflow_api import AirflowApi
from model_monitor import names, requests, sources, windows
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.hooks.s3 import StorageHook
from model_monitor.model_in_force import model_in_force
from model_monitor.names import KINDS
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.endpoint import CreateEndpointConfigOperator, CreateModelOperator, DeployEndpointOperator
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.storage import UploadFilesOperator
from stack import stack
from stack.settings import CONNECTION, USER, Folders, aws_connection
from stack.stack import Stack
from tests.e2e.lived_day import first_hour, live, write_endpoint
from tests.monitored import run_task
from tests.polling import until
from tests.running_aws import Running, make_bucket, start_local_aws

LONGEST_SECONDS = 400
ANSWER_SECONDS = 120
# Airflow's one API worker serves tasks, too.
PAUSE_SECONDS = 1.0
HOURS = 2
OVER = {"success", "failed", "skipped", "upstream_failed"}

Seen = TypeVar("Seen")


class Airflow(AirflowApi):
    """What a human does: look at what is asked, answer; and what monitors do: tell of violations."""

    def __init__(self, url: str, user: str, password: str) -> None:
        super().__init__(url, user, password)
        self._client.timeout = httpx.Timeout(ANSWER_SECONDS)

    def violations(self, uri: str, extra: dict[str, Any]) -> None:
        """An event of an asset."""
        query = {"uri_pattern": uri}
        (asset,) = self._json("GET", "/api/v2/assets", params=query)["assets"]
        self._json("POST", "/api/v2/assets/events", json={"asset_id": asset["id"], "extra": extra})

    def question(self, dag: str, run: str) -> dict[str, Any]:
        """What is asked in a run."""
        (found,) = self._json("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/hitlDetails")["hitl_details"]
        return dict(found)

    def answer(self, dag: str, run: str, choice: str) -> None:
        """Answer what is asked."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"
        self._json("PATCH", path, json={"chosen_options": [choice], "params_input": {}})


@dataclass
class Shop:
    """A monitored endpoint with a few hours of drifted traffic, and an Airflow beside it."""

    endpoint: MonitoredEndpoint
    aws: Running
    airflow: Airflow
    logs: Path

    @property
    def dag(self) -> str:
        return f"{self.endpoint.name}.retrain"

    def serving(self) -> str:
        """The model that the endpoint serves."""
        sagemaker = self.aws.client("sagemaker")
        found = sagemaker.describe_endpoint(EndpointName=self.endpoint.name)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        return str(config["ProductionVariants"][0]["ModelName"])

    def explained_by_schedule(self) -> str:
        """The model that the scheduled explainability monitor asks."""
        sagemaker = self.aws.client("sagemaker")
        found = sagemaker.describe_monitoring_schedule(
            MonitoringScheduleName=names.schedule(self.endpoint, "explainability")
        )
        name = found["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
        definition = sagemaker.describe_model_explainability_job_definition(JobDefinitionName=name)
        content = StorageHook().read(requests.config_uri("explainability", definition))
        return str(json.loads(content or b"")["predictor"]["model_name"])

    def verdict(self) -> dict[str, Any]:
        """What the asset's event carries of the last bias execution."""
        due = self.aws.now().replace(minute=0, second=0, microsecond=0)
        report = names.report_folder(self.endpoint, "bias", names.hour_path(due))
        violations = {
            "metric": "DPPL",
            "facet": "Age",
            "facet_value": "(0, <img src=x onerror=alert(1)>]",
            "value": 0.4,
            "baseline": 0.1,
        }
        return {
            "endpoint": self.endpoint.name,
            "kind": "bias",
            "scheduled": windows.shown(due),
            "report": report,
            "violations": [violations],
        }

    def run(self, known: set[str]) -> str:
        """The one run that is new."""
        (run,) = eventually(lambda: set(self.runs()) - known, bool)
        return run

    def runs(self) -> list[str]:
        return [run["dag_run_id"] for run in self.airflow.runs(self.dag)]

    def asked(self, run: str) -> dict[str, Any]:
        """The question that a run asks, once Airflow is ready for an answer.

        Airflow takes an answer for a crash that comes before it knows that the asking process has ended.
        """
        state = eventually(lambda: self.states(run).get("approve"), lambda state: state in {"awaiting_input", *OVER})
        assert state == "awaiting_input", self.states(run)
        ended = f"with state success for task instance TaskInstanceKey(dag_id='{self.dag}', task_id='approve'"
        eventually(lambda: [line for line in self.scheduler_log() if ended in line and run in line], bool)
        return self.airflow.question(self.dag, run)

    def scheduler_log(self) -> list[str]:
        return (self.logs / "scheduler.log").read_text(encoding="utf-8").splitlines()

    def done(self, run: str) -> dict[str, str | None]:
        """The states of a run's tasks once it is over, which it is without a failure."""
        over = eventually(lambda: self.airflow.run_state(self.dag, run), lambda state: state in {"success", "failed"})
        assert over == "success", self.states(run)
        return self.states(run)

    def states(self, run: str) -> dict[str, str | None]:
        return {task.name: task.state for task in self.airflow.tasks(self.dag, run)}


def eventually(look: Callable[[], Seen], done: Callable[[Seen], bool]) -> Seen:
    """What `look` gives once that is `done`; Airflow is asked no more than it can answer."""

    def patiently() -> Seen:
        time.sleep(PAUSE_SECONDS)
        return look()

    return until(patiently, done, seconds=LONGEST_SECONDS)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    aws = start_local_aws(folder / "aws", "--clock", "stepped", "--start", first_hour().isoformat())
    running: Stack | None = None
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(CONNECTION, aws_connection(aws.url))
            endpoint = configured(folder, write_endpoint(folder, model_archive, make_bucket(aws), "shop"))
            monitor(endpoint)
            live(endpoint, aws, HOURS)
            aws.advance(1800, settle=True)
            patch.setenv("MODEL_MONITOR_ENDPOINTS", str(folder / "endpoints"))
            running = stack.up(
                Folders(folder / "local"),
                ui_port=stack.free_port(),
                aws_port=None,
                inherited=dict(os.environ),
                say=lambda _: None,
            )
            airflow = Airflow(running.ui_url, USER, running.password)
            lived = Shop(endpoint, aws, airflow, running.folders.logs)
            eventually(airflow.dags, lambda dags: lived.dag in dags)
            airflow.pause(lived.dag, False)
            yield lived
            airflow.close()
    finally:
        if running is not None:
            running.stop()
        aws.stop()


def configured(folder: Path, endpoint: MonitoredEndpoint) -> MonitoredEndpoint:
    """The endpoint with the example's retraining, and somebody who may answer."""
    file = folder / "endpoints" / f"{endpoint.name}.yaml"
    training = endpoint.data.validation
    section = {"function": "demo.retrain.retrain", "arguments": {"training": training}, "approvers": [USER]}
    file.write_text(f"{file.read_text()}\nretraining: {json.dumps(section)}\n")
    return load_endpoint(file)


def monitor(endpoint: MonitoredEndpoint) -> None:
    """The endpoint in service, with baselines and hourly schedules of both monitors."""
    for step in (UploadFilesOperator, CreateModelOperator, CreateEndpointConfigOperator, DeployEndpointOperator):
        run_task(step(task_id=step.__name__, endpoint=endpoint))
    for kind in KINDS:
        for operator in (BaselineOperator, CreateJobDefinitionOperator, CreateScheduleOperator):
            run_task(operator(task_id=operator.__name__, endpoint=endpoint, kind=kind))


def test_violations_lead_to_a_new_model_once_a_human_agrees(shop: Shop) -> None:
    old = shop.serving()
    assert old == requests.model_name(shop.endpoint, sources.archive(shop.endpoint))
    shop.airflow.violations(names.violations_asset(shop.endpoint, "bias"), shop.verdict())
    run = shop.run(set())
    asked = shop.asked(run)

    assert asked["options"] == ["Approve", "Reject"]
    assert [user["id"] for user in asked["assigned_users"]] == [USER]
    assert "is 0\\.4000, at the baseline 0\\.1000" in asked["body"]
    assert "\\<img src\\=x" in asked["body"]
    assert "| Area under the ROC curve" in asked["body"]
    assert shop.serving() == old

    shop.airflow.answer(shop.dag, run, "Approve")
    assert set(shop.done(run).values()) == {"success"}

    in_force = model_in_force(shop.endpoint, StorageHook())
    assert in_force.approved is not None
    assert in_force.approved.approved_by == USER
    assert in_force.name != old
    assert (shop.serving(), shop.explained_by_schedule()) == (in_force.name, in_force.name)
    for kind in KINDS:
        config = StorageHook().read(names.baseline_analysis_config(shop.endpoint, kind))
        assert json.loads(config or b"")["predictor"]["model_name"] == in_force.name


def test_violations_of_before_the_new_model_are_settled(shop: Shop) -> None:
    known, serving = set(shop.runs()), shop.serving()
    shop.airflow.violations(names.violations_asset(shop.endpoint, "explainability"), shop.verdict())
    states = shop.done(shop.run(known))
    assert set(states.values()) == {"skipped"}
    assert shop.serving() == serving


def test_a_rejected_model_replaces_nothing(shop: Shop) -> None:
    serving, before = shop.serving(), StorageHook().read(names.approved_model(shop.endpoint))
    live(shop.endpoint, shop.aws, 1)
    shop.aws.advance(1800, settle=True)
    run = shop.airflow.trigger(shop.dag, {})
    assert "Somebody started this run by hand" in shop.asked(run)["body"]
    shop.airflow.answer(shop.dag, run, "Reject")
    states = shop.done(run)

    asked = {"needed", "retrain", "register", "approve"}
    assert {task for task, state in states.items() if state == "success"} == asked
    assert {state for task, state in states.items() if task not in asked} == {"skipped"}
    assert (shop.serving(), StorageHook().read(names.approved_model(shop.endpoint))) == (serving, before)
    rejected = json.loads(StorageHook().read(names.rejected_model(shop.endpoint)) or b"")
    assert rejected["answered_by"] == USER
    shop.aws.client("sagemaker").describe_model(ModelName=requests.model_name(shop.endpoint, rejected["archive"]))
