"""A window's records in S3: found, fetched, and explained where there are none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from model_monitor import names, window_data, windows
from model_monitor.analysis.merge import MergeSummary
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from model_monitor.hooks.s3 import StorageHook
from model_monitor.windows import Window
from tests.running_aws import Running

NINE = datetime.fromisoformat("2026-11-22T09:00:00+00:00")
WINDOW = Window(NINE, NINE + timedelta(hours=1), NINE + timedelta(hours=1))

Put = Callable[..., str]


@pytest.fixture
def storage(aws: Running) -> StorageHook:
    return StorageHook(region_name="us-west-2")


@pytest.fixture
def put(endpoint: MonitoredEndpoint, storage: StorageHook) -> Put:
    """Writes a capture file with a record for each of some minutes."""

    def write(hour: datetime, *minutes: int, variant: str = "AllTraffic", file: str = "00-00-000-a.jsonl") -> str:
        lines = [json.dumps(record(hour + timedelta(minutes=minute))) for minute in minutes]
        folder = f"{names.captures(endpoint)}/{variant}/{names.hour_path(hour)}"
        return storage.put(f"{folder}/{file}", "".join(f"{line}\n" for line in lines))

    return write


def record(moment: datetime) -> dict[str, object]:
    return {"eventMetadata": {"eventId": f"{moment:%H%M}", "inferenceTime": windows.shown(moment)}}


def ids(file: Path) -> list[str]:
    return [json.loads(line)["eventMetadata"]["eventId"] if line else "" for line in file.read_text().splitlines()]


def between(endpoint: MonitoredEndpoint, start: str, end: str) -> Window:
    return windows.asked_for(endpoint, f"2026-11-22T{start}:00Z", f"2026-11-22T{end}:00Z")


def test_captures_of_every_variant_in_the_window_s_hours(
    endpoint: MonitoredEndpoint, storage: StorageHook, put: Put
) -> None:
    wanted = [put(NINE, 5, variant="AllTraffic"), put(NINE, 5, variant="Challenger")]
    put(NINE - timedelta(hours=1), 59)
    put(NINE + timedelta(hours=1), 0)
    put(NINE, file="empty.jsonl")
    found = window_data.captures(storage, endpoint, WINDOW)
    assert [one.uri for one in found] == wanted
    assert [one.path for one in found] == [
        f"{endpoint.name}/{variant}/2026/11/22/09/00-00-000-a.jsonl" for variant in ("AllTraffic", "Challenger")
    ]


def test_labels_of_the_hour_after_count_as_the_service_counts_them_and_later_ones_if_asked(
    endpoint: MonitoredEndpoint, storage: StorageHook
) -> None:
    hours = [NINE + timedelta(hours=number) for number in range(-1, 4)]
    uris = [storage.put(names.ground_truth_file(endpoint, hour), "{}\n") for hour in hours]
    assert [one.uri for one in window_data.labels(storage, endpoint, WINDOW)] == uris[1:3]
    late = endpoint.model_copy(update={"windows": endpoint.windows.model_copy(update={"labels_until": "PT1H"})})
    assert [one.uri for one in window_data.labels(storage, late, WINDOW)] == uris[1:4]


def test_whole_hours_are_taken_as_they_are(
    endpoint: MonitoredEndpoint, storage: StorageHook, put: Put, tmp_path: Path
) -> None:
    uri = put(NINE, 5, 61)
    window_data.fetch_captures(storage, window_data.captures(storage, endpoint, WINDOW), tmp_path, WINDOW)
    (file,) = tmp_path.rglob("*.jsonl")
    assert file.read_bytes() == storage.read(uri)


def test_of_cut_hours_only_the_records_inside_count_and_keep_their_lines(
    endpoint: MonitoredEndpoint, storage: StorageHook, put: Put, tmp_path: Path
) -> None:
    put(NINE, 10, 20, 49, 50)
    put(NINE, 55, file="55-00-000-b.jsonl")
    window = between(endpoint, "09:20", "09:50")
    window_data.fetch_captures(storage, window_data.captures(storage, endpoint, window), tmp_path, window)
    (file,) = tmp_path.rglob("*.jsonl")
    assert ids(file) == ["", "0920", "0949", ""]


def test_a_key_that_would_lead_out_of_the_folder_is_refused(endpoint: MonitoredEndpoint, storage: StorageHook) -> None:
    uri = storage.put(f"{names.captures(endpoint, NINE)}/../../../../../../outside.jsonl", "{}\n")
    with pytest.raises(InputError, match=re.escape(uri)):
        window_data.captures(storage, endpoint, WINDOW)


def test_a_record_that_cannot_be_dated_is_left_to_the_analysis(
    endpoint: MonitoredEndpoint, storage: StorageHook, tmp_path: Path
) -> None:
    storage.put(f"{names.captures(endpoint, NINE)}/00-00-000-a.jsonl", 'not json\n{"eventMetadata": {}}\n')
    window = between(endpoint, "09:20", "09:50")
    window_data.fetch_captures(storage, window_data.captures(storage, endpoint, window), tmp_path, window)
    (file,) = tmp_path.rglob("*.jsonl")
    assert len(file.read_text().splitlines()) == 2


def test_an_empty_window_says_where_was_looked_and_by_which_clock(
    endpoint: MonitoredEndpoint, storage: StorageHook, aws: Running
) -> None:
    why = window_data.why_empty(storage, endpoint, WINDOW, [], [])
    assert "Nothing to judge in 2026-11-22T09:00:00Z – 2026-11-22T10:00:00Z" in why
    assert "cron(0 * ? * * *) with start_time_offset -PT1H and end_time_offset -PT0H" in why
    assert f"the service's clock says {windows.shown(aws.now())[:16]}" in why
    assert f"Captures: no files in {names.captures(endpoint, NINE)}" in why
    assert f"Ground truth: no files in {names.ground_truth(endpoint, NINE)} to" in why
    assert f"{endpoint.name}.traffic makes captures" in why
    assert f"{endpoint.name}.ground_truth uploads labels" in why


def test_an_empty_join_says_what_did_not_match(endpoint: MonitoredEndpoint, storage: StorageHook, put: Put) -> None:
    put(NINE, 5)
    storage.put(names.ground_truth_file(endpoint, NINE), "{}\n")
    captured, labelled = (find(storage, endpoint, WINDOW) for find in (window_data.captures, window_data.labels))
    merged = MergeSummary(captures=3, captures_without_inference_id=3, ground_truths=5, ground_truth_ids=4)
    why = window_data.why_empty(storage, endpoint, WINDOW, captured, labelled, merged)
    assert "Captures: 1 file in s3://" in why
    assert "3 captured requests, 3 of them without inference id; 5 ground-truth records for 4 ids." in why
    assert "Matched: 0 requests and 0 ids; without a counterpart: 3 requests and 4 ids." in why
    assert "Send an inference id with each request" in why
    assert "makes captures" not in why


def test_a_window_asked_for_by_hand_is_told_so(endpoint: MonitoredEndpoint, storage: StorageHook) -> None:
    why = window_data.why_empty(storage, endpoint, between(endpoint, "09:20", "09:50"), [], None)
    assert "asked for by hand" in why
    assert "Ground truth" not in why
