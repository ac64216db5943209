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


def fetch(s3: Any, bucket: str, key: str, file: Path) -> None:
    """Write an object to a file, in one request where boto3's own download makes two.

    Raises:
        S3_ERRORS: it cannot be read.
    """
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    with closing(body), file.open("wb") as target:
        for part in body.iter_chunks(PART_BYTES):
            target.write(part)
