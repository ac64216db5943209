"""Endpoints whose model tells what it was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.embedded import Embedded
from tests.polling import until


def configure(aws: Embedded, name: str, variant: str, **more: Any) -> None:
    aws.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": variant,
                "ModelName": "echo",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
        **more,
    )


def make_endpoint(aws: Embedded, name: str, variant: str, **more: Any) -> None:
    configure(aws, name, variant, **more)
    aws.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    settled(aws, name)


def settled(aws: Embedded, name: str, status: str = "InService") -> dict[str, Any]:
    found: dict[str, Any] = until(
        lambda: aws.sagemaker.describe_endpoint(EndpointName=name),
        lambda endpoint: endpoint["EndpointStatus"] == status,
    )
    return found


def invoke(aws: Embedded, body: str = "x", endpoint: str = "echo", **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = aws.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=body, **more)
    return answer | {"Told": json.loads(answer["Body"].read())}


def refusal(aws: Embedded, body: str = "x", endpoint: str = "echo", **more: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(ClientError) as error:
        invoke(aws, body, endpoint, **more)
    response: dict[str, Any] = dict(error.value.response)
    return response["ResponseMetadata"]["HTTPStatusCode"], response
