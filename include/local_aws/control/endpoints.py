"""Endpoints: created, updated and deleted here; served by `local_aws.hosting.deployments`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.control import endpoint_configs
from local_aws.control.listing import page_of
from local_aws.control.monitoring_schedules import schedules_of_endpoint
from local_aws.control.tags import drop_tags, keep_tags
from local_aws.errors import already_exists, could_not_find, validation_error
from local_aws.operations import operation
from local_aws.store import AlreadyExists, Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

KIND = "endpoint"
IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
VARIANT_SETTINGS = ("VariantName", "ModelName", "InitialVariantWeight", "InitialInstanceCount", "ServerlessConfig")


@operation("CreateEndpoint")
def create_endpoint(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Begin to serve a configuration: Creating, then InService or Failed."""
    name = request["EndpointName"]
    arn = _arn(aws, name, region)
    deployment = _deployment(aws, request["EndpointConfigName"], region)
    now = aws.clock.timestamp()
    document = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": request["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "CreationTime": now,
        "LastModifiedTime": now,
        "Pending": deployment,
    }
    try:
        aws.store.insert(KIND, scoped(region, name), document)
    except AlreadyExists as error:
        raise already_exists("endpoint", arn) from error
    keep_tags(aws, arn, request.get("Tags"))
    aws.hosting.deploy(region, name, deployment)
    return {"EndpointArn": arn}


@operation("UpdateEndpoint")
def update_endpoint(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Begin to serve another configuration; the old one is served until the new one is ready, and when it fails."""
    name = request["EndpointName"]
    deployment = _deployment(aws, request["EndpointConfigName"], region)

    def change(document: Document) -> None:
        _require_settled(document)
        if document["EndpointStatus"] != "InService":
            raise validation_error(f'Cannot update endpoint "{document["EndpointArn"]}" with failed status.')
        document["EndpointStatus"] = "Updating"
        document["LastModifiedTime"] = aws.clock.timestamp()
        document["Pending"] = deployment
        document.pop("FailureReason", None)

    document = aws.store.update(KIND, scoped(region, name), change)
    if document is None:
        raise could_not_find("endpoint", _arn(aws, name, region))
    aws.hosting.deploy(region, name, deployment)
    return {"EndpointArn": document["EndpointArn"]}


@operation("DescribeEndpoint")
def describe_endpoint(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """An endpoint with what it serves now."""
    document = aws.store.get(KIND, scoped(region, request["EndpointName"]))
    if document is None:
        raise could_not_find("endpoint", _arn(aws, request["EndpointName"], region))
    deployment = document.get("Deployment")
    if deployment is None:
        return document
    document["ProductionVariants"] = [_summary(variant, document) for variant in deployment["Variants"]]
    if "DataCaptureConfig" in deployment:
        document["DataCaptureConfig"] = _capture_summary(deployment["DataCaptureConfig"])
    return document


@operation("ListEndpoints")
def list_endpoints(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """A page of endpoints."""
    documents = aws.store.list(KIND, scoped(region, ""))
    page, token = page_of(documents, request, "EndpointName", "EndpointStatus", {"Status": "EndpointStatus"})
    return {"Endpoints": page, "NextToken": token}


@operation("DeleteEndpoint")
def delete_endpoint(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Stop serving, then forget the endpoint; its configuration, model and captures stay."""
    name = request["EndpointName"]
    key = scoped(region, name)
    schedules = schedules_of_endpoint(aws, region, name)
    if schedules:
        raise validation_error(
            f'Cannot delete endpoint "{_arn(aws, name, region)}" while monitoring schedules are attached to it: '
            f"{', '.join(schedules)}. Delete them first."
        )

    def change(document: Document) -> None:
        _require_settled(document)
        document["EndpointStatus"] = "Deleting"
        document["LastModifiedTime"] = aws.clock.timestamp()

    document = aws.store.update(KIND, key, change)
    if document is None:
        raise could_not_find("endpoint", _arn(aws, name, region))

    def forget() -> None:
        aws.captures.flush()
        aws.store.delete(KIND, key)
        drop_tags(aws, document["EndpointArn"])

    aws.hosting.undeploy(region, name, forget)
    return {}


def _arn(aws: LocalAws, name: str, region: str) -> str:
    return aws.arn(region, f"endpoint/{name}")


def _require_settled(document: Document) -> None:
    if document["EndpointStatus"] in IN_PROGRESS:
        raise validation_error(f'Cannot update in-progress endpoint "{document["EndpointArn"]}".')


def _deployment(aws: LocalAws, config_name: str, region: str) -> dict[str, Any]:
    """All that serving needs, so that it does not depend on what happens to models and configurations later."""
    config = endpoint_configs.find(aws, config_name, region)
    variants = []
    for variant in config["ProductionVariants"]:
        settings = {name: variant[name] for name in VARIANT_SETTINGS if name in variant}
        variants.append(settings | {"Container": aws.hosting.container_of(variant["ModelName"], region)})
    deployment = {"EndpointConfigName": config_name, "Variants": variants, "CreationTime": aws.clock.timestamp()}
    if "DataCaptureConfig" in config:
        deployment["DataCaptureConfig"] = config["DataCaptureConfig"]
    return deployment


def _summary(variant: dict[str, Any], document: Document) -> dict[str, Any]:
    image = variant["Container"]["Image"]
    weight = variant.get("InitialVariantWeight", 1.0)
    summary: dict[str, Any] = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": document["Deployment"]["CreationTime"]}
        ],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "ServerlessConfig" in variant:
        return summary | {"CurrentServerlessConfig": variant["ServerlessConfig"]}
    count = variant.get("InitialInstanceCount", 1)
    return summary | {"CurrentInstanceCount": count, "DesiredInstanceCount": count}


def _capture_summary(config: dict[str, Any]) -> dict[str, Any]:
    enabled = config.get("EnableCapture", False)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
