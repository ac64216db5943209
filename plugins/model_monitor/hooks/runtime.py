"""Invoking an endpoint."""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from model_monitor.hooks.base import DEFAULTS, MonitorHook


class RuntimeHook(MonitorHook):
    """SageMaker's runtime."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(client_type="sagemaker-runtime", **kwargs)

    def invoke(self, **request: Any) -> bytes:
        """Send one request to an endpoint; returns the model's answer. Errors are those of `call`."""
        body = self.call("invoke_endpoint", **request)["Body"]
        return self._explained(body.read, request)


class OneTryRuntimeHook(RuntimeHook):
    """SageMaker's runtime for callers that try again themselves, from many threads."""

    defaults = DEFAULTS.merge(Config(retries={"total_max_attempts": 1}, max_pool_connections=64))
