"""Responses held against botocore's service model, more strictly than any client does it.

A client ignores members that it does not know and takes any text for a name. Here a response is a failure unless it is
exactly what the model describes: no other members, none missing that is required, types, enumerations, lengths, ranges
and patterns, moments as epoch seconds, no nulls; and an error that the operation is said to have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

WATCHED = ("sagemaker", "sagemaker-runtime")
ANY_OPERATION = frozenset(
    {
        "AccessDeniedException",
        "InternalFailure",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SerializationException",
        "ThrottlingException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)
"""Errors that AWS's JSON services answer to any operation, though no operation's model lists them."""

_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}


complaints: list[str] = []
"""All that was not as modelled in this process, also where the caller has caught the failure."""


class NotAsModelled(AssertionError):
    """A response is not what the service model says."""


def watched(client: Any) -> Any:
    """The client, which, if it is one of SageMaker or its runtime, fails at every response that is not as modelled."""
    service = client.meta.service_model.service_id.hyphenize()
    if service in WATCHED:
        client.meta.events.register(f"before-parse.{service}.*", _check)
    return client


def watch_every_client() -> None:
    """Watch all clients that this process makes from now on, whoever makes them."""
    create = botocore.session.Session.create_client

    def watching(session: Any, *args: Any, **kwargs: Any) -> Any:
        return watched(create(session, *args, **kwargs))

    botocore.session.Session.create_client = watching


def problems(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """What is wrong with a value in the JSON protocol, one sentence each."""
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no structure"
            return
        for name in shape.required_members:
            if name not in value:
                yield f"{path}: the required {name} is missing"
        for name, member in value.items():
            if name not in shape.members:
                yield f"{path}: {name} is no member of {shape.name}"
            else:
                yield from problems(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{path}: {value!r} is no list"
            return
        yield from _range(shape, len(value), "items", path)
        for index, item in enumerate(value):
            yield from problems(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no map"
            return
        for key, item in value.items():
            yield from problems(shape.key, key, f"{path} key")
            yield from problems(shape.value, item, f"{path}[{key}]")
    else:
        yield from _scalar_problems(shape, value, path)


def _scalar_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kinds = _KINDS[shape.type_name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield f"{path}: {value!r} does not match {pattern}"
        yield from _range(shape, len(value), "characters", path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _range(shape, value, "as its value", path)


def _range(shape: Shape, size: float, of_what: str, path: str) -> Iterator[str]:
    if size < shape.metadata.get("min", size) or size > shape.metadata.get("max", size):
        yield f"{path}: {size} {of_what}, allowed are {shape.metadata.get('min')} to {shape.metadata.get('max')}"


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern.replace(_SURROGATES, r"\U00010000-\U0010FFFF"), regex.DOTALL)


def _check(operation_model: OperationModel, response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] >= 400:
        found = list(_error_problems(operation_model, response_dict))
    elif operation_model.service_model.protocol == "json":
        found = list(_answer_problems(operation_model, response_dict["body"]))
    else:
        found = list(_header_problems(operation_model, response_dict["headers"]))
    if found:
        complaints.append(f"{operation_model.name}: {'; '.join(found)}\n{response_dict['body']!r}")
        raise NotAsModelled(complaints[-1])


def _answer_problems(operation: OperationModel, body: bytes) -> Iterator[str]:
    answer = json.loads(body) if body else {}
    if operation.output_shape is not None:
        yield from problems(operation.output_shape, answer)
    elif answer:
        yield f"it has no output, but answers {answer}"


def _header_problems(operation: OperationModel, headers: Any) -> Iterator[str]:
    members = operation.output_shape.members if operation.output_shape else {}
    for name, member in members.items():
        header = member.serialization.get("name")
        if member.serialization.get("location") == "header" and header in headers:
            yield from problems(member, headers[header], name)


def _error_problems(operation: OperationModel, response: dict[str, Any]) -> Iterator[str]:
    content = json.loads(response["body"])
    modelled = {shape.error_code: shape for shape in operation.error_shapes}
    code = content.pop("__type", None) or response["headers"].get("x-amzn-ErrorType", "")
    shape = modelled.get(code)
    if shape is None:
        if code not in ANY_OPERATION and response["status_code"] != 413:
            yield f"{code!r} is no error of {operation.name}: {', '.join(modelled) or 'it has none of its own'}"
        if not str(content.get("message") or content.get("Message") or ""):
            yield f"{code} says nothing"
        return
    expected = shape.metadata.get("error", {}).get("httpStatusCode", 400)
    if response["status_code"] != expected:
        yield f"{code} has the status {response['status_code']}, modelled is {expected}"
    # Both spellings are in use for the one member that every error has.
    said = {"Message" if name == "message" else name: value for name, value in content.items()}
    if not said.get("Message"):
        yield f"{code} says nothing"
    yield from problems(shape, said)
