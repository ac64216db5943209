"""An endpoint that speaks JSON, from its files to the verdicts of both monitors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.names import KINDS
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.endpoint import (
    CreateEndpointConfigOperator,
    CreateModelOperator,
    DeployEndpointOperator,
)
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.storage import UploadFilesOperator
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.operators.verdict import VerdictOperator
from model_monitor.sensors.captures import CapturesSensor
from model_monitor.sensors.executions import ExecutionFinishedSensor, ExecutionStartedSensor
from tests.monitored import context, monitored_endpoint, run_task
from tests.running_aws import Running, make_bucket, tar_gz

HEADERS = ["Age", "Plan", "Left"]
INFERENCE = """
import json
import math


def model_fn(model_dir):
    return {"no": 0.0, "yes": 1.0}


def input_fn(body, content_type):
    return [one["features"] for one in json.loads(body)["instances"]]


def predict_fn(rows, plans):
    return [1 / (1 + math.exp(2 - 0.05 * age - plans[plan])) for age, plan in rows]


def output_fn(scores, accept):
    return json.dumps({"predictions": [{"score": score} for score in scores]})
"""


def people() -> list[list[Any]]:
    random = np.random.default_rng(1)
    ages, plans = random.integers(18, 80, 60), random.choice(["no", "yes"], 60)
    return [[int(age), str(plan)] for age, plan in zip(ages, plans, strict=True)]


@pytest.fixture
def endpoint(aws: Running, tmp_path: Path) -> MonitoredEndpoint:
    labels = np.random.default_rng(2).integers(0, 2, 60).tolist()
    records = [{"features": one, "label": label} for one, label in zip(people(), labels, strict=True)]
    (tmp_path / "people.json").write_text(json.dumps({"instances": records}))
    requests = [json.dumps({"instances": [{"features": one}]}) for one in people()]
    (tmp_path / "requests.jsonl").write_text("\n".join(requests))
    (tmp_path / "model.tar.gz").write_bytes(tar_gz({"code/inference.py": INFERENCE.encode()}))
    return monitored_endpoint(
        tmp_path,
        make_bucket(aws),
        model={
            "archive": str(tmp_path / "model.tar.gz"),
            "image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/python-inference:1",
        },
        endpoint={
            "payloads": {
                "content_type": "application/json",
                "content_template": '{"instances":$records}',
                "record_template": '{"features":$features}',
                "probability": "predictions[*].score",
            }
        },
        data={
            "validation": str(tmp_path / "people.json"),
            "test": str(tmp_path / "requests.jsonl"),
            "dataset_type": "application/json",
            "features": "instances[*].features",
            "label": "instances[*].label",
            "headers": HEADERS,
        },
        bias={"facets": [{"name": "Plan", "values_or_threshold": ["yes"]}], "probability_threshold": 0.7},
        explainability={"baseline": "clusters", "num_clusters": 3, "seed": 1},
    )


def test_both_monitors_of_an_endpoint_that_speaks_json(endpoint: MonitoredEndpoint, aws: Running) -> None:
    steps = (UploadFilesOperator, CreateModelOperator, CreateEndpointConfigOperator, DeployEndpointOperator)
    for step in steps:
        run_task(step(task_id=step.__name__, endpoint=endpoint))
    suggested = {kind: run_task(BaselineOperator(task_id=kind, endpoint=endpoint, kind=kind)) for kind in KINDS}
    (metrics,) = suggested["bias"]["metrics"].values()
    assert {"DPPL", "DI", "CI", "DPL"} <= set(metrics)
    assert {item["feature"] for item in suggested["explainability"]["top_features"]["label0"]} == {"Age", "Plan"}

    aws.advance(5)
    traffic = run_task(SendTrafficOperator(task_id="send", endpoint=endpoint))
    assert 0 < json.loads(traffic["first_predictions"][0])["predictions"][0]["score"] < 1
    run_task(CapturesSensor(task_id="captures", endpoint=endpoint, traffic=traffic))
    run_task(UploadGroundTruthOperator(task_id="labels", endpoint=endpoint))
    verdicts = {}
    for kind in KINDS:
        about: dict[str, Any] = {"endpoint": endpoint, "kind": kind}
        run_task(CreateJobDefinitionOperator(task_id="define", schedule="now", **about))
        schedule = run_task(CreateScheduleOperator(task_id="create", schedule="now", **about), context("manual__json"))
        started = run_task(ExecutionStartedSensor(task_id="started", schedule=schedule, **about))
        execution = run_task(ExecutionFinishedSensor(task_id="finished", execution=started, **about))
        verdicts[kind] = run_task(VerdictOperator(task_id="verdict", execution=execution, **about))

    assert verdicts["bias"]["status"] == "CompletedWithViolations"
    assert {one["facet"] for one in verdicts["bias"]["violations"]} == {"Plan"}
    assert verdicts["explainability"]["status"] == "Completed"
    assert verdicts["explainability"]["ndcg"]["label0"] >= 0.9
