"""A day of a small endpoint on a stepped clock: traffic and labels in each of its hours, and nothing judged yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.operators.endpoint import (
    CreateEndpointConfigOperator,
    CreateModelOperator,
    DeployEndpointOperator,
)
from model_monitor.operators.engine_baseline import EngineBaselineOperator
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from model_monitor.operators.shadow import (
    BASELINE,
    CreateShadowEndpointOperator,
    DeleteShadowEndpointOperator,
)
from model_monitor.operators.storage import UploadFilesOperator
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.sensors.captures import CapturesSensor
from tests.monitored import monitored_endpoint, run_task, write_files
from tests.running_aws import Running

HOUR = timedelta(hours=1)
HOURS = 24


def first_hour() -> datetime:
    """An hour from which a day has passed by now, for Airflow backfills no future."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - (HOURS + 2) * HOUR


def write_endpoint(folder: Path, archive: bytes, bucket: str, name: str) -> MonitoredEndpoint:
    """The endpoint's files, and its YAML in a folder of YAML files."""
    write_files(folder / "data", archive)
    content = monitored_endpoint(folder / "data", bucket, name, windows={"shard_mb": 1}).model_dump(exclude_unset=True)
    file = folder / "endpoints" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_endpoint(file)


def deploy(endpoint: MonitoredEndpoint) -> None:
    """The endpoint in service, with baselines made by the engine."""
    for step in (UploadFilesOperator, CreateModelOperator, CreateEndpointConfigOperator, DeployEndpointOperator):
        run_task(step(task_id=step.__name__, endpoint=endpoint))
    about = {"endpoint": endpoint, "purpose": BASELINE}
    shadow = run_task(CreateShadowEndpointOperator(task_id="shadow", **about))
    for kind in ("bias", "explainability"):
        run_task(EngineBaselineOperator(task_id=kind, endpoint=endpoint, kind=kind, model_endpoint=shadow))
    run_task(DeleteShadowEndpointOperator(task_id="delete", **about))


def live(endpoint: MonitoredEndpoint, aws: Running, hours: int = HOURS) -> None:
    """Hours of traffic, with labels; the server's clock ends up after them."""
    for _ in range(hours):
        traffic = run_task(SendTrafficOperator(task_id="send", endpoint=endpoint))
        aws.settle()
        run_task(CapturesSensor(task_id="captures", endpoint=endpoint, traffic=traffic))
        run_task(UploadGroundTruthOperator(task_id="labels", endpoint=endpoint))
        aws.advance(HOUR.total_seconds())


def contents(endpoint: MonitoredEndpoint, aws: Running) -> dict[str, bytes]:
    """All that lies in the endpoint's bucket, by key."""
    s3 = aws.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=endpoint.bucket)
    keys = [item["Key"] for page in pages for item in page["Contents"]]
    return {key: s3.get_object(Bucket=endpoint.bucket, Key=key)["Body"].read() for key in keys}
