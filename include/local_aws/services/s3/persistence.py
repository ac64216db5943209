"""S3 that survives the process's end at any moment.

S3's behaviour is moto's. Of the alternatives that install with pip none comes near it: `pys3local` knows neither
versions, tags nor multipart uploads, and the complete ones (MinIO, SeaweedFS, Garage) are servers of their own;
`AWS_ENDPOINT_URL_S3` leads to one. Moto itself keeps everything in memory, contents included. So around it:

* contents are files from the moment they arrive (`contents`), and memory holds only what describes them;
* what a request changes is noted while moto answers it (`changes`, `objects`) and committed to the index
  (`index`) before the answer is sent: files first, then the rows that refer to them, then the answer, and files that
  nothing refers to any more are removed last;
* at the start the index alone is read, and files that a kill left over are removed.

Kept is whatever moto keeps of buckets, of all versions and delete markers, and of unfinished uploads and their parts.
The next page of a listing is found again from its token, unless the key that the last page ended with is gone by then.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from local_aws.memory import nothing_to_collect
from local_aws.services.s3.changes import Changed, Changes
from local_aws.services.s3.contents import Content, Contents
from local_aws.services.s3.documents import S3Documents
from local_aws.services.s3.index import BucketRow, ObjectRow, PartRow, S3Index, UploadRow
from local_aws.services.s3.locks import KeyLocks
from local_aws.services.s3.objects import RecordingBackend, Replaced, StoredKey

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class PersistentS3:
    """A WSGI application: moto's, with its S3 kept in `folder`."""

    def __init__(self, application: Application, folder: Path) -> None:
        from moto.s3.models import s3_backends

        folder.mkdir(parents=True, exist_ok=True)
        self._application = application
        self._backends = s3_backends
        self._index = S3Index(folder / "index.sqlite")
        self._contents = Contents(folder / "contents")
        self._changes = Changes(self._save)
        self._locks = KeyLocks()
        self._saving = threading.Lock()
        self._unsaved: list[Changed] = []
        self._saved: dict[tuple[str, str], tuple[tuple[str, Content | None], ...]] = {}
        self._saved_parts: dict[tuple[str, str], dict[int, Content]] = {}
        StoredKey.contents = self._contents
        RecordingBackend.changes = self._changes
        RecordingBackend.locks = KeyLocks()
        self._replaced = Replaced()
        self._documents = S3Documents()
        try:
            with nothing_to_collect():
                self._load()
        except BaseException:
            self.close()
            raise

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        reading = environ["REQUEST_METHOD"] in READING
        if reading:
            with self._changes.of_request(reading=True):
                return self._application(environ, start_response)
        with self._locks.held(*_written(environ)), self._changes.of_request(reading=False):
            started: list[tuple[Any, ...]] = []
            answer = self._application(environ, lambda *begun: started.append(begun))
        start_response(*started[-1])
        return answer

    def close(self) -> None:
        """Let go of the folder, and give moto back its own S3."""
        self._replaced.restore()
        self._index.close()

    def _save(self, changed: Changed) -> None:
        if not changed.anything:
            return
        with self._saving:
            try:
                self._save_all([*self._unsaved, changed])
            except sqlite3.OperationalError:
                # On a full disk; in moto's memory it is changed all the same, so it is saved with the next change.
                self._unsaved.append(changed)
                raise
            self._unsaved = []

    def _save_all(self, changes: list[Changed]) -> None:
        done: list[Callable[[], None]] = []
        with self._index.transaction():
            for changed in changes:
                for name in changed.changed_buckets:
                    self._save_bucket(name, done)
                for (bucket, key), versions in changed.objects.items():
                    self._save_object(bucket, key, versions, done)
                for (bucket, upload), parts in changed.uploads.items():
                    self._save_upload(bucket, upload, parts, done)
        for follow in done:
            follow()

    def _save_bucket(self, name: str, done: list[Callable[[], None]]) -> None:
        found = self._bucket(name)
        if found is None:
            self._index.delete_bucket(name)
            for upload in [upload for upload in self._saved_parts if upload[0] == name]:
                done.append(lambda upload=upload: self._forget_parts(*upload))  # type: ignore[misc]
            return
        backend, bucket = found
        self._index.put_bucket(
            BucketRow(name, bucket.account_id, bucket.partition, self._documents.bucket(backend, bucket))
        )

    def _save_object(self, bucket_name: str, key: str, changed: set[str], done: list[Callable[[], None]]) -> None:
        found = self._bucket(bucket_name)
        versions = found[1].keys.getlist(key, []) if found else []
        before = dict(self._saved.get((bucket_name, key), ()))
        now: dict[str, Content | None] = {}
        for version in list(versions):
            content = getattr(version, "content", None)
            now[version.version_id] = content
            if found and (
                version.version_id in changed
                or version.version_id not in before
                or before[version.version_id] is not content
            ):
                self._index.put_object(
                    ObjectRow(
                        bucket_name,
                        key,
                        version.version_id,
                        content.name if content else None,
                        content.size if content else 0,
                        self._documents.version(found[0], version),
                    )
                )
        for version_id in before:
            if version_id not in now:
                self._index.delete_object(bucket_name, key, version_id)
        done.append(lambda: self._settle(bucket_name, key, before, now))

    def _settle(self, bucket: str, key: str, before: dict[str, Content | None], now: dict[str, Content | None]) -> None:
        if now:
            self._saved[bucket, key] = tuple(now.items())
        else:
            self._saved.pop((bucket, key), None)
        for content in now.values():
            if content:
                content.keep()
        for version, content in before.items():
            if content and now.get(version) is not content:
                content.let_go()

    def _save_upload(self, bucket_name: str, upload: str, changed: set[int], done: list[Callable[[], None]]) -> None:
        found = self._bucket(bucket_name)
        multipart = found[1].multiparts.get(upload) if found else None
        if multipart is None:
            self._index.delete_upload(bucket_name, upload)
            done.append(lambda: self._forget_parts(bucket_name, upload))
            return
        self._index.put_upload(UploadRow(bucket_name, upload, self._documents.upload(multipart)))
        saved = self._saved_parts.setdefault((bucket_name, upload), {})
        for number in changed:
            part = multipart.parts[number]
            content: Content = part.content
            self._index.put_part(
                PartRow(bucket_name, upload, number, content.name, content.size, self._documents.part(part))
            )
            done.append(lambda number=number, content=content: _replace(saved, number, content))  # type: ignore[misc]

    def _forget_parts(self, bucket: str, upload: str) -> None:
        for content in self._saved_parts.pop((bucket, upload), {}).values():
            content.remove()

    def _bucket(self, name: str) -> tuple[Any, Any] | None:
        place = self._backends.bucket_accounts.get(name)
        if place is None:
            return None
        partition, account = place
        backend: Any = self._backends[account][partition]
        bucket = backend.buckets.get(name)
        return None if bucket is None else (backend, bucket)

    def _load(self) -> None:
        for row in self._index.buckets():
            self._documents.restore_bucket(self._backends[row.account][row.partition], row.name, row.state)
        for version in self._index.objects():
            found = self._bucket(version.bucket)
            if found is not None:
                content = self._contents.stored(version.content, version.size)
                made = self._documents.restore_version(*found, version.key, version.version, version.state, content)
                saved = self._saved.get((version.bucket, version.key), ())
                self._saved[version.bucket, version.key] = (*saved, (version.version, getattr(made, "content", None)))
        for upload in self._index.uploads():
            found = self._bucket(upload.bucket)
            if found is not None:
                self._documents.restore_upload(found[1], upload.upload, upload.state)
        for part in self._index.parts():
            found = self._bucket(part.bucket)
            if found is not None:
                content = self._contents.stored(part.content, part.size)
                self._documents.restore_part(*found, part.upload, part.number, part.state, content)
                self._saved_parts.setdefault((part.bucket, part.upload), {})[part.number] = content
        removed = self._contents.remove_all_but(self._index.contents())
        if removed:
            log.info("Removed %d files of S3 objects that were never complete, or deleted.", removed)


def _replace(parts: dict[int, Content], number: int, content: Content) -> None:
    content.keep()
    old = parts.get(number)
    parts[number] = content
    if old is not None and old is not content:
        old.remove()


def _written(environ: dict[str, Any]) -> tuple[str, ...]:
    """What a writing request excludes others from meanwhile: its object, or the one part that it uploads."""
    path = environ.get("PATH_INFO", "")
    query = environ.get("QUERY_STRING", "")
    return (path, unquote(query)) if "partNumber=" in query else (path,)
