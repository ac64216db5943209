from __future__ import annotations

from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_aws import operations
from local_aws.errors import AwsError
from local_aws.operations import service_model
from local_aws.validation import compiled, validated


def check(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    return validated(service_model("sagemaker").operation_model(operation).input_shape, request)


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "CreateModel",
            {"ModelName": "a_b"},
            "1 validation error detected: Value 'a_b' at 'modelName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?",
        ),
        (
            "DescribeEndpoint",
            {},
            "1 validation error detected: Value null at 'endpointName' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            "ListEndpoints",
            {"MaxResults": 101, "SortOrder": "Up"},
            "2 validation errors detected: Value 'Up' at 'sortOrder' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Ascending, Descending]; Value '101' at 'maxResults' failed to "
            "satisfy constraint: Member must have value less than or equal to 100",
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": "a", "ProductionVariants": [{"VariantName": "x" * 64, "ModelName": "m"}]},
            "Value '" + "x" * 64 + "' at 'productionVariants.1.member.variantName' failed to satisfy constraint: "
            "Member must have length less than or equal to 63",
        ),
    ],
)
def test_a_broken_constraint_is_told_as_aws_tells_it(operation: str, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(AwsError) as error:
        check(operation, request_)
    assert error.value.code == "ValidationException"
    for part in message.split("; "):
        assert part.split(": ", 1)[-1] in error.value.message
    assert message.split(" ")[0] in error.value.message


def test_a_value_of_the_wrong_type_is_a_serialization_error() -> None:
    with pytest.raises(AwsError, match="maxResults: expected an integer, found str") as error:
        check("ListModels", {"MaxResults": "ten"})
    assert error.value.code == "SerializationException"


def test_moments_become_epoch_seconds_and_unknown_members_go() -> None:
    request = {"CreationTimeAfter": "2026-11-22T10:00:00Z", "Unknown": 1, "NextToken": None}
    assert check("ListModels", request) == {"CreationTimeAfter": 1795341600.0}
    assert check("ListModels", {"CreationTimeAfter": 1795341600}) == {"CreationTimeAfter": 1795341600.0}


def test_every_pattern_of_a_supported_operation_can_be_checked() -> None:
    operations.load_operations()
    shapes = [service_model("sagemaker").operation_model(name).input_shape for name in operations._operations]
    shapes.append(service_model("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape)
    patterns = {pattern for shape in shapes if shape for pattern in _patterns(shape, set())}
    assert len(patterns) > 20
    for pattern in patterns:
        compiled(pattern)


def _patterns(shape: Shape, seen: set[str]) -> set[str]:
    if shape.name in seen:
        return set()
    seen.add(shape.name)
    found = {shape.metadata["pattern"]} if "pattern" in shape.metadata else set()
    if isinstance(shape, StructureShape):
        inner = list(shape.members.values())
    elif isinstance(shape, ListShape):
        inner = [shape.member]
    elif isinstance(shape, MapShape):
        inner = [shape.key, shape.value]
    else:
        inner = []
    return found.union(*(_patterns(member, seen) for member in inner))
