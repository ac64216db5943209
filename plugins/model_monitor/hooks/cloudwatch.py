"""CloudWatch: the metrics of an analysis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from model_monitor.hooks.base import MonitorHook

MOST_PER_CALL = 1000


class CloudWatchHook(MonitorHook):
    """CloudWatch metrics."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(client_type="cloudwatch", **kwargs)

    def publish(self, requests: Iterable[dict[str, Any]]) -> int:
        """Send PutMetricData requests, those of a namespace together; returns how many values that were."""
        by_namespace: dict[str, list[dict[str, Any]]] = {}
        for request in requests:
            by_namespace.setdefault(request["Namespace"], []).extend(request["MetricData"])
        for namespace, data in by_namespace.items():
            for start in range(0, len(data), MOST_PER_CALL):
                self.call("put_metric_data", Namespace=namespace, MetricData=data[start : start + MOST_PER_CALL])
        return sum(map(len, by_namespace.values()))
