"""Deployment guardrails: how long a new deployment is watched, and which alarms send it back.

Traffic always shifts all at once; the waits of a canary, a linear or a rolling update are added up to one.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.hosting.serving import Closed

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2


def are_in(config: dict[str, Any]) -> bool:
    """Whether a DeploymentConfig wants a new deployment to be watched."""
    return bool(watch_of(config) or alarms_of(config))


def watch(aws: LocalAws, region: str, config: dict[str, Any], stopping: threading.Event) -> list[str]:
    """Look at the alarms for as long as a DeploymentConfig says; returns those that are raised, when some are.

    Raises:
        Closed: the server stops.
    """
    alarms = alarms_of(config)
    until = aws.clock.now() + watch_of(config)
    while True:
        over = aws.clock.now() >= until
        try:
            found = raised(aws.cloudwatch(region), alarms)
        except (BotoCoreError, ClientError) as error:
            log.warning("The alarms %s could not be looked at: %s", ", ".join(alarms), error)
            found = []
        if found or over:
            return found
        if stopping.wait(LOOK_SECONDS):
            raise Closed


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
