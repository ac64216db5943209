"""A small monitored endpoint on a real local_aws, and how tests run tasks: as Airflow does, deferring included."""

from __future__ import annotations

import asyncio
import csv
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import TaskDeferred
from airflow.triggers.base import BaseTrigger, TriggerEvent

from model_monitor.config import MonitoredEndpoint
from tests.running_aws import REGION, ROLE

FEATURES = ("Age", "Income", "Visits", "Calls")
ROWS = 60


def write_files(folder: Path, archive: bytes, rows: int = ROWS) -> None:
    """A model archive, a validation data set with header and label, a test data set of inputs only."""
    random = np.random.default_rng(1)
    inputs = random.normal(size=(rows, len(FEATURES))).round(3)
    labels = (inputs[:, 0] + random.normal(scale=0.5, size=rows) > 0).astype(int)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tar.gz").write_bytes(archive)
    with (folder / "validation.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Left", *FEATURES])
        writer.writerows([label, *row] for label, row in zip(labels, inputs.tolist(), strict=True))
    with (folder / "test.csv").open("w", newline="") as file:
        csv.writer(file).writerows(inputs[:50].tolist())


def monitored_endpoint(folder: Path, bucket: str, name: str | None = None, **changes: Any) -> MonitoredEndpoint:
    """An endpoint with the example's settings, on the small files of a folder."""
    content = {
        "name": name or f"small-{uuid.uuid4().hex[:6]}",
        "region": REGION,
        "role": ROLE,
        "bucket": bucket,
        "prefix": "monitors",
        "model": {"archive": str(folder / "model.tar.gz"), "image": {"framework": "xgboost", "version": "0.90-1"}},
        "data": {"validation": str(folder / "validation.csv"), "test": str(folder / "test.csv"), "label": "Left"},
        "bias": {"facets": [{"name": "Age", "values_or_threshold": [0]}], "probability_threshold": 0.8},
        "explainability": {"num_samples": 100},
        "traffic": {"requests_per_second": 1000},
        "ground_truth": {"source": "model_monitor.labels.random_labels"},
    }
    return MonitoredEndpoint.model_validate(content | changes)


@dataclass
class Run:
    """The part of a DAG run that tasks read."""

    run_type: str = "manual"
    data_interval_start: Any = None
    data_interval_end: Any = None


class TaskInstance:
    """The part of a task instance that tasks use; `states` are those of its group's tasks."""

    dag_id, task_id = "tests", "task"

    def __init__(self, run_id: str = "manual__1", states: dict[str, str] | None = None) -> None:
        self.run_id = run_id
        self.states = states or {}
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str) -> Any:
        return self.pushed.get("return_value")

    def get_task_states(self, **asked: Any) -> dict[str, dict[str, str]]:
        return {self.run_id: self.states}


def context(run_id: str = "manual__1", run: Run | None = None) -> dict[str, Any]:
    """What Airflow hands to `execute`."""
    return {"run_id": run_id, "dag_run": run or Run(), "ti": TaskInstance(run_id)}


def run_task(task: BaseOperator, given: dict[str, Any] | None = None) -> Any:
    """Execute a task to its end, waiting in its trigger when it defers."""
    given = given or context()
    try:
        return task.execute(given)
    except TaskDeferred as deferred:
        event = first_event(sent_to_the_triggerer(deferred.trigger))
        return getattr(task, deferred.method_name)(given, event=event.payload, **(deferred.kwargs or {}))


def sent_to_the_triggerer(trigger: BaseTrigger) -> BaseTrigger:
    """The trigger as the triggerer makes it anew."""
    path, arguments = trigger.serialize()
    assert path == f"{type(trigger).__module__}.{type(trigger).__qualname__}"
    return type(trigger)(**arguments)


def first_event(trigger: BaseTrigger) -> TriggerEvent:
    """What the trigger ends with."""

    async def run() -> TriggerEvent:
        return await anext(aiter(trigger.run()))

    return asyncio.run(run())
