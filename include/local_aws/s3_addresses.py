"""Addresses of what lies in S3, and reading what they name."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

S3_ERRORS = (ClientError, BotoCoreError)
"""What S3 clients raise: S3's own refusals, and what boto3 does not even send, such as an impossible bucket name."""

PART_BYTES = 1 << 20


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://bucket/key` address."""
    bucket, _, key = uri.removeprefix("s3://").removeprefix("https://").partition("/")
    return bucket, key


class TooLarge(Exception):
    """An object has more bytes than it may have."""

    def __init__(self, size: int, most_bytes: int) -> None:
        super().__init__(f"it has {size} bytes, more than {most_bytes}")
        self.size = size


def fetch(s3: Any, bucket: str, key: str, file: Path, most_bytes: int) -> None:
    """Write an object to a file, in one request where boto3's own download makes two.

    Raises:
        S3_ERRORS: it cannot be read.
        TooLarge: it has more than `most_bytes`; there is no file then.
    """
    found = s3.get_object(Bucket=bucket, Key=key)
    body = found["Body"]
    if found["ContentLength"] > most_bytes:
        body.close()
        raise TooLarge(found["ContentLength"], most_bytes)
    with closing(body), file.open("wb") as target:
        for part in body.iter_chunks(PART_BYTES):
            target.write(part)
