"""Which model is in force: that of the YAML's archive, or one that a human approved in its place.

Everything that names a model asks here: the endpoint and its shadows, baselines, monitors and windows. An approved
model stays in force until the YAML's archive itself changes; whoever changes it means the archive that they put there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from model_monitor import names, requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from model_monitor.hooks.s3 import StorageHook


@dataclass(frozen=True)
class ApprovedModel:
    """A model that a human put in the place of the YAML's; archives are named by the fingerprint of their content."""

    archive: str
    supersedes: str
    approved_by: str
    at: datetime


@dataclass(frozen=True)
class ModelInForce:
    """The model in force, by its archive's fingerprint; `approved` tells of its approval, if it has one."""

    name: str
    archive: str
    approved: ApprovedModel | None = None

    def __str__(self) -> str:
        if self.approved is None:
            return f"{self.name}, of the YAML's archive"
        return f"{self.name}, approved by {self.approved.approved_by} at {self.approved.at.isoformat()}"


def model_in_force(endpoint: MonitoredEndpoint, storage: StorageHook) -> ModelInForce:
    """The model of the YAML's archive, unless one was approved in the place of just this archive.

    Raises:
        InputError: when the archive, or what is kept of the approval, cannot be read.
    """
    own = sources.archive(endpoint)
    approved = approved_model(endpoint, storage)
    if approved is None or approved.supersedes != own:
        return ModelInForce(requests.model_name(endpoint, own), own)
    return ModelInForce(requests.model_name(endpoint, approved.archive), approved.archive, approved)


def approved_model(endpoint: MonitoredEndpoint, storage: StorageHook) -> ApprovedModel | None:
    """The model that was approved last, in force or not.

    Raises:
        InputError: when what is kept of it cannot be read.
    """
    place = names.approved_model(endpoint)
    content = storage.read(place)
    if content is None:
        return None
    try:
        kept = json.loads(content)
        return ApprovedModel(
            archive=str(kept["archive"]),
            supersedes=str(kept["supersedes"]),
            approved_by=str(kept["approved_by"]),
            at=datetime.fromisoformat(kept["at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{place}: does not say which model was approved: {error!r}. Delete it to have the YAML's model in force, "
            f"then run {endpoint.name}.deploy."
        ) from error


def put_in_force(endpoint: MonitoredEndpoint, storage: StorageHook, approved: ApprovedModel) -> str:
    """Keep which model was approved; returns the address where that is kept."""
    kept = asdict(approved) | {
        "at": approved.at.isoformat(),
        "address": names.model_archive(endpoint, approved.archive),
    }
    return storage.put(names.approved_model(endpoint), json.dumps(kept, indent=2))
