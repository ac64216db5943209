"""CloudWatch: the metrics of an analysis, and alarms on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.hooks.base import MonitorHook

MOST_PER_CALL = 1000
MOST_ALARMS_PER_CALL = 100


class CloudWatchHook(MonitorHook):
    """CloudWatch metrics and alarms."""

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

    def alarms(self, prefix: str) -> list[dict[str, Any]]:
        """DescribeAlarms: those on metrics whose names begin so, in order of their names."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = self.call("describe_alarms", AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"], **token)
            found += page["MetricAlarms"]
            if not page.get("NextToken"):
                return sorted(found, key=lambda alarm: str(alarm["AlarmName"]))
            token = {"NextToken": page["NextToken"]}

    def owned(self, alarm: dict[str, Any], endpoint: MonitoredEndpoint) -> bool:
        """Whether an alarm was made for this endpoint by this project."""
        tags = self.call("list_tags_for_resource", ResourceARN=alarm["AlarmArn"])["Tags"]
        return {"Key": names.ENDPOINT_TAG, "Value": endpoint.name} in tags

    def delete_alarms(self, alarms: Sequence[str]) -> None:
        """Delete alarms by their names; those that are gone are no error."""
        for start in range(0, len(alarms), MOST_ALARMS_PER_CALL):
            self.call("delete_alarms", AlarmNames=list(alarms[start : start + MOST_ALARMS_PER_CALL]))
