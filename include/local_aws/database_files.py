"""How the SQLite files of a data folder are opened, and what is said of one that cannot be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TAKEN = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY = 0xFF
"""The part of SQLite's error codes that says what kind of error it is."""


class UnusableStore(Exception):
    """A file of the data folder cannot be used; the text says why, and what to do."""


def connect(path: Path, folder: Path) -> sqlite3.Connection:
    """Open a file, or make a new one, for this process alone.

    What is committed survives the process's end at any moment; nothing is forced to the disk.

    Args:
        folder: the data folder that it belongs to.

    Raises:
        UnusableStore: it cannot be opened or written, is damaged, or another process uses it.
    """
    with telling(path, folder):
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=0)
        try:
            database.execute("PRAGMA locking_mode=EXCLUSIVE")
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise UnusableStore(f"{path} is damaged: {' '.join(found.split())}. {advice(folder)}")
        except BaseException:
            database.close()
            raise
        return database


def connect_of_format(path: Path, folder: Path, expected: int, schema: str) -> sqlite3.Connection:
    """Open a file of one format, or make a new one.

    Args:
        schema: statements that make what is not there yet.

    Raises:
        UnusableStore: as of `connect`, or it is of another format.
    """
    database = connect(path, folder)
    try:
        with telling(path, folder):
            (found,) = database.execute("PRAGMA user_version").fetchone()
            if found not in (0, expected):
                raise of_another_format(path, folder, found, expected)
            database.executescript(schema)
            database.execute(f"PRAGMA user_version={expected}")
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All or nothing of what is executed within; nothing, too, when the disk has no room for it."""
    database.execute("BEGIN")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # A full disk makes SQLite end the transaction by itself, or not.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextmanager
def telling(path: Path, folder: Path) -> Iterator[None]:
    """Tell of SQLite's errors what is the matter with the file.

    Raises:
        UnusableStore: in place of whatever SQLite raised.
    """
    try:
        yield
    except sqlite3.Error as error:
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
        if kind in TAKEN:
            reason = f"{path} is in use by another local_aws: {error}."
        elif kind in DAMAGED:
            reason = f"{path} is damaged or no file of local_aws: {error}. {advice(folder)}"
        else:
            reason = (
                f"{path} cannot be opened or written: {error}. "
                f"Make sure that {folder} can be written and that its disk has room."
            )
        raise UnusableStore(reason) from error


def of_another_format(path: Path, folder: Path, found: int, expected: int) -> UnusableStore:
    """What is said of a file that another version has written."""
    return UnusableStore(
        f"{path} was written by another version of local_aws (format {found}; this one reads {expected}). "
        f"{advice(folder)}"
    )


def advice(folder: Path) -> str:
    """What whoever starts the server can do about a file that is of no use."""
    return f"Delete the folder {folder}, or give another one with --data-dir."
