"""Monitoring executions: what schedules have made. They stay listed after their schedule is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.control.listing import page_of
from local_aws.operations import operation
from local_aws.store import Document

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

EQUAL = {
    "MonitoringScheduleName": "MonitoringScheduleName",
    "EndpointName": "EndpointName",
    "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
    "MonitoringTypeEquals": "MonitoringType",
}


@operation("ListMonitoringExecutions")
def list_monitoring_executions(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """One page of executions, newest first unless asked otherwise."""
    executions, token = page_of(
        [execution for execution in aws.executions.of_region(region) if _asked_for(execution, request)],
        request,
        name="MonitoringScheduleName",
        status="MonitoringExecutionStatus",
        sort_by={"Status": "MonitoringExecutionStatus"},
        identity="Key",
    )
    return {"MonitoringExecutionSummaries": executions, "NextToken": token}


def _asked_for(execution: Document, request: dict[str, Any]) -> bool:
    return all(
        execution.get(member) == request[parameter] for parameter, member in EQUAL.items() if parameter in request
    )
