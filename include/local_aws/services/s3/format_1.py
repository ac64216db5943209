"""S3 of a data folder of format 1, moved into today's.

Format 1 kept each object's latest version: a document in the store, of the kind "s3-object", and a file named in it. A
kill in the midst of the move is harmless: until all is moved, the old documents and files stay.
"""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_aws.database_files import UnusableStore
from local_aws.store import Document, Store

log = logging.getLogger(__name__)

BUCKET = "s3-bucket"
OBJECT = "s3-object"
FORMAT = 1


def set_aside(store: Store, folder: Path, here: bool) -> None:
    """Make room in `folder` for today's S3, before it is opened; `here` is whether S3 is this server's own.

    Raises:
        UnusableStore: there are objects to move, but S3 is elsewhere.
    """
    if store.format != FORMAT:
        return
    if not here and store.list(BUCKET):
        raise UnusableStore(
            f"{folder.parent} holds S3 objects of an earlier version of local_aws. Start once without "
            "AWS_ENDPOINT_URL_S3, so that they are moved into the present format, and copy them from there."
        )
    if folder.exists() and not _old(folder).exists() and not (folder / "index.sqlite").exists():
        folder.rename(_old(folder))


def move_in(store: Store, folder: Path, account_id: str) -> None:
    """Put the objects of format 1 into moto, whose changes are kept by now, and have done with format 1."""
    if store.format != FORMAT:
        return
    from moto.s3.models import s3_backends

    backend: Any = s3_backends[account_id]["aws"]
    buckets, objects = store.list(BUCKET), store.list(OBJECT)
    for bucket in buckets:
        _move_bucket(backend, bucket)
    for document in objects:
        _move_object(backend, document, _old(folder))
    store.leave_format_1(without=(BUCKET, OBJECT))
    shutil.rmtree(_old(folder), ignore_errors=True)
    if buckets:
        log.info("Moved %d buckets and %d objects of format 1 into the present format.", len(buckets), len(objects))


def _old(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-format-1")


def _move_bucket(backend: Any, document: Document) -> None:
    name = document["Name"]
    with backend.changes.of_request(reading=False):
        bucket = backend.buckets.get(name) or backend.create_bucket(name, document["Region"])
        bucket.versioning_status = document["Versioning"]
        bucket.creation_date = datetime.fromtimestamp(document["CreationDate"], UTC)


def _move_object(backend: Any, document: Document, folder: Path) -> None:
    from moto.s3.models import get_canned_acl

    bucket, name = document["Bucket"], document["Key"]
    if backend.buckets[bucket].keys.get(name) is not None:
        return
    with backend.changes.of_request(reading=False):
        key = backend.put_object(
            bucket,
            name,
            (folder / bucket / document["File"]).read_bytes(),
            storage=document["StorageClass"],
            etag=document["ETag"],
            encryption=document["Encryption"],
            kms_key_id=document["KmsKeyId"],
            disable_notification=True,
        )
        key.set_acl(get_canned_acl("private"))
        key.set_metadata(document["Metadata"])
        key.last_modified = datetime.fromtimestamp(document["LastModified"], UTC).replace(tzinfo=None)
        for attribute, value in document["Checksum"].items():
            setattr(key, attribute, value)
        if document["Tags"]:
            backend.put_object_tagging(key, document["Tags"])
