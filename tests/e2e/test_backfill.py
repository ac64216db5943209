"""A day of windows through Airflow's scheduler: backfilled, backfilled again, with workers killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import psutil
import pytest

from demo.airflow_api import AirflowApi
from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from stack import stack
from stack.__main__ import PATIENT_AIRFLOW, run
from stack.settings import CONNECTION, USER, Folders, aws_connection
from stack.stack import Stack
from tests.e2e.lived_day import HOUR, HOURS, contents, deploy, first_hour, live, write_endpoint
from tests.polling import until
from tests.running_aws import Running, make_bucket, start_local_aws

AT_ONCE, AGAIN = 3, 4
LONGEST_SECONDS = 1500
LENGTH_OF_HOUR = len("2026/11/22/10")


@dataclass
class Day:
    """A day that has passed, and an Airflow that can judge it."""

    endpoint: MonitoredEndpoint
    aws: Running
    first: datetime
    stack: Stack
    environment: dict[str, str]
    api: AirflowApi

    @property
    def dag(self) -> str:
        return f"{self.endpoint.name}.windows"

    def backfill(self, *options: str, since: int = 0, until: int = HOURS) -> None:
        """Judge the day's hours from one number on and before another, several windows at once."""
        start, end = self.first + since * HOUR, self.first + (until - 1) * HOUR
        moments = ("--from-date", start.isoformat(), "--to-date", end.isoformat())
        arguments = ["backfill", "create", "--dag-id", self.dag, *moments, "--max-active-runs", str(AT_ONCE), *options]
        assert run(PATIENT_AIRFLOW, arguments, self.stack.environment(self.environment)) == 0

    def runs(self) -> dict[str, str]:
        """Every backfilled run with its state."""
        found = self.api.runs(self.dag)
        return {run["dag_run_id"]: run["state"] for run in found if run["run_type"] == "backfill"}

    def done(self, hours: int = HOURS) -> dict[str, str]:
        """The runs once all of them are over."""
        over = {"success", "failed"}
        runs = until(self.runs, lambda runs: len(runs) == hours and set(runs.values()) <= over, seconds=LONGEST_SECONDS)
        until(lambda: self.api.unfinished_backfills(self.dag), lambda count: count == 0)
        return runs

    def shadows(self) -> list[str]:
        found = self.aws.client("sagemaker").list_endpoints(NameContains=names.shadow_prefix(self.endpoint))
        return [one["EndpointName"] for one in found["Endpoints"]]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> Iterator[Day]:
    """A day of traffic and labels on a stepped AWS, and a real Airflow beside it."""
    folder, first = tmp_path_factory.mktemp("day"), first_hour()
    aws = start_local_aws(folder / "aws", "--clock", "stepped", "--start", first.isoformat())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONNECTION, aws_connection(aws.url))
        endpoint = write_endpoint(folder, model_archive, make_bucket(aws), "daily")
        deploy(endpoint)
        live(endpoint, aws)
        patch.setenv("MODEL_MONITOR_ENDPOINTS", str(folder / "endpoints"))
        environment = dict(os.environ)
    running: Stack | None = None
    try:
        running = stack.up(
            Folders(folder / "local"),
            ui_port=stack.free_port(),
            aws_port=None,
            inherited=environment,
            say=lambda _: None,
        )
        api = AirflowApi(running.ui_url, USER, running.password)
        lived = Day(endpoint, aws, first, running, environment, api)
        until(api.dags, lambda dags: lived.dag in dags)
        yield lived
        api.close()
    finally:
        if running is not None:
            running.stop()
        aws.stop()


@pytest.fixture(scope="module")
def judged(day: Day) -> dict[str, bytes]:
    """All that lies in S3 once every window of the day is judged."""
    day.backfill()
    day.api.pause(day.dag, False)
    assert set(day.done().values()) == {"success"}
    return contents(day.endpoint, day.aws)


def test_a_day_is_judged_several_windows_at_once(day: Day, judged: dict[str, bytes]) -> None:
    for kind in names.KINDS:
        reports = f"{names.report_folders(day.endpoint, kind)}/".removeprefix(f"s3://{day.endpoint.bucket}/")
        found = {key.removeprefix(reports)[:LENGTH_OF_HOUR] for key in judged if key.startswith(reports)}
        assert found == {f"{day.first + number * HOUR:%Y/%m/%d/%H}" for number in range(1, HOURS + 1)}
    assert day.shadows() == []
    assert not [key for key in judged if "/windows/" in key]


def test_judging_again_leaves_s3_as_it_is(day: Day, judged: dict[str, bytes]) -> None:
    written = modified(day)
    day.backfill("--reprocess-behavior", "completed", until=AGAIN)
    assert set(day.done().values()) == {"success"}
    assert contents(day.endpoint, day.aws) == judged
    assert modified(day) == written
    assert day.shadows() == []


def test_killed_tasks_are_run_again_and_leave_nothing_behind(day: Day, judged: dict[str, bytes]) -> None:
    # Each time that a task is run again makes the wait for its next try longer: these were run once.
    day.backfill("--reprocess-behavior", "completed", since=HOURS - AT_ONCE)
    until(day.shadows, bool)
    assert until(lambda: kill_tasks(day.stack), bool)
    assert set(day.done().values()) == {"success"}
    assert contents(day.endpoint, day.aws) == judged
    assert day.shadows() == []


def kill_tasks(running: Stack) -> list[str]:
    """Kill every task that runs, as a machine that runs out of memory does; returns what they were called."""
    scheduler = next(program for program in running.programs if program.name == "scheduler")
    killed = []
    for process in psutil.Process(scheduler.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            title = " ".join(process.cmdline())
            if title.startswith("airflow worker -- ") and "Executor" not in title:
                process.kill()
                killed.append(title)
    return killed


def modified(day: Day) -> dict[str, datetime]:
    """When each report was written."""
    pages = day.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=day.endpoint.bucket)
    found = {item["Key"]: item["LastModified"] for page in pages for item in page["Contents"]}
    return {key: moment for key, moment in found.items() if "/reports/" in key}
