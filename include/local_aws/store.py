"""Documents that survive a restart.

A document is a JSON object, found by its kind ("model", "endpoint", …) and its name. Moments in documents are epoch
seconds (floats), as SageMaker's JSON protocol sends them. Resources of a region are named by `scoped(region, name)`.
The file says in which format its documents are, and belongs to one process at a time.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from local_aws.database_files import connect, of_another_format, telling, transaction

log = logging.getLogger(__name__)

Document = dict[str, Any]
Listener = Callable[[str, Document | None, Document | None], None]
"""Gets a document's name, what it was (None: new) and what it is (None: deleted)."""


FORMAT = 2
"""To be raised whenever documents of an earlier version could not be understood any more."""
CAN_BE_MOVED = frozenset({1})
"""Formats that are read, and written anew at the start."""


TRY_AGAIN_SECONDS = 1.0
LAST_CHARACTER = "\U0010ffff"


class AlreadyExists(Exception):
    """A document of that kind and name exists."""


def scoped(region: str, name: str) -> str:
    """The store's name for a resource of a region."""
    return f"{region}/{name}"


class Store:
    """A thread-safe table of documents in one SQLite file. Documents come back as copies.

    `format` is an earlier one than today's until all of the folder has been brought into today's.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._listeners: dict[str, list[Listener]] = {}
        self._database = connect(path, path.parent)
        try:
            with telling(path, path.parent):
                self._open(path)
        except BaseException:
            self._database.close()
            raise

    def _open(self, path: Path) -> None:
        (found,) = self._database.execute("PRAGMA user_version").fetchone()
        (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self.format: int = found if tables else FORMAT
        if self.format not in {FORMAT, *CAN_BE_MOVED}:
            raise of_another_format(path, path.parent, found, FORMAT)
        self._database.execute(f"PRAGMA user_version={self.format}")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS documents ("
            "sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
            " kind TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL,"
            " UNIQUE (kind, name))"
        )
        self._database.execute("CREATE INDEX IF NOT EXISTS names_in_any_case ON documents (kind, name COLLATE NOCASE)")

    def leave_format_1(self, without: tuple[str, ...]) -> None:
        """All has been brought into today's format; the documents of the kinds that it does not have are dropped."""
        with self._lock:
            with transaction(self._database):
                for kind in without:
                    self._database.execute("DELETE FROM documents WHERE kind = ?", (kind,))
                self._database.execute(f"PRAGMA user_version={FORMAT}")
            self.format = FORMAT

    def subscribe(self, kind: str, listener: Listener) -> None:
        """Have a listener told of every change of a kind's documents, after each write and in the order of the writes.

        The store is locked meanwhile: a listener takes note and leaves what lasts to a thread of its own.
        """
        with self._lock:
            self._listeners.setdefault(kind, []).append(listener)

    def insert(self, kind: str, name: str, document: Document) -> None:
        """Add a new document.

        Raises:
            AlreadyExists: the name is taken, in whatever case: ARNs, which are lower case, would be the same.
        """
        with self._lock:
            taken = self._database.execute(
                "SELECT name FROM documents WHERE kind = ? AND name = ? COLLATE NOCASE", (kind, name)
            ).fetchone()
            if taken is not None:
                raise AlreadyExists(f"{kind} {taken[0]}")
            self._database.execute(
                "INSERT INTO documents (kind, name, document) VALUES (?, ?, ?)", (kind, name, json.dumps(document))
            )
            self._tell(kind, name, None, document)

    def put(self, kind: str, name: str, document: Document) -> None:
        """Add a document or replace it; one that is replaced keeps its place in the list."""
        with self._lock:
            before = self._heard(kind, name)
            self._database.execute(
                "INSERT INTO documents (kind, name, document) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document",
                (kind, name, json.dumps(document)),
            )
            self._tell(kind, name, before, document)

    def get(self, kind: str, name: str) -> Document | None:
        """The document, or None."""
        with self._lock:
            row = self._database.execute(
                "SELECT document FROM documents WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def update(self, kind: str, name: str, change: Callable[[Document], Document | None]) -> Document | None:
        """Change a document while nobody else can; `change` edits its argument or returns a new document.

        Returns the new document, or None when there is none of that name. An error of `change` leaves all as it was.
        """
        with self._lock:
            document = self.get(kind, name)
            if document is None:
                return None
            changed = change(document)
            document = document if changed is None else changed
            self.put(kind, name, document)
            return document

    def update_at_last(self, kind: str, name: str, change: Callable[[Document], None], given_up: Event) -> None:
        """Like `update`, again and again as long as the file cannot be written, until somebody gives up."""
        while True:
            try:
                self.update(kind, name, change)
                return
            except sqlite3.OperationalError as error:
                log.error("%s %s cannot be written, which is tried again: %s", kind, name, error)
                if given_up.wait(TRY_AGAIN_SECONDS):
                    return

    def delete(self, kind: str, name: str) -> bool:
        """Remove a document; False when there was none."""
        with self._lock:
            before = self._heard(kind, name)
            cursor = self._database.execute("DELETE FROM documents WHERE kind = ? AND name = ?", (kind, name))
            if before is not None:
                self._tell(kind, name, before, None)
            return cursor.rowcount > 0

    def list(self, kind: str, prefix: str = "") -> list[Document]:
        """All documents of a kind whose names start with `prefix` (such as `scoped(region, "")`), oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT document FROM documents WHERE kind = ? AND name >= ? AND name < ? ORDER BY sequence",
                (kind, prefix, prefix + LAST_CHARACTER),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def _heard(self, kind: str, name: str) -> Document | None:
        """The document as its listeners know it; None when nobody listens."""
        return self.get(kind, name) if kind in self._listeners else None

    def _tell(self, kind: str, name: str, before: Document | None, after: Document | None) -> None:
        for listener in self._listeners.get(kind, ()):
            try:
                listener(name, before, after)
            except Exception:
                log.exception("What follows from the change of %s %s failed.", kind, name)

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        with self._lock:
            self._database.close()
