"""A local_aws inside the test's own process, with stub programs for the processing images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.backends import get_backend

from local_aws import runners
from local_aws.clock import Clock
from local_aws.server import Server
from tests.polling import until
from tests.running_aws import REGION, ROLE
from tests.strict_responses import watched

PROGRAMS = Path(__file__).parent / "programs"
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/stub:1"
CLARIFY = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"
BUCKET = "bucket"


@dataclass
class Embedded:
    """A server of this process, and clients of it."""

    server: Server
    data_dir: Path
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = REGION) -> Any:
        """A boto3 client that talks to it; made once per service and region."""
        if (service, region) not in self.clients:
            client: Any = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.server.aws.url,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 0}),
            )
            self.clients[service, region] = watched(client)
        return self.clients[service, region]

    @property
    def sagemaker(self) -> Any:
        return self.client("sagemaker")

    def put(self, key: str, body: str) -> str:
        """Upload something; returns its address."""
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def get(self, key: str) -> str:
        """What lies there."""
        content: bytes = self.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content.decode()

    def keys(self, prefix: str = "") -> list[str]:
        """What lies below."""
        found = self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def run_job(self, name: str, behaviour: str = "complete", **changes: Any) -> dict[str, Any]:
        """Create a job and wait for its end."""
        self.create_job(name, behaviour, **changes)
        return self.ended(name)

    def create_job(self, name: str, behaviour: str = "complete", **changes: Any) -> None:
        """Create a job of the stub image."""
        self.sagemaker.create_processing_job(**(job_request(name, behaviour) | changes))

    def ended(self, name: str) -> dict[str, Any]:
        """A job once it is over."""
        return until(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
        )


def job_request(name: str, behaviour: str = "complete") -> dict[str, Any]:
    """A request for a job of the stub image."""
    return {
        "ProcessingJobName": name,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {"Outputs": [job_output(f"s3://{BUCKET}/out/{name}")]},
        "Environment": {"BEHAVIOUR": behaviour},
    }


def job_output(uri: str, mode: str = "EndOfJob") -> dict[str, Any]:
    """An output."""
    place = {"S3Uri": uri, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": mode}
    return {"OutputName": "analysis_result", "S3Output": place}


def job_input(name: str, uri: str, local_path: str) -> dict[str, Any]:
    """An input."""
    place = {"S3Uri": uri, "LocalPath": local_path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": place}


@contextmanager
def embedded(data_dir: Path, delay: timedelta = timedelta(0), clock: Clock | None = None) -> Iterator[Embedded]:
    """A running server, by a stepped clock unless given another; what moto keeps for the whole process starts empty."""
    for service in ("s3", "iam", "logs", "cloudwatch", "events", "sns"):
        for account in get_backend(service).values():
            for backend in account.values():
                backend.reset()
    server = Server("127.0.0.1", 0, data_dir, clock or Clock(stepped=True), delay)
    server._wsgi.expiration_interval = 0.05  # how long stopping may take to be noticed
    server.start()
    try:
        yield Embedded(server, data_dir)
    finally:
        server.stop()


def stub_every_image(patch: pytest.MonkeyPatch) -> None:
    """Let the stub program stand for the processing images."""
    patch.syspath_prepend(PROGRAMS)
    for image in ("stub", "sagemaker-clarify-processing", "sagemaker-model-monitor-groundtruth-merger"):
        patch.setitem(runners.JOBS, image, "stub_job")


def echo_every_image(patch: pytest.MonkeyPatch) -> None:
    """Let the program that tells what it was asked serve the models of the stub image."""
    patch.syspath_prepend(PROGRAMS)
    patch.setitem(runners.MODEL_SERVERS, "stub", "echo_server")
