"""What the dashboard reads: 1,000 executions of a monitor, known and unknown, against reading every file anew."""

from __future__ import annotations

import json
import logging
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.http_load import REGION
from benchmarks.server_processes import BUCKET, Running, local_aws
from benchmarks.timing import PROJECT, Comparison, best
from model_monitor import names
from model_monitor.analysis.serialise import dumps
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.history.listing import FRESH_SECONDS
from model_monitor.names import Kind

if TYPE_CHECKING:
    from model_monitor.hooks.s3 import StorageHook

WINDOWS, FEATURES, THREADS = 1_000, 70, 8
KIND: Kind = "explainability"
FIRST = datetime(2026, 9, 1, tzinfo=UTC)
CONNECTION = "AIRFLOW_CONN_HISTORY_BENCHMARK"
PEER = "every file read anew"


def comparisons() -> Iterator[Comparison]:
    """The first time, when all is known and listings are asked for again, and when they need not be."""
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-home-"))
    logging.disable(logging.WARNING)
    from model_monitor.history.reader import History
    from model_monitor.hooks.s3 import StorageHook
    from model_monitor.hooks.sagemaker import SageMakerHook

    example = load_endpoint(PROJECT / "include" / "endpoints" / "churn.yaml")
    endpoint = example.model_copy(update={"bucket": BUCKET, "region": REGION, "aws_conn_id": "history_benchmark"})
    with tempfile.TemporaryDirectory() as folder, local_aws(Path(folder)) as server:
        os.environ[CONNECTION] = _connection(server)
        storage = StorageHook(aws_conn_id=endpoint.aws_conn_id)
        sagemaker = SageMakerHook(aws_conn_id=endpoint.aws_conn_id)
        objects = dict(_objects(endpoint))
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(storage.put, objects, objects.values()))
        clock = [0.0]
        history = History(endpoint, storage, sagemaker, clock=lambda: clock[0])

        def read(seconds_later: float = 0) -> None:
            clock[0] += seconds_later
            found = history.executions(KIND, FIRST)
            if len(found) != WINDOWS or any(execution.problem for execution in found):
                raise RuntimeError("The executions are not those that were written.")

        peer = _seconds(lambda: _anew(storage, endpoint))
        what = f"{WINDOWS:,} executions, {FEATURES} features"
        yield Comparison(f"{what}, first time", _seconds(read), PEER, peer)
        yield Comparison(f"{what}, known, listed again", best(lambda: read(FRESH_SECONDS)), PEER, peer)
        yield Comparison(f"{what}, known", best(read), PEER, peer)


def _anew(storage: StorageHook, endpoint: MonitoredEndpoint) -> None:
    """List all and read each result file, one after the other."""
    for address in storage.list(f"{names.report_folders(endpoint, KIND)}/"):
        if address.endswith(".json"):
            json.loads(storage.read(address) or b"null")


def _objects(endpoint: MonitoredEndpoint) -> Iterator[tuple[str, str]]:
    numbers = random.Random(0)
    yield names.baseline_constraints(endpoint, KIND), dumps(_explained(numbers))
    for window in range(WINDOWS):
        folder = names.report_folder(endpoint, KIND, names.hour_path(FIRST + window * timedelta(hours=1)))
        yield f"{folder}/analysis.json", dumps(_explained(numbers))
        yield f"{folder}/report.html", "<html></html>"
        if window % 3 == 0:
            yield f"{folder}/constraint_violations.json", dumps({"version": "1.0", "violations": []})


def _explained(numbers: random.Random) -> dict[str, Any]:
    values = {f"Feature number {number}": numbers.random() for number in range(FEATURES)}
    label = {"global_shap_values": values, "expected_value": 0.5}
    return {"version": "1.0", "explanations": {"kernel_shap": {"label0": label}}}


def _connection(server: Running) -> str:
    extra = {"endpoint_url": server.url, "region_name": REGION}
    return json.dumps({"conn_type": "aws", "login": "benchmark", "password": "benchmark", "extra": extra})


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
