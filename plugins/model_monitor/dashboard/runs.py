"""Between Airflow's DAG runs and the windows that they judged, by Airflow's database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.models.dag import DagModel
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.names import KINDS, Kind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RESULT = "return_value"
JUDGES = tuple(f"{kind}.{task}" for kind in KINDS for task in ("judge", "verdict"))
"""The tasks whose answers are verdicts."""
VERDICTS = 1000
"""How many of an endpoint's newest verdicts are looked at for the runs that they came from."""


@dataclass(frozen=True)
class Judged:
    """A window that a run judged, and the task that did."""

    kind: Kind
    window: str
    dag_id: str
    run_id: str
    task_id: str


@dataclass(frozen=True)
class NextRun:
    """When a DAG runs next; `at` is None for one that only runs when asked to."""

    dag_id: str
    paused: bool
    at: datetime | None


def judged_in(endpoint: MonitoredEndpoint, dag_id: str, run_id: str, task_id: str | None = None) -> list[Judged]:
    """The windows that a run judged; of a task in a monitor's group, those of this monitor."""
    wanted = XComModel.dag_id == dag_id, XComModel.run_id == run_id, XComModel.key == RESULT
    verdicts: dict[tuple[Kind, str], Judged] = {}
    with create_session(scoped=False) as session:
        # Tasks after a judge may hand its verdict on.
        found = _verdicts(session, endpoint, select(XComModel).where(*wanted))
        for judged in sorted(found, key=lambda one: one.task_id not in JUDGES):
            verdicts.setdefault((judged.kind, judged.window), judged)
    all_of_it = list(verdicts.values())
    if task_id is None:
        return all_of_it
    return [one for one in all_of_it if one.kind == task_id.partition(".")[0]] or all_of_it


def judged_by(endpoint: MonitoredEndpoint, dag_ids: Sequence[str]) -> dict[tuple[Kind, str], Judged]:
    """The last run that judged each window, among the newest verdicts."""
    newest = (
        select(XComModel)
        .where(XComModel.dag_id.in_(dag_ids), XComModel.task_id.in_(JUDGES), XComModel.key == RESULT)
        .order_by(XComModel.timestamp.desc())
        .limit(VERDICTS)
    )
    found: dict[tuple[Kind, str], Judged] = {}
    with create_session(scoped=False) as session:
        for judged in _verdicts(session, endpoint, newest):
            found.setdefault((judged.kind, judged.window), judged)
    return found


def next_runs(dag_ids: Iterable[str]) -> dict[str, NextRun]:
    """Those of the DAGs that Airflow knows."""
    with create_session(scoped=False) as session:
        rows = session.execute(
            select(DagModel.dag_id, DagModel.is_paused, DagModel.next_dagrun_create_after).where(
                DagModel.dag_id.in_(list(dag_ids)), DagModel.is_stale.is_(False)
            )
        ).all()
    return {dag_id: NextRun(dag_id, bool(paused), at) for dag_id, paused, at in rows}


def _verdicts(session: Session, endpoint: MonitoredEndpoint, wanted: Any) -> list[Judged]:
    found = []
    for row in session.scalars(wanted):
        value = XComModel.deserialize_value(row)
        for verdict in value if isinstance(value, list) else [value]:
            judged = _judged(endpoint, verdict, row)
            if judged is not None:
                found.append(judged)
    return found


def _judged(endpoint: MonitoredEndpoint, verdict: Any, row: Any) -> Judged | None:
    """What a task's answer tells of a window; None where it is no verdict on this endpoint."""
    if not isinstance(verdict, dict) or verdict.get("endpoint") != endpoint.name or verdict.get("kind") not in KINDS:
        return None
    kind: Kind = verdict["kind"]
    folder = f"{names.report_folders(endpoint, kind)}/"
    report = str(verdict.get("report", ""))
    if not report.startswith(folder):
        return None
    return Judged(kind, report.removeprefix(folder), row.dag_id, row.run_id, row.task_id)
