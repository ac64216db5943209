"""The server is killed at random moments, again and again, while everything is being written to it.

KILLS_SEED repeats a run: it decides what is written and when the server is killed, as far as threads let it.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from random import Random

from tests.e2e.ledger import KINDS, LOG_GROUP, JobDefinitions, Kind, Ledger
from tests.e2e.place import Place, table
from tests.polling import until
from tests.processes import alive, programs_of
from tests.running_aws import (
    Running,
    capture_config,
    create_endpoint,
    create_model,
    launch_local_aws,
    make_bucket,
    start_local_aws,
)

KILLS = 20
KILLED_WHILE_STARTING = 4
SHARED = "shared"
LONGEST_RUN_SECONDS = 0.7
LONGEST_START_SECONDS = 1.5


@dataclass
class Kept:
    """What the server has acknowledged so far."""

    bucket: str
    endpoint: str
    model: str
    things: dict[str, Ledger] = field(default_factory=lambda: {kind.name: Ledger() for kind in KINDS})
    invoked: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    jobs: set[str] = field(default_factory=set)
    captures: dict[str, list[str]] = field(default_factory=dict)
    config: str = ""
    config_asked_for: str | None = None
    updates: int = 0
    killed_jobs: int = 0
    killed_executions: int = 0


class Server:
    """A running server, with one client for each service."""

    def __init__(self, aws: Running, kept: Kept) -> None:
        self.aws = aws
        self.client = cache(aws.client)
        things = (kept.bucket, kept.endpoint, kept.model)
        self.client("sagemaker-runtime")  # Clients must not be made by several threads at once.
        self.kinds = [kind(self.client(kind.service), *things) for kind in KINDS]


class Writers:
    """Threads that write to a server until it is killed, and note what it acknowledges."""

    def __init__(self, server: Server, kept: Kept, random: Random, fresh: Callable[[], str]) -> None:
        self._aws = server.aws
        self._client = server.client
        self._kept = kept
        self._fresh = fresh
        self._killed = threading.Event()
        self._failures: list[BaseException] = []
        groups = [
            [kind for kind in server.kinds if kind.service == "sagemaker"],
            [kind for kind in server.kinds if kind.service != "sagemaker"],
        ]
        seeds = [random.getrandbits(64) for _ in range(3)]
        works: list[Callable[[], None]] = [
            lambda: self._change(groups[0], Random(seeds[0])),
            lambda: self._change(groups[1], Random(seeds[1])),
            lambda: self._invoke(Random(seeds[2])),
            self._update,
        ]
        self._threads = [threading.Thread(target=self._guarded, args=(work,), daemon=True) for work in works]

    def run_until_killed(self, seconds: float) -> None:
        """Write for some time, then kill the server in the midst of it."""
        job = f"job-{self._fresh()}"
        place = Place(self._aws, self._kept.bucket, self._kept.model, self._kept.endpoint)
        place.start_baseline(job, place.config(), table())
        self._kept.jobs.add(job)
        self._execute(self._fresh())
        for thread in self._threads:
            thread.start()
        self._killed.wait(seconds)
        programs = programs_of(self._aws.process.pid)
        self._killed.set()
        self._aws.process.kill()
        self._aws.process.wait()
        for thread in self._threads:
            thread.join(30)
        assert not self._failures, f"{self._failures[0]!r} before the kill"
        until(lambda: [pid for pid in programs if alive(pid)], lambda left: not left)

    def _execute(self, number: str) -> None:
        """Begin a monitoring execution."""
        self._client("sagemaker").create_monitoring_schedule(
            MonitoringScheduleName=f"now-{number}",
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": SHARED,
                "MonitoringType": "ModelExplainability",
                "ScheduleConfig": {
                    "ScheduleExpression": "NOW",
                    "DataAnalysisStartTime": "-PT1H",
                    "DataAnalysisEndTime": "-PT0H",
                },
            },
        )

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            # A kill can cut an answer anywhere: no connection, half a header, no body.
            if not self._killed.is_set():
                self._failures.append(error)

    def _change(self, kinds: list[Kind], random: Random) -> None:
        while True:
            kind = random.choice(kinds)
            ledger = self._kept.things[kind.name]
            ledger.change(kind, random, self._fresh, time.time())

    def _invoke(self, random: Random) -> None:
        runtime = self._client("sagemaker-runtime")
        while True:
            number = self._fresh()
            self._kept.invoked.add(number)
            body = ",".join(f"{random.gauss(0, 1):.3f}" for _ in range(4))
            runtime.invoke_endpoint(
                EndpointName=self._kept.endpoint, Body=body, ContentType="text/csv", InferenceId=number
            )
            self._kept.answered.add(number)

    def _update(self) -> None:
        """Let the endpoint serve its other configuration."""
        first, second = self._kept.endpoint, SHARED
        asked_for = self._kept.config_asked_for = second if self._kept.config == first else first
        self._client("sagemaker").update_endpoint(EndpointName=self._kept.endpoint, EndpointConfigName=asked_for)
        self._kept.config, self._kept.config_asked_for = asked_for, None
        self._kept.updates += 1


def test_nothing_that_was_acknowledged_is_lost_by_twenty_kills(tmp_path: Path, model_archive: bytes) -> None:
    seed = int(os.environ.get("KILLS_SEED") or secrets.randbits(32))
    print(f"KILLS_SEED={seed}")
    random = Random(seed)
    names = count()

    def fresh() -> str:
        return f"{next(names):06d}"

    aws = start_local_aws(tmp_path)
    try:
        kept = prepared(aws, model_archive)
        server = Server(aws, kept)
        starting = set(random.sample(range(KILLS), KILLED_WHILE_STARTING))
        for number in range(KILLS):
            Writers(server, kept, random, fresh).run_until_killed(random.uniform(0.0, LONGEST_RUN_SECONDS))
            if number in starting:
                kill_while_starting(tmp_path, random.uniform(0.0, LONGEST_START_SECONDS))
            aws = start_local_aws(tmp_path)
            server = Server(aws, kept)
            check(server, kept)
    finally:
        aws.stop()

    assert kept.killed_jobs > 0
    assert kept.killed_executions > 0
    assert kept.updates > 0
    assert len(kept.answered) > KILLS
    for name, ledger in kept.things.items():
        assert ledger.certain, f"no {name} was ever written"
    assert sum(ledger.gone for ledger in kept.things.values()) > KILLS


def prepared(aws: Running, model_archive: bytes) -> Kept:
    """A served model, and what things refer to."""
    bucket = make_bucket(aws)
    model = create_model(aws, bucket, model_archive)
    endpoint = create_endpoint(aws, model, capture_config(bucket))
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=model_archive)
    s3.put_object(Bucket=bucket, Key="analysis_config.json", Body=b"{}")
    aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    kept = Kept(bucket, endpoint, model, config=endpoint)
    sagemaker = aws.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint)
    sagemaker.create_endpoint_config(
        EndpointConfigName=SHARED,
        ProductionVariants=config["ProductionVariants"],
        DataCaptureConfig=config["DataCaptureConfig"],
    )
    JobDefinitions(sagemaker, bucket, endpoint, model).put(SHARED, "")
    return kept


def kill_while_starting(folder: Path, seconds: float) -> None:
    """Kill a server that has only begun to take up what the one before left."""
    process = launch_local_aws(folder)
    time.sleep(seconds)
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def check(server: Server, kept: Kept) -> None:
    """All that was acknowledged is there, nothing that was deleted is, and what ran has failed and says why."""
    for kind in server.kinds:
        kept.things[kind.name].check(kind)
    for part in (check_contents, check_endpoint, check_captures, check_jobs, check_executions):
        part(server, kept)


def check_contents(server: Server, kept: Kept) -> None:
    for name in list(kept.things["object"].certain)[-5:]:
        answer = server.client("s3").get_object(Bucket=kept.bucket, Key=f"kept/{name}")
        assert len(answer["Body"].read()) == answer["ContentLength"] > 0


def check_endpoint(server: Server, kept: Kept) -> None:
    described = server.client("sagemaker").describe_endpoint(EndpointName=kept.endpoint)
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    assert described["EndpointConfigName"] in (kept.config, kept.config_asked_for)
    kept.config, kept.config_asked_for = described["EndpointConfigName"], None


def check_executions(server: Server, kept: Kept) -> None:
    """Each execution has ended, and those that a kill ended say so."""
    pages = server.client("sagemaker").get_paginator("list_monitoring_executions").paginate()
    found = [item for page in pages for item in page["MonitoringExecutionSummaries"]]
    assert {item["MonitoringExecutionStatus"] for item in found} <= {"Completed", "CompletedWithViolations", "Failed"}
    kept.killed_executions = sum("local_aws was stopped" in item.get("FailureReason", "") for item in found)


def check_captures(server: Server, kept: Kept) -> None:
    """Every answered request is captured, once; a request that was not answered may be."""
    s3 = server.client("s3")

    def captured() -> Counter[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=kept.bucket, Prefix=f"datacapture/{kept.endpoint}/")
        for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
            if key not in kept.captures:
                lines = s3.get_object(Bucket=kept.bucket, Key=key)["Body"].read().decode().splitlines()
                kept.captures[key] = [json.loads(line)["eventMetadata"]["inferenceId"] for line in lines]
        return Counter(number for numbers in kept.captures.values() for number in numbers)

    found = until(captured, lambda counted: kept.answered <= counted.keys())
    assert max(found.values(), default=1) == 1
    assert found.keys() <= kept.invoked


def check_jobs(server: Server, kept: Kept) -> None:
    """Each job has ended, for a kill took it or before one could."""
    sagemaker = server.client("sagemaker")
    for job in kept.jobs:
        described = sagemaker.describe_processing_job(ProcessingJobName=job)
        assert described["ProcessingJobStatus"] in ("Completed", "Failed"), described
        if described["ProcessingJobStatus"] == "Failed":
            assert "local_aws was stopped" in described["FailureReason"], described["FailureReason"]
            kept.killed_jobs += 1
    kept.jobs.clear()
