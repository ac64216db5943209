"""What the pictures show: the week in what `make up` left running, or in a week and an Airflow of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3

from model_monitor import names
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.names import Kind
from model_monitor.verdicts import VIOLATIONS
from simulation.__main__ import EXAMPLE, SimulationFailed, simulate
from stack import stack
from stack.settings import Folders
from stack.stack import Stack

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Sights:
    """The example's name, its newest windows that violate, the days around the newest of them."""

    endpoint: str
    violating: str
    drifted: str
    start: str
    end: str


@contextmanager
def running() -> Iterator[Stack]:
    """A running Airflow whose embedded AWS holds a week of the example."""
    found = Stack.find(Folders())
    if found is not None and found.alive:
        yield found
        return
    with TemporaryDirectory(prefix="screenshots-") as folder:
        folders = Folders(Path(folder))
        simulate(load_endpoint(EXAMPLE), folders.aws)
        own = stack.up(folders, ui_port=stack.free_port(), aws_port=stack.free_port(), inherited=os.environ)
        try:
            yield own
        finally:
            own.stop()


def sights(shown: Stack) -> Sights:
    """What is worth being shown there.

    Raises:
        SimulationFailed: when what runs has no window with violations.
    """
    endpoint = load_endpoint(EXAMPLE)
    violating, drifted = (_newest_violating(shown, endpoint, kind) for kind in names.KINDS)
    end = datetime.strptime(violating, "%Y/%m/%d/%H").replace(tzinfo=UTC) + timedelta(hours=1)
    start = end - WEEK
    return Sights(endpoint.name, violating, drifted, f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{end:%Y-%m-%dT%H:%M:%SZ}")


def _newest_violating(shown: Stack, endpoint: MonitoredEndpoint, kind: Kind) -> str:
    bucket, prefix = names.split_s3(f"{names.report_folders(endpoint, kind)}/")
    s3 = boto3.Session("embedded", "embedded", region_name=endpoint.region).client("s3", endpoint_url=shown.aws_url)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", [])]
    found = sorted(key.removesuffix(f"/{VIOLATIONS}") for key in keys if key.endswith(f"/{VIOLATIONS}"))
    if not found:
        raise SimulationFailed(
            f"{shown.aws_url} has no window of {endpoint.name} whose {kind} monitor found a violation. "
            "`make down` lets `make screenshots` simulate a week of its own; `make simulate` before `make up` has one."
        )
    return found[-1]
