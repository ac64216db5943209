"""The YAML's section on alerts."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.config.alerts import Slack
from model_monitor.errors import ConfigError

CHURN = Path(__file__).parents[2] / "include" / "endpoints" / "churn.yaml"
TOPIC = "arn:aws:sns:us-west-2:123456789012:drift"


def load(folder: Path, alerts: str) -> MonitoredEndpoint:
    """The example with a section on alerts."""
    file = folder / "churn.yaml"
    file.write_text(f"{CHURN.read_text()}\nalerts: {alerts}\n")
    return load_endpoint(file)


def test_without_the_section_the_log_is_told(tmp_path: Path) -> None:
    alerts = load(tmp_path, "{}").alerts
    assert (alerts.sns, alerts.email, alerts.slack) == (None, None, None)
    assert (alerts.violating_windows, alerts.of_windows, alerts.schedule) == (1, 1, "*/10 * * * *")


def test_all_channels(tmp_path: Path) -> None:
    alerts = load(tmp_path, f"{{sns: {{topic_arn: '{TOPIC}'}}, email: {{to: [a@b.c]}}, slack: {{}}}}").alerts
    assert alerts.sns is not None
    assert alerts.sns.topic_arn == TOPIC
    assert alerts.email is not None
    assert (alerts.email.to, alerts.email.conn_id, alerts.email.from_email) == (["a@b.c"], "smtp_default", None)


@pytest.mark.parametrize(
    ("slack", "connection"),
    [
        ({}, "slack_default"),
        ({"channel": "#drift"}, "slack_api_default"),
        ({"channel": "#drift", "conn_id": "ours"}, "ours"),
        ({"conn_id": "ours"}, "ours"),
    ],
)
def test_slack_s_connection_goes_by_the_channel(slack: dict[str, str], connection: str) -> None:
    assert Slack.model_validate(slack).connection == connection


@pytest.mark.parametrize(
    ("alerts", "message"),
    [
        (f"{{sns: {{topic_arn: '{TOPIC}.fifo'}}}}", "alerts.sns.topic_arn: expected the ARN of a standard SNS topic"),
        ("{email: {to: []}}", "alerts.email.to: expected a list of e-mail addresses, such as [ann@example.com]"),
        ("{email: {to: ['ann@example.com, bob@example.com']}}", "alerts.email.to: expected a list of e-mail addresses"),
        ("{email: {to: [a@b.c], from_email: me}}", "alerts.email.from_email: expected an e-mail address"),
        ("{slack: {conn_id: 'https://hooks.slack.com/x'}}", "alerts.slack.conn_id: expected the id of an Airflow conn"),
        ("{slack: {chanel: '#drift'}}", "alerts.slack.chanel: unknown key; did you mean 'channel'?"),
        ("{violating_windows: 3, of_windows: 2}", "alerts.violating_windows: 3 of 2 windows can never violate"),
        ("{schedule: hourly}", "alerts.schedule: expected when <endpoint>.watch looks for news: a cron expression"),
    ],
)
def test_mistakes(tmp_path: Path, alerts: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, alerts)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path / 'churn.yaml'}: {message}"), line
