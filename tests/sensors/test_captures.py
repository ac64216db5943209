from __future__ import annotations

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import NoCaptures
from model_monitor.hooks.s3 import StorageHook
from model_monitor.sensors.captures import CapturesSensor
from tests.monitored import run_task

RECORD = '{"captureData": {}, "eventMetadata": {"eventId": "1"}, "eventVersion": "0"}'


@pytest.fixture
def captured(endpoint: MonitoredEndpoint) -> list[str]:
    """Two capture files, of 10:07:30 and of 11:00:05."""
    folder = f"{names.captures(endpoint)}/AllTraffic/2026/11/22"
    files = [f"{folder}/10/07-30-120-a.jsonl", f"{folder}/11/00-05-007-b.jsonl"]
    for file in files:
        StorageHook().put(file, RECORD)
    return files


def since(moment: str) -> dict[str, str]:
    return {"since": f"2026-11-22T{moment}+00:00"}


@pytest.mark.parametrize(
    ("moment", "expected"), [("10:07:30", [0, 1]), ("10:08:30", [0, 1]), ("10:10:00", [1]), ("11:01:00", [1])]
)
def test_only_files_that_can_hold_the_traffic_count(
    endpoint: MonitoredEndpoint, captured: list[str], moment: str, expected: list[int]
) -> None:
    sensor = CapturesSensor(task_id="captures", endpoint=endpoint, traffic=since(moment))
    assert run_task(sensor)["newest"] == [captured[number] for number in expected]


def test_all_captures_count_when_the_task_is_tested_alone(endpoint: MonitoredEndpoint, captured: list[str]) -> None:
    assert run_task(CapturesSensor(task_id="captures", endpoint=endpoint, traffic=None))["files"] == 2


@pytest.mark.parametrize("deferrable", [False, True])
def test_no_captures_are_an_error_that_says_where_they_should_be(
    endpoint: MonitoredEndpoint, captured: list[str], deferrable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CapturesSensor, "patience", 0.1)
    sensor = CapturesSensor(
        task_id="captures", endpoint=endpoint, traffic=since("11:03:00"), timeout=0.6, deferrable=deferrable
    )
    where = f"s3://{endpoint.bucket}/monitors/datacapture/{endpoint.name}/AllTraffic/"
    with pytest.raises(NoCaptures, match=f"No captured requests of {endpoint.name} under {where}"):
        run_task(sensor)
