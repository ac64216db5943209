"""Channels of alerts against Airflow's connections and SNS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.preflight.account import Account
from model_monitor.preflight.run import run
from tests.monitored import monitored_endpoint
from tests.running_aws import Running, new_name

EMAIL, SLACK = {"to": ["a@b.c"], "conn_id": "mail"}, {"conn_id": "chat"}


def told(files: Path, **alerts: Any) -> list[str]:
    """What is found of these alerts, without the columns."""
    endpoint: MonitoredEndpoint = monitored_endpoint(files, "bucket", alerts=alerts)
    return [f"{one.level} {one.where}: {one.what}" for one in run(endpoint, Account.of(endpoint), ["alerts"])]


def test_no_channels_are_fine(aws: Running, files: Path) -> None:
    (line,) = told(files)
    assert line.endswith("no channel is configured; messages are in the log of alert")


def test_a_topic(aws: Running, files: Path) -> None:
    topic = aws.client("sns").create_topic(Name=new_name("drift"))["TopicArn"]
    assert told(files, sns={"topic_arn": topic}) == [
        f"ok {topic}: exists; sns:Publish is not tried, as somebody would be told"
    ]
    assert told(files, sns={"topic_arn": f"{topic}-gone"}) == [f"error {topic}-gone: there is no such topic"]


@pytest.mark.parametrize(
    ("alerts", "connection", "expected"),
    [
        ({"email": EMAIL}, None, "error mail: Airflow has no such connection"),
        ({"email": EMAIL}, {"conn_type": "smtp"}, "error mail: names no sender"),
        (
            {"email": EMAIL},
            {"conn_type": "smtp", "extra": {"from_email": "a@b.c"}},
            "ok mail: is a connection of type smtp",
        ),
        ({"email": {**EMAIL, "from_email": "a@b.c"}}, {"conn_type": "smtp"}, "ok mail: is a connection of type smtp"),
        ({"slack": SLACK}, {"conn_type": "slackwebhook"}, "ok chat: is a connection of type slackwebhook"),
        (
            {"slack": {**SLACK, "channel": "#drift"}},
            {"conn_type": "slackwebhook"},
            "error chat: is a connection of type slackwebhook, not slack",
        ),
    ],
)
def test_connections(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    aws: Running,
    alerts: dict[str, Any],
    connection: dict[str, Any] | None,
    expected: str,
) -> None:
    if connection is not None:
        name = "MAIL" if "email" in alerts else "CHAT"
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))
    assert told(files, **alerts) == [expected]
