"""What tests of endpoints ask for, and the errors that they expect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running_aws import REGION

ARN = f"arn:aws:sagemaker:{REGION}:123456789012"


def variant(model: str, name: str = "AllTraffic", weight: float = 1.0) -> dict[str, object]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": weight,
    }


def error_of(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]
