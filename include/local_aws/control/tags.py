"""Tags of everything that has an ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.control.listing import cut
from local_aws.errors import AwsError, validation_error
from local_aws.operations import operation
from local_aws.store import Document

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

KIND = "tags"
MOST_TAGS = 50
PAGE = 50
RESERVED = "aws:"


def checked_tags(tags: list[dict[str, str]] | None) -> list[dict[str, str]]:
    """The tags of a request; each key may be there once, and AWS keeps some for itself.

    Raises:
        AwsError: ValidationException.
    """
    keys = [tag["Key"] for tag in tags or []]
    reserved = [key for key in keys if key.lower().startswith(RESERVED)]
    if reserved:
        raise validation_error(f"Tag keys that begin with {RESERVED} are reserved for AWS; found {reserved[0]}.")
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    if doubled:
        raise validation_error(f"Duplicate tag keys found: {', '.join(doubled)}. Tag keys must be unique per resource.")
    return list(tags or [])


def keep_tags(aws: LocalAws, arn: str, tags: list[dict[str, str]] | None) -> None:
    """Remember a new resource's tags; a resource without an entry here cannot be tagged."""
    aws.store.put(KIND, arn, {"Tags": tags or []})


def drop_tags(aws: LocalAws, arn: str) -> None:
    """Forget a deleted resource's tags."""
    aws.store.delete(KIND, arn)


@operation("AddTags")
def add_tags(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Add tags, or change the values of those there are."""
    added = {tag["Key"]: tag["Value"] for tag in checked_tags(request["Tags"])}

    def change(document: Document) -> None:
        values = {tag["Key"]: tag["Value"] for tag in document["Tags"]} | added
        if len(values) > MOST_TAGS:
            raise validation_error(f"A resource can have at most {MOST_TAGS} tags; this would be {len(values)}.")
        document["Tags"] = [{"Key": key, "Value": value} for key, value in values.items()]

    return {"Tags": _known(aws.store.update(KIND, _arn(request, region), change), request)["Tags"]}


@operation("ListTags")
def list_tags(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """One page of a resource's tags."""
    tags = _known(aws.store.get(KIND, _arn(request, region)), request)["Tags"]
    page, token = cut(tags, request, PAGE)
    return {"Tags": page, "NextToken": token}


@operation("DeleteTags")
def delete_tags(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Remove tags by their keys; keys that are not there do no harm."""

    def change(document: Document) -> None:
        document["Tags"] = [tag for tag in document["Tags"] if tag["Key"] not in request["TagKeys"]]

    _known(aws.store.update(KIND, _arn(request, region), change), request)
    return {}


def _arn(request: dict[str, Any], region: str) -> str:
    """The resource that is asked about; each region knows its own alone."""
    arn: str = request["ResourceArn"]
    if arn.split(":")[3] != region:
        raise _not_found(arn)
    return arn


def _known(document: Document | None, request: dict[str, Any]) -> Document:
    if document is None:
        raise _not_found(request["ResourceArn"])
    return document


def _not_found(arn: str) -> AwsError:
    return validation_error(f'Could not find resource "{arn}".')
