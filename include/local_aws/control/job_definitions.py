"""Job definitions of the bias and the explainability monitor: what to analyse, against what, on what machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.control.listing import page_of
from local_aws.control.processing_jobs import check_local_path
from local_aws.control.tags import checked_tags, drop_tags, keep_tags
from local_aws.errors import AwsError, resource_in_use, resource_not_found, validation_error
from local_aws.monitoring.schedule_expressions import check_order
from local_aws.operations import operation
from local_aws.store import AlreadyExists, Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

KIND = "job-definition"
ARN_NAMES = {
    "ModelBias": "model-bias-job-definition",
    "ModelExplainability": "model-explainability-job-definition",
}


CREATE_DIFFERS = "EndpointInput only, no BatchTransformInput; offsets of at most 366 days."
DELETE_DIFFERS = (
    "one that a schedule uses is deleted too, and the schedule's next executions fail; what AWS does is not documented."
)


def definition_key(monitoring_type: str, region: str, name: str) -> str:
    """The store's name of a definition; each monitor has names of its own."""
    return scoped(region, f"{monitoring_type}/{name}")


def endpoint_of(monitoring_type: str, definition: Document) -> str:
    """The endpoint that a definition monitors."""
    return str(definition[f"{monitoring_type}JobInput"]["EndpointInput"]["EndpointName"])


def find_definition(aws: LocalAws, monitoring_type: str, region: str, name: str) -> Document | None:
    """The definition, or None."""
    return aws.store.get(KIND, definition_key(monitoring_type, region, name))


def _create(aws: LocalAws, monitoring_type: str, request: dict[str, Any], region: str) -> dict[str, Any]:
    name = request["JobDefinitionName"]
    _check(monitoring_type, request)
    tags = checked_tags(request.get("Tags"))
    arn = aws.arn(region, f"{ARN_NAMES[monitoring_type]}/{name}")
    definition = {
        **{member: value for member, value in request.items() if member != "Tags"},
        "JobDefinitionArn": arn,
        "CreationTime": aws.clock.timestamp(),
        "EndpointName": endpoint_of(monitoring_type, request),
    }
    try:
        aws.store.insert(KIND, definition_key(monitoring_type, region, name), definition)
    except AlreadyExists as error:
        raise resource_in_use(f"Job definition with name {name} already exists ({arn}).") from error
    keep_tags(aws, arn, tags)
    return definition


def _describe(aws: LocalAws, monitoring_type: str, request: dict[str, Any], region: str) -> dict[str, Any]:
    definition = find_definition(aws, monitoring_type, region, request["JobDefinitionName"])
    if definition is None:
        raise _not_found(aws, monitoring_type, region, request["JobDefinitionName"])
    return definition


def _delete(aws: LocalAws, monitoring_type: str, request: dict[str, Any], region: str) -> dict[str, Any]:
    name = request["JobDefinitionName"]
    if not aws.store.delete(KIND, definition_key(monitoring_type, region, name)):
        raise _not_found(aws, monitoring_type, region, name)
    drop_tags(aws, aws.arn(region, f"{ARN_NAMES[monitoring_type]}/{name}"))
    return {}


def _list(aws: LocalAws, monitoring_type: str, request: dict[str, Any], region: str) -> dict[str, Any]:
    definitions = [
        definition
        for definition in aws.store.list(KIND, definition_key(monitoring_type, region, ""))
        if request.get("EndpointName", definition["EndpointName"]) == definition["EndpointName"]
    ]
    page, token = page_of(definitions, request, name="JobDefinitionName")
    summaries = [
        {
            "MonitoringJobDefinitionName": definition["JobDefinitionName"],
            "MonitoringJobDefinitionArn": definition["JobDefinitionArn"],
            "CreationTime": definition["CreationTime"],
            "EndpointName": definition["EndpointName"],
        }
        for definition in page
    ]
    return {"JobDefinitionSummaries": summaries, "NextToken": token}


def _check(monitoring_type: str, request: dict[str, Any]) -> None:
    job_input = request[f"{monitoring_type}JobInput"]
    if "EndpointInput" not in job_input or "BatchTransformInput" in job_input:
        raise validation_error("BatchTransformInput is not supported by local_aws; give an EndpointInput.")
    check_order(
        "StartTimeOffset",
        job_input["EndpointInput"].get("StartTimeOffset"),
        "EndTimeOffset",
        job_input["EndpointInput"].get("EndTimeOffset"),
    )
    check_local_path("EndpointInput", job_input["EndpointInput"])
    for output in request[f"{monitoring_type}JobOutputConfig"]["MonitoringOutputs"]:
        check_local_path("S3Output", output["S3Output"])
    if "GroundTruthS3Input" in job_input and "S3Uri" not in job_input["GroundTruthS3Input"]:
        raise validation_error("GroundTruthS3Input must have an S3Uri.")


def _not_found(aws: LocalAws, monitoring_type: str, region: str, name: str) -> AwsError:
    arn = aws.arn(region, f"{ARN_NAMES[monitoring_type]}/{name}")
    return resource_not_found(f"Could not find job definition with name: {name} ({arn})")


@operation("CreateModelBiasJobDefinition", differs=CREATE_DIFFERS)
def create_model_bias_job_definition(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Keep a bias monitor's definition."""
    return _create(aws, "ModelBias", request, region)


@operation("DescribeModelBiasJobDefinition")
def describe_model_bias_job_definition(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """A bias monitor's definition."""
    return _describe(aws, "ModelBias", request, region)


@operation("DeleteModelBiasJobDefinition", differs=DELETE_DIFFERS)
def delete_model_bias_job_definition(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Forget a bias monitor's definition."""
    return _delete(aws, "ModelBias", request, region)


@operation("ListModelBiasJobDefinitions")
def list_model_bias_job_definitions(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """One page of bias monitors' definitions."""
    return _list(aws, "ModelBias", request, region)


@operation("CreateModelExplainabilityJobDefinition", differs=CREATE_DIFFERS)
def create_model_explainability_job_definition(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Keep an explainability monitor's definition."""
    return _create(aws, "ModelExplainability", request, region)


@operation("DescribeModelExplainabilityJobDefinition")
def describe_model_explainability_job_definition(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """An explainability monitor's definition."""
    return _describe(aws, "ModelExplainability", request, region)


@operation("DeleteModelExplainabilityJobDefinition", differs=DELETE_DIFFERS)
def delete_model_explainability_job_definition(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Forget an explainability monitor's definition."""
    return _delete(aws, "ModelExplainability", request, region)


@operation("ListModelExplainabilityJobDefinitions")
def list_model_explainability_job_definitions(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """One page of explainability monitors' definitions."""
    return _list(aws, "ModelExplainability", request, region)
