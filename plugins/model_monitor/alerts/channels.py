"""The channels that a YAML names, each a notifier of Airflow's own providers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from model_monitor.alerts import forms

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier
    from airflow.sdk.types import Logger

    from model_monitor.alerts.letter import Letter
    from model_monitor.config import MonitoredEndpoint
    from model_monitor.config.alerts import Email, Slack, Sns


def channels(endpoint: MonitoredEndpoint) -> dict[str, Callable[[Letter], None]]:
    """By name, what sends a letter through a channel.

    Notifiers are not called but told to notify: a call would take the letter for a template. Names in the data can hold
    expressions, and templates reach connections and variables.
    """
    alerts = endpoint.alerts
    made: dict[str, Callable[[Letter], BaseNotifier]] = {}
    if alerts.sns is not None:
        made["sns"] = partial(_sns, endpoint.aws_conn_id, alerts.sns)
    if alerts.email is not None:
        made["email"] = partial(_email, alerts.email)
    if alerts.slack is not None:
        made["slack"] = partial(_slack, alerts.slack)
    return {name: partial(_send, notifier) for name, notifier in made.items()}


def why_not_told(channel: str, send: Callable[[Letter], None], letter: Letter, log: Logger) -> str | None:
    """Send a letter through a channel; the channel and why it did not take it, or None where it did."""
    try:
        send(letter)
    except Exception as problem:
        log.exception("%s was not told", channel)
        return f"{channel} ({type(problem).__name__}: {problem})"
    return None


def _send(notifier: Callable[[Letter], BaseNotifier], letter: Letter) -> None:
    notifier(letter).notify({})


def _sns(aws_conn_id: str, sns: Sns, letter: Letter) -> BaseNotifier:
    from airflow.providers.amazon.aws.notifications.sns import SnsNotifier

    return SnsNotifier(
        aws_conn_id=aws_conn_id,
        region_name=sns.topic_arn.split(":")[3],
        target_arn=sns.topic_arn,
        subject=forms.subject(letter),
        message=forms.plain(letter),
    )


def _email(email: Email, letter: Letter) -> BaseNotifier:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    return SmtpNotifier(
        smtp_conn_id=email.conn_id,
        from_email=email.from_email,
        to=email.to,
        subject=forms.subject(letter),
        html_content=forms.html(letter),
    )


def _slack(slack: Slack, letter: Letter) -> BaseNotifier:
    """Slack is not to fetch addresses in a message, not even those of our own pages."""
    if slack.channel is None:
        from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

        # Airflow tries again; when Slack's client does, it tells the log the webhook's address, which is a secret.
        return SlackWebhookNotifier(
            slack_webhook_conn_id=slack.connection,
            text=forms.slack_notification(letter),
            blocks=forms.slack(letter),
            retry_handlers=[],
            unfurl_links=False,
            unfurl_media=False,
        )
    from airflow.providers.slack.notifications.slack import SlackNotifier

    return SlackNotifier(
        slack_conn_id=slack.connection,
        channel=slack.channel,
        text=forms.slack_notification(letter),
        blocks=forms.slack(letter),
        unfurl_links=False,
        unfurl_media=False,
    )
