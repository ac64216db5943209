"""A local_aws in a process of its own, and the calls that tests make to it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

from tests.polling import until
from tests.strict_responses import watched

ROOT = Path(__file__).resolve().parents[1]
REGION = "us-west-2"
ROLE = "arn:aws:iam::123456789012:role/service-role/SageMakerRole"
XGBOOST_IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"


@dataclass
class Running:
    """A running local_aws."""

    url: str
    data_dir: Path
    process: subprocess.Popen[str]
    log: Path

    def client(self, service: str, region: str = REGION) -> Any:
        """A boto3 client that talks to it."""
        client: Any = boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}),
        )
        return watched(client)

    def advance(self, seconds: float, settle: bool = False) -> datetime:
        """Move a stepped clock and, to settle, wait until all that this began is over; returns its new time."""
        body = json.dumps({"advance_seconds": seconds, "settle": settle}).encode()
        with urlopen(Request(f"{self.url}/_local/clock", data=body, method="POST"), timeout=120) as answer:
            return datetime.fromisoformat(json.load(answer)["now"])

    def settle(self) -> None:
        """Wait until all that was begun is over, and captured: captures are not waited for as long as they may take."""
        with urlopen(f"{self.url}/_local/idle", timeout=120):
            pass

    def now(self) -> datetime:
        """The server's time."""
        with urlopen(f"{self.url}/_local/health", timeout=10) as answer:
            return datetime.fromisoformat(json.load(answer)["now"])

    def stop(self) -> None:
        """End it in an orderly way."""
        self.process.terminate()
        self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()


def launch_local_aws(data_dir: Path, *options: str) -> subprocess.Popen[str]:
    """Start local_aws on a free port; the first line of its output says where it listens."""
    data_dir.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT / 'include'}"}
    with (data_dir / "server.log").open("a", encoding="utf-8") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "local_aws", "--port", "0", "--data-dir", str(data_dir), *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def start_local_aws(data_dir: Path, *options: str) -> Running:
    """Start local_aws on a free port and wait until it is ready."""
    process = launch_local_aws(data_dir, *options)
    log = data_dir / "server.log"
    assert process.stdout is not None
    ready = process.stdout.readline()
    address = re.search(r"http://\S+", ready)
    assert address, f"local_aws did not start: {ready}{log.read_text()}"
    return Running(address[0], data_dir, process, log)


def tar_gz(files: dict[str, bytes]) -> bytes:
    """An archive of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def make_bucket(aws: Running) -> str:
    """A new bucket."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def new_name(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def create_model(aws: Running, bucket: str, archive: bytes, **container: Any) -> str:
    """Upload an archive and make a model of it; returns the model's name."""
    name = new_name("model")
    key = f"{name}/model.tar.gz"
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=archive)
    definition = {"Image": XGBOOST_IMAGE, "ModelDataUrl": f"s3://{bucket}/{key}"} | container
    aws.client("sagemaker").create_model(ModelName=name, PrimaryContainer=definition, ExecutionRoleArn=ROLE)
    return name


def create_endpoint(
    aws: Running, model: str, capture: dict[str, Any] | None = None, wait: str = "InService", name: str | None = None
) -> str:
    """Make an endpoint of a model and wait for a status; returns the endpoint's name."""
    sagemaker = aws.client("sagemaker")
    name = name or new_name("endpoint")
    config: dict[str, Any] = {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": "AllTraffic",
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    }
    if capture:
        config["DataCaptureConfig"] = capture
    sagemaker.create_endpoint_config(**config)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    settled = wait_for_endpoint(aws, name)
    assert settled["EndpointStatus"] == wait, settled.get("FailureReason")
    return name


def wait_for_endpoint(aws: Running, name: str) -> dict[str, Any]:
    """The endpoint's description when nothing is in progress any more."""
    sagemaker = aws.client("sagemaker")
    return until(
        lambda: dict(sagemaker.describe_endpoint(EndpointName=name)),
        lambda endpoint: endpoint["EndpointStatus"] in ("InService", "Failed"),
    )


def capture_config(bucket: str, **changes: Any) -> dict[str, Any]:
    """Full data capture under `s3://<bucket>/datacapture`."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/datacapture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    } | changes
