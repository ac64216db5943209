"""The errors that operations answer with."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """An error as AWS models it: a code, a message, an HTTP status, and further fields for the few that have some."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


def validation_error(message: str) -> AwsError:
    """What the control plane answers to a wrong request, and to a name that it does not know."""
    return AwsError("ValidationException", message)


def could_not_find(what: str, arn: str) -> AwsError:
    """A hosting resource (model, endpoint configuration, endpoint) that does not exist."""
    return validation_error(f'Could not find {what} "{arn}".')


def already_exists(what: str, arn: str) -> AwsError:
    """A hosting resource whose name is taken."""
    return validation_error(f'Cannot create already existing {what} "{arn}".')


def resource_not_found(message: str) -> AwsError:
    """A definition or a schedule that does not exist."""
    return AwsError("ResourceNotFound", message)


def resource_in_use(message: str) -> AwsError:
    """A name that is taken, or a resource that cannot be changed now."""
    return AwsError("ResourceInUse", message)


def unknown_operation(message: str) -> AwsError:
    """An operation that AWS does not have, or that is not supported here."""
    return AwsError("UnknownOperationException", message)


def serialization_error(message: str) -> AwsError:
    """A request body that is not what the protocol wants."""
    return AwsError("SerializationException", message)
