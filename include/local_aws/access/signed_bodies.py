"""Request bodies that must be what was signed: by one hash, or (S3) chunk by chunk."""

from __future__ import annotations

import hashlib
import hmac
import re
import tempfile
from typing import IO

from local_aws.access.signatures import UNSIGNED, Signer

IN_MEMORY = 8 * 1024**2
PIECE = 1024**2
LONGEST_LINE = 16 * 1024

UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_AND_TRAILER = f"{SIGNED_CHUNKS}-TRAILER"
UNCHECKED = frozenset({UNSIGNED, UNSIGNED_CHUNKS})
CHUNKED = frozenset({SIGNED_CHUNKS, SIGNED_CHUNKS_AND_TRAILER})

_CHUNK = re.compile(rb"([0-9a-fA-F]{1,10});chunk-signature=([0-9a-f]{64})\r?\n")
_TRAILER_SIGNATURE = re.compile(rb"x-amz-trailer-signature:([0-9a-f]{64})\s*", re.IGNORECASE)


class WrongBody(Exception):
    """The body is not the one that was signed."""


def kept(source: IO[bytes], length: int | None) -> tuple[IO[bytes], int, str]:
    """A copy of a body that can be read twice, its length and its SHA-256; `length` None reads to the end."""
    copy = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    digest, read = hashlib.sha256(), 0
    while length is None or read < length:
        piece = source.read(PIECE if length is None else min(PIECE, length - read))
        if not piece:
            break
        copy.write(piece)
        digest.update(piece)
        read += len(piece)
    copy.seek(0)
    return copy, read, digest.hexdigest()


def check_chunks(body: IO[bytes], signer: Signer, seed: str, *, trailer: bool) -> None:
    """Check every chunk's signature; each builds on the one before, the first on the request's own (`seed`).

    Raises:
        WrongBody: a chunk is not what was signed, or there is no last chunk.
    """
    previous, size = seed, -1
    while size:
        head = _CHUNK.fullmatch(body.readline(LONGEST_LINE))
        if head is None:
            raise WrongBody("A chunk does not begin with its size and signature.")
        size, given = int(head[1], 16), head[2].decode()
        content = body.read(size)
        if len(content) < size:
            raise WrongBody("A chunk is shorter than it says.")
        previous = _same(signer.chunk(previous, content), given)
        if size and body.readline(LONGEST_LINE).strip():
            raise WrongBody("A chunk is longer than it says.")
    if trailer:
        _check_trailer(body, signer, previous)


def _check_trailer(body: IO[bytes], signer: Signer, previous: str) -> None:
    headers = b""
    while line := body.readline(LONGEST_LINE):
        if given := _TRAILER_SIGNATURE.fullmatch(line):
            _same(signer.trailer(previous, headers), given[1].decode())
            return
        if line.strip():
            name, _, value = line.strip().partition(b":")
            headers += name.lower() + b":" + value.strip() + b"\n"
    raise WrongBody("The trailing headers are not signed.")


def _same(computed: str, given: str) -> str:
    if not hmac.compare_digest(computed, given):
        raise WrongBody("A chunk's signature does not match.")
    return given
