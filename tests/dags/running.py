"""Runs of an endpoint's DAG in an Airflow of their own, without a scheduler, and who is told of what they find."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from model_monitor.config import MonitoredEndpoint
from model_monitor.config.alerts import Alerts
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.sensors.captures import CapturesSensor
from tests.monitored import run_task
from tests.receivers import Posts
from tests.running_aws import Running, new_name

PROJECT = Path(__file__).resolve().parents[2]
RunDag = Callable[..., dict[str, Any]]


def with_topic(endpoint: MonitoredEndpoint, aws: Running, sns: Posts, **changes: Any) -> MonitoredEndpoint:
    """The endpoint with alerts to a topic that these posts come from."""
    client = aws.client("sns")
    topic = client.create_topic(Name=new_name("drift"))["TopicArn"]
    client.subscribe(TopicArn=topic, Protocol="http", Endpoint=sns.url)
    alerts = Alerts.model_validate({"sns": {"topic_arn": topic}})
    return endpoint.model_copy(update={"alerts": alerts, **changes})


def subjects(sns: Posts) -> list[str]:
    """What was told, without the endpoint's name."""
    return [post["Subject"].partition(" ")[2] for post in sns.received]


@contextmanager
def runs_of(kind: str, endpoint: MonitoredEndpoint, folder: Path) -> Iterator[RunDag]:
    """Runs `<endpoint>.<kind>` with a form, and answers its state, its tasks' states and its asset events."""
    dags, endpoints = folder / "dags", folder / "endpoints"
    for made in (dags, endpoints):
        made.mkdir()
    shutil.copy(PROJECT / "dags" / f"{kind}.py", dags)
    (endpoints / f"{endpoint.name}.yaml").write_text(json.dumps(endpoint.model_dump(mode="json", exclude_unset=True)))
    environment = os.environ | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "MODEL_MONITOR_ENDPOINTS": str(endpoints),
        "PYTHONPATH": os.pathsep.join(str(PROJECT / part) for part in ("plugins", "include")),
    }
    log = folder / "runner.log"
    with log.open("w") as errors:
        runner = subprocess.Popen(
            [sys.executable, str(PROJECT / "tests" / "dags" / "runner.py"), str(dags)],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    stdin, stdout = runner.stdin, runner.stdout
    assert stdin is not None
    assert stdout is not None

    def run(**form: Any) -> dict[str, Any]:
        stdin.write(f"{endpoint.name}.{kind} {json.dumps(form)}\n")
        stdin.flush()
        line = stdout.readline()
        assert line, log.read_text()[-8000:]
        answer: dict[str, Any] = json.loads(line)
        return answer

    assert stdout.readline() == "ready\n", log.read_text()[-8000:]
    try:
        yield run
    finally:
        runner.kill()
        runner.wait()
        stdin.close()
        stdout.close()


def an_hour(endpoint: MonitoredEndpoint, aws: Running) -> None:
    """An hour of traffic with labels, and whatever falls due when it is over."""
    traffic = run_task(SendTrafficOperator(task_id="send", endpoint=endpoint))
    aws.settle()
    run_task(CapturesSensor(task_id="captures", endpoint=endpoint, traffic=traffic))
    run_task(UploadGroundTruthOperator(task_id="labels", endpoint=endpoint))
    aws.advance(3600, settle=True)
