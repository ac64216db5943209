"""The control plane's operations: from a request body to an answer's body, by botocore's service model.

A function becomes an operation by `@operation("CreateModel")`. It gets the validated request and gives the answer as a
dict of the output shape's members; members that the shape does not know are left out, so that a stored document can be
an answer. One that is not quite as AWS's says how, by `@operation("CreateModel", differs="…")`; the documentation of
local_aws is made from these sentences.
Modules of `local_aws.control` are found by themselves.
"""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from local_aws.errors import serialization_error, unknown_operation
from local_aws.validation import validated

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

Operation = Callable[["LocalAws", dict[str, Any], str], "dict[str, Any] | None"]

_operations: dict[str, Operation] = {}
_differences: dict[str, str] = {}


@cache
def service_model(service: str) -> ServiceModel:
    """Botocore's description of a service."""
    return botocore.session.get_session().get_service_model(service)


def operation(name: str, differs: str | None = None) -> Callable[[Operation], Operation]:
    """Register a function `(aws, request, region) -> answer` as an operation of SageMaker's control plane.

    Args:
        name: the operation's name in botocore's service model.
        differs: how it differs from AWS's, in one sentence; None when it does not.
    """
    if name not in service_model("sagemaker").operation_names:
        raise ValueError(f"SageMaker has no operation {name}.")

    def register(function: Operation) -> Operation:
        _operations[name] = function
        if differs is not None:
            _differences[name] = differs
        return function

    return register


def supported_operations() -> dict[str, str | None]:
    """How each supported operation differs from AWS's (None: it does not), by the operation's name."""
    load_operations()
    return {name: _differences.get(name) for name in sorted(_operations)}


def load_operations() -> None:
    """Import every module of `local_aws.control`, so that its operations are known."""
    from local_aws import control

    for module in pkgutil.iter_modules(control.__path__, f"{control.__name__}."):
        importlib.import_module(module.name)


def call(aws: LocalAws, name: str, body: bytes, region: str) -> bytes:
    """Perform an operation.

    Raises:
        AwsError: what is wrong with the request, or why it cannot be done.
    """
    model = service_model("sagemaker")
    if name not in model.operation_names:
        raise unknown_operation(f"SageMaker has no operation {name}.")
    if name not in _operations:
        raise unknown_operation(f"The operation {name} is not supported by local_aws.")
    shapes = model.operation_model(name)
    try:
        request = json.loads(body or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise serialization_error(f"The request body is not JSON: {error}") from error
    answer = _operations[name](aws, validated(shapes.input_shape, request), region) or {}
    return json.dumps(_serialised(shapes.output_shape, answer) if shapes.output_shape else {}).encode()


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _serialised(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _serialised(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_serialised(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _serialised(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp" and hasattr(value, "timestamp"):
        return value.timestamp()
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return value
