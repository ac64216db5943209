"""Monitoring schedules: when a job definition is executed.

A schedule is Pending while a change is taken up, then Scheduled, Stopped or Failed.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from local_aws.control.job_definitions import endpoint_of, find_definition
from local_aws.control.listing import page_of
from local_aws.control.tags import checked_tags, drop_tags, keep_tags
from local_aws.errors import AwsError, could_not_find, resource_in_use, resource_not_found, validation_error
from local_aws.monitoring.schedule_expressions import NOW, check_window_of_schedule, recurrence
from local_aws.monitoring.scheduler import KIND, expression_of
from local_aws.operations import operation
from local_aws.store import AlreadyExists, Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

SUPPORTED_TYPES = ("ModelBias", "ModelExplainability")
ENDPOINT_KIND = "endpoint"
FILTERS = {
    "EndpointName": "EndpointName",
    "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
    "MonitoringTypeEquals": "MonitoringType",
}
DIFFERS = (
    "MonitoringType ModelBias and ModelExplainability only; the job definition is given by its name, not inline; "
    "without a ScheduleConfig it fires at midnight, where SageMaker chooses an hour."
)
SHARE_OF_PERIOD = {"ModelBias": 2, "ModelExplainability": 1}
"""A bias execution has half of its schedule's period, for it waits for labels and merges first."""


def schedules_of_endpoint(aws: LocalAws, region: str, endpoint: str) -> list[str]:
    """The names of the schedules that monitor an endpoint; while there are any, the endpoint cannot be deleted."""
    return [
        schedule["MonitoringScheduleName"]
        for schedule in aws.store.list(KIND, scoped(region, ""))
        if schedule["EndpointName"] == endpoint
    ]


@operation("CreateMonitoringSchedule", differs=DIFFERS)
def create_monitoring_schedule(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Take a schedule up; one with the expression NOW is executed at once, and only then."""
    name = request["MonitoringScheduleName"]
    arn = aws.arn(region, f"monitoring-schedule/{name}")
    tags = checked_tags(request.get("Tags"))
    now = aws.clock.timestamp()
    schedule = {
        "MonitoringScheduleName": name,
        "MonitoringScheduleArn": arn,
        "Identity": uuid.uuid4().hex,
        "CreationTime": now,
        "Region": region,
        **_checked(aws, request["MonitoringScheduleConfig"], region),
        "MonitoringScheduleStatus": "Pending",
        "LastModifiedTime": now,
    }
    try:
        aws.store.insert(KIND, scoped(region, name), schedule)
    except AlreadyExists as error:
        raise resource_in_use(f"Monitoring schedule with name {name} already exists ({arn}).") from error
    keep_tags(aws, arn, tags)
    aws.scheduler.take_up(region, name)
    return schedule


@operation("DescribeMonitoringSchedule")
def describe_monitoring_schedule(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """The schedule and its last execution."""
    schedule = _find(aws, region, request["MonitoringScheduleName"])
    return {**schedule, "LastMonitoringExecutionSummary": aws.executions.last(region, schedule)}


@operation("UpdateMonitoringSchedule", differs=DIFFERS)
def update_monitoring_schedule(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Replace the configuration; a stopped schedule stays stopped, a running execution goes on."""
    name = request["MonitoringScheduleName"]
    _find(aws, region, name)
    checked = _checked(aws, request["MonitoringScheduleConfig"], region)

    def change(schedule: Document) -> None:
        _not_pending(schedule)
        schedule.update(checked)
        schedule["LastModifiedTime"] = aws.clock.timestamp()
        if schedule["MonitoringScheduleStatus"] != "Stopped":
            schedule["MonitoringScheduleStatus"] = "Pending"

    schedule = _change(aws, region, name, change)
    if schedule["MonitoringScheduleStatus"] == "Pending":
        aws.scheduler.take_up(region, name)
    return schedule


@operation("StartMonitoringSchedule")
def start_monitoring_schedule(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Let a stopped schedule fire again; hours that it missed are not made up for."""
    name = request["MonitoringScheduleName"]
    started = False

    def change(schedule: Document) -> None:
        nonlocal started
        started = schedule["MonitoringScheduleStatus"] in ("Stopped", "Failed")
        if started:
            schedule["MonitoringScheduleStatus"] = "Pending"
            schedule["LastModifiedTime"] = aws.clock.timestamp()

    _change(aws, region, name, change)
    if started:
        aws.scheduler.take_up(region, name)
    return {}


@operation("StopMonitoringSchedule")
def stop_monitoring_schedule(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Let a schedule fire no more; an execution that is running goes on."""
    name = request["MonitoringScheduleName"]

    def change(schedule: Document) -> None:
        _not_pending(schedule)
        schedule["MonitoringScheduleStatus"] = "Stopped"
        schedule["LastModifiedTime"] = aws.clock.timestamp()
        schedule.pop("NextTime", None)
        # Nobody can start it again in between.
        aws.scheduler.forget(region, name)

    _change(aws, region, name, change)
    return {}


@operation("DeleteMonitoringSchedule")
def delete_monitoring_schedule(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Delete a schedule; its executions and their outputs stay."""
    name = request["MonitoringScheduleName"]
    schedule = _find(aws, region, name)
    _not_pending(schedule)
    running = aws.executions.running(region, name)
    if running:
        raise validation_error(
            f"Monitoring schedule {name} has an execution in status {running[0]['MonitoringExecutionStatus']}; "
            "wait until it is over, or stop its processing job, before you delete the schedule"
        )
    aws.scheduler.forget(region, name)
    if not aws.store.delete(KIND, scoped(region, name)):
        raise _not_found(aws, region, name)
    drop_tags(aws, schedule["MonitoringScheduleArn"])
    return {}


@operation("ListMonitoringSchedules")
def list_monitoring_schedules(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """One page of schedules."""
    schedules = [
        schedule
        for schedule in aws.store.list(KIND, scoped(region, ""))
        if all(schedule.get(member) == request[key] for key, member in FILTERS.items() if key in request)
    ]
    page, token = page_of(
        schedules,
        request,
        name="MonitoringScheduleName",
        status="MonitoringScheduleStatus",
        sort_by={"Status": "MonitoringScheduleStatus"},
    )
    return {"MonitoringScheduleSummaries": page, "NextToken": token}


def _checked(aws: LocalAws, config: dict[str, Any], region: str) -> Document:
    """The members of a schedule that come from its configuration."""
    monitoring_type, name = config.get("MonitoringType"), config.get("MonitoringJobDefinitionName")
    if "MonitoringJobDefinition" in config:
        raise validation_error(
            "MonitoringJobDefinition is not supported by local_aws; create a job definition and give its name as "
            "MonitoringJobDefinitionName."
        )
    if monitoring_type is None or name is None:
        raise validation_error("MonitoringType and MonitoringJobDefinitionName are required.")
    if monitoring_type not in SUPPORTED_TYPES:
        raise validation_error(
            f"MonitoringType {monitoring_type} is not supported by local_aws; use one of {', '.join(SUPPORTED_TYPES)}."
        )
    definition = find_definition(aws, monitoring_type, region, name)
    if definition is None:
        raise validation_error(f"Could not find {monitoring_type} job definition with name: {name}")
    _check_times(monitoring_type, config.get("ScheduleConfig", {}), definition)
    endpoint = endpoint_of(monitoring_type, definition)
    if aws.store.get(ENDPOINT_KIND, scoped(region, endpoint)) is None:
        raise could_not_find("endpoint", aws.arn(region, f"endpoint/{endpoint}"))
    return {
        "MonitoringScheduleConfig": config,
        "MonitoringType": monitoring_type,
        "MonitoringJobDefinitionName": name,
        "EndpointName": endpoint,
    }


def _check_times(monitoring_type: str, times: dict[str, Any], definition: Document) -> None:
    expression = expression_of(times)
    check_window_of_schedule(expression, times.get("DataAnalysisStartTime"), times.get("DataAnalysisEndTime"))
    if expression == NOW:
        return
    longest = recurrence(expression).period // SHARE_OF_PERIOD[monitoring_type]
    asked = timedelta(seconds=definition.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 0))
    if asked > longest:
        raise validation_error(
            f"MaxRuntimeInSeconds {int(asked.total_seconds())} of job definition {definition['JobDefinitionName']} "
            f"exceeds {int(longest.total_seconds())}, the most that a {monitoring_type} execution has with {expression}"
        )


def _find(aws: LocalAws, region: str, name: str) -> Document:
    schedule = aws.store.get(KIND, scoped(region, name))
    if schedule is None:
        raise _not_found(aws, region, name)
    return schedule


def _change(aws: LocalAws, region: str, name: str, change: Any) -> Document:
    schedule = aws.store.update(KIND, scoped(region, name), change)
    if schedule is None:
        raise _not_found(aws, region, name)
    return schedule


def _not_found(aws: LocalAws, region: str, name: str) -> AwsError:
    arn = aws.arn(region, f"monitoring-schedule/{name}")
    return resource_not_found(f"Could not find monitoring schedule with name: {name} ({arn})")


def _not_pending(schedule: Document) -> None:
    if schedule["MonitoringScheduleStatus"] == "Pending":
        raise validation_error("Monitoring schedule in status Pending")
