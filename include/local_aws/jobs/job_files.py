"""What a processing job reads from S3 before it starts, and writes there while and after it runs."""

from __future__ import annotations

import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from local_aws.jobs.volume import Volume, VolumeFull
from local_aws.s3_addresses import S3_ERRORS, split_uri

COPIED_BYTES = 1024**2
PART_BYTES = 64 * 1024**2
IN_PARTS = TransferConfig(multipart_threshold=1024**3, multipart_chunksize=PART_BYTES, use_threads=False)
"""Smaller files keep the ETag of a single request; S3 takes no more than 5 GiB in one."""
MISSING = frozenset({"NoSuchBucket", "NoSuchKey", "404"})


class BadManifest(Exception):
    """A manifest that is none."""


class TransferError(Exception):
    """An input cannot be read or an output cannot be written; the text is the job's FailureReason."""


def container_path(root: Path, path: str) -> Path:
    """A path inside the job's own "/".

    Raises:
        TransferError: when it would lie outside.
    """
    inside = (root / path.lstrip("/")).resolve()
    if not inside.is_relative_to(root.resolve()):
        raise TransferError(f"ClientError: {path} lies outside the job's container")
    return inside


def download(s3: Any, job_input: dict[str, Any], root: Path, role: str, volume: Volume) -> None:
    """Fetch one `ProcessingInput` into the job's "/".

    Raises:
        TransferError: when there is nothing at its address, or more than fits into the volume.
    """
    source = job_input["S3Input"]
    folder = container_path(root, source.get("LocalPath") or "/opt/ml/processing/input")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found = list(_objects(s3, source))
    except (*S3_ERRORS, BadManifest) as error:
        if not isinstance(error, ClientError) or error.response["Error"]["Code"] not in MISSING:
            raise TransferError(f"ClientError: Data download failed: {error}") from error
        found = []
    if not found:
        bucket, _ = split_uri(source["S3Uri"])
        raise TransferError(
            f'ClientError: No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source. '
            f"Please ensure that the bucket exists in the selected region, that objects exist under that S3 prefix, "
            f'and that the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )
    for bucket, key, name in found:
        target = container_path(root, f"{folder.relative_to(root.resolve())}/{name}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            volume.fetch(s3, bucket, key, target)
            if source.get("S3CompressionType") == "Gzip" and target.suffix == ".gz":
                volume.unpack(target)
        except VolumeFull as error:
            raise TransferError(
                f"ClientError: Data download failed: Insufficient disk space: "
                f"s3://{bucket}/{key} of the input {job_input['InputName']}: {error}"
            ) from error
        except (*S3_ERRORS, OSError, EOFError, zlib.error) as error:
            # An OSError's own text names a folder of the host.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise TransferError(f"ClientError: Data download failed: s3://{bucket}/{key}: {reason}") from error


def has_objects(s3: Any, folder: str) -> bool:
    """Whether anything lies in the folder."""
    bucket, prefix = split_uri(folder.rstrip("/") + "/")
    try:
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise TransferError(f"ClientError: {folder} cannot be listed: {error}") from error
    except BotoCoreError as error:
        raise TransferError(f"ClientError: {folder} cannot be listed: {error}") from error
    return any(item["Size"] > 0 for item in page.get("Contents", []))


def keys(s3: Any, folder: str) -> list[str]:
    """Every key in the folder."""
    bucket, prefix = split_uri(folder.rstrip("/") + "/")
    return [key for _, key in _list(s3, bucket, prefix)]


def remove(s3: Any, folder: str, folder_keys: list[str]) -> None:
    """Delete these keys of the folder's bucket."""
    bucket, _ = split_uri(folder)
    for key in folder_keys:
        s3.delete_object(Bucket=bucket, Key=key)


class Outputs:
    """A job's outputs, uploaded when they change (Continuous) and at the end (all)."""

    def __init__(self, s3: Any, outputs: list[dict[str, Any]], root: Path) -> None:
        self._s3 = s3
        self._outputs = [output["S3Output"] for output in outputs if "S3Output" in output]
        self._root = root
        self._uploaded: dict[Path, tuple[int, int]] = {}
        for output in self._outputs:
            self._folder(output).mkdir(parents=True, exist_ok=True)

    def sync(self, continuous_only: bool) -> None:
        """Upload what is new or changed.

        Raises:
            TransferError: when S3 refuses it.
        """
        for output in self._outputs:
            if continuous_only and output["S3UploadMode"] != "Continuous":
                continue
            folder = self._folder(output)
            for file in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
                self._upload(file, f"{output['S3Uri'].rstrip('/')}/{file.relative_to(folder).as_posix()}")

    def _upload(self, file: Path, uri: str) -> None:
        bucket, key = split_uri(uri)
        try:
            state = file.stat()
            version = (state.st_size, state.st_mtime_ns)
            if self._uploaded.get(file) == version:
                return
            # The program may go on writing, and S3 wants all the bytes that were announced, and no other ones.
            with file.open("rb") as written, tempfile.TemporaryFile(dir=self._root) as copy:
                shutil.copyfileobj(written, copy, COPIED_BYTES)
                copy.seek(0)
                self._s3.upload_fileobj(copy, bucket, key, Config=IN_PARTS)
        except FileNotFoundError:
            return  # The program has removed it.
        except (*S3_ERRORS, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise TransferError(f"ClientError: Failed to upload output to {uri}: {reason}") from error
        self._uploaded[file] = version

    def _folder(self, output: dict[str, Any]) -> Path:
        return container_path(self._root, output.get("LocalPath") or "/opt/ml/processing/output")


def _objects(s3: Any, source: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Bucket, key and relative file name of every object of an input."""
    bucket, prefix = split_uri(source["S3Uri"])
    if source["S3DataType"] == "ManifestFile":
        content = s3.get_object(Bucket=bucket, Key=prefix)["Body"].read()
        try:
            first, *names = json.loads(content)
            bucket, prefix = split_uri(first["prefix"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadManifest(
                f'{source["S3Uri"]} is no manifest: expected [{{"prefix": "s3://bucket/prefix"}}, "name", …]'
            ) from error
        yield from ((bucket, f"{prefix}{name}", name) for name in names)
        return
    for _, key in _list(s3, bucket, prefix):
        if not key.endswith("/"):
            yield bucket, key, _relative(key, prefix)


def _relative(key: str, prefix: str) -> str:
    if key.startswith(prefix.rstrip("/") + "/") and prefix:
        return key[len(prefix.rstrip("/")) + 1 :]
    return key.rsplit("/", 1)[-1] if key == prefix else key[prefix.rfind("/") + 1 :]


def _list(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield bucket, item["Key"]
