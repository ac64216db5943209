"""A task's event as OpenLineage's provider makes it, written by OpenLineage's own transport and read back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attr
from airflow.providers.openlineage.extractors import ExtractorManager
from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
from airflow.sdk import BaseOperator
from airflow.utils.state import TaskInstanceState
from openlineage.client import OpenLineageClient, facet_v2
from openlineage.client.transport.file import FileConfig, FileTransport


@dataclass
class DagRun:
    """The part of a DAG run that the provider's extraction reads."""

    run_id: str = "manual__1"


def event_of(task: BaseOperator, folder: Path, state: TaskInstanceState = TaskInstanceState.SUCCESS) -> dict[str, Any]:
    """The event of a task that has run in this process; every facet in it is what its class says."""
    file = folder / f"{uuid.uuid4().hex}.json"
    transport = FileTransport(FileConfig(log_file_path=str(file), append=True))
    found = ExtractorManager().extract_metadata(DagRun(), task, state, None)
    OpenLineageAdapter(OpenLineageClient(transport=transport)).complete_task(
        run_id=str(uuid.uuid4()),
        job_name=f"churn.{task.task_id}",
        end_time="2026-11-22T10:00:00Z",
        task=found,
        nominal_start_time=None,
        nominal_end_time=None,
        owners=None,
        tags=None,
        job_description=None,
    )
    event: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    for name, facet in facets_of(event):
        check_facet(name, facet)
    return event


def facets_of(event: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every facet of an event, with its name."""
    yield from event["run"]["facets"].items()
    yield from event["job"]["facets"].items()
    for data in [*event["inputs"], *event["outputs"]]:
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield from data.get(kind, {}).items()


def check_facet(name: str, facet: Mapping[str, Any]) -> None:
    """Complain of a facet that has keys which its class does not know, or lacks what it needs."""
    declared = FACETS[facet["_schemaURL"].rpartition("/")[2]]
    assert facet["_schemaURL"] == declared._get_schema(), name
    fields = {field.name: field for field in attr.fields(declared) if not field.name.startswith("_")}
    content = {key: value for key, value in facet.items() if not key.startswith("_")}
    assert content.keys() <= fields.keys(), name
    assert {key for key, field in fields.items() if field.default is attr.NOTHING} <= content.keys(), name
    declared(**content)


def _classes() -> Iterator[type]:
    for module in vars(facet_v2).values():
        for declared in vars(module).values() if hasattr(module, "__file__") else ():
            if isinstance(declared, type) and issubclass(declared, facet_v2.BaseFacet):
                yield declared


FACETS = {declared.__name__: declared for declared in _classes()}


def data_set(event: Mapping[str, Any], side: str, name: str) -> dict[str, Any]:
    """The data set of an event's `inputs` or `outputs` whose name ends so."""
    (found,) = [data for data in event[side] if data["name"].endswith(name)]
    return dict(found)


def names_of(event: Mapping[str, Any], side: str) -> list[str]:
    """Namespaces and names of an event's `inputs` or `outputs`."""
    return [f"{data['namespace']} {data['name']}" for data in event[side]]
