"""SageMaker's control plane: making, finding, stopping and deleting what a monitored endpoint consists of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import ClientError

from model_monitor import names, requests
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import ResourceConflict
from model_monitor.hooks.base import MonitorHook, is_missing, is_taken
from model_monitor.names import Kind

Made = Literal["created", "adopted"]


@dataclass(frozen=True)
class ResourceType:
    """The calls that make and find one type of resource, and the keys of its name and ARN."""

    noun: str
    create: str
    describe: str
    name: str
    arn: str

    @classmethod
    def job_definition(cls, kind: Kind) -> ResourceType:
        """A monitor's job definition."""
        return cls(
            "job definition",
            requests.definition_call(kind, "create"),
            requests.definition_call(kind, "describe"),
            "JobDefinitionName",
            "JobDefinitionArn",
        )


MODEL = ResourceType("model", "create_model", "describe_model", "ModelName", "ModelArn")
ENDPOINT_CONFIG = ResourceType(
    "endpoint configuration",
    "create_endpoint_config",
    "describe_endpoint_config",
    "EndpointConfigName",
    "EndpointConfigArn",
)
ENDPOINT = ResourceType("endpoint", "create_endpoint", "describe_endpoint", "EndpointName", "EndpointArn")
PROCESSING_JOB = ResourceType(
    "processing job", "create_processing_job", "describe_processing_job", "ProcessingJobName", "ProcessingJobArn"
)
SCHEDULE = ResourceType(
    "monitoring schedule",
    "create_monitoring_schedule",
    "describe_monitoring_schedule",
    "MonitoringScheduleName",
    "MonitoringScheduleArn",
)


class SageMakerHook(MonitorHook):
    """SageMaker's control plane."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(client_type="sagemaker", **kwargs)

    def ensure(self, resource: ResourceType, request: dict[str, Any]) -> Made:
        """Create a resource, or adopt the one of its name if it has the same fingerprint.

        Raises:
            ResourceConflict: when a different resource has the name.
        """
        found = self.find(resource.describe, **{resource.name: request[resource.name]})
        if found is None:
            try:
                self.call(resource.create, **request)
            except ClientError as error:
                if not is_taken(error):
                    raise
                found = self.call(resource.describe, **{resource.name: request[resource.name]})
            else:
                return "created"
        wanted = _tags(request)[names.FINGERPRINT_TAG]
        existing = self.tags(found[resource.arn]).get(names.FINGERPRINT_TAG)
        if existing != wanted:
            raise ResourceConflict(
                f"The {resource.noun} '{request[resource.name]}' exists and was not made from this configuration "
                f"(its tag {names.FINGERPRINT_TAG} is {existing or 'missing'}, ours would be {wanted}). "
                "Delete it, or give the endpoint another name in its YAML."
            )
        return "adopted"

    def tags(self, arn: str) -> dict[str, str]:
        """A resource's tags."""
        found: dict[str, str] = {}
        for page in self._pages("list_tags", {"ResourceArn": arn}):
            found |= {tag["Key"]: tag["Value"] for tag in page["Tags"]}
        return found

    def owned(self, arn: str, endpoint: MonitoredEndpoint) -> bool:
        """Whether a resource was made for this endpoint by this project."""
        return self.tags(arn).get(names.ENDPOINT_TAG) == endpoint.name

    def endpoint(self, name: str) -> dict[str, Any] | None:
        """DescribeEndpoint."""
        return self.find("describe_endpoint", EndpointName=name)

    def processing_job(self, name: str) -> dict[str, Any] | None:
        """DescribeProcessingJob."""
        return self.find("describe_processing_job", ProcessingJobName=name)

    def stop_processing_job(self, name: str) -> None:
        """Stop a job; one that has ended stays as it is."""
        try:
            self.call("stop_processing_job", ProcessingJobName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException" and not is_missing(error):
                raise

    def schedule(self, name: str) -> dict[str, Any] | None:
        """DescribeMonitoringSchedule."""
        return self.find("describe_monitoring_schedule", MonitoringScheduleName=name)

    def execution(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The first execution that a `ListMonitoringExecutions` request finds."""
        return next(iter(self.call("list_monitoring_executions", **request)["MonitoringExecutionSummaries"]), None)

    def executions(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """All executions that a `ListMonitoringExecutions` request finds."""
        for page in self._pages("list_monitoring_executions", request):
            yield from page["MonitoringExecutionSummaries"]

    def named_after(
        self, endpoint: MonitoredEndpoint, method: str, key: str, arn: str, name: str, **filters: Any
    ) -> list[str]:
        """Names of an endpoint's own resources of one type, by their name's beginning and their tag."""
        found = []
        for page in self._pages(method, {"NameContains": endpoint.name, **filters}):
            for item in page[key]:
                if item[name].startswith(endpoint.name) and self.owned(item[arn], endpoint):
                    found.append(item[name])
        return found

    def delete(self, method: str, **request: str) -> bool:
        """Delete a resource; False when there was none."""
        return self.find(method, **request) is not None

    def _pages(self, method: str, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self.call(method, **request, **token)
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}


def executions_since(schedule: str, since: datetime | str, *, newest: bool) -> dict[str, Any]:
    """ListMonitoringExecutions for the newest, or the first, execution that was created at a moment or later.

    A schedule's name can have had an earlier life, whose executions stay listed; `since` leaves them out. Whether the
    service means "after" strictly is not documented, hence the second of room.
    """
    moment = datetime.fromisoformat(since) if isinstance(since, str) else since
    return {
        **requests.list_monitoring_executions(schedule),
        "CreationTimeAfter": iso(moment - timedelta(seconds=1)),
        "SortOrder": "Descending" if newest else "Ascending",
    }


def iso(moment: datetime) -> str:
    """A moment as text that XCom, triggers and boto3 all take."""
    return moment.astimezone(UTC).isoformat()


def _tags(request: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request["Tags"]}
