"""S3: what is uploaded, read back and listed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from model_monitor.errors import InputError
from model_monitor.hooks.base import MonitorHook
from model_monitor.names import split_s3

CHUNK = 2**20


@dataclass(frozen=True)
class Stored:
    """An object: its address, size in bytes, ETag, which is its content's MD5 unless it is encrypted, and age."""

    uri: str
    size: int
    etag: str
    modified: datetime


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
            self.send(file, uri)
        except OSError as error:
            raise InputError(
                f"{file}: cannot be read: {error.strerror}. Is the path in the endpoint's YAML right?"
            ) from error
        return True

    def send(self, file: Path, uri: str) -> None:
        """Write an object with a file's content, whatever its size."""
        bucket, key = split_s3(uri)
        with file.open("rb") as body:
            self.call("put_object", Bucket=bucket, Key=key, Body=body)

    def read(self, uri: str) -> bytes | None:
        """An object's content; None when there is none."""
        bucket, key = split_s3(uri)
        found = self.find("get_object", Bucket=bucket, Key=key)
        return None if found is None else found["Body"].read()

    def versioned(self, uri: str) -> tuple[bytes, str] | None:
        """An object's content and its ETag, for `put_over`; None when there is none."""
        bucket, key = split_s3(uri)
        found = self.find("get_object", Bucket=bucket, Key=key)
        return None if found is None else (found["Body"].read(), found["ETag"])

    def put_over(self, uri: str, body: str, etag: str | None) -> str | None:
        """Write an object if it still has an ETag, or with None is not there yet; its new ETag, None if it was not."""
        bucket, key = split_s3(uri)
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            written = self.call("put_object", Bucket=bucket, Key=key, Body=body.encode(), **condition)
        except ClientError as error:
            # The second is what S3 answers while somebody else writes the object, the third when it was deleted.
            if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}:
                return None
            raise
        return str(written["ETag"])

    def chunks(self, uri: str) -> Iterator[bytes]:
        """An object's content in pieces, for objects of any size; what is not asked for is not fetched.

        Raises:
            InputError: when there is no such object.
        """
        with closing(self._body(uri)) as body:
            yield from body.iter_chunks(CHUNK)

    def download(self, uri: str, file: Path) -> None:
        """Write an object's content to a file, whatever its size.

        Raises:
            InputError: when there is no such object.
        """
        body = self._body(uri)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as target:
            shutil.copyfileobj(body, target)

    def list(self, uri: str, start_after: str | None = None, limit: int | None = None) -> list[str]:
        """Addresses below a prefix, in order of their keys."""
        found: list[str] = []
        for one in self.objects(uri, start_after):
            found.append(one.uri)
            if len(found) == limit:
                break
        return found

    def objects(self, uri: str, start_after: str | None = None) -> Iterator[Stored]:
        """What lies below a prefix, in order of keys."""
        bucket, prefix = split_s3(uri)
        request = {
            "Bucket": bucket,
            "Prefix": prefix,
            **({"StartAfter": split_s3(start_after)[1]} if start_after else {}),
        }
        for page in self._pages(request):
            for item in page.get("Contents", []):
                uri = f"s3://{bucket}/{item['Key']}"
                yield Stored(uri, item["Size"], item["ETag"].strip('"'), item["LastModified"])

    def folders(self, uri: str) -> Sequence[str]:
        """The names of the folders in a folder, in order."""
        bucket, prefix = split_s3(f"{uri}/")
        pages = self._pages({"Bucket": bucket, "Prefix": prefix, "Delimiter": "/"})
        found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
        return [folder.removeprefix(prefix).rstrip("/") for folder in found]

    def replace(self, uri: str, folder: Path) -> bool:
        """Let the objects below an address be the files of a folder; True when that changed anything.

        What is there already stays as it is. Files come before what they replace is deleted.
        """
        there = {one.uri: one.etag for one in self.objects(f"{uri}/")}
        files = {f"{uri}/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if file.is_file()}
        changed = {address: file for address, file in files.items() if there.get(address) != _md5(file)}
        for address, file in sorted(changed.items()):
            self.send(file, address)
        stale = there.keys() - files.keys()
        for address in sorted(stale):
            self.delete(address)
        return bool(changed or stale)

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

    def _body(self, uri: str) -> Any:
        """An object's content, yet to be read; InputError when there is no such object."""
        bucket, key = split_s3(uri)
        found = self.find("get_object", Bucket=bucket, Key=key)
        if found is None:
            raise InputError(f"{uri} is gone; it was there a moment ago.")
        return found["Body"]

    def _pages(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self.call("list_objects_v2", **request, **token)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
