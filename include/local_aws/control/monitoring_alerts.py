"""Monitoring alerts: seen and tuned here, judged by `local_aws.monitoring.alerts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.control.listing import cut, page_of
from local_aws.errors import AwsError, resource_not_found, validation_error
from local_aws.monitoring.alerts import HISTORY, KIND
from local_aws.operations import operation
from local_aws.store import Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

PAGE = 100
INCLUSIVE = ("CreationTimeAfter", "CreationTimeBefore")
"""Filters that mean their own moment too, unlike those of other lists."""


@operation(
    "ListMonitoringAlerts",
    differs="every schedule has one alert, `default-alert` (1 of 1); AWS does not document the name that it gives.",
)
def list_monitoring_alerts(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """A schedule's alert."""
    alert = _of_schedule(aws, region, request["MonitoringScheduleName"])
    page, token = cut([alert], request, PAGE)
    return {"MonitoringAlertSummaries": page, "NextToken": token}


@operation(
    "UpdateMonitoringAlert",
    differs="counts the latest executions that completed; whether AWS counts failed ones too is not documented.",
)
def update_monitoring_alert(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Change when executions raise the alert; what there is is judged again with the next execution."""
    datapoints, period = request["DatapointsToAlert"], request["EvaluationPeriod"]
    if datapoints > period:
        raise validation_error(
            f"DatapointsToAlert {datapoints} must not be greater than EvaluationPeriod {period}: no more executions "
            "than those considered can raise the alert."
        )
    schedule, name = request["MonitoringScheduleName"], request["MonitoringAlertName"]

    def change(alert: Document) -> None:
        _require_name(alert, name)
        alert["DatapointsToAlert"], alert["EvaluationPeriod"] = datapoints, period
        alert["LastModifiedTime"] = aws.clock.timestamp()

    if aws.store.update(KIND, scoped(region, schedule), change) is None:
        raise _no_schedule(aws, region, schedule)
    return {
        "MonitoringScheduleArn": aws.arn(region, f"monitoring-schedule/{schedule}"),
        "MonitoringAlertName": name,
    }


@operation("ListMonitoringAlertHistory")
def list_monitoring_alert_history(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """One page of changes of alerts' statuses, newest first unless asked otherwise."""
    schedule = request.get("MonitoringScheduleName")
    if schedule is not None:
        alert = _of_schedule(aws, region, schedule)
        if "MonitoringAlertName" in request:
            _require_name(alert, request["MonitoringAlertName"])
    prefix = scoped(region, f"{schedule}/" if schedule else "")
    entries, token = page_of(
        [entry for entry in aws.store.list(HISTORY, prefix) if _asked_for(entry, request)],
        {"MaxResults": PAGE} | {key: value for key, value in request.items() if key not in INCLUSIVE},
        name="MonitoringScheduleName",
        status="AlertStatus",
        sort_by={"Status": "AlertStatus"},
        identity="Key",
    )
    return {"MonitoringAlertHistory": entries, "NextToken": token}


def _asked_for(entry: Document, request: dict[str, Any]) -> bool:
    return (
        request.get("MonitoringAlertName") in (None, entry["MonitoringAlertName"])
        and request.get("CreationTimeAfter", 0) <= entry["CreationTime"]
        and entry["CreationTime"] <= request.get("CreationTimeBefore", float("inf"))
    )


def _of_schedule(aws: LocalAws, region: str, schedule: str) -> Document:
    alert = aws.store.get(KIND, scoped(region, schedule))
    if alert is None:
        raise _no_schedule(aws, region, schedule)
    return alert


def _no_schedule(aws: LocalAws, region: str, schedule: str) -> AwsError:
    arn = aws.arn(region, f"monitoring-schedule/{schedule}")
    return resource_not_found(f"Could not find monitoring schedule with name: {schedule} ({arn})")


def _require_name(alert: Document, name: str) -> None:
    if name != alert["MonitoringAlertName"]:
        raise resource_not_found(
            f"Could not find monitoring alert with name: {name}; the alert of monitoring schedule "
            f"{alert['MonitoringScheduleName']} is {alert['MonitoringAlertName']}"
        )
