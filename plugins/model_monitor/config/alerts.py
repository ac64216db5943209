"""The YAML's section on alerts: when somebody is told of a verdict, and through what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from model_monitor.config.types import Section
from model_monitor.config.windows import Cron

ADDRESS = "an e-mail address such as ann@example.com"
CONNECTION = "the id of an Airflow connection, such as smtp_default"
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$")]
TopicArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z\-]*:sns:[a-z0-9\-]+:\d{12}:[A-Za-z0-9_\-]{1,256}$"),
    Field(description="the ARN of a standard SNS topic, such as arn:aws:sns:us-west-2:123456789012:drift"),
]
ConnectionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]+$", max_length=250)]


class Sns(Section):
    """An SNS topic, told through the endpoint's own connection."""

    topic_arn: TopicArn


class Email(Section):
    """E-mail through Airflow's SMTP connection, which also knows the sender unless `from_email` says otherwise."""

    to: list[Address] = Field(min_length=1, description="a list of e-mail addresses, such as [ann@example.com]")
    conn_id: ConnectionId = Field(default="smtp_default", description=CONNECTION)
    from_email: Address | None = Field(default=None, description=ADDRESS)


class Slack(Section):
    """Slack: the API where a channel is named, else an incoming webhook, which has a channel of its own."""

    conn_id: ConnectionId | None = Field(default=None, description=CONNECTION)
    channel: str | None = Field(default=None, min_length=1, max_length=80, description="a channel such as '#drift'")

    @property
    def connection(self) -> str:
        """The connection's id; the default one of Airflow's Slack provider unless given."""
        return self.conn_id or ("slack_default" if self.channel is None else "slack_api_default")


class Alerts(Section):
    """Who is told of verdicts, how, and from how many violating windows on."""

    violating_windows: int = Field(default=1, ge=1, le=100)
    of_windows: int = Field(default=1, ge=1, le=100)
    sns: Sns | None = None
    email: Email | None = None
    slack: Slack | None = None
    schedule: Cron = Field(
        default="*/10 * * * *",
        description="when <endpoint>.watch looks for news: a cron expression of five fields in UTC, such as "
        "'*/10 * * * *'",
    )

    @model_validator(mode="after")
    def _can_be_told(self) -> Alerts:
        if self.violating_windows > self.of_windows:
            raise ValueError(
                f"alerts.violating_windows: {self.violating_windows} of {self.of_windows} windows can never violate; "
                "raise of_windows"
            )
        return self
