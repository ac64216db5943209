"""Endpoints: created, updated and deleted here; served by `local_aws.hosting.deployments`."""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

from local_aws.control import endpoint_configs
from local_aws.control.listing import page_of
from local_aws.control.monitoring_schedules import schedules_of_endpoint
from local_aws.control.tags import checked_tags, drop_tags, keep_tags
from local_aws.errors import already_exists, could_not_find, validation_error
from local_aws.hosting.runtime import capture_enabled
from local_aws.hosting.serving import instances_of, weight_of
from local_aws.operations import operation
from local_aws.store import AlreadyExists, Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

KIND = "endpoint"
IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
VARIANT_SETTINGS = ("VariantName", "ModelName", "InitialVariantWeight", "InitialInstanceCount", "ServerlessConfig")


DEPLOYMENT_DIFFERS = (
    "traffic shifts all at once whatever the DeploymentConfig; its waits are added up to one, "
    "during which the alarms of its AutoRollbackConfiguration are looked at."
)


@operation("CreateEndpoint", differs="a DeploymentConfig is kept and told, and does nothing at the creation.")
def create_endpoint(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Begin to serve a configuration: Creating, then InService or Failed."""
    name = request["EndpointName"]
    arn = _arn(aws, name, region)
    deployment = _deployment(aws, request["EndpointConfigName"], region)
    if "DeploymentConfig" in request:
        deployment["DeploymentConfig"] = request["DeploymentConfig"]
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
    _check_deployment_config(request)
    tags = checked_tags(request.get("Tags"))
    try:
        aws.store.insert(KIND, scoped(region, name), document)
    except AlreadyExists as error:
        raise already_exists("endpoint", arn) from error
    keep_tags(aws, arn, tags)
    aws.hosting.deploy(region, name, deployment)
    return {"EndpointArn": arn}


@operation("UpdateEndpoint", differs=DEPLOYMENT_DIFFERS)
def update_endpoint(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Begin to serve another configuration; the old one is served until the new one is ready, and when it fails."""
    name = request["EndpointName"]
    if request.get("RetainDeploymentConfig") and "DeploymentConfig" in request:
        raise validation_error("You must not provide DeploymentConfig when RetainDeploymentConfig is true.")
    _check_deployment_config(request)
    current = _find(aws, name, region)
    _require_settled(current)
    # SageMaker rolls back to the configuration that is served, so it has to be there still.
    endpoint_configs.find(aws, current["EndpointConfigName"], region)
    deployment = _deployment(aws, request["EndpointConfigName"], region)

    def change(document: Document) -> None:
        _require_settled(document)
        _require_updatable(document)
        before = document["Deployment"]
        if request.get("RetainAllVariantProperties"):
            excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", [])}
            _retain(before, deployment, excluded)
        config = before.get("DeploymentConfig") if request.get("RetainDeploymentConfig") else None
        if config := request.get("DeploymentConfig", config):
            deployment["DeploymentConfig"] = config
        _begin_update(aws, document, deployment)

    if aws.store.update(KIND, scoped(region, name), change) is None:
        raise could_not_find("endpoint", current["EndpointArn"])
    aws.hosting.deploy(region, name, deployment)
    return {"EndpointArn": current["EndpointArn"]}


@operation("UpdateEndpointWeightsAndCapacities", differs="an instance count is kept and told, and starts no process.")
def update_endpoint_weights_and_capacities(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Share an endpoint's traffic anew among its variants."""
    name = request["EndpointName"]
    asked = request["DesiredWeightsAndCapacities"]
    deployment: dict[str, Any] = {}

    def change(document: Document) -> None:
        _require_settled(document)
        _require_updatable(document)
        deployment.update(copy.deepcopy(document["Deployment"]))
        variants = {variant["VariantName"]: variant for variant in deployment["Variants"]}
        for wanted in asked:
            variant = variants.get(wanted["VariantName"])
            if variant is None:
                raise validation_error(
                    f'Could not find variant "{wanted["VariantName"]}" of endpoint "{document["EndpointArn"]}".'
                )
            if "ServerlessConfig" in variant and "DesiredInstanceCount" in wanted:
                raise validation_error(f'Variant "{variant["VariantName"]}" is serverless and has no instances.')
            if "ServerlessConfig" not in variant and "ServerlessUpdateConfig" in wanted:
                raise validation_error(f'Variant "{variant["VariantName"]}" is not serverless.')
            variant |= {key: wanted[key] for key in ("DesiredWeight", "DesiredInstanceCount") if key in wanted}
            if "ServerlessUpdateConfig" in wanted:
                variant["ServerlessConfig"] = variant["ServerlessConfig"] | wanted["ServerlessUpdateConfig"]
        _begin_update(aws, document, deployment)

    document = aws.store.update(KIND, scoped(region, name), change)
    if document is None:
        raise could_not_find("endpoint", _arn(aws, name, region))
    aws.hosting.weigh(region, name, deployment)
    return {"EndpointArn": document["EndpointArn"]}


@operation(
    "DescribeEndpoint",
    differs="CurrentInstanceCount is 0 while a variant's model server is being started again, else as desired.",
)
def describe_endpoint(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """An endpoint with what it serves now, and what it is about to."""
    document = _find(aws, request["EndpointName"], region)
    deployment, pending = document.get("Deployment"), document.get("Pending")
    if deployment is not None:
        document["ProductionVariants"] = _summaries(deployment, _down(aws, document, deployment, region))
        document["LastDeploymentConfig"] = deployment.get("DeploymentConfig")
        if "DataCaptureConfig" in deployment:
            document["DataCaptureConfig"] = _capture_summary(deployment["DataCaptureConfig"])
    if pending is not None and pending.get("Identity") != (deployment or {}).get("Identity"):
        document["PendingDeploymentSummary"] = {
            "EndpointConfigName": pending["EndpointConfigName"],
            "ProductionVariants": _summaries(pending, _names(pending)),
            "StartTime": document["LastModifiedTime"],
        }
    return document


@operation("ListEndpoints")
def list_endpoints(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """A page of endpoints."""
    documents = aws.store.list(KIND, scoped(region, ""))
    page, token = page_of(
        documents,
        request,
        "EndpointName",
        "EndpointStatus",
        {"Status": "EndpointStatus"},
        created_after_includes=True,
    )
    return {"Endpoints": page, "NextToken": token}


@operation("DeleteEndpoint", differs="refused while monitoring schedules are attached; AWS documents no such rule.")
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


def _find(aws: LocalAws, name: str, region: str) -> Document:
    document = aws.store.get(KIND, scoped(region, name))
    if document is None:
        raise could_not_find("endpoint", _arn(aws, name, region))
    return document


def _begin_update(aws: LocalAws, document: Document, deployment: dict[str, Any]) -> None:
    document["EndpointStatus"] = "Updating"
    document["LastModifiedTime"] = aws.clock.timestamp()
    document["Pending"] = deployment
    document.pop("FailureReason", None)


def _check_deployment_config(request: dict[str, Any]) -> None:
    config = request.get("DeploymentConfig", {})
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        raise validation_error("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be used.")


def _require_updatable(document: Document) -> None:
    if document["EndpointStatus"] not in ("InService", "OutOfService"):
        raise validation_error(f'Cannot update endpoint "{document["EndpointArn"]}" with failed status.')


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
    deployment = {
        "Identity": uuid.uuid4().hex,
        "EndpointConfigName": config_name,
        "Variants": variants,
        "CreationTime": aws.clock.timestamp(),
    }
    if "DataCaptureConfig" in config:
        deployment["DataCaptureConfig"] = config["DataCaptureConfig"]
    return deployment


def _retain(before: dict[str, Any], deployment: dict[str, Any], excluded: set[str]) -> None:
    """Keep what the endpoint has of the properties that a client may have changed since it was made."""
    kept = {variant["VariantName"]: variant for variant in before["Variants"]}
    for variant in deployment["Variants"]:
        if variant["VariantName"] not in kept:
            continue
        if "DesiredWeight" not in excluded:
            variant["DesiredWeight"] = weight_of(kept[variant["VariantName"]])
        if "DesiredInstanceCount" not in excluded and "ServerlessConfig" not in variant:
            variant["DesiredInstanceCount"] = instances_of(kept[variant["VariantName"]])
    if "DataCaptureConfig" not in excluded:
        deployment.pop("DataCaptureConfig", None)
        if "DataCaptureConfig" in before:
            deployment["DataCaptureConfig"] = before["DataCaptureConfig"]


def _down(aws: LocalAws, document: Document, deployment: dict[str, Any], region: str) -> set[str]:
    """The variants whose model server does not run; those that an update is about to replace do until it is over."""
    serving = aws.hosting.serving(region, document["EndpointName"])
    if serving is None:
        return _names(deployment)
    return {variant.name for variant in serving.variants.values() if not variant.server.alive}


def _names(deployment: dict[str, Any]) -> set[str]:
    return {variant["VariantName"] for variant in deployment["Variants"]}


def _summaries(deployment: dict[str, Any], down: set[str]) -> list[dict[str, Any]]:
    resolved = deployment["CreationTime"]
    return [_summary(variant, resolved, variant["VariantName"] not in down) for variant in deployment["Variants"]]


def _summary(variant: dict[str, Any], resolved: float, running: bool) -> dict[str, Any]:
    image = variant["Container"]["Image"]
    weight = weight_of(variant)
    summary: dict[str, Any] = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": resolved}],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "ServerlessConfig" in variant:
        return summary | {"CurrentServerlessConfig": variant["ServerlessConfig"]}
    count = instances_of(variant)
    return summary | {"CurrentInstanceCount": count if running else 0, "DesiredInstanceCount": count}


def _capture_summary(config: dict[str, Any]) -> dict[str, Any]:
    enabled = capture_enabled(config)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
