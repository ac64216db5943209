"""Invoking an endpoint."""

from __future__ import annotations

from typing import Any

from model_monitor.hooks.base import MonitorHook


class RuntimeHook(MonitorHook):
    """SageMaker's runtime."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(client_type="sagemaker-runtime", **kwargs)

    def invoke(self, **request: Any) -> bytes:
        """Send one request to an endpoint; returns the model's answer."""
        return self.call("invoke_endpoint", **request)["Body"].read()
