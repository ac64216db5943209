"""Requests captured, labels collected and requests matched, hour by hour: the lines of files that never change."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.history.kept import Kept
from model_monitor.history.listing import Listing
from model_monitor.history.model import Hour

if TYPE_CHECKING:
    from model_monitor.hooks.s3 import StorageHook, Stored

COUNTED_BYTES = 32 * 2**20
SAMPLED_BYTES = 2**20
THREADS = 8
HOUR = timedelta(hours=1)
_FILE = re.compile(r"(?P<hour>\d{4}/\d\d/\d\d/\d\d)/[^/]+", re.ASCII)


@dataclass(frozen=True)
class Count:
    """The lines of a file, or of its beginning, and the bytes that they take."""

    lines: int
    size: int


@dataclass(frozen=True)
class Records:
    """The records of an hour, counted or estimated."""

    number: int
    estimated: bool = False


class Traffic:
    """The traffic of one endpoint; each file is counted once.

    Args:
        counts: what was counted, by address and ETag; endpoints of one server can share it.
    """

    def __init__(
        self,
        endpoint: MonitoredEndpoint,
        storage: StorageHook,
        counts: Kept[Count],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        variant = f"{endpoint.name}/{endpoint.endpoint.variant}"
        roots = (f"{names.data_capture(endpoint)}/{variant}", names.ground_truth(endpoint))
        self._folders = [
            _Folder(root, storage, counts, clock) for root in (*roots, f"{names.merged(endpoint)}/{variant}")
        ]

    def hours(self, since: datetime, until: datetime) -> list[Hour]:
        """Each hour that the time from one moment to before another touches, with or without traffic."""
        first = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        starts = {names.hour_path(hour): hour for hour in _hours(first, until)}
        if not starts:
            return []
        with ThreadPoolExecutor(THREADS) as pool:
            captures, labels, merged = (folder.hours(starts, pool) for folder in self._folders)
        return [_hour(hour, captures.get(path), labels.get(path), merged.get(path)) for path, hour in starts.items()]

    def settle(self) -> None:
        """Wait until nothing is asked beside."""
        for folder in self._folders:
            folder.settle()


class _Folder:
    """Files in folders named by the hour."""

    def __init__(self, root: str, storage: StorageHook, counts: Kept[Count], clock: Callable[[], float]) -> None:
        self._root, self._storage, self._counts = root, storage, counts
        self._listing: Listing[tuple[str, Stored]] = Listing(self._ask, clock=clock)
        self.settle = self._listing.settle

    def hours(self, wanted: Collection[str], pool: ThreadPoolExecutor) -> dict[str, Records]:
        """The records of those wanted hours that have files."""
        files: dict[str, list[Stored]] = defaultdict(list)
        for hour, file in self._listing.since(f"{self._root}/{min(wanted)}"):
            if hour in wanted:
                files[hour].append(file)
        small = [file for listed in files.values() if _size(listed) <= COUNTED_BYTES for file in listed]
        lines = dict(zip(small, pool.map(self._lines, small), strict=True))
        return {
            hour: Records(sum(lines[file].lines for file in listed)) if listed[0] in lines else self._estimated(listed)
            for hour, listed in files.items()
        }

    def _ask(self, after: str, up_to: str | None) -> Iterator[tuple[str, tuple[str, Stored]]]:
        for file in self._storage.objects(f"{self._root}/", after):
            if up_to is not None and file.uri > up_to:
                return
            if found := _FILE.fullmatch(file.uri.removeprefix(f"{self._root}/")):
                yield file.uri, (found["hour"], file)

    def _lines(self, file: Stored) -> Count:
        return self._counts.get((file.uri, file.etag), lambda: self._count(file, COUNTED_BYTES))

    def _estimated(self, files: list[Stored]) -> Records:
        """By the size of the records at the beginning of the largest file."""
        largest = max(files, key=lambda file: file.size)
        sample = self._counts.get(
            (largest.uri, largest.etag, SAMPLED_BYTES), lambda: self._count(largest, SAMPLED_BYTES)
        )
        if not sample.lines:
            return Records(0, estimated=True)
        return Records(round(_size(files) * sample.lines / sample.size), estimated=True)

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


def _hours(first: datetime, until: datetime) -> Iterator[datetime]:
    while first < until:
        yield first
        first += HOUR


def _hour(start: datetime, captured: Records | None, labelled: Records | None, matched: Records | None) -> Hour:
    requests = captured.number if captured else 0
    # What was not merged yet is not known, unless there is nothing to merge.
    merged = matched.number if matched else None if requests else 0
    estimated = any(records is not None and records.estimated for records in (captured, labelled, matched))
    return Hour(start, requests, labelled.number if labelled else 0, merged, estimated)


def _size(files: list[Stored]) -> int:
    return sum(file.size for file in files)
