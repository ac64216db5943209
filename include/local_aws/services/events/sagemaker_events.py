"""SageMaker's events on EventBridge: a document's change of state as `SageMaker … State Change`.

Their details are what the Describe operations answer, with moments in milliseconds and tags as an object; an endpoint's
status is spelled IN_SERVICE. Source: SageMaker, "Events that Amazon SageMaker AI sends to Amazon EventBridge". The
detail of a monitoring schedule's event is not documented: it is the schedule with its last execution, sent when either
changes its status.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_aws.control import endpoint_configs, endpoints, models, tags
from local_aws.errors import AwsError
from local_aws.jobs import processing
from local_aws.monitoring import executions, scheduler
from local_aws.operations import service_model
from local_aws.store import Document, Listener, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

SOURCE = "aws.sagemaker"
_SCHEDULE_CHANGE = "SageMaker Monitoring Schedule State Change"
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class _Subject:
    """A kind of document that has events; without a status, they tell of creation and deletion."""

    kind: str
    detail_type: str
    describe: str
    arn: str
    status: str | None = None


SUBJECTS = (
    _Subject(models.KIND, "SageMaker Model State Change", "DescribeModel", "ModelArn"),
    _Subject(
        endpoint_configs.KIND, "SageMaker Endpoint Config State Change", "DescribeEndpointConfig", "EndpointConfigArn"
    ),
    _Subject(endpoints.KIND, "SageMaker Endpoint State Change", "DescribeEndpoint", "EndpointArn", "EndpointStatus"),
    _Subject(
        processing.KIND,
        "SageMaker Processing Job State Change",
        "DescribeProcessingJob",
        "ProcessingJobArn",
        "ProcessingJobStatus",
    ),
    _Subject(
        scheduler.KIND,
        _SCHEDULE_CHANGE,
        "DescribeMonitoringSchedule",
        "MonitoringScheduleArn",
        "MonitoringScheduleStatus",
    ),
)


class SageMakerEvents:
    """Listens to the store and sends events."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        for subject in SUBJECTS:
            aws.store.subscribe(subject.kind, self._listener(subject))
        aws.store.subscribe(executions.KIND, self._execution_changed)

    def _listener(self, subject: _Subject) -> Listener:
        def changed(key: str, before: Document | None, after: Document | None) -> None:
            document = after or before or {}
            if subject.status is None:
                tells = before is None or after is None
            else:
                tells = after is not None and _status(subject.status, before) != after[subject.status]
            if tells:
                region, known = key.partition("/")[0], copy.deepcopy(document)
                self._aws.event_bus.emit(
                    region,
                    SOURCE,
                    subject.detail_type,
                    [known[subject.arn]],
                    lambda: self._detail(subject, known, region),
                )

        return changed

    def _execution_changed(self, key: str, before: Document | None, after: Document | None) -> None:
        if after is None or _status("MonitoringExecutionStatus", before) == after["MonitoringExecutionStatus"]:
            return
        region, name = key.split("/")[:2]
        schedule = self._aws.store.get(scheduler.KIND, scoped(region, name))
        if schedule is None:
            return
        known = schedule | {"LastMonitoringExecutionSummary": copy.deepcopy(after)}
        subject = SUBJECTS[-1]
        self._aws.event_bus.emit(
            region, SOURCE, _SCHEDULE_CHANGE, [known[subject.arn]], lambda: self._detail(subject, known, region)
        )

    def _detail(self, subject: _Subject, document: Document, region: str) -> dict[str, Any]:
        if subject.kind == endpoints.KIND:
            document = self._endpoint(document, region)
        shape = service_model("sagemaker").operation_model(subject.describe).output_shape
        detail: dict[str, Any] = _in_event(shape, document)
        kept = self._aws.store.get(tags.KIND, document[subject.arn]) or {"Tags": []}
        detail["Tags"] = {tag["Key"]: tag["Value"] for tag in kept["Tags"]}
        return detail

    def _endpoint(self, document: Document, region: str) -> Document:
        try:
            described = endpoints.describe_endpoint(self._aws, {"EndpointName": document["EndpointName"]}, region)
        except AwsError:
            described = {}
        status = _WORD.sub("_", document["EndpointStatus"]).upper()
        return {"ProductionVariants": [], **(described or {}), **document, "EndpointStatus": status}


def _status(member: str, document: Document | None) -> str | None:
    return document[member] if document else None


def _in_event(shape: Shape | None, value: Any) -> Any:
    """The members that a shape knows, with moments in milliseconds."""
    if isinstance(shape, StructureShape):
        return {
            name: _in_event(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_in_event(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _in_event(shape.value, item) for key, item in value.items()}
    if shape is not None and shape.type_name == "timestamp":
        return round((value.timestamp() if hasattr(value, "timestamp") else value) * 1000)
    return value
