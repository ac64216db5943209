"""Waiting for captured requests, and showing them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.deferring import Waits, deferrable_by_default
from model_monitor.errors import NoCaptures
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.base import connection_of
from model_monitor.waiting import Outcome, Wait, waiter_config

if TYPE_CHECKING:
    from airflow.sdk import Context

SHOWN_FILES = 5


class CapturesSensor(Waits, AwsBaseSensor[StorageHook]):
    """Wait for captured requests, then show the newest files and one record. They can take a minute or two to appear.

    Args:
        endpoint: whose captures.
        traffic: what SendTrafficOperator answered; captures from its `since` on count. All unless given.
        deferrable: wait in the triggerer.
        poke_interval: seconds between two requests; the waiter's own unless given.
        timeout: seconds to wait; the waiter's own unless given.
    """

    aws_hook_class = StorageHook
    template_fields: Sequence[str] = aws_template_fields("traffic")
    ui_color = "#e6f0f7"

    def __init__(
        self,
        *,
        endpoint: MonitoredEndpoint,
        traffic: dict[str, Any] | str | None = None,
        deferrable: bool = deferrable_by_default(),
        poke_interval: float | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        own = waiter_config("s3", "ObjectsPresent")
        super().__init__(
            **{**connection_of(endpoint), **kwargs},
            poke_interval=own.delay if poke_interval is None else poke_interval,
            timeout=own.delay * own.max_attempts if timeout is None else timeout,
        )
        self.endpoint = endpoint
        self.traffic = traffic
        self.deferrable = deferrable

    def execute(self, context: Context) -> dict[str, Any]:
        wait = Wait.until(
            "ObjectsPresent", self._request(), service="s3", interval=self.poke_interval, timeout=self.timeout
        )
        return self._finish(self.wait_for(wait, self.hook), wait)

    def execute_complete(self, context: Context, event: dict[str, Any], wait: dict[str, Any]) -> dict[str, Any]:
        return self._finish(self.resumed(event, wait, self.hook), Wait(**wait))

    def _request(self) -> dict[str, Any]:
        bucket, prefix = names.split_s3(f"{names.captures(self.endpoint)}/{self.endpoint.endpoint.variant}/")
        request = {"Bucket": bucket, "Prefix": prefix}
        if isinstance(self.traffic, dict):
            # A capture file is named after the time of its first record, so that keys are in order of time.
            since = datetime.fromisoformat(self.traffic["since"])
            request["StartAfter"] = f"{prefix}{names.hour_path(since)}/{since:%M-%S}"
        return request

    def _finish(self, outcome: Outcome, wait: Wait) -> dict[str, Any]:
        where = f"s3://{wait.request['Bucket']}/{wait.request['Prefix']}"
        if outcome.state != "success":
            raise NoCaptures(
                f"No captured requests of {self.endpoint.name} under {where} after {self.timeout:.0f} s. Was there "
                "traffic, and does the endpoint's configuration capture it?"
            )
        start = wait.request.get("StartAfter")
        files = self.hook.list(where, start_after=f"s3://{wait.request['Bucket']}/{start}" if start else None)
        for file in files[-SHOWN_FILES:]:
            self.log.info("Capture file: %s", file)
        lines = (self.hook.read(files[-1]) or b"").decode().strip().splitlines()
        self.log.info("The last of its %d records:\n%s", len(lines), json.dumps(json.loads(lines[-1]), indent=2))
        return {"files": len(files), "newest": files[-SHOWN_FILES:]}
