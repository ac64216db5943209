"""Buckets and objects that survive a restart.

Moto keeps S3 in memory. Here every change of a bucket or an object is written through before the request is answered,
and read back at the start: the content as a file, the rest as a document. Kept are each object's latest version, its
metadata, tags, encryption and checksum, and each bucket's region and versioning; other settings of buckets are not.
"""

from __future__ import annotations

import inspect
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_aws.aws import ACCOUNT_ID
from local_aws.store import Store

BUCKET = "s3-bucket"
OBJECT = "s3-object"
CHECKSUM = ("checksum_algorithm", "checksum_value", "checksum_type", "checksum_parts")
WATCHED = (
    "create_bucket",
    "delete_bucket",
    "put_bucket_versioning",
    "put_object",
    "put_object_tagging",
    "delete_object",
)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PersistentS3:
    """A WSGI application: moto's, with what it changes in S3 written through to `folder` and `store`."""

    def __init__(self, application: Application, store: Store, folder: Path) -> None:
        from moto.s3.models import s3_backends

        self._application = application
        self._store = store
        self._folder = folder
        self._backend: Any = s3_backends[ACCOUNT_ID]["aws"]
        self._changed = threading.local()
        self._writing = threading.Lock()
        self._load()
        for name in WATCHED:
            setattr(self._backend, name, self._watched(getattr(self._backend, name)))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        changed = self._changed.names = dict[tuple[str, str | None], None]()
        try:
            return self._application(environ, start_response)
        finally:
            del self._changed.names
            for bucket, key in changed:
                self._save(bucket, key)

    def _watched(self, method: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(method)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            given = signature.bind(*args, **kwargs).arguments
            key = given.get("key")
            name = (key.bucket_name, key.name) if key else (given["bucket_name"], given.get("key_name"))
            if hasattr(self._changed, "names"):
                # Metadata and tags are set after the content, within the same request.
                self._changed.names[name] = None
            else:
                self._save(*name)
            return result

        return call

    def _save(self, bucket: str, key: str | None) -> None:
        with self._writing:
            if key is None:
                self._save_bucket(bucket)
            else:
                self._save_object(bucket, key)

    def _save_bucket(self, name: str) -> None:
        bucket = self._backend.buckets.get(name)
        if bucket is None:
            self._store.delete(BUCKET, name)
            shutil.rmtree(self._folder / name, ignore_errors=True)
            return
        document = {
            "Name": name,
            "Region": bucket.region_name,
            "Versioning": bucket.versioning_status,
            "CreationDate": bucket.creation_date.timestamp(),
        }
        self._store.put(BUCKET, name, document)

    def _save_object(self, bucket: str, name: str) -> None:
        document_name = f"{bucket}/{name}"
        old = self._store.get(OBJECT, document_name)
        key = self._backend.buckets[bucket].keys.get(name) if bucket in self._backend.buckets else None
        if key is None or not hasattr(key, "value"):
            self._store.delete(OBJECT, document_name)
        else:
            file = uuid.uuid4().hex
            (self._folder / bucket).mkdir(parents=True, exist_ok=True)
            (self._folder / bucket / file).write_bytes(key.value)
            self._store.put(OBJECT, document_name, {"Bucket": bucket, "Key": name, "File": file} | self._described(key))
        if old:
            (self._folder / bucket / old["File"]).unlink(missing_ok=True)

    def _described(self, key: Any) -> dict[str, Any]:
        return {
            "ETag": key.etag.strip('"'),
            "LastModified": key.last_modified.replace(tzinfo=UTC).timestamp(),
            "Metadata": dict(key.metadata),
            "StorageClass": key.storage_class,
            "Encryption": key.encryption,
            "KmsKeyId": key.kms_key_id,
            "Tags": self._backend.tagger.get_tag_dict_for_resource(key.arn),
            "Checksum": {name: getattr(key, name) for name in CHECKSUM},
        }

    def _load(self) -> None:
        for bucket in self._store.list(BUCKET):
            created = self._backend.create_bucket(bucket["Name"], bucket["Region"])
            created.versioning_status = bucket["Versioning"]
            created.creation_date = datetime.fromtimestamp(bucket["CreationDate"], UTC)
        for document in self._store.list(OBJECT):
            file = self._folder / document["Bucket"] / document["File"]
            key = self._backend.put_object(
                document["Bucket"],
                document["Key"],
                file.read_bytes(),
                storage=document["StorageClass"],
                etag=document["ETag"],
                encryption=document["Encryption"],
                kms_key_id=document["KmsKeyId"],
                disable_notification=True,
            )
            key.set_metadata(document["Metadata"])
            key.last_modified = datetime.fromtimestamp(document["LastModified"], UTC).replace(tzinfo=None)
            for name, value in document["Checksum"].items():
                setattr(key, name, value)
            if document["Tags"]:
                self._backend.put_object_tagging(key, document["Tags"])
