"""What all List operations share: filters, order, pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any

from local_aws.errors import validation_error
from local_aws.store import Document

DEFAULT_PAGE = 10

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "After": lambda value, limit: value > limit,
    "Before": lambda value, limit: value < limit,
}


def page_of(
    documents: Iterable[Document],
    request: dict[str, Any],
    name: str,
    status: str | None = None,
    sort_by: dict[str, str] | None = None,
    default_sort: str = "CreationTime",
    default_order: str = "Descending",
) -> tuple[list[Document], str | None]:
    """One page of documents and the token of the next.

    Args:
        request: the List request with any of NameContains, StatusEquals, <Moment>After, <Moment>Before, SortBy,
            SortOrder, MaxResults, NextToken.
        name: the member that NameContains looks at.
        status: the member that StatusEquals looks at.
        sort_by: values of SortBy that are not names of members, and the member each means; "Name" means `name`.
    """
    found = [document for document in documents if _matches(document, request, name, status)]
    by = request.get("SortBy", default_sort)
    member = (sort_by or {}).get(by) or {"Name": name}.get(by, by)
    found.sort(key=lambda document: document.get(member) or 0)
    if request.get("SortOrder", default_order) == "Descending":
        found.reverse()
    return cut(found, request, DEFAULT_PAGE)


def cut(found: list[Document], request: dict[str, Any], default_page: int) -> tuple[list[Document], str | None]:
    """The page that MaxResults and NextToken ask for, and the token of the next.

    Raises:
        AwsError: ValidationException, for a token that no page gave.
    """
    start = _offset(request.get("NextToken"))
    end = start + request.get("MaxResults", default_page)
    return found[start:end], _token(end) if end < len(found) else None


def _matches(document: Document, request: dict[str, Any], name: str, status: str | None) -> bool:
    if request.get("NameContains", "").lower() not in document[name].lower():
        return False
    if status and request.get("StatusEquals", document.get(status)) != document.get(status):
        return False
    return all(
        holds(document[key.removesuffix(suffix)], limit)
        for key, limit in request.items()
        for suffix, holds in _COMPARISONS.items()
        if key.endswith(suffix) and key.removesuffix(suffix) in document
    )


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token).decode("ascii").partition(":")
        if word != "offset" or not number.isdigit():
            raise ValueError("not one of ours")
        return int(number)
    except (ValueError, binascii.Error) as error:
        raise validation_error(f"Invalid NextToken: {token}") from error
