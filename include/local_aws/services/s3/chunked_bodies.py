"""S3's bodies of chunks ("aws-chunked"), which moto takes apart without asking whether they are whole."""

from __future__ import annotations

import io
import re
from typing import Any

from local_aws.errors import AwsError

LONGEST_LINE = 16 * 1024
_SIZE = re.compile(rb"\s*([0-9a-fA-F]{1,10})\s*(;[^\r\n]*)?\r?\n")


def install() -> None:
    """Make moto's S3 refuse what is not whole."""
    from moto.s3.responses import S3Response

    S3Response._handle_v4_chunk_signatures = _of_length  # type: ignore[assignment,method-assign]
    S3Response._handle_encoded_body = _of_any_length  # type: ignore[assignment,method-assign]


def content(body: bytes) -> bytes:
    """What the chunks hold; signatures and trailing headers are left out.

    Raises:
        AwsError: IncompleteBody, when a chunk is not as long as it says, or there is no last one.
    """
    source = io.BytesIO(body)
    pieces: list[bytes] = []
    while True:
        head = _SIZE.fullmatch(source.readline(LONGEST_LINE))
        if head is None:
            raise _incomplete("A chunk does not begin with its size.")
        size = int(head[1], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(source.read(size))
        if len(pieces[-1]) < size or source.readline(LONGEST_LINE).strip():
            raise _incomplete("A chunk is not as long as it says.")


def _of_length(_: Any, body: bytes, length: int) -> bytes:
    found = content(body)
    if len(found) != length:
        raise _incomplete(f"The chunks hold {len(found)} bytes; x-amz-decoded-content-length announced {length}.")
    return found


def _of_any_length(_: Any, body: io.BufferedIOBase | bytes) -> bytes:
    whole = body if isinstance(body, bytes) else body.read()
    return content(whole) if whole else b""


def _incomplete(detail: str) -> AwsError:
    return AwsError("IncompleteBody", f"The request body terminated unexpectedly. {detail}")
