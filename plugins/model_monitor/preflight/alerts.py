"""Whether the channels that the YAML names can be told."""

from __future__ import annotations

from collections.abc import Iterator

from model_monitor.config.alerts import Email, Slack, Sns
from model_monitor.errors import AccessDenied
from model_monitor.preflight.account import Account, denied
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok


def check_channels(definition: Definition, account: Account) -> Iterator[Finding]:
    """Airflow's connections and the topic; nobody is told anything."""
    endpoint = definition.endpoint
    alerts = endpoint.alerts
    if alerts.sns is not None:
        yield _topic(endpoint.aws_conn_id, alerts.sns)
    if alerts.email is not None:
        yield _email(alerts.email)
    if alerts.slack is not None:
        yield _slack(alerts.slack)
    if alerts.sns is alerts.email is alerts.slack is None:
        yield ok("alerts", endpoint.name, "no channel is configured; messages are in the log of alert")


def _topic(aws_conn_id: str, sns: Sns) -> Finding:
    from model_monitor.hooks.base import MonitorHook

    topic = sns.topic_arn
    hook = MonitorHook(client_type="sns", aws_conn_id=aws_conn_id, region_name=topic.split(":")[3])
    try:
        found = hook.find("get_topic_attributes", TopicArn=topic)
    except AccessDenied as refusal:
        return denied("alerts", topic, "sns:GetTopicAttributes", refusal, "warning")
    if found is None:
        return error("alerts", topic, "there is no such topic", "Create it, or correct alerts.sns.topic_arn.")
    return ok("alerts", topic, "exists; sns:Publish is not tried, as somebody would be told")


def _email(email: Email) -> Finding:
    finding, extra = _connection("alerts.email.conn_id", email.conn_id, "smtp")
    if finding.level == "ok" and not (email.from_email or extra.get("from_email")):
        return error(
            "alerts", email.conn_id, "names no sender", "Set from_email in the connection, or alerts.email.from_email."
        )
    return finding


def _slack(slack: Slack) -> Finding:
    kind = "slackwebhook" if slack.channel is None else "slack"
    return _connection("alerts.slack.conn_id", slack.connection, kind)[0]


def _connection(key: str, conn_id: str, kind: str) -> tuple[Finding, dict[str, object]]:
    """Whether there is a connection of that id and type, and its extra."""
    from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        fix = f"Make one of type {kind}, or name another one in {key}."
        return error("alerts", conn_id, "Airflow has no such connection", fix), {}
    if found.conn_type != kind:
        what = f"is a connection of type {found.conn_type}, not {kind}"
        fix = "A Slack channel goes with a connection of type slack, none with slackwebhook." if "slack" in kind else ""
        return error("alerts", conn_id, what, fix or f"Name one of type {kind} in {key}."), {}
    return ok("alerts", conn_id, f"is a connection of type {kind}"), found.extra_dejson
