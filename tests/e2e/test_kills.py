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
from itertools import count
from pathlib import Path
from random import Random

from tests.e2e.ledger import KINDS, LOG_GROUP, Kind, Ledger, Objects
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
    killed_jobs: int = 0


class Writers:
    """Threads that write to a server until it is killed, and note what it acknowledges."""

    def __init__(self, aws: Running, kept: Kept, random: Random, fresh: Callable[[], str]) -> None:
        self._aws = aws
        self._kept = kept
        self._fresh = fresh
        self._killed = threading.Event()
        self._failures: list[BaseException] = []
        kinds = [kind(aws, kept.bucket, kept.endpoint, kept.model) for kind in KINDS]
        groups = [
            [kind for kind in kinds if kind.service == "sagemaker"],
            [kind for kind in kinds if kind.service != "sagemaker"],
        ]
        seeds = [random.getrandbits(64) for _ in range(3)]
        works: list[Callable[[], None]] = [
            lambda: self._change(groups[0], Random(seeds[0])),
            lambda: self._change(groups[1], Random(seeds[1])),
            lambda: self._invoke(Random(seeds[2])),
        ]
        self._threads = [threading.Thread(target=self._guarded, args=(work,), daemon=True) for work in works]

    def run_until_killed(self, seconds: float) -> None:
        """Write for some time, then kill the server in the midst of it."""
        job = f"job-{self._fresh()}"
        place = Place(self._aws, self._kept.bucket, self._kept.model, self._kept.endpoint)
        place.start_baseline(job, place.config(), table())
        self._kept.jobs.add(job)
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

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            while not self._killed.is_set():
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
        runtime = self._aws.client("sagemaker-runtime")
        while True:
            number = self._fresh()
            self._kept.invoked.add(number)
            body = ",".join(f"{random.gauss(0, 1):.3f}" for _ in range(4))
            runtime.invoke_endpoint(
                EndpointName=self._kept.endpoint, Body=body, ContentType="text/csv", InferenceId=number
            )
            self._kept.answered.add(number)


def test_nothing_that_was_acknowledged_is_lost_by_twenty_kills(tmp_path: Path, model_archive: bytes) -> None:
    seed = int(os.environ.get("KILLS_SEED") or secrets.randbits(32))
    print(f"KILLS_SEED={seed}")
    random = Random(seed)
    names = count()

    def fresh() -> str:
        return f"{next(names):06d}"

    aws = start_local_aws(tmp_path)
    kept = prepared(aws, model_archive)
    starting = set(random.sample(range(KILLS), KILLED_WHILE_STARTING))
    for number in range(KILLS):
        Writers(aws, kept, random, fresh).run_until_killed(random.uniform(0.0, LONGEST_RUN_SECONDS))
        if number in starting:
            kill_while_starting(tmp_path, random.uniform(0.0, LONGEST_START_SECONDS))
        aws = start_local_aws(tmp_path)
        check(aws, kept)
    aws.stop()

    assert kept.killed_jobs > 0
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
    kept = Kept(bucket, endpoint, model)
    definitions = next(kind for kind in KINDS if kind.name == "definition")(aws, bucket, endpoint, model)
    definitions.put("shared", "")
    return kept


def kill_while_starting(folder: Path, seconds: float) -> None:
    """Kill a server that has only begun to take up what the one before left."""
    process = launch_local_aws(folder)
    time.sleep(seconds)
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def check(aws: Running, kept: Kept) -> None:
    """All that was acknowledged is there, nothing that was deleted is, and what ran has failed and says why."""
    for kind in KINDS:
        kept.things[kind.name].check(kind(aws, kept.bucket, kept.endpoint, kept.model))
    check_contents(aws, kept)
    check_endpoint(aws, kept)
    check_captures(aws, kept)
    check_jobs(aws, kept)


def check_contents(aws: Running, kept: Kept) -> None:
    objects = Objects(aws, kept.bucket, kept.endpoint, kept.model)
    for name in list(kept.things["object"].certain)[-5:]:
        answer = objects.client.get_object(Bucket=kept.bucket, Key=f"kept/{name}")
        assert len(answer["Body"].read()) == answer["ContentLength"] > 0


def check_endpoint(aws: Running, kept: Kept) -> None:
    described = aws.client("sagemaker").describe_endpoint(EndpointName=kept.endpoint)
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")


def check_captures(aws: Running, kept: Kept) -> None:
    """Every answered request is captured, once; a request that was not answered may be."""
    s3 = aws.client("s3")

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


def check_jobs(aws: Running, kept: Kept) -> None:
    """Each job has ended, for a kill took it or before one could."""
    sagemaker = aws.client("sagemaker")
    for job in kept.jobs:
        described = sagemaker.describe_processing_job(ProcessingJobName=job)
        assert described["ProcessingJobStatus"] in ("Completed", "Failed"), described
        if described["ProcessingJobStatus"] == "Failed":
            assert "local_aws was stopped" in described["FailureReason"], described["FailureReason"]
            kept.killed_jobs += 1
    kept.jobs.clear()
