"""Which buckets, object versions and unfinished uploads there are: one SQLite file beside their contents.

A transaction is one request's changes. What is committed survives the process's end at any moment; nothing is forced to
the disk, so the last moments before a power cut may be missing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from local_aws.database_files import connect_of_format, transaction

FORMAT = 1
"""To be raised whenever rows of an earlier version could not be understood any more."""

CHECKPOINT_PAGES = 4000
"""Pages of 4 kB after which the log is written into the file, for which a request has to wait."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, account TEXT, partition TEXT, state TEXT
);
CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT, key TEXT, version TEXT, content TEXT, size INTEGER, state TEXT,
    UNIQUE (bucket, key, version)
);
CREATE TABLE IF NOT EXISTS uploads (bucket TEXT, upload TEXT, state TEXT, PRIMARY KEY (bucket, upload)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    bucket TEXT, upload TEXT, number INTEGER, content TEXT, size INTEGER, state TEXT,
    PRIMARY KEY (bucket, upload, number)
) WITHOUT ROWID;
"""


class BucketRow(NamedTuple):
    """A bucket; `state` is a document."""

    name: str
    account: str
    partition: str
    state: str


class ObjectRow(NamedTuple):
    """A version of an object, or a delete marker; `content` names its file, None when it is empty."""

    bucket: str
    key: str
    version: str
    content: str | None
    size: int
    state: str


class UploadRow(NamedTuple):
    """An upload that is not complete."""

    bucket: str
    upload: str
    state: str


class PartRow(NamedTuple):
    """A part of an upload that is not complete."""

    bucket: str
    upload: str
    number: int
    content: str | None
    size: int
    state: str


class S3Index:
    """A thread-safe index; rows come back in the order in which they were first put."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._database = connect_of_format(path, path.parent.parent, FORMAT, SCHEMA)
        self._database.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, by one thread at a time."""
        with self._lock, transaction(self._database):
            yield

    def put_bucket(self, row: BucketRow) -> None:
        """Add or change a bucket."""
        self._put("buckets", row, ("name",))

    def put_object(self, row: ObjectRow) -> None:
        """Add or change a version; one that is changed keeps its place."""
        self._put("objects", row, ("bucket", "key", "version"))

    def put_upload(self, row: UploadRow) -> None:
        """Add or change an upload."""
        self._put("uploads", row, ("bucket", "upload"))

    def put_part(self, row: PartRow) -> None:
        """Add or change a part."""
        self._put("parts", row, ("bucket", "upload", "number"))

    def delete_bucket(self, name: str) -> None:
        """Remove a bucket and all that is in it."""
        self._database.execute("DELETE FROM buckets WHERE name = ?", (name,))
        for table in ("objects", "uploads", "parts"):
            self._database.execute(f"DELETE FROM {table} WHERE bucket = ?", (name,))

    def delete_object(self, bucket: str, key: str, version: str) -> None:
        """Remove a version."""
        self._database.execute(
            "DELETE FROM objects WHERE bucket = ? AND key = ? AND version = ?", (bucket, key, version)
        )

    def delete_upload(self, bucket: str, upload: str) -> None:
        """Remove an upload and its parts."""
        for table in ("uploads", "parts"):
            self._database.execute(f"DELETE FROM {table} WHERE bucket = ? AND upload = ?", (bucket, upload))

    def buckets(self) -> Iterator[BucketRow]:
        """All buckets."""
        return map(BucketRow._make, self._all("buckets", BucketRow, "sequence"))

    def objects(self) -> Iterator[ObjectRow]:
        """All versions, those of one object from the oldest on."""
        return map(ObjectRow._make, self._all("objects", ObjectRow, "sequence"))

    def uploads(self) -> Iterator[UploadRow]:
        """All uploads."""
        return map(UploadRow._make, self._all("uploads", UploadRow, "bucket, upload"))

    def parts(self) -> Iterator[PartRow]:
        """All parts, those of one upload by number."""
        return map(PartRow._make, self._all("parts", PartRow, "bucket, upload, number"))

    def contents(self) -> set[str]:
        """The names of all files that rows refer to."""
        rows = self._database.execute(
            "SELECT content FROM objects WHERE content IS NOT NULL UNION ALL "
            "SELECT content FROM parts WHERE content IS NOT NULL"
        )
        return {name for (name,) in rows}

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _put(self, table: str, row: Any, key: tuple[str, ...]) -> None:
        rest = [name for name in row._fields if name not in key]
        self._database.execute(
            f"INSERT INTO {table} ({', '.join(row._fields)}) VALUES ({', '.join('?' * len(row))})"
            f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in rest)}"
            f" WHERE {' OR '.join(f'{name} IS NOT excluded.{name}' for name in rest)}",
            row,
        )

    def _all(self, table: str, row: Any, order: str) -> Iterator[Any]:
        return self._database.execute(f"SELECT {', '.join(row._fields)} FROM {table} ORDER BY {order}")
