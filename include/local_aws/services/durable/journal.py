"""What the services that moto answers for are told, and what they keep in bulk: one SQLite file.

Everything is committed before the request is answered, so that it survives the process's end at any moment; nothing is
forced to the disk, so the last moments before a power cut may be missing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.database_files import connect_of_format, transaction

FORMAT = 1
"""To be raised whenever rows of an earlier version could not be understood any more."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL, subject TEXT, seed TEXT NOT NULL, moment TEXT NOT NULL,
    environ TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS requests_by_subject ON requests (subject);
CREATE TABLE IF NOT EXISTS log_streams (
    region TEXT, log_group TEXT, stream TEXT, created TEXT, PRIMARY KEY (region, log_group, stream)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    region TEXT, log_group TEXT, stream TEXT, ingested TEXT, newest INTEGER, size INTEGER, count INTEGER, events TEXT
);
CREATE INDEX IF NOT EXISTS batches_by_stream ON log_batches (region, log_group, stream);
CREATE TABLE IF NOT EXISTS metric_batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT, newest REAL, count INTEGER, data TEXT
);
"""


@dataclass(frozen=True)
class Entry:
    """A request that changed something: what it said, when it came, and the seed of what was random in it.

    `action` is such as `iam/us-east-1/CreateRole`. `subject` names the one resource that it concerns, where that is
    known: requests about a resource that is deleted are forgotten with it.
    """

    action: str
    subject: str | None
    seed: int
    moment: str
    environ: dict[str, str]
    body: bytes


class Journal:
    """A thread-safe file of requests, and of the tables that `execute` reads and writes."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._database = connect_of_format(path, path.parent, FORMAT, SCHEMA)

    def append(self, entry: Entry) -> int:
        """Keep a request; its place in the journal."""
        ((place,),) = self.execute(
            "INSERT INTO requests (action, subject, seed, moment, environ, body) VALUES (?, ?, ?, ?, ?, ?)"
            " RETURNING sequence",
            (entry.action, entry.subject, str(entry.seed), entry.moment, json.dumps(entry.environ), entry.body),
        )
        return int(place)

    def drop(self, place: int) -> None:
        """Forget one request."""
        self.execute("DELETE FROM requests WHERE sequence = ?", (place,))

    def drop_same_before(self, place: int) -> None:
        """Forget the request before this one about the same subject, if that said exactly the same."""
        self.execute(
            "DELETE FROM requests WHERE sequence = (SELECT max(earlier.sequence) FROM requests AS earlier, requests"
            " AS this WHERE this.sequence = ?1 AND earlier.subject = this.subject AND earlier.sequence < ?1)"
            " AND (action, body) = (SELECT action, body FROM requests WHERE sequence = ?1)",
            (place,),
        )

    def drop_if_so_already(self, place: int, undone_by: str) -> None:
        """Forget a request if one that said exactly the same was not followed by the action `undone_by`."""
        self.execute(
            "DELETE FROM requests WHERE sequence = ?1 AND EXISTS (SELECT 1 FROM requests AS earlier"
            " WHERE earlier.sequence < ?1 AND earlier.subject = requests.subject"
            " AND earlier.action = requests.action AND earlier.body = requests.body"
            " AND NOT EXISTS (SELECT 1 FROM requests AS undoing WHERE undoing.sequence > earlier.sequence"
            " AND undoing.subject = requests.subject AND undoing.action LIKE '%/' || ?2))",
            (place, undone_by),
        )

    def forget(self, subject: str, creating: str) -> None:
        """Drop all requests about a resource that is gone, if one of them, of the action `creating`, had made it."""
        self.execute(
            "DELETE FROM requests WHERE subject = ?1"
            " AND EXISTS (SELECT 1 FROM requests WHERE subject = ?1 AND action LIKE '%/' || ?2)",
            (subject, creating),
        )

    def entries(self) -> Iterator[Entry]:
        """All requests, in the order in which they came."""
        rows = self.execute("SELECT action, subject, seed, moment, environ, body FROM requests ORDER BY sequence")
        for action, subject, seed, moment, environ, body in rows:
            yield Entry(action, subject, int(seed), moment, json.loads(environ), body)

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Execute one statement; its rows."""
        with self.lock:
            return self._database.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is executed within."""
        with self.lock, transaction(self._database):
            yield

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        with self.lock:
            self._database.close()
