"""Constraints that a new baseline replaces are kept: windows judged before were compared with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.names import Kind

if TYPE_CHECKING:
    from model_monitor.hooks.s3 import StorageHook

NAMED = "%Y-%m-%dT%H:%M:%SZ.json"


def keep_replaced(storage: StorageHook, endpoint: MonitoredEndpoint, kind: Kind) -> str | None:
    """Keep the constraints that are there, as something is about to write others; their copy's address, if any are."""
    constraints = names.baseline_constraints(endpoint, kind)
    there = next((one for one in storage.objects(constraints) if one.uri == constraints), None)
    if there is None or (content := storage.read(constraints)) is None:
        return None
    name = there.modified.astimezone(UTC).strftime(NAMED)
    return storage.put(f"{names.earlier_baselines(endpoint, kind)}/{name}", content)


def made_at(name: str) -> datetime | None:
    """When the constraints were made that are kept under a name; None for a name that says nothing of it."""
    try:
        return datetime.strptime(name, NAMED).replace(tzinfo=UTC)
    except ValueError:
        return None
