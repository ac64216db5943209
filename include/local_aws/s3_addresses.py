"""Addresses of what lies in S3, and reading what they name."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

S3_ERRORS = (ClientError, BotoCoreError)
"""What S3 clients raise: S3's own refusals, and what boto3 does not even send, such as an impossible bucket name."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://bucket/key` address."""
    bucket, _, key = uri.removeprefix("s3://").removeprefix("https://").partition("/")
    return bucket, key
