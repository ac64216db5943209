"""Airflow and the embedded AWS with a simulated week, and a second endpoint of hostile texts beside the example's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import httpx

from demo.airflow_api import FINISHED, AirflowApi
from model_monitor import names
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.names import Kind
from model_monitor.verdicts import ANALYSIS, VIOLATIONS
from simulation.__main__ import EXAMPLE
from stack import stack
from stack.settings import PROJECT, USER, Folders
from stack.stack import Stack
from tests.browser import hostile
from tests.polling import until

WEEK = "MODEL_MONITOR_WEEK"
HOUR = timedelta(hours=1)
JUDGING_SECONDS = 300


@dataclass
class Site:
    """What there is to be looked at."""

    stack: Stack
    endpoint: MonitoredEndpoint
    hostile: MonitoredEndpoint
    hostile_windows: list[str]
    api: AirflowApi
    window: str = ""
    _run: str = ""

    @property
    def url(self) -> str:
        """Airflow's address."""
        return self.stack.ui_url

    @cached_property
    def s3(self) -> Any:
        session = boto3.Session("test", "test", region_name=self.endpoint.region)
        return session.client("s3", endpoint_url=self.stack.aws_url)

    @property
    def dag(self) -> str:
        """The id of the DAG that judges windows of the example."""
        return f"{self.endpoint.name}.windows"

    def judge(self) -> None:
        """Let Airflow judge the week's last window once more."""
        until(self.api.dags, lambda dags: self.dag in dags)
        self.window = self.windows("bias", ANALYSIS)[-1]
        end = datetime.strptime(self.window, "%Y/%m/%d/%H").replace(tzinfo=UTC)
        moments = {"start": (end - HOUR).isoformat(), "end": end.isoformat()}
        self._run = self.api.trigger(self.dag, moments)
        self.api.pause(self.dag, False)

    @cached_property
    def run(self) -> str:
        """The id of the run that judged `window`, once it is over."""
        states = until(
            lambda: self.api.run_state(self.dag, self._run), lambda state: state in FINISHED, seconds=JUDGING_SECONDS
        )
        assert states == "success", self.api.tasks(self.dag, self._run)
        return self._run

    def windows(self, kind: Kind, file: str) -> list[str]:
        """The example's windows whose report folder has a file, oldest first."""
        bucket, prefix = names.split_s3(f"{names.report_folders(self.endpoint, kind)}/")
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", [])]
        return sorted(key.removesuffix(f"/{file}") for key in keys if key.endswith(f"/{file}"))

    def violating(self, kind: Kind) -> str:
        """The newest of the example's windows with violations."""
        return self.windows(kind, VIOLATIONS)[-1]

    def read(self, kind: Kind, window: str, file: str) -> bytes:
        """A file of one of the example's windows."""
        bucket, key = names.split_s3(f"{names.report_folder(self.endpoint, kind, window)}/{file}")
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def live_a_week(data_dir: Path) -> None:
    """Simulate the example's week, or copy one that was simulated: the folder that `MODEL_MONITOR_WEEK` names."""
    if simulated := os.environ.get(WEEK):
        shutil.copytree(simulated, data_dir)
        return
    environment = os.environ | {"PYTHONPATH": f"{PROJECT / 'include'}{os.pathsep}{PROJECT / 'plugins'}"}
    command = [sys.executable, "-m", "simulation", "--data-dir", str(data_dir)]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"No week: {done.stdout[-2000:]}{done.stderr}"


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Everything, started in a folder of its own on free ports, with its pages warm."""
    folders = Folders(folder / "local")
    live_a_week(folders.aws)
    written = hostile.write_endpoint(folder / "endpoints", EXAMPLE)
    running = stack.up(
        folders,
        ui_port=stack.free_port(),
        aws_port=stack.free_port(),
        inherited=os.environ | {"MODEL_MONITOR_ENDPOINTS": str(folder / "endpoints")},
        say=lambda _: None,
    )
    try:
        api = AirflowApi(running.ui_url, USER, running.password)
        site = Site(running, load_endpoint(EXAMPLE), written, [], api)
        newest = httpx.get(f"{running.aws_url}/_local/health", trust_env=False).json()["now"]
        site.hostile_windows = hostile.write_reports(written, site.s3, hostile.moment(newest) - HOUR)
        site.judge()
        yield site
        api.close()
    finally:
        running.stop()
