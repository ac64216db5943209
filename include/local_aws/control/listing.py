"""What all List operations share: filters, order, pages."""

from __future__ import annotations

import base64
import hashlib
import json
import operator
from collections.abc import Callable, Iterable
from typing import Any

from local_aws.errors import AwsError, validation_error
from local_aws.store import Document

DEFAULT_PAGE = 10
DEFAULT_SORT = "CreationTime"

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "After": operator.gt,
    "Before": operator.lt,
}


def page_of(
    documents: Iterable[Document],
    request: dict[str, Any],
    name: str,
    status: str | None = None,
    sort_by: dict[str, str] | None = None,
    default_order: str = "Descending",
    identity: str | None = None,
    created_after_includes: bool = False,
) -> tuple[list[Document], str | None]:
    """One page of documents and the token of the next.

    A page goes on after the last document of the one before, whatever was added or deleted in between. Documents that
    are alike in what they are sorted by stay in the order of their creation.

    Args:
        request: the List request with any of NameContains, StatusEquals, <Moment>After, <Moment>Before, SortBy,
            SortOrder, MaxResults, NextToken.
        name: the member that NameContains looks at.
        status: the member that StatusEquals looks at.
        sort_by: values of SortBy that are not names of members, and the member each means; "Name" means `name`.
        identity: the member that tells documents apart, when it is not `name`.
        created_after_includes: whether CreationTimeAfter means that moment too.

    Raises:
        AwsError: ValidationException, for a token that no page gave, or one of another question.
    """
    found = [document for document in documents if _matches(document, request, name, status, created_after_includes)]
    by = request.get("SortBy", DEFAULT_SORT)
    member = (sort_by or {}).get(by) or {"Name": name}.get(by, by)
    descending = request.get("SortOrder", default_order) == "Descending"
    found.sort(key=lambda document: document.get(member) or 0)
    if descending:
        found.reverse()
    own = identity or name
    question = _question(request, name)
    start = 0
    if (token := request.get("NextToken")) is not None:
        place = _place(token, question)
        try:
            start = _after(found, place, own, member, descending)
        except TypeError as error:
            raise _invalid(token) from error
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    page = found[start:end]
    if not page or end >= len(found):
        return page, None
    return page, _encoded({"question": question, "last": page[-1][own], "value": page[-1].get(member)})


def cut(found: list[Document], request: dict[str, Any], default_page: int) -> tuple[list[Document], str | None]:
    """The page of a list in its own order that MaxResults and NextToken ask for, and the token of the next.

    Raises:
        AwsError: ValidationException, for a token that no page gave.
    """
    start = 0
    if (token := request.get("NextToken")) is not None:
        start = _decoded(token).get("offset", -1)
        if not isinstance(start, int) or start < 0:
            raise _invalid(token)
    end = start + request.get("MaxResults", default_page)
    return found[start:end], _encoded({"offset": end}) if end < len(found) else None


def _after(found: list[Document], place: dict[str, Any], own: str, member: str, descending: bool) -> int:
    """Where the documents after a place begin. When the last one is gone, those that were alike in order come again."""
    for index, document in enumerate(found):
        if document[own] == place["last"]:
            return index + 1
    value = place["value"] or 0
    reached = operator.le if descending else operator.ge
    later = (index for index, document in enumerate(found) if reached(document.get(member) or 0, value))
    return next(later, len(found))


def _question(request: dict[str, Any], name: str) -> str:
    asked = {key: value for key, value in request.items() if key not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps([name, asked], sort_keys=True).encode()).hexdigest()[:16]


def _place(token: str, question: str) -> dict[str, Any]:
    place = _decoded(token)
    known = isinstance(place.get("last"), str) and isinstance(place.get("value"), str | int | float | None)
    if not known or place.get("question") != question:
        raise _invalid(token)
    return place


def _matches(
    document: Document, request: dict[str, Any], name: str, status: str | None, created_after_includes: bool
) -> bool:
    if request.get("NameContains", "").lower() not in document[name].lower():
        return False
    if status and request.get("StatusEquals", document.get(status)) != document.get(status):
        return False
    if created_after_includes and document["CreationTime"] == round(request.get("CreationTimeAfter", -1), 3):
        request = {key: value for key, value in request.items() if key != "CreationTimeAfter"}
    return all(
        holds(document[key.removesuffix(suffix)], limit)
        for key, limit in request.items()
        for suffix, holds in _COMPARISONS.items()
        if key.endswith(suffix) and key.removesuffix(suffix) in document
    )


def _encoded(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _decoded(token: str) -> dict[str, Any]:
    try:
        content = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise _invalid(token) from error
    if not isinstance(content, dict):
        raise _invalid(token)
    return content


def _invalid(token: str) -> AwsError:
    return validation_error(f"Invalid NextToken: {token}")
