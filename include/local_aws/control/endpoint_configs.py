"""Endpoint configurations: which models on how many machines, and what is captured. They never change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.control.listing import page_of
from local_aws.control.tags import checked_tags, drop_tags, keep_tags
from local_aws.errors import already_exists, could_not_find, validation_error
from local_aws.operations import operation
from local_aws.store import AlreadyExists, Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

KIND = "endpoint-config"
WHAT = "endpoint configuration"
UNSUPPORTED_OF_VARIANT = ("InstancePools", "ManagedInstanceScaling")
UNSUPPORTED = ("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants")


@operation(
    "CreateEndpointConfig",
    differs="no asynchronous inference, explainers, shadow variants, inference components, instance pools; serverless "
    "variants are served as any other; instance types, keys, networks and time-outs are kept and not looked at.",
)
def create_endpoint_config(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Keep a configuration whose models exist."""
    name = request["EndpointConfigName"]
    arn = arn_of(aws, name, region)
    for member in UNSUPPORTED:
        if request.get(member):
            raise validation_error(f"{member} is not supported by local_aws.")
    _check_variants(aws, request["ProductionVariants"], region)
    document = {key: value for key, value in request.items() if key != "Tags"}
    document |= {"EndpointConfigArn": arn, "CreationTime": aws.clock.timestamp()}
    document.setdefault("EnableNetworkIsolation", False)
    tags = checked_tags(request.get("Tags"))
    try:
        aws.store.insert(KIND, scoped(region, name), document)
    except AlreadyExists as error:
        raise already_exists(WHAT, arn) from error
    keep_tags(aws, arn, tags)
    return {"EndpointConfigArn": arn}


@operation("DescribeEndpointConfig")
def describe_endpoint_config(aws: LocalAws, request: dict[str, Any], region: str) -> Document:
    """A configuration as it was created."""
    return find(aws, request["EndpointConfigName"], region)


@operation("ListEndpointConfigs")
def list_endpoint_configs(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """A page of configurations."""
    page, token = page_of(
        aws.store.list(KIND, scoped(region, "")), request, "EndpointConfigName", created_after_includes=True
    )
    return {"EndpointConfigs": page, "NextToken": token}


@operation("DeleteEndpointConfig")
def delete_endpoint_config(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Remove a configuration; endpoints made from it go on."""
    name = request["EndpointConfigName"]
    if not aws.store.delete(KIND, scoped(region, name)):
        raise could_not_find(WHAT, arn_of(aws, name, region))
    drop_tags(aws, arn_of(aws, name, region))
    return {}


def find(aws: LocalAws, name: str, region: str) -> Document:
    """The configuration of that name.

    Raises:
        AwsError: there is none.
    """
    document = aws.store.get(KIND, scoped(region, name))
    if document is None:
        raise could_not_find(WHAT, arn_of(aws, name, region))
    return document


def arn_of(aws: LocalAws, name: str, region: str) -> str:
    """The ARN of a configuration of that name."""
    return aws.arn(region, f"endpoint-config/{name}")


def _check_variants(aws: LocalAws, variants: list[dict[str, Any]], region: str) -> None:
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise validation_error("Production variant names must be unique within an endpoint configuration.")
    for variant in variants:
        if "ModelName" not in variant:
            raise validation_error(
                f"Production variant {variant['VariantName']} has no ModelName; inference components are not supported "
                "by local_aws."
            )
        if "ServerlessConfig" in variant and ("InstanceType" in variant or "InitialInstanceCount" in variant):
            raise validation_error(
                f"Production variant {variant['VariantName']} has a ServerlessConfig, so it can have neither "
                "InstanceType nor InitialInstanceCount."
            )
        for member in UNSUPPORTED_OF_VARIANT:
            if member in variant:
                raise validation_error(f"{member} of a production variant is not supported by local_aws.")
        if "InstanceType" not in variant and "ServerlessConfig" not in variant:
            needed = "InstanceType and InitialInstanceCount, or ServerlessConfig"
            raise validation_error(f"Production variant {variant['VariantName']} needs {needed}.")
        aws.hosting.container_of(variant["ModelName"], region)
