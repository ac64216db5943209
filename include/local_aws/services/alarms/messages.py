"""Who is told that an alarm changed its state: EventBridge, and the topics that are the alarm's actions.

Source: CloudWatch, "Alarm events and EventBridge"; the notification has the members of the JSON that CloudWatch sends.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

from local_aws.services.alarms.evaluation import ALARM, OK, instant
from local_aws.services.alarms.history import AlarmHistory
from local_aws.services.events import topics
from local_aws.store import Document

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

SOURCE = "aws.cloudwatch"
DETAIL_TYPE = "CloudWatch Alarm State Change"


def announce(aws: LocalAws, history: AlarmHistory, region: str, alarm: Any, before: Document, after: Document) -> None:
    """Send what follows from a change of state, in the background."""
    detail = _detail(alarm, before, after)
    aws.event_bus.emit(region, SOURCE, DETAIL_TYPE, [alarm.alarm_arn], lambda: detail)
    if not alarm.actions_enabled:
        return
    actions = {ALARM: alarm.alarm_actions, OK: alarm.ok_actions}.get(
        after["StateValue"], alarm.insufficient_data_actions
    )
    message = json.dumps(_message(aws, region, alarm, before, after))
    subject = f'{after["StateValue"]}: "{alarm.name}" in {region_name(region)}'
    for action in actions or []:
        _act(aws, history, region, alarm.name, action, message, subject)


def _act(aws: LocalAws, history: AlarmHistory, region: str, name: str, action: str, message: str, subject: str) -> None:
    def act() -> None:
        if not topics.is_topic(action):
            summary, state, error = (
                f"Failed to execute action {action}",
                "Failed",
                "local_aws notifies SNS topics only.",
            )
        else:
            try:
                topics.publish(aws, action, message, subject)
                summary, state, error = f"Successfully executed action {action}", "Succeeded", None
            except Exception as failure:
                summary, state, error = f"Failed to execute action {action}", "Failed", str(failure)
        data = {"actionState": state, "notificationResource": action, "stateUpdateTimestamp": aws.clock.timestamp()}
        history.add(region, name, "Action", summary, data | ({"error": error} if error else {}))
        if error:
            raise ActionFailed(f"{summary}: {error}")

    aws.deliveries.post(f"alarm {name}'s notification of {action}", act)


class ActionFailed(Exception):
    """An alarm's action could not be done; the text says why."""


@cache
def region_name(region: str) -> str:
    """`US West (Oregon)` of `us-west-2`."""
    partitions = botocore.session.get_session().get_component("data_loader").load_data("endpoints")["partitions"]
    names = {code: entry["description"] for partition in partitions for code, entry in partition["regions"].items()}
    return str(names.get(region, region))


def _detail(alarm: Any, before: Document, after: Document) -> dict[str, Any]:
    metric = {
        "namespace": alarm.namespace,
        "name": alarm.metric_name,
        "dimensions": {dimension.name: dimension.value for dimension in alarm.dimensions},
    }
    stat = {"metric": metric, "period": int(alarm.period), "stat": alarm.statistic or alarm.extended_statistic}
    return {
        "alarmName": alarm.name,
        "configuration": {
            "description": alarm.description or "",
            "metrics": [{"id": "m1", "metricStat": stat, "returnData": True}],
        },
        "previousState": _state(before),
        "state": _state(after),
    }


def _state(document: Document) -> dict[str, Any]:
    if not document:
        return {}
    return {
        "value": document["StateValue"],
        "reason": document["StateReason"],
        "reasonData": document["StateReasonData"],
        "timestamp": instant(document["StateUpdatedTimestamp"]),
    }


def _message(aws: LocalAws, region: str, alarm: Any, before: Document, after: Document) -> dict[str, Any]:
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": aws.account_id,
        "NewStateValue": after["StateValue"],
        "NewStateReason": after["StateReason"],
        "StateChangeTime": instant(after["StateUpdatedTimestamp"]),
        "Region": region_name(region),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before.get("StateValue"),
        "OKActions": alarm.ok_actions or [],
        "AlarmActions": alarm.alarm_actions or [],
        "InsufficientDataActions": alarm.insufficient_data_actions or [],
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            **_statistic(alarm),
            "Unit": alarm.unit,
            "Dimensions": [{"value": dimension.value, "name": dimension.name} for dimension in alarm.dimensions],
            "Period": int(alarm.period),
            "EvaluationPeriods": int(alarm.evaluation_periods),
            "DatapointsToAlarm": int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": float(alarm.threshold),
            "TreatMissingData": alarm.treat_missing_data or "missing",
            "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile or "",
        },
    }


def _statistic(alarm: Any) -> dict[str, str]:
    if alarm.statistic:
        return {"StatisticType": "Statistic", "Statistic": alarm.statistic.upper()}
    return {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": alarm.extended_statistic}
