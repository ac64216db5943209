"""A test message arrives at an SMTP server, SNS and Slack, and says what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AlertNotDelivered
from model_monitor.hooks.s3 import StorageHook
from model_monitor.names import KINDS
from model_monitor.operators.try_alerts import TryAlertsOperator
from tests.monitored import run_task
from tests.receivers import Receivers, slack_texts

Make = Callable[..., MonitoredEndpoint]


def try_alerts(endpoint: MonitoredEndpoint, when: bool = True) -> list[str]:
    told: list[str] = run_task(TryAlertsOperator(task_id="test_alerts", endpoint=endpoint, when=when))
    return told


def test_it_arrives_everywhere_and_nothing_is_kept(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    assert try_alerts(endpoint) == ["sns", "email", "slack"]
    assert receivers.counts() == (1, 1, 1)
    subject = f"{endpoint.name}: test message, nothing is wrong"
    page = f"https://airflow.example.com/team/model-monitor/endpoints/{endpoint.name}"

    def first_line(channel: str) -> str:
        return (
            f"This is a test of the channel {channel} of {endpoint.name}. Nothing is wrong, and there is nothing to do."
        )

    (mail,) = receivers.mail.received
    assert (mail["Subject"], mail["To"]) == (subject, "ann@example.com, bob@example.com")
    assert first_line("email") in receivers.mail.body()
    assert f'<a href="{page}">Over time</a>' in receivers.mail.body()

    (notification,) = receivers.sns.received
    assert notification["Subject"] == subject
    assert notification["Message"].startswith(first_line("sns"))
    assert notification["Message"].endswith(f"\n\nOver time: {page}")

    (post,) = receivers.slack.received
    assert post["text"] == subject
    title, said, _, links = slack_texts(post)
    assert (title, said, links) == (f"*{subject}*", first_line("slack"), f"<{page}|Over time>")

    storage = StorageHook(aws_conn_id=endpoint.aws_conn_id, region_name=endpoint.region)
    assert [storage.read(names.alert_state(endpoint, kind)) for kind in KINDS] == [None, None]


def test_slack_s_api_is_tried_where_a_channel_is_named(make: Make, receivers: Receivers) -> None:
    receivers.slack.answer = b'{"ok": true}'
    assert try_alerts(make(slack={"channel": "#drift"}, email=None, sns=None)) == ["slack"]
    assert receivers.slack.paths == ["/api/chat.postMessage"]
    assert receivers.slack.received[0]["channel"] == "#drift"


def test_each_channel_that_refuses_is_named_and_stops_no_other(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    arn = endpoint.alerts.sns.topic_arn if endpoint.alerts.sns else ""
    endpoint = make(sns={"topic_arn": f"{arn}-gone"})
    receivers.mail.full = True
    with pytest.raises(AlertNotDelivered) as problem:
        try_alerts(endpoint)
    told = str(problem.value)
    assert told.startswith(f"A test message of {endpoint.name} was not taken by: sns (")
    assert "NotFound" in told
    assert "; email (SMTPDataError: " in told
    assert "Insufficient system storage" in told
    assert told.endswith("alerts in the endpoint's YAML; then try again. Taken by: slack.")
    assert receivers.counts() == (0, 0, 1)

    receivers.slack.status = 503
    with pytest.raises(AlertNotDelivered, match=r"; slack \(.*Taken by: none\.") as problem:
        try_alerts(endpoint)
    assert "secret-token" not in str(problem.value)


def test_without_an_address_of_airflow_it_says_why_there_are_no_links(
    make: Make, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "")
    try_alerts(make(email=None, slack=None))
    (notification,) = receivers.sns.received
    assert "://" not in notification["Message"]
    assert notification["Message"].endswith(
        "No message has links before [api] base_url is set to the address at which people reach Airflow."
    )


def test_unasked_it_is_skipped(make: Make, receivers: Receivers) -> None:
    with pytest.raises(AirflowSkipException, match=r"No test message was asked for; .* with test_alerts"):
        try_alerts(make(), when=False)
    assert receivers.counts() == (0, 0, 0)


@pytest.mark.parametrize("asked", [True, False])
def test_without_channels_it_is_skipped(make: Make, asked: bool) -> None:
    with pytest.raises(AirflowSkipException, match="No channel is configured"):
        try_alerts(make(sns=None, email=None, slack=None), when=asked)
