"""S3: what is uploaded, read back and listed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from model_monitor.errors import InputError
from model_monitor.hooks.base import MonitorHook
from model_monitor.names import split_s3

SEVEN_DAYS = 7 * 24 * 3600


class StorageHook(MonitorHook):
    """S3 by `s3://bucket/key` addresses."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(client_type="s3", **kwargs)

    def put(self, uri: str, body: bytes | str) -> str:
        """Write an object; returns its address."""
        bucket, key = split_s3(uri)
        self.call("put_object", Bucket=bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)
        return uri

    def upload(self, file: Path, uri: str) -> bool:
        """Upload a file unless an object of its length is there, as its address names its content; True if it was sent.

        Raises:
            InputError: when the file cannot be read.
        """
        bucket, key = split_s3(uri)
        try:
            size = file.stat().st_size
            if (there := self.find("head_object", Bucket=bucket, Key=key)) and there["ContentLength"] == size:
                return False
            with file.open("rb") as body:
                self.call("put_object", Bucket=bucket, Key=key, Body=body)
        except OSError as error:
            raise InputError(
                f"{file}: cannot be read: {error.strerror}. Is the path in the endpoint's YAML right?"
            ) from error
        return True

    def read(self, uri: str) -> bytes | None:
        """An object's content; None when there is none."""
        bucket, key = split_s3(uri)
        found = self.find("get_object", Bucket=bucket, Key=key)
        return None if found is None else found["Body"].read()

    def list(self, uri: str, start_after: str | None = None, limit: int | None = None) -> list[str]:
        """Addresses below a prefix, in order of their keys."""
        bucket, prefix = split_s3(uri)
        request = {
            "Bucket": bucket,
            "Prefix": prefix,
            **({"StartAfter": split_s3(start_after)[1]} if start_after else {}),
        }
        found: list[str] = []
        for page in self._pages(request):
            found += [f"s3://{bucket}/{item['Key']}" for item in page.get("Contents", [])]
            if limit is not None and len(found) >= limit:
                return found[:limit]
        return found

    def delete(self, uri: str) -> None:
        """Delete an object."""
        bucket, key = split_s3(uri)
        self.call("delete_object", Bucket=bucket, Key=key)

    def bucket_exists(self, bucket: str) -> bool:
        """Whether there is such a bucket."""
        return self.find("head_bucket", Bucket=bucket) is not None

    def create_bucket(self, bucket: str, region: str) -> None:
        """Create a bucket in the region."""
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.call("create_bucket", Bucket=bucket, **place)

    def time(self, bucket: str) -> datetime:
        """The service's clock, by its `Date` header."""
        headers = self.call("head_bucket", Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)

    def page(self, uri: str) -> str:
        """Where a browser can open an HTML file: AWS's console; on a server of this machine, signed for seven days.

        Empty for any other server, which a browser may not reach, and whose signatures are no public matter.
        """
        bucket, key = split_s3(uri)
        server = urlsplit(self.conn_client_meta.endpoint_url)
        if str(server.hostname).endswith(".amazonaws.com"):
            return f"https://{self.conn_region_name}.console.aws.amazon.com/s3/object/{bucket}?prefix={key}"
        if server.hostname not in {"127.0.0.1", "localhost", "::1"}:
            return ""
        wanted = {"Bucket": bucket, "Key": key, "ResponseContentType": "text/html"}
        client: Any = self.conn
        return str(client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=SEVEN_DAYS))

    def _pages(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self.call("list_objects_v2", **request, **token)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}
