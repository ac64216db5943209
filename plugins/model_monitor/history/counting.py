"""Records of files, counted by their lines: each file once, as long as there is time, and estimated beyond that."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor.errors import MonitorError
from model_monitor.history.documents import shortened
from model_monitor.history.kept import Kept

if TYPE_CHECKING:
    from model_monitor.hooks.s3 import StorageHook, Stored

COUNTED_BYTES = 32 * 2**20
SAMPLED_BYTES = 2**20
THREADS = 8

# The files of a folder by its hour, `yyyy/mm/dd/hh`.
Hourly = Mapping[str, Sequence["Stored"]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Count:
    """The lines of a file, or of its beginning, and the bytes that they take."""

    lines: int
    size: int


@dataclass(frozen=True)
class Records:
    """The records of an hour; None where there is nothing to estimate them by."""

    number: int | None
    estimated: bool = False


class Counting:
    """Counts files and keeps what it counted.

    Args:
        server: what tells the addresses of one server from those of another.
        counts: what was counted; may be shared.
    """

    def __init__(self, storage: StorageHook, server: tuple[str, str], counts: Kept[Count]) -> None:
        self._storage, self._server, self._counts = storage, server, counts
        self.problem: str | None = None

    def count(self, folders: Sequence[Hourly], seconds: float) -> None:
        """Count what was not counted yet, newest hours first, for at most so long; `problem` says what cannot be."""
        tasks = [(hour, *task) for folder in folders for hour, files in folder.items() for task in _tasks(files)]
        unknown = [
            task[1:] for task in sorted(tasks, key=lambda task: task[0], reverse=True) if not self._known(*task[1:])
        ]
        self.problem = None
        if not unknown:
            return
        pool = ThreadPoolExecutor(THREADS)
        try:
            wait([pool.submit(self._try, *task) for task in unknown], timeout=seconds)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if self.problem is not None:
            log.warning("Not all records could be counted: %s", self.problem)

    def records(self, folder: Hourly) -> dict[str, Records]:
        """The records of each hour: counted, estimated by its own sample, or else by the folder's other files."""
        known = {hour: [self._known(*task) for task in _tasks(files)] for hour, files in folder.items()}
        counted = [count for counts in known.values() for count in counts if count is not None]
        return {hour: _records(files, known[hour], counted) for hour, files in folder.items()}

    def _try(self, file: Stored, limit: int) -> None:
        try:
            self._counts.get(self._key(file, limit), lambda: self._count(file, limit))
        except (MonitorError, ClientError, BotoCoreError) as problem:
            self.problem = shortened(str(problem))

    def _known(self, file: Stored, limit: int) -> Count | None:
        return self._counts.known(self._key(file, limit))

    def _key(self, file: Stored, limit: int) -> tuple[object, ...]:
        return (self._server, file.uri, file.etag, limit)

    def _count(self, file: Stored, limit: int) -> Count:
        lines = size = 0
        end = b"\n"
        for chunk in self._storage.chunks(file.uri):
            lines += chunk.count(b"\n")
            size += len(chunk)
            end = chunk[-1:]
            if size >= limit:
                break
        # A last line without an end is a line, too; of a beginning it is cut.
        return Count(lines + (end != b"\n" and size == file.size), size)


def _tasks(files: Sequence[Stored]) -> list[tuple[Stored, int]]:
    """What is looked at of an hour's files, and how much of each: all, or the beginning of the largest."""
    if _size(files) <= COUNTED_BYTES:
        return [(file, COUNTED_BYTES) for file in files]
    return [(max(files, key=lambda file: file.size), SAMPLED_BYTES)]


def _records(files: Sequence[Stored], known: Sequence[Count | None], others: Sequence[Count]) -> Records:
    own = [count for count in known if count is not None]
    if len(own) == len(files) == len(known) and _size(files) <= COUNTED_BYTES:
        return Records(sum(count.lines for count in own))
    sample = own if len(own) == len(known) else others
    read = sum(count.size for count in sample)
    if not read:
        return Records(None)
    return Records(round(_size(files) * sum(count.lines for count in sample) / read), estimated=True)


def _size(files: Sequence[Stored]) -> int:
    return sum(file.size for file in files)
