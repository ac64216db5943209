"""Models: an image and where its archive lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.control.listing import page_of
from local_aws.control.tags import checked_tags, drop_tags, keep_tags
from local_aws.errors import already_exists, could_not_find, validation_error
from local_aws.operations import operation
from local_aws.s3_addresses import S3_ERRORS, split_uri
from local_aws.store import AlreadyExists, Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

KIND = "model"


@operation(
    "CreateModel",
    differs="one container with Image and ModelDataUrl: no inference pipelines, no MultiModel, no ModelDataSource, no "
    "model packages; its role, its network and its images are not looked at.",
)
def create_model(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Keep a model; its archives must be there, what is in them shows when an endpoint serves it."""
    name = request["ModelName"]
    arn = aws.arn(region, f"model/{name}")
    if ("PrimaryContainer" in request) == bool(request.get("Containers")):
        raise validation_error("You must provide either PrimaryContainer or Containers, and not both.")
    containers = request.get("Containers") or [request["PrimaryContainer"]]
    if len(containers) > 1:
        raise validation_error(
            f"Inference pipelines are not supported by local_aws: give one container, not {len(containers)}."
        )
    _check_container(aws, containers[0], region)
    document = {key: value for key, value in request.items() if key != "Tags"}
    tags = checked_tags(request.get("Tags"))
    document |= {"ModelArn": arn, "CreationTime": aws.clock.timestamp(), "EnableNetworkIsolation": False} | document
    try:
        aws.store.insert(KIND, scoped(region, name), document)
    except AlreadyExists as error:
        raise already_exists("model", arn) from error
    keep_tags(aws, arn, tags)
    return {"ModelArn": arn}


@operation("DescribeModel")
def describe_model(aws: LocalAws, request: dict[str, Any], region: str) -> Document:
    """A model as it was created."""
    document = aws.store.get(KIND, scoped(region, request["ModelName"]))
    if document is None:
        raise could_not_find("model", aws.arn(region, f"model/{request['ModelName']}"))
    return document


@operation("ListModels")
def list_models(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """A page of models."""
    page, token = page_of(aws.store.list(KIND, scoped(region, "")), request, "ModelName", created_after_includes=True)
    return {"Models": page, "NextToken": token}


@operation("DeleteModel")
def delete_model(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Remove a model; endpoints that serve it go on."""
    arn = aws.arn(region, f"model/{request['ModelName']}")
    if not aws.store.delete(KIND, scoped(region, request["ModelName"])):
        raise could_not_find("model", arn)
    drop_tags(aws, arn)
    return {}


def _check_container(aws: LocalAws, container: dict[str, Any], region: str) -> None:
    if "Image" not in container:
        raise validation_error("You must provide Image; model packages are not supported by local_aws.")
    if container.get("Mode") == "MultiModel":
        raise validation_error("Mode MultiModel is not supported by local_aws; use SingleModel.")
    if "ModelDataSource" in container:
        raise validation_error("ModelDataSource is not supported by local_aws; give the archive as ModelDataUrl.")
    if "ModelDataUrl" in container:
        _require_archive(aws, container["ModelDataUrl"], region)


def _require_archive(aws: LocalAws, uri: str, region: str) -> None:
    bucket, key = split_uri(uri)
    try:
        aws.s3(region).head_object(Bucket=bucket, Key=key)
    except S3_ERRORS as error:
        raise validation_error(f"Could not find model data at {uri}.") from error
