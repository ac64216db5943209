"""Waiting for captured requests, and showing them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names
from model_monitor.errors import NoCaptures
from model_monitor.hooks.s3 import StorageHook
from model_monitor.sensors.base import MonitorSensor
from model_monitor.waiting import Outcome, Wait

if TYPE_CHECKING:
    from airflow.sdk import Context

SHOWN_FILES = 5

# How much time one capture file covers: about a minute, generously.
FILE_SPAN = timedelta(minutes=2)


class CapturesSensor(MonitorSensor[StorageHook]):
    """Wait for captured requests, then show the newest files and one record. They can take a minute or two to appear.

    Args:
        traffic: what SendTrafficOperator answered; only files that can hold its requests count. All unless given.
    """

    aws_hook_class = StorageHook
    template_fields: Sequence[str] = aws_template_fields("traffic")
    service = "s3"
    waiter = "ObjectsPresent"

    def __init__(self, *, traffic: dict[str, Any] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.traffic = traffic

    def execute(self, context: Context) -> dict[str, Any]:
        wait = self.wait_until(self._request())
        return self._finish(self.wait_for(wait, self.hook), wait)

    def execute_complete(self, context: Context, event: dict[str, Any], wait: dict[str, Any]) -> dict[str, Any]:
        return self._finish(self.resumed(event, wait, self.hook), Wait(**wait))

    def _request(self) -> dict[str, Any]:
        bucket, prefix = names.split_s3(f"{names.captures(self.endpoint)}/{self.endpoint.endpoint.variant}/")
        request = {"Bucket": bucket, "Prefix": prefix}
        if isinstance(self.traffic, dict):
            # A file is named after the time of its first record, which can be another client's, from before.
            since = datetime.fromisoformat(self.traffic["since"]) - FILE_SPAN
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
