from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from tests.monitored import Run, context, run_task
from tests.running_aws import Running

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
SCHEDULED = Run("scheduled", TEN, TEN + timedelta(hours=1))


def upload(endpoint: MonitoredEndpoint, run: Run, **options: Any) -> Any:
    return run_task(UploadGroundTruthOperator(task_id="upload", endpoint=endpoint, **options), context(run=run))


def hours(uploaded: list[str]) -> list[str]:
    return [uri[-len("dd/hh/0000.jsonl") : -len("/0000.jsonl")] for uri in uploaded]


def test_the_first_run_also_covers_the_hour_before_its_data_interval(endpoint: MonitoredEndpoint) -> None:
    assert hours(upload(endpoint, SCHEDULED)) == ["22/09", "22/10", "22/11"]


def test_later_runs_cover_the_hours_that_their_data_interval_touches(endpoint: MonitoredEndpoint) -> None:
    upload(endpoint, SCHEDULED)
    assert hours(upload(endpoint, SCHEDULED)) == ["22/10", "22/11"]


def test_equal_runs_write_equal_files(endpoint: MonitoredEndpoint) -> None:
    files = upload(endpoint, SCHEDULED)
    before = [StorageHook().read(file) for file in files]
    upload(endpoint, SCHEDULED)
    assert StorageHook().list(f"{names.ground_truth(endpoint)}/") == files
    assert [StorageHook().read(file) for file in files] == before


def test_a_run_by_hand_means_the_hour_of_the_service_s_clock(endpoint: MonitoredEndpoint, aws: Running) -> None:
    upload(endpoint, SCHEDULED)
    uploaded = upload(endpoint, Run("manual", TEN, TEN + timedelta(hours=1)))
    assert uploaded == [f"{names.ground_truth(endpoint, aws.now())}/0000.jsonl"]


def test_a_run_by_hand_without_data_interval_too(endpoint: MonitoredEndpoint, aws: Running) -> None:
    now = aws.now()
    before = now - timedelta(hours=1)
    assert upload(endpoint, Run("manual")) == [
        f"{names.ground_truth(endpoint, hour)}/0000.jsonl" for hour in (before, now)
    ]


def test_each_row_of_the_traffic_gets_its_label(endpoint: MonitoredEndpoint) -> None:
    lines = (StorageHook().read(upload(endpoint, SCHEDULED)[0]) or b"").decode().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["eventMetadata"]["eventId"] for record in records] == [str(number) for number in range(50)]
    assert {record["groundTruthData"]["data"] for record in records} == {"0", "1"}
    assert {record["groundTruthData"]["encoding"] for record in records} == {"CSV"}


def test_the_source_decides_which_labels_are_known(
    endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "our_labels.py").write_text("def known(ids):\n    return {'7': '1'} if '7' in ids else {}\n")
    monkeypatch.syspath_prepend(tmp_path)
    source = endpoint.ground_truth.model_copy(update={"source": "our_labels.known"})
    uploaded = upload(endpoint.model_copy(update={"ground_truth": source}), SCHEDULED, inference_ids=["6", "7"])
    assert (StorageHook().read(uploaded[0]) or b"").decode().splitlines() == [
        '{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "7"}, "eventVersion": "0"}'
    ]
