"""What the flow left in S3 and SageMaker, read with plain boto3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.names import Kind
from model_monitor.records import Capture, parse_capture


@dataclass(frozen=True)
class Verdict:
    """The newest execution of one monitor and the files that it wrote."""

    kind: Kind
    status: str
    message: str
    folder: str
    files: list[str]
    analysis: dict[str, Any]
    violations: list[dict[str, str]]


class Results:
    """An account's buckets and monitors, seen from one endpoint's configuration."""

    def __init__(self, endpoint: MonitoredEndpoint, aws_url: str) -> None:
        self.endpoint = endpoint
        session = boto3.Session("embedded", "embedded", region_name=endpoint.region)
        self._s3 = session.client("s3", endpoint_url=aws_url)
        self._sagemaker = session.client("sagemaker", endpoint_url=aws_url)

    def capture_files(self, since: datetime) -> list[str]:
        """Addresses of the capture files written since a moment, oldest first."""
        bucket, prefix = names.split_s3(names.captures(self.endpoint))
        found = [each for each in self._objects(bucket, f"{prefix}/") if each["LastModified"] >= since]
        return [f"s3://{bucket}/{each['Key']}" for each in sorted(found, key=lambda each: each["Key"])]

    def captures(self, files: list[str]) -> Iterator[Capture]:
        """The records of capture files."""
        for file in files:
            for number, line in enumerate(self.read(file).decode().splitlines(), 1):
                yield parse_capture(line, f"{file}:{number}")

    def constraints(self, kind: Kind) -> dict[str, Any]:
        """The suggested constraints of a baselining job: its `analysis.json`."""
        return self._document(f"{names.baseline_output(self.endpoint, kind)}/analysis.json") or {}

    def verdict(self, kind: Kind) -> Verdict | None:
        """The newest execution of a monitor, or None when it has none."""
        newest = self._sagemaker.list_monitoring_executions(
            MonitoringScheduleName=names.schedule(self.endpoint, kind),
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=1,
        )["MonitoringExecutionSummaries"]
        if not newest:
            return None
        execution: dict[str, Any] = dict(newest[0])
        job = self._job(execution)
        folder = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/") if job else ""
        bucket, prefix = names.split_s3(folder)
        document = self._document(f"{folder}/constraint_violations.json") if folder else None
        return Verdict(
            kind=kind,
            status=execution["MonitoringExecutionStatus"],
            message=execution.get("FailureReason") or job.get("ExitMessage", ""),
            folder=folder,
            files=[f"s3://{bucket}/{each['Key']}" for each in self._objects(bucket, f"{prefix}/")] if folder else [],
            analysis=(self._document(f"{folder}/analysis.json") if folder else None) or {},
            violations=(document or {}).get("violations", []),
        )

    def copy(self, files: list[str], folder: str, target: Path) -> list[Path]:
        """Download files of an S3 folder into a local one."""
        copies = []
        for file in files:
            copy = target / file.removeprefix(f"{folder}/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(self.read(file))
            copies.append(copy)
        return copies

    def read(self, uri: str) -> bytes:
        """An object's content."""
        bucket, key = names.split_s3(uri)
        return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def _document(self, uri: str) -> dict[str, Any] | None:
        try:
            document: dict[str, Any] = json.loads(self.read(uri))
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchBucket"}:
                return None
            raise
        return document

    def _job(self, execution: dict[str, Any]) -> dict[str, Any]:
        if "ProcessingJobArn" not in execution:
            return {}
        name = execution["ProcessingJobArn"].rpartition("/")[2]
        return dict(self._sagemaker.describe_processing_job(ProcessingJobName=name))

    def _objects(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield dict(found)
