"""Fixtures for all tests."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xgboost

# Before anything imports Airflow: no file of the developer's own installation is read or written.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-home-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("AIRFLOW__CORE__UNIT_TEST_MODE", "True")

import botocore.session

from model_monitor.config import MonitoredEndpoint
from tests.running_aws import Running, make_bucket, start_local_aws, tar_gz

PROJECT = Path(__file__).resolve().parents[1]
FEATURES = 4


@pytest.fixture(scope="session", autouse=True)
def shared_service_models() -> Iterator[None]:
    """All boto3 sessions share the parsed service models; each would read megabytes of JSON anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="session")
def oracle_python() -> Path:
    """The Python of the oracles' own environment, which holds what cannot be installed beside Airflow."""
    return _python_of("oracle")


@pytest.fixture(scope="session")
def spark_python() -> Path:
    """The Python of an environment with PySpark, which needs Java."""
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java 17, which is not installed here (Debian and Ubuntu: openjdk-17-jre-headless)")
    return _python_of("spark")


def _python_of(name: str) -> Path:
    variable = f"MODEL_MONITOR_{name.upper()}"
    python = Path(os.environ.get(variable) or PROJECT / f".venv-{name}" / "bin" / "python")
    if not python.exists():
        pytest.fail(
            f"No {name} environment at {python}. `make test` makes it from requirements-{name}.txt; "
            f"{variable} names another one's python.",
            pytrace=False,
        )
    return python


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A local_aws with real time."""
    running = start_local_aws(tmp_path_factory.mktemp("local_aws"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def stepped_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A local_aws whose time moves only by `advance`."""
    running = start_local_aws(tmp_path_factory.mktemp("stepped_aws"), "--clock", "stepped")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def booster() -> xgboost.Booster:
    """A tiny model of four inputs; the first one decides."""
    rows = np.random.default_rng(0).normal(size=(200, FEATURES))
    labels = (rows[:, 0] + 0.1 * rows[:, 1] > 0).astype(int)
    parameters = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
    return xgboost.train(parameters, xgboost.DMatrix(rows, labels), 8)


@pytest.fixture(scope="session")
def model_archive(booster: xgboost.Booster) -> bytes:
    """The tiny model as a `model.tar.gz`."""
    return tar_gz({"xgboost-model": bytes(booster.save_raw("json"))})


@pytest.fixture
def bucket(local_aws: Running) -> str:
    """A new bucket of `local_aws`."""
    return make_bucket(local_aws)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A local_aws with stepped time that Airflow's connection `aws_default` points to."""
    running = start_local_aws(tmp_path_factory.mktemp("aws"), "--clock", "stepped")
    connection = {
        "conn_type": "aws",
        "login": "tester",
        "password": "password",
        "extra": {"endpoint_url": running.url, "region_name": "us-west-2"},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
        yield running
    running.stop()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> Path:
    """The files of a small monitored endpoint."""
    from tests.monitored import write_files

    folder = tmp_path_factory.mktemp("files")
    write_files(folder, model_archive)
    return folder


@pytest.fixture
def endpoint(aws: Running, files: Path) -> MonitoredEndpoint:
    """A small endpoint of which nothing has been made yet, in a bucket of its own."""
    from tests.monitored import monitored_endpoint

    return monitored_endpoint(files, make_bucket(aws))


@pytest.fixture
def slow_to_judge(aws: Running, tmp_path: Path, model_archive: bytes) -> MonitoredEndpoint:
    """An endpoint with its model and files in place, whose bias baseline takes seconds: its data set is large."""
    from model_monitor.operators.endpoint import CreateModelOperator
    from model_monitor.operators.storage import UploadFilesOperator
    from tests.monitored import monitored_endpoint, run_task, write_files

    write_files(tmp_path / "large", model_archive, rows=60_000)
    endpoint = monitored_endpoint(tmp_path / "large", make_bucket(aws))
    for step in (UploadFilesOperator, CreateModelOperator):
        run_task(step(task_id=step.__name__, endpoint=endpoint))
    return endpoint


@pytest.fixture(scope="session")
def deployed(aws: Running, files: Path) -> MonitoredEndpoint:
    """A small endpoint in service, with both baselines, shared by tests that change nothing of it."""
    from model_monitor.operators.baseline import BaselineOperator
    from model_monitor.operators.endpoint import (
        CreateEndpointConfigOperator,
        CreateModelOperator,
        DeployEndpointOperator,
    )
    from model_monitor.operators.storage import UploadFilesOperator
    from tests.monitored import monitored_endpoint, run_task

    endpoint = monitored_endpoint(files, make_bucket(aws))
    steps = (UploadFilesOperator, CreateModelOperator, CreateEndpointConfigOperator, DeployEndpointOperator)
    for step in steps:
        run_task(step(task_id=step.__name__, endpoint=endpoint))
    for kind in ("bias", "explainability"):
        run_task(BaselineOperator(task_id=kind, endpoint=endpoint, kind=kind))
    return endpoint


@pytest.fixture
def untold(deployed: MonitoredEndpoint) -> MonitoredEndpoint:
    """The shared endpoint, whose alerts know of no window of an earlier test."""
    from model_monitor import names
    from model_monitor.hooks.s3 import StorageHook

    storage = StorageHook(aws_conn_id=deployed.aws_conn_id, region_name=deployed.region)
    for kind in names.KINDS:
        storage.delete(names.alert_state(deployed, kind))
    return deployed


@pytest.fixture
def captured(deployed: MonitoredEndpoint, aws: Running) -> MonitoredEndpoint:
    """The shared endpoint, with captures and ground truth of the hour that the server's clock shows."""
    from model_monitor.operators.ground_truth import UploadGroundTruthOperator
    from model_monitor.operators.traffic import SendTrafficOperator
    from model_monitor.sensors.captures import CapturesSensor
    from tests.monitored import run_task

    # Executions are told from those of an earlier test by their time.
    aws.advance(5)
    traffic = run_task(SendTrafficOperator(task_id="send", endpoint=deployed))
    aws.settle()
    run_task(CapturesSensor(task_id="captures", endpoint=deployed, traffic=traffic))
    run_task(UploadGroundTruthOperator(task_id="labels", endpoint=deployed))
    return deployed
