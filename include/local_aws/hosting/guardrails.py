"""Deployment guardrails: how long a new deployment is watched, and which alarms send it back.

Traffic always shifts all at once; the waits of a canary, a linear or a rolling update are added up to one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any


def alarms_of(config: dict[str, Any]) -> list[str]:
    """The CloudWatch alarms that a DeploymentConfig names for the automatic rollback."""
    return [alarm["AlarmName"] for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", [])]


def watch_of(config: dict[str, Any]) -> timedelta:
    """How long the old servers are kept and the alarms looked at, after traffic has shifted."""
    blue_green = config.get("BlueGreenUpdatePolicy", {})
    seconds = blue_green.get("TrafficRoutingConfiguration", {}).get("WaitIntervalInSeconds", 0)
    seconds += blue_green.get("TerminationWaitInSeconds", 0)
    seconds += config.get("RollingUpdatePolicy", {}).get("WaitIntervalInSeconds", 0)
    return timedelta(seconds=seconds)


def raised(cloudwatch: Any, alarms: list[str]) -> list[str]:
    """Those of the alarms that are in the state ALARM."""
    if not alarms:
        return []
    found = cloudwatch.describe_alarms(AlarmNames=alarms, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    both = (*found.get("MetricAlarms", []), *found.get("CompositeAlarms", []))
    return [alarm["AlarmName"] for alarm in both if alarm["StateValue"] == "ALARM"]
