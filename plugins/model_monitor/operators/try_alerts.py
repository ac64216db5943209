"""Channels of alerts tried out with a message that says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor.alerts.channels import channels
from model_monitor.alerts.trial import try_channels
from model_monitor.operators.base import MonitorOperator, asked_for

if TYPE_CHECKING:
    from airflow.sdk import Context


class TryAlertsOperator(MonitorOperator):
    """Send a test message through every channel of the endpoint's YAML, and fail if one does not take it.

    Skipped where no channel is configured. Give it no retries: each sends to all channels once more.

    Args:
        endpoint: what is monitored.
        when: whether to do so at all; the task is skipped otherwise.
    """

    template_fields: Sequence[str] = aws_template_fields("when")

    def __init__(self, *, when: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.when = when

    def execute(self, context: Context) -> list[str]:
        if not channels(self.endpoint):
            raise AirflowSkipException("No channel is configured: alerts in the endpoint's YAML names nobody to tell.")
        if not asked_for(self.when):
            raise AirflowSkipException("No test message was asked for; this DAG sends them with test_alerts.")
        return try_channels(self.endpoint, self.log)
