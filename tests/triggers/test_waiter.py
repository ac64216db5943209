"""Triggers as the triggerer runs them: made from their serialised form, on an asynchronous client of a real server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Any

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.hooks.sagemaker import SageMakerHook
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.triggers.waiter import ProcessingJobTrigger, WaiterTrigger
from model_monitor.waiting import Wait
from tests.monitored import first_event, sent_to_the_triggerer
from tests.running_aws import Running


def trigger(waiter: str, request: dict[str, Any], timeout: float = 30, **connection: Any) -> WaiterTrigger:
    wait = Wait.until(waiter, request, interval=0.2, timeout=timeout)
    return WaiterTrigger(wait=asdict(wait), aws_conn_id="aws_default", region_name="us-west-2", **connection)


def event(trigger: WaiterTrigger) -> Any:
    return first_event(sent_to_the_triggerer(trigger)).payload


def test_carries_its_wait_and_its_connection_over_to_the_triggerer() -> None:
    sent = trigger("EndpointInService", {"EndpointName": "churn"}, verify=False, botocore_config={"read_timeout": 5})
    path, arguments = sent.serialize()
    assert path == "model_monitor.triggers.waiter.WaiterTrigger"
    assert set(arguments) == {"wait", "aws_conn_id", "region_name", "verify", "botocore_config"}
    assert sent_to_the_triggerer(sent).serialize() == (path, arguments)


def test_success(deployed: MonitoredEndpoint) -> None:
    waiting = trigger("EndpointInService", {"EndpointName": deployed.name})
    assert event(waiting) == {"state": "success", "reason": "InService"}


def test_gone_is_a_success_too(aws: Running) -> None:
    assert event(trigger("EndpointDeleted", {"EndpointName": "nowhere"}))["state"] == "success"


def test_deadline(aws: Running, deployed: MonitoredEndpoint) -> None:
    never = trigger("EndpointDeleted", {"EndpointName": deployed.name}, timeout=0.5)
    assert event(never) == {"state": "deadline", "reason": "InService"}


def test_a_refusal_is_told_with_its_reason(aws: Running) -> None:
    told = event(trigger("ProcessingJobFinished", {"ProcessingJobName": "nowhere"}))
    assert told["state"] == "error"
    assert "Could not find requested job" in told["reason"]


def test_a_refusal_for_lack_of_a_server_is_waited_out_until_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_NOWHERE",
        '{"conn_type": "aws", "login": "tester", "password": "password", "extra": {"endpoint_url": "http://127.0.0.1:9",'
        ' "config_kwargs": {"retries": {"total_max_attempts": 1}}}}',
    )
    wait = Wait.until("EndpointInService", {"EndpointName": "churn"}, interval=0.1, timeout=0.3)
    told = event(WaiterTrigger(wait=asdict(wait), aws_conn_id="nowhere", region_name="us-west-2"))
    assert told["state"] == "deadline"
    assert "EndpointConnectionError" in told["reason"]


def test_ending_the_deferred_task_by_hand_stops_its_job(slow_to_judge: MonitoredEndpoint) -> None:
    hook = SageMakerHook(region_name="us-west-2")
    operator = BaselineOperator(task_id="bias", endpoint=slow_to_judge, kind="bias")
    job = operator._start()
    wait = Wait.until("ProcessingJobFinished", {"ProcessingJobName": job}, interval=0.2, timeout=60)
    killed = ProcessingJobTrigger(wait=asdict(wait), **operator._connection())
    asyncio.run(sent_to_the_triggerer(killed).on_kill())
    assert wait.poll(hook.conn).response["ProcessingJobStatus"] == "Stopped"
    assert time.time() < wait.deadline
