"""Notifications to SNS topics, delivered by moto to their subscribers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from local_aws.services.moto_hooks import Hooks

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

LONGEST_SUBJECT = 100
SUBSCRIBER_SECONDS = 10.0


def is_topic(arn: str) -> bool:
    """Whether an ARN is that of an SNS topic."""
    return arn.startswith("arn:") and arn.split(":")[2] == "sns"


def give_up_silent_subscribers(hooks: Hooks) -> None:
    """Let moto wait for a subscriber's answer for some seconds, as AWS does, instead of forever."""
    import moto.sns.models
    import requests

    def post(*args: Any, **kwargs: Any) -> requests.Response:
        return requests.post(*args, timeout=SUBSCRIBER_SECONDS, **kwargs)

    hooks.replace(moto.sns.models, "requests", SimpleNamespace(post=post))


def publish(aws: LocalAws, topic: str, message: str, subject: str | None = None) -> None:
    """Send a message to a topic's subscribers.

    Raises:
        Exception: there is no such topic, or a subscriber does not answer.
    """
    from moto.sns.models import sns_backends

    backend = sns_backends[aws.account_id][topic.split(":")[3]]
    backend.publish(message, topic, subject=subject and subject[:LONGEST_SUBJECT])
