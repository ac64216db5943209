"""Requests captured, labels collected and requests matched, hour by hour: the lines of files that never change."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.history.counting import Counting, Hourly, Records
from model_monitor.history.listing import Listing
from model_monitor.history.model import Hour

if TYPE_CHECKING:
    from model_monitor.hooks.s3 import StorageHook, Stored

COUNTING_SECONDS = 4.0
HOUR = timedelta(hours=1)
_FILE = re.compile(r"(?P<hour>\d{4}/\d\d/\d\d/\d\d)/[^/]+", re.ASCII)


class Traffic:
    """The traffic of one endpoint."""

    def __init__(
        self,
        endpoint: MonitoredEndpoint,
        storage: StorageHook,
        counting: Counting,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counting = counting
        variant = f"{endpoint.name}/{endpoint.endpoint.variant}"
        roots = (
            f"{names.data_capture(endpoint)}/{variant}",
            names.ground_truth(endpoint),
            f"{names.merged(endpoint)}/{variant}",
        )
        self._folders = [_Folder(root, storage, clock) for root in roots]

    @property
    def problem(self) -> str | None:
        """Why files could not be counted, if any could not."""
        return self._counting.problem

    def hours(self, since: datetime, until: datetime) -> list[Hour]:
        """Each hour that the time from one moment to before another touches, with or without traffic.

        What cannot be counted within `COUNTING_SECONDS` is estimated, and counted when somebody asks again.
        """
        first = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        starts = {names.hour_path(hour): hour for hour in _hours(first, until)}
        if not starts:
            return []
        files = [folder.files(starts) for folder in self._folders]
        self._counting.count(files, COUNTING_SECONDS)
        captures, labels, merged = (self._counting.records(folder) for folder in files)
        return [_hour(hour, captures.get(path), labels.get(path), merged.get(path)) for path, hour in starts.items()]

    def settle(self) -> None:
        """Wait until nothing is asked beside."""
        for folder in self._folders:
            folder.listing.settle()


class _Folder:
    """Files in folders named by the hour."""

    def __init__(self, root: str, storage: StorageHook, clock: Callable[[], float]) -> None:
        self._root, self._storage = root, storage
        self.listing: Listing[tuple[str, Stored]] = Listing(self._ask, clock=clock)

    def files(self, wanted: Collection[str]) -> Hourly:
        """The files of those wanted hours that have any."""
        found: dict[str, list[Stored]] = defaultdict(list)
        for hour, file in self.listing.since(f"{self._root}/{min(wanted)}"):
            if hour in wanted:
                found[hour].append(file)
        return found

    def _ask(self, after: str, up_to: str | None) -> Iterator[tuple[str, tuple[str, Stored]]]:
        for file in self._storage.objects(f"{self._root}/", after):
            if up_to is not None and file.uri > up_to:
                return
            if found := _FILE.fullmatch(file.uri.removeprefix(f"{self._root}/")):
                yield file.uri, (found["hour"], file)


def _hours(first: datetime, until: datetime) -> Iterator[datetime]:
    while first < until:
        yield first
        first += HOUR


def _hour(start: datetime, captured: Records | None, labelled: Records | None, matched: Records | None) -> Hour:
    requests = captured.number if captured else 0
    # What was not merged yet is not known, unless there is nothing to merge.
    merged = matched.number if matched else 0 if requests == 0 else None
    estimated = any(records is not None and records.estimated for records in (captured, labelled, matched))
    return Hour(start, requests, labelled.number if labelled else 0, merged, estimated)
