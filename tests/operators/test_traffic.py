from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import EndpointFailed, InputError
from model_monitor.hooks.runtime import RuntimeHook
from model_monitor.hooks.s3 import StorageHook
from model_monitor.hooks.sagemaker import SageMakerHook
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.sensors.captures import CapturesSensor
from tests.monitored import run_task


def send(endpoint: MonitoredEndpoint, **options: Any) -> Any:
    return run_task(SendTrafficOperator(task_id="send", endpoint=endpoint, **options))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The requests to the endpoint, as they go out."""
    requests: list[dict[str, Any]] = []
    invoke = RuntimeHook.invoke

    def record(hook: RuntimeHook, **request: Any) -> bytes:
        requests.append(request)
        return invoke(hook, **request)

    monkeypatch.setattr(RuntimeHook, "invoke", record)
    return requests


def test_a_pass_sends_each_row_once_with_its_number_as_inference_id(
    deployed: MonitoredEndpoint, sent: list[dict[str, Any]], files: Path
) -> None:
    answer = send(deployed)
    rows = (files / "test.csv").read_text().splitlines()
    assert [request["Body"] for request in sent] == rows
    assert [request["InferenceId"] for request in sent] == [str(number) for number in range(50)]
    assert answer["sent"] == 50
    assert len(answer["first_predictions"]) == 5
    assert all(0 <= float(prediction) <= 1 for prediction in answer["first_predictions"])


def test_more_requests_than_rows_start_again(deployed: MonitoredEndpoint, sent: list[dict[str, Any]]) -> None:
    send(deployed, count=53)
    assert [request["InferenceId"] for request in sent[48:]] == ["48", "49", "0", "1", "2"]


@pytest.mark.parametrize("inference_ids", [False, "False"])
def test_requests_can_go_without_inference_ids(
    deployed: MonitoredEndpoint, sent: list[dict[str, Any]], inference_ids: bool | str
) -> None:
    send(deployed, count=2, inference_ids=inference_ids)
    assert [set(request) for request in sent] == [{"EndpointName", "ContentType", "Body"}] * 2


def test_the_rate_is_kept(
    deployed: MonitoredEndpoint, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from model_monitor.operators import traffic

    now = [0.0]
    slept: list[float] = []
    monkeypatch.setattr(traffic.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(
        traffic.time, "sleep", lambda seconds: (slept.append(seconds), now.__setitem__(0, now[0] + seconds))
    )
    send(deployed, count=4, requests_per_second=2)
    assert slept == [0.5] * 4


def test_killing_the_task_ends_the_traffic(deployed: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    task = SendTrafficOperator(task_id="send", endpoint=deployed)
    monkeypatch.setattr(RuntimeHook, "invoke", lambda *_, **__: task.on_kill() or b"0.5")
    assert run_task(task)["sent"] == 1


def test_nothing_asked_for_is_skipped(deployed: MonitoredEndpoint) -> None:
    with pytest.raises(AirflowSkipException, match="No requests were asked for"):
        send(deployed, count=0)


def test_recurring_traffic_is_skipped_with_the_reason_while_there_is_no_endpoint(endpoint: MonitoredEndpoint) -> None:
    with pytest.raises(AirflowSkipException, match=f"endpoint {endpoint.name} is not in service .missing."):
        send(endpoint, skip_unless_in_service=True)


@pytest.mark.parametrize(("skip", "error"), [(True, AirflowSkipException), (False, EndpointFailed)])
def test_an_endpoint_that_goes_meanwhile_is_not_blamed_on_the_row(
    endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch, skip: bool, error: type[Exception]
) -> None:
    describe = SageMakerHook.endpoint
    before = iter([{"EndpointStatus": "InService", "EndpointArn": "arn"}])
    monkeypatch.setattr(SageMakerHook, "endpoint", lambda hook, name: next(before, None) or describe(hook, name))
    with pytest.raises(error, match=f"endpoint {endpoint.name} is not in service .missing."):
        send(endpoint, skip_unless_in_service=skip)


def test_traffic_that_has_to_be_sent_fails_without_an_endpoint(endpoint: MonitoredEndpoint) -> None:
    with pytest.raises(EndpointFailed, match=f"{endpoint.name}.deploy makes it"):
        send(endpoint)


def test_a_row_that_the_model_refuses_is_named(deployed: MonitoredEndpoint, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("0,0,0,0\n1,2\n")
    with pytest.raises(InputError, match=r"rows\.csv: row 1 \('1,2…'\) was refused"):
        send(deployed, file=str(tmp_path / "rows.csv"))


def test_captures_of_this_traffic_are_awaited_and_shown(deployed: MonitoredEndpoint) -> None:
    traffic = send(deployed, count=3, inference_ids=False)
    found = run_task(CapturesSensor(task_id="captures", endpoint=deployed, traffic=traffic))
    assert found["files"] >= 1
    newest = (StorageHook().read(found["newest"][-1]) or b"").decode().splitlines()
    record = json.loads(newest[-1])
    assert record["captureData"]["endpointInput"]["encoding"] == "CSV"
    assert found["newest"][-1].startswith(f"{names.captures(deployed)}/AllTraffic/")
