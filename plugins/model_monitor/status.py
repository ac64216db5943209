"""Every endpoint at a glance: what it has captured, been told and been judged, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from os.path import commonprefix
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import MonitorError
from model_monitor.names import KINDS, Kind
from model_monitor.newest import newest_files, newest_folder
from model_monitor.results import aligned

if TYPE_CHECKING:
    from datetime import datetime

    from model_monitor.hooks.s3 import StorageHook

THREADS = 8
HEADER = ("endpoint", "traffic", "files", "labels", "baselines", *KINDS, "missing")
NONE = "none"


@dataclass
class Status:
    """One endpoint: folders `yyyy/mm/dd/hh` of its newest captures and labels, verdicts by monitor, what is missing."""

    name: str
    traffic: str | None = None
    files: int = 0
    labels: str | None = None
    baselines: list[Kind] = field(default_factory=list)
    verdicts: dict[Kind, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def row(self) -> list[str]:
        """The cells of its line."""
        verdicts = [self.verdicts.get(kind, NONE) for kind in KINDS]
        baselines = ", ".join(self.baselines) or NONE
        seen = [self.traffic or NONE, str(self.files), self.labels or NONE, baselines]
        return [self.name, *seen, *verdicts, "; ".join(self.missing) or "-"]


def table(statuses: Iterable[Status]) -> str:
    """One line for each endpoint."""
    return aligned(HEADER, [status.row() for status in statuses])


def statuses(endpoints: Sequence[MonitoredEndpoint]) -> list[Status]:
    """The status of each endpoint, in their order; what cannot be asked is told in `missing`, of that endpoint only."""
    from model_monitor.hooks.s3 import StorageHook

    @cache
    def storage(connection: str, region: str) -> StorageHook:
        return StorageHook(aws_conn_id=connection, region_name=region)

    hooks = [storage(endpoint.aws_conn_id, endpoint.region) for endpoint in endpoints]
    for hook in dict.fromkeys(hooks):
        _ = hook.conn  # Clients can be shared by threads, but not made by them.
    clocks = {(hook, endpoint.bucket) for hook, endpoint in zip(hooks, endpoints, strict=True)}
    with ThreadPoolExecutor(THREADS) as pool:
        times = dict(zip(clocks, pool.map(lambda clock: _time(*clock), clocks), strict=True))
        return list(
            pool.map(lambda endpoint, hook: _status(endpoint, hook, times[hook, endpoint.bucket]), endpoints, hooks)
        )


def _time(storage: StorageHook, bucket: str) -> datetime | Exception:
    """The service's time, or what is wrong with the bucket."""
    try:
        return storage.time(bucket)
    except (MonitorError, ClientError, BotoCoreError) as problem:
        return problem


def _status(endpoint: MonitoredEndpoint, storage: StorageHook, now: datetime | Exception) -> Status:
    status = Status(endpoint.name)
    try:
        if isinstance(now, Exception):
            raise now
        _look(endpoint, storage, status, now)
    except MonitorError as problem:
        status.missing.append(str(problem))
    except (ClientError, BotoCoreError) as problem:
        status.missing.append(f"s3://{endpoint.bucket}: {problem}; {endpoint.name}.preflight says more")
    return status


def _look(endpoint: MonitoredEndpoint, storage: StorageHook, status: Status, now: datetime) -> None:
    name = endpoint.name
    captures = f"{names.captures(endpoint)}/{endpoint.endpoint.variant}"
    status.traffic = newest_folder(storage, captures, now)
    if status.traffic is None:
        status.missing.append(f"no traffic: {name}.deploy, {name}.traffic")
    else:
        status.files = len(storage.list(f"{captures}/{status.traffic}/"))
    status.labels = newest_folder(storage, names.ground_truth(endpoint), now)
    if status.labels is None:
        status.missing.append(f"no labels: {name}.ground_truth")
    constraints = {kind: names.baseline_constraints(endpoint, kind) for kind in KINDS}
    files = storage.list(commonprefix(list(constraints.values())))  # noqa: RUF071 - S3's prefixes are of characters
    status.baselines = [kind for kind in KINDS if constraints[kind] in files]
    if len(status.baselines) < len(KINDS):
        status.missing.append(f"no baseline: {name}.deploy")
    for kind in KINDS:
        if verdict := _verdict(endpoint, storage, kind, now):
            status.verdicts[kind] = verdict
        else:
            status.missing.append(f"no {kind} verdict: {name}.windows or {name}.monitor")


def _verdict(endpoint: MonitoredEndpoint, storage: StorageHook, kind: Kind, now: datetime) -> str | None:
    """The newest report's window, and the number of its violations."""
    from model_monitor.verdicts import ANALYSIS, VIOLATIONS

    found = newest_files(storage, names.report_folders(endpoint, kind), now)
    if found is None:
        return None
    window, files = found
    if ANALYSIS not in files:
        return f"{window}: no {ANALYSIS}"
    violations = f"{names.report_folder(endpoint, kind, window)}/{VIOLATIONS}"
    content = storage.read(violations) if VIOLATIONS in files else None
    try:
        count = len(json.loads(content)["violations"]) if content else 0
    except (ValueError, KeyError, TypeError):
        return f"{window}: {VIOLATIONS} cannot be read"
    if not count:
        return f"{window}: ok"
    return f"{window}: {count} violation{'s' if count > 1 else ''}"
