"""Endpoints whose alerts arrive somewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model_monitor.config import MonitoredEndpoint
from tests.monitored import monitored_endpoint
from tests.receivers import Receivers, http_server, mail_server
from tests.running_aws import Running, make_bucket, new_name


@pytest.fixture
def receivers(aws: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/team")
    with mail_server() as (connection, mail), http_server() as sns, http_server() as slack:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection)
        webhook = {"conn_type": "slackwebhook", "host": slack.url, "password": "T0/B0/secret-token"}
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_DEFAULT", json.dumps(webhook))
        api = {"conn_type": "slack", "password": "xoxb-secret", "extra": {"base_url": f"{slack.url}/api/"}}
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_API_DEFAULT", json.dumps(api))
        yield Receivers(mail, sns, slack)


@pytest.fixture
def make(aws: Running, files: Path, receivers: Receivers) -> Callable[..., MonitoredEndpoint]:
    """Makes an endpoint whose alerts go to all receivers."""
    client = aws.client("sns")
    topic = client.create_topic(Name=new_name("drift"))["TopicArn"]
    client.subscribe(TopicArn=topic, Protocol="http", Endpoint=receivers.sns.url)

    def endpoint(**changes: Any) -> MonitoredEndpoint:
        channels = {
            "sns": {"topic_arn": topic},
            "email": {"to": ["ann@example.com", "bob@example.com"]},
            "slack": {},
        }
        return monitored_endpoint(files, make_bucket(aws), alerts={**channels, **changes})

    return endpoint
