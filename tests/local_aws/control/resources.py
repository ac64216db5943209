"""One of each kind of resource, made with as little as SageMaker takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.embedded import BUCKET, CLARIFY, IMAGE, Embedded, job_request
from tests.running_aws import REGION, ROLE

CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}}
VARIANT = {"VariantName": "Only", "ModelName": "base", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def prepare(aws: Embedded) -> None:
    """What the resources refer to: a bucket, a model, an endpoint `churn` that nobody serves, definitions `base`."""
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in ("churn", "other"):
        aws.server.aws.store.put("endpoint", f"{REGION}/{name}", endpoint(name))
    aws.sagemaker.create_model(ModelName="base", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    aws.sagemaker.create_endpoint_config(EndpointConfigName="base", ProductionVariants=[VARIANT])
    aws.sagemaker.create_model_explainability_job_definition(**definition("ModelExplainability", "base"))
    aws.sagemaker.create_model_bias_job_definition(**definition("ModelBias", "base"))


def endpoint(name: str) -> dict[str, Any]:
    """The document of an endpoint in service."""
    return {
        "EndpointName": name,
        "EndpointArn": f"arn:aws:sagemaker:{REGION}:123456789012:endpoint/{name}",
        "EndpointConfigName": "base",
        "EndpointStatus": "InService",
        "CreationTime": 1.0,
        "LastModifiedTime": 1.0,
    }


def definition(kind: str, name: str, endpoint_name: str = "churn", **offsets: str) -> dict[str, Any]:
    """A request for a job definition."""
    endpoint_input = {"EndpointName": endpoint_name, "LocalPath": "/opt/ml/processing/input/e", **offsets}
    job_input: dict[str, Any] = {"EndpointInput": endpoint_input}
    if kind == "ModelBias":
        job_input["GroundTruthS3Input"] = {"S3Uri": f"s3://{BUCKET}/labels"}
    output = {"S3Uri": f"s3://{BUCKET}/reports", "LocalPath": "/opt/ml/processing/output"}
    return {
        "JobDefinitionName": name,
        f"{kind}AppSpecification": {"ImageUri": CLARIFY, "ConfigUri": f"s3://{BUCKET}/config.json"},
        f"{kind}JobInput": job_input,
        f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        "JobResources": CLUSTER,
        "RoleArn": ROLE,
    }


def schedule(name: str, definition_name: str = "base", **times: str) -> dict[str, Any]:
    """A request for an hourly schedule."""
    return {
        "MonitoringScheduleName": name,
        "MonitoringScheduleConfig": {
            "MonitoringJobDefinitionName": definition_name,
            "MonitoringType": "ModelExplainability",
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)", **times},
        },
    }


@dataclass(frozen=True)
class Kind:
    """How to make, see and delete one kind of resource; its name goes by `name`."""

    arn: str
    name: str
    create: str
    request: Callable[[str], dict[str, Any]]
    describe: str
    delete: str
    taken: tuple[str, str]
    missing: tuple[str, str]


def _hosting(what: str, kind: str) -> dict[str, tuple[str, str]]:
    arn = f'"arn:aws:sagemaker:{REGION}:123456789012:{kind}/NAME"'
    return {
        "taken": ("ValidationException", f"Cannot create already existing {what} {arn}."),
        "missing": ("ValidationException", f"Could not find {what} {arn}."),
    }


def _definition_kind(kind: str, snake: str) -> Kind:
    return Kind(
        f"{snake.replace('_', '-')}-job-definition",
        "JobDefinitionName",
        f"create_{snake}_job_definition",
        lambda name: definition(kind, name),
        f"describe_{snake}_job_definition",
        f"delete_{snake}_job_definition",
        ("ResourceInUse", "already exists"),
        ("ResourceNotFound", "Could not find job definition with name: NAME"),
    )


KINDS = [
    Kind(
        "model",
        "ModelName",
        "create_model",
        lambda name: {"ModelName": name, "PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": ROLE},
        "describe_model",
        "delete_model",
        **_hosting("model", "model"),
    ),
    Kind(
        "endpoint-config",
        "EndpointConfigName",
        "create_endpoint_config",
        lambda name: {"EndpointConfigName": name, "ProductionVariants": [VARIANT]},
        "describe_endpoint_config",
        "delete_endpoint_config",
        **_hosting("endpoint configuration", "endpoint-config"),
    ),
    Kind(
        "endpoint",
        "EndpointName",
        "create_endpoint",
        lambda name: {"EndpointName": name, "EndpointConfigName": "base"},
        "describe_endpoint",
        "delete_endpoint",
        **_hosting("endpoint", "endpoint"),
    ),
    Kind(
        "processing-job",
        "ProcessingJobName",
        "create_processing_job",
        job_request,
        "describe_processing_job",
        "delete_processing_job",
        ("ResourceInUse", "already exists"),
        ("ValidationException", "Could not find requested job with name: NAME"),
    ),
    _definition_kind("ModelBias", "model_bias"),
    _definition_kind("ModelExplainability", "model_explainability"),
    Kind(
        "monitoring-schedule",
        "MonitoringScheduleName",
        "create_monitoring_schedule",
        schedule,
        "describe_monitoring_schedule",
        "delete_monitoring_schedule",
        ("ResourceInUse", "already exists"),
        ("ResourceNotFound", "Could not find monitoring schedule with name: NAME"),
    ),
]


def call(aws: Embedded, operation: str, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(aws.sagemaker, operation)(**request)
    return answer


def error_of(aws: Embedded, operation: str, **request: Any) -> tuple[int, str, str]:
    """HTTP status, code and message."""
    with pytest.raises(ClientError) as error:
        call(aws, operation, **request)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]
