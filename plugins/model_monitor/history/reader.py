"""What is known of one endpoint's monitors, read from S3 and the managed service, and kept while it is true."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError, MonitorError
from model_monitor.history import folders
from model_monitor.history.baselines import Baselines
from model_monitor.history.baselines import Known as KnownBaselines
from model_monitor.history.counting import Counting
from model_monitor.history.documents import shortened
from model_monitor.history.executions import RESULT_BYTES, RESULTS, Read, outline, understood
from model_monitor.history.folders import Due
from model_monitor.history.listing import Ask, Listing
from model_monitor.history.memory import Memory
from model_monitor.history.model import Baseline, Execution, File, Hour
from model_monitor.history.service import Managed, Service
from model_monitor.history.traffic import Traffic
from model_monitor.names import KINDS, Kind
from model_monitor.newest import newest_folder

if TYPE_CHECKING:
    from model_monitor.hooks.s3 import StorageHook
    from model_monitor.hooks.sagemaker import SageMakerHook

THREADS = 8
ABOUT_NOW_SECONDS = 60.0
FILE_BYTES = 64 * 2**20
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
RECENT = timedelta(days=2)
# What an execution takes in memory, beside what its files hold, and how much more that is than in the files.
EXECUTION_BYTES, EXPANSION = 2_000, 4

Split = Callable[[str], tuple[str, str] | None]
Found = tuple[str, Due, tuple[File, ...], Managed | None]


class History:
    """The past of one endpoint's monitors; its methods can be called by several threads at once.

    A result file is read once for each of its ETags. New windows show within `FRESH_SECONDS` of the module `listing`,
    older ones that were judged again within `OLDER_SECONDS`. Every method raises `MonitorError` where S3 refuses or
    does not answer. The managed service may be absent or refuse: `service_problem` says so.

    Args:
        memory: what was learnt, to be shared by the histories of a process.
        clock: seconds that pass, by which what is known grows old.
    """

    def __init__(
        self,
        endpoint: MonitoredEndpoint,
        storage: StorageHook,
        sagemaker: SageMakerHook,
        memory: Memory | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoint = endpoint
        self._storage = storage
        self._memory = memory or Memory()
        self._clock = clock
        self._time = (-inf, FIRST)
        self._server = (endpoint.aws_conn_id, endpoint.region)
        self._service = Service(endpoint, sagemaker, clock)
        self._traffic = Traffic(endpoint, storage, Counting(storage, self._server, self._memory.counts), clock)
        self._reports = {
            kind: Listing(self._ask(names.report_folders(endpoint, kind), folders.split), clock=clock) for kind in KINDS
        }
        self._baselines = Baselines(endpoint, self._ask_files, self._reader, clock)

    def now(self) -> datetime:
        """The service's time."""
        with self._told():
            return self._storage.time(self.endpoint.bucket)

    def executions(self, kind: Kind, since: datetime, until: datetime | None = None) -> list[Execution]:
        """The executions due from one moment to before another, oldest first."""
        since = max(since, FIRST)
        with self._told():
            listed = self._reports[kind].since(f"{names.report_folders(self.endpoint, kind)}/{names.hour_path(since)}")
        managed = self._service.executions(kind, since)
        files = _by_window(listed)
        found = [
            (due.scheduled, window, due)
            for window in files.keys() | managed.keys()
            if (due := _due(window, managed.get(window))) and _within(since, due.scheduled, until)
        ]
        ordered = sorted(found, key=lambda one: one[:2])
        return self._understood(
            kind, [(window, due, tuple(files.get(window, ())), managed.get(window)) for _, window, due in ordered]
        )

    def execution(self, kind: Kind, window: str) -> Execution | None:
        """The execution of one window; None where there is none."""
        due = folders.due(window)
        if due is None or due.scheduled < FIRST:
            return None
        files = self._files(names.report_folder(self.endpoint, kind, window))
        managed = self._service.executions(kind, due.scheduled).get(window)
        if not files and managed is None:
            return None
        return self._understood(kind, [(window, _due(window, managed) or due, files, managed)])[0]

    def newest(self, kind: Kind) -> Execution | None:
        """The execution that was due last."""
        now = self._about_now()
        if recent := self.executions(kind, now - RECENT):
            return recent[-1]
        with self._told():
            folder = newest_folder(self._storage, names.report_folders(self.endpoint, kind), now)
        due = folders.due(folder) if folder else None
        moments = [due.scheduled if due else None, self._service.newest(kind)]
        since = max((moment for moment in moments if moment), default=None)
        found = self.executions(kind, since) if since else []
        return found[-1] if found else None

    def baseline(self, kind: Kind) -> Baseline | None:
        """What a monitor compares with; None where nothing is there."""
        return self._known_baselines(kind).present

    def hours(self, since: datetime, until: datetime) -> list[Hour]:
        """Traffic hour by hour, of all hours that the time from one moment to before another touches."""
        with self._told():
            return self._traffic.hours(max(since, FIRST), until)

    def traffic_problem(self) -> str | None:
        """Why hours may not be known, or only be estimated; None where every file that was looked at could be read."""
        return self._traffic.problem

    def service_problem(self) -> str | None:
        """Why the managed service's executions may be missing; None where it answers, be it that there are none."""
        return self._service.problem

    def read(self, kind: Kind, window: str, file: str) -> bytes | None:
        """A file of a window's folder; None where there is none.

        Raises:
            InputError: when it is larger than `FILE_BYTES`.
        """
        if folders.due(window) is None:
            return None
        return self._content(names.report_folder(self.endpoint, kind, window), file)

    def read_baseline(self, kind: Kind, file: str) -> bytes | None:
        """A file of a baseline's folder; None where there is none.

        Raises:
            InputError: when it is larger than `FILE_BYTES`.
        """
        return self._content(names.baseline_output(self.endpoint, kind), file)

    def settle(self) -> None:
        """Wait until nothing is asked beside those who read."""
        for listing in self._reports.values():
            listing.settle()
        self._baselines.settle()
        self._service.settle()
        self._traffic.settle()

    def _about_now(self) -> datetime:
        asked, now = self._time
        if self._clock() - asked >= ABOUT_NOW_SECONDS:
            asked, now = self._time = (self._clock(), self.now())
        return now

    def _understood(self, kind: Kind, found: Sequence[Found]) -> list[Execution]:
        if not found:
            return []
        baselines = self._known_baselines(kind)
        keys = [(self._server, self.endpoint.name, kind, baselines.identity, *one) for one in found]

        def understand(place: int) -> Execution:
            window, due, files, managed = found[place]
            known = outline(self.endpoint, kind, window, due, files, managed)
            size = EXECUTION_BYTES + sum(EXPANSION * file.size for file in _results(files))
            read = self._reader(names.report_folder(self.endpoint, kind, window))
            try:
                return self._memory.executions.get(keys[place], lambda: understood(known, baselines.past, read), size)
            except (MonitorError, ClientError, BotoCoreError) as problem:
                return replace(known, problem=shortened(str(problem)))

        executions = [self._memory.executions.known(key) for key in keys]
        missing = [place for place, execution in enumerate(executions) if execution is None]
        if missing:
            with ThreadPoolExecutor(min(THREADS, len(missing))) as pool:
                for place, execution in zip(missing, pool.map(understand, missing), strict=True):
                    executions[place] = execution
        return [execution for execution in executions if execution is not None]

    def _known_baselines(self, kind: Kind) -> KnownBaselines:
        with self._told():
            return self._baselines.of(kind)

    def _reader(self, folder: str) -> Read:
        def read(file: File) -> bytes:
            address = f"{folder}/{file.name}"
            key = (self._server, address, file.etag)
            return self._memory.contents.get(key, lambda: self._fetched(address, RESULT_BYTES), file.size)

        return read

    def _content(self, folder: str, name: str) -> bytes | None:
        file = next((file for file in self._files(folder) if file.name == name), None)
        if file is None:
            return None
        address = f"{folder}/{name}"
        if file.size > FILE_BYTES:
            raise InputError(f"{address} has {file.size:,} bytes; files of more than {FILE_BYTES:,} stay in S3")
        with self._told():
            return self._fetched(address, FILE_BYTES)

    def _fetched(self, address: str, limit: int) -> bytes:
        content = bytearray()
        for chunk in self._storage.chunks(address):
            content += chunk
            if len(content) > limit:
                raise InputError(f"{address} has grown beyond {limit:,} bytes while it was read")
        return bytes(content)

    def _files(self, folder: str) -> tuple[File, ...]:
        with self._told():
            return tuple(
                File(one.uri.removeprefix(f"{folder}/"), one.size, one.etag, one.modified)
                for one in self._storage.objects(f"{folder}/")
                if not one.uri.endswith("/")
            )

    def _ask(self, root: str, split: Split) -> Ask[tuple[str, File]]:
        def ask(after: str, up_to: str | None) -> Iterator[tuple[str, tuple[str, File]]]:
            for address, file in self._ask_files(root)(after, up_to):
                found = split(file.name)
                if found:
                    window, name = found
                    yield address, (window, replace(file, name=name))

        return ask

    def _ask_files(self, root: str) -> Ask[File]:
        def ask(after: str, up_to: str | None) -> Iterator[tuple[str, File]]:
            for one in self._storage.objects(f"{root}/", after):
                if up_to is not None and one.uri > up_to:
                    return
                # A folder can be an object, too: consoles make such ones.
                if not one.uri.endswith("/"):
                    yield one.uri, File(one.uri.removeprefix(f"{root}/"), one.size, one.etag, one.modified)

        return ask

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as problem:
            raise MonitorError(
                f"s3://{self.endpoint.bucket}: {problem}; {self.endpoint.name}.preflight says more"
            ) from problem


def _due(window: str, managed: Managed | None) -> Due | None:
    """When a window was due: an execution that was started by hand was not due on the hour that its folder names."""
    return folders.due(window) if managed is None else Due(managed.scheduled)


def _within(since: datetime, moment: datetime, until: datetime | None) -> bool:
    return since <= moment and (until is None or moment < until)


def _by_window(listed: Sequence[tuple[str, File]]) -> dict[str, list[File]]:
    files: dict[str, list[File]] = defaultdict(list)
    for window, file in listed:
        files[window].append(file)
    return files


def _results(files: Sequence[File]) -> list[File]:
    return [file for file in files if file.name in RESULTS and file.size <= RESULT_BYTES]
