"""The servers that are measured: local_aws with an endpoint that captures, and moto's own server."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import psutil
import xgboost
from botocore.config import Config

from benchmarks.http_load import REGION
from benchmarks.timing import PROJECT

IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"
BUCKET = ENDPOINT = "benchmark"
ROLE = "arn:aws:iam::123456789012:role/r"


@dataclass
class Running:
    """A server in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        config = Config(retries={"max_attempts": 0}, read_timeout=120)
        make: Any = boto3.client
        return make(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    @property
    def cpu_seconds(self) -> float:
        """The CPU time that the server's own process has used, without the model's."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def resident_mb(self) -> float:
        """The memory that the server's own process holds, without the model's."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6


@contextmanager
def local_aws(data_dir: Path) -> Iterator[Running]:
    """A local_aws, with the endpoint in service."""
    environment = os.environ | {"PYTHONPATH": f"{PROJECT / 'include'}{os.pathsep}{PROJECT / 'plugins'}"}
    command = [sys.executable, "-m", "local_aws", "--port", "0", "--data-dir", str(data_dir)]
    with (data_dir / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    ready = process.stdout.readline()
    url = next(word for word in ready.split() if word.startswith("http://"))
    with _stopped(process):
        running = Running(url, process)
        _deploy(running)
        yield running


@contextmanager
def moto_server() -> Iterator[Running]:
    """Moto's server, with an endpoint of the same name; what it answers is made up."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    with _stopped(process):
        running = Running(f"http://127.0.0.1:{port}", process)
        _wait(lambda: _accepts(port))
        _deploy(running)
        yield running


@contextmanager
def _stopped(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(done: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("The server is not ready.")
        time.sleep(0.05)


def _deploy(server: Running) -> None:
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=_model())
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName="model", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "AllTraffic", "ModelName": "model", "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="config",
        ProductionVariants=[variant | {"InitialInstanceCount": 1}],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/captures",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="config")
    _wait(lambda: _in_service(sagemaker.describe_endpoint(EndpointName=ENDPOINT)))


def _in_service(endpoint: dict[str, Any]) -> bool:
    if endpoint["EndpointStatus"] == "Failed":
        raise RuntimeError(endpoint["FailureReason"])
    return bool(endpoint["EndpointStatus"] == "InService")


def _model() -> bytes:
    rows = np.random.default_rng(0).normal(size=(200, 4))
    booster = xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(rows, rows[:, 0]), 8)
    content, buffer = bytes(booster.save_raw("json")), io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
