"""Request bodies: read whole, and only as large as the service that reads them takes. S3's are read by S3 itself."""

from __future__ import annotations

from typing import Any

from local_aws.errors import AwsError, serialization_error
from local_aws.hosting.runtime import MOST_BYTES as INVOCATION_BYTES
from local_aws.hosting.runtime import too_long

Environ = dict[str, Any]

CONTROL_BYTES = 1024**2
OTHER_BYTES = 8 * 1024**2
"""A batch of log events or of metrics has at most 1 MiB of content; its notation needs more."""
DISCARDED_BYTES = 64 * 1024**2
PIECE_BYTES = 64 * 1024


def require_fitting(environ: Environ, service: str | None, invocation: bool) -> None:
    """Refuse a body that is too large for its service; nothing of it is kept.

    Args:
        service: whom the request is signed for; None when it is signed for nobody.
        invocation: whether it asks an endpoint.

    Raises:
        AwsError: with the status 413.
    """
    if service == "s3":
        return
    limit = limit_of(service, invocation)
    length = environ.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > limit:
        _discard(environ["wsgi.input"], min(int(length), DISCARDED_BYTES))
        raise too_long(limit) if invocation else _too_large(limit)


def limit_of(service: str | None, invocation: bool) -> int:
    """How many bytes a service but S3 takes."""
    if invocation:
        return INVOCATION_BYTES
    return CONTROL_BYTES if service in (None, "sagemaker") else OTHER_BYTES


def read_body(environ: Environ, limit: int = CONTROL_BYTES) -> bytes:
    """The whole request body.

    Raises:
        AwsError: SerializationException, when its length or its chunks make no sense; 413, when chunks are too many.
    """
    source = environ["wsgi.input"]
    try:
        if length := environ.get("CONTENT_LENGTH"):
            if int(length) < 0:
                raise ValueError(f"a length of {length}")
            body: bytes = source.read(int(length))
        elif environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            body = _chunks(source, limit)
        else:
            body = b""
    except ValueError as error:
        raise serialization_error(f"The request body cannot be read: {error}") from error
    return body


def _discard(source: Any, length: int) -> None:
    """Read and forget, for a client whose connection is closed while it sends does not see the answer."""
    while length > 0 and (piece := source.read(min(length, PIECE_BYTES))):
        length -= len(piece)


def _chunks(source: Any, limit: int) -> bytes:
    if hasattr(source, "maxlen"):
        # Cheroot would hold a single chunk of any size; its own count includes the chunks' headers.
        source.maxlen = 2 * limit
    try:
        body: bytes = source.read(limit + 1)
    except OSError as error:
        raise _too_large(limit) from error
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> AwsError:
    return AwsError("RequestEntityTooLargeException", f"The request body is larger than {limit} bytes.", 413)
