"""What all sensors share: the endpoint they are about, a waiter that says how often and how long, and deferring."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.sdk import BaseOperatorLink

from model_monitor.config import MonitoredEndpoint
from model_monitor.deferring import Waits, deferrable_by_default
from model_monitor.hooks.base import MonitorHook
from model_monitor.links import DashboardLink
from model_monitor.operators.base import EndpointTask, connection_of
from model_monitor.waiting import Wait, waiter_config

Hook = TypeVar("Hook", bound=MonitorHook)


class MonitorSensor(Waits, EndpointTask, AwsBaseSensor[Hook]):
    """Waits for something of a monitored endpoint.

    Args:
        endpoint: what is waited for; connection and region are its own unless given.
        deferrable: wait in the triggerer.
        poke_interval: seconds between two requests; the waiter's own unless given.
        timeout: seconds to wait; the waiter's own unless given.
    """

    service: str
    waiter: str
    operator_extra_links: Collection[BaseOperatorLink] = (DashboardLink(),)
    ui_color = "#e6f0f7"

    def __init__(
        self,
        *,
        endpoint: MonitoredEndpoint,
        deferrable: bool = deferrable_by_default(),
        poke_interval: float | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        own = waiter_config(self.service, self.waiter)
        super().__init__(
            **{**connection_of(endpoint), **kwargs},
            poke_interval=own.delay if poke_interval is None else poke_interval,
            timeout=own.delay * own.max_attempts if timeout is None else timeout,
        )
        self.endpoint = endpoint
        self.deferrable = deferrable

    def wait_until(self, request: dict[str, Any]) -> Wait:
        """A wait on this sensor's waiter that starts now."""
        return Wait.until(self.waiter, request, service=self.service, interval=self.poke_interval, timeout=self.timeout)
