"""From DAG runs to the windows that they judged, by what is in Airflow's database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow import settings
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.xcom import XComModel
from sqlalchemy import delete
from sqlalchemy.orm import Session

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses, runs
from model_monitor.dashboard.next_runs import Next, next_verdict
from model_monitor.dashboard.runs import Judged, NextRun
from tests.dashboard.conftest import WINDOW, Visitor
from tests.dashboard.past import HOUR, NOW, bias, metric

DAG, RUN = "small.windows", "scheduled__2026-11-22T11:00:00+00:00"
BUNDLE = "tests"


@pytest.fixture
def airflow_db(database: None) -> Iterator[Any]:
    """A session in which rows need no rows that they refer to; what was added is gone afterwards."""
    with settings.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
        with Session(bind=connection) as session:
            yield session
            session.rollback()
            for model in (XComModel, DagModel, DagBundleModel):
                session.execute(delete(model))
            session.commit()
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.commit()


def answered(session: Any, endpoint: MonitoredEndpoint, task_id: str, answer: Any = None, **more: Any) -> None:
    """A task's answer, as Airflow keeps it."""
    kind = task_id.partition(".")[0]
    usual = {
        "endpoint": endpoint.name,
        "kind": kind,
        "report": f"{names.report_folders(endpoint, kind)}/{WINDOW}" if kind in names.KINDS else "",
        "violations": [],
    }
    values = {"dag_id": DAG, "run_id": RUN, "map_index": -1, "dag_run_id": 1, "key": "return_value"} | more
    row = XComModel(task_id=task_id, value=XComModel.serialize_value(usual if answer is None else answer), **values)
    session.add(row)
    session.commit()


def judged(kind: str, **more: str) -> Judged:
    return Judged(**{"kind": kind, "window": WINDOW, "dag_id": DAG, "run_id": RUN, "task_id": f"{kind}.judge"} | more)


def test_a_run_leads_to_all_that_it_judged_and_a_task_to_its_own(airflow_db: Any, endpoint: MonitoredEndpoint) -> None:
    answered(airflow_db, endpoint, "window", {"start": "2026-11-22T10:00:00Z"})
    answered(airflow_db, endpoint, "bias.alert")
    answered(airflow_db, endpoint, "bias.judge")
    answered(airflow_db, endpoint, "explainability.judge")
    assert runs.judged_in(endpoint, DAG, RUN) == [judged("bias"), judged("explainability")]
    assert runs.judged_in(endpoint, DAG, RUN, "bias.judge") == [judged("bias")]
    assert runs.judged_in(endpoint, DAG, RUN, "bias.alert") == [judged("bias")]
    assert runs.judged_in(endpoint, DAG, RUN, "explainability.plan") == [judged("explainability")]
    assert runs.judged_in(endpoint, DAG, RUN, "window") == [judged("bias"), judged("explainability")]
    assert runs.judged_in(endpoint, DAG, "another") == []


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "a text",
        [1, 2],
        {"endpoint": "small"},
        {"endpoint": "small", "kind": "nonsense", "report": "x"},
        {
            "endpoint": "another",
            "kind": "bias",
            "report": "s3://bucket/monitors/reports/small/small-bias/2026/11/22/11",
        },
        {"endpoint": "small", "kind": "bias", "report": "s3://elsewhere/2026/11/22/11"},
    ],
)
def test_answers_that_are_no_verdicts_are_passed_over(
    airflow_db: Any, endpoint: MonitoredEndpoint, answer: Any
) -> None:
    answered(airflow_db, endpoint, "bias.judge", answer if answer is not None else "")
    assert runs.judged_in(endpoint, DAG, RUN) == []
    assert runs.judged_by(endpoint, [DAG]) == {}


def test_a_window_belongs_to_the_run_that_judged_it_last(airflow_db: Any, endpoint: MonitoredEndpoint) -> None:
    answered(airflow_db, endpoint, "bias.judge", timestamp=datetime(2026, 11, 22, 11, 5, tzinfo=UTC))
    answered(airflow_db, endpoint, "bias.judge", run_id="again", dag_run_id=2, timestamp=NOW)
    answered(airflow_db, endpoint, "bias.verdict", dag_id="secret.monitor", run_id="third", dag_run_id=3)
    found = runs.judged_by(endpoint, [DAG])
    assert found == {("bias", WINDOW): judged("bias", run_id="again")}


def test_airflows_pages_lead_to_the_dashboards(airflow_db: Any, visit: Visitor, endpoint: MonitoredEndpoint) -> None:
    answered(airflow_db, endpoint, "bias.judge")
    answered(airflow_db, endpoint, "explainability.judge")
    viewer = visit()

    def led(address: str) -> str:
        answer = viewer.get(address)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    assert led(addresses.of_dag(DAG)) == addresses.endpoint("small")
    assert led(addresses.of_task(DAG, "bias.judge")) == f"{addresses.endpoint('small')}#bias"
    judging = addresses.of_task_instance(DAG, RUN, "explainability.judge")
    assert led(judging) == addresses.execution("small", "explainability", WINDOW)
    both = viewer.get(addresses.of_run(DAG, RUN)).text
    for kind in names.KINDS:
        assert f'href="{addresses.execution("small", kind, WINDOW)}"' in both
    nothing = viewer.get(addresses.of_run("small.preflight", "manual__1"))
    assert "It has judged no window, or not yet." in nothing.text
    assert addresses.endpoint("small") in nothing.text


def test_runs_stand_beside_their_windows(airflow_db: Any, visit: Visitor, endpoint: MonitoredEndpoint) -> None:
    answered(airflow_db, endpoint, "bias.judge")
    page = visit().get(addresses.endpoint("small")).text
    run = "/dags/small.windows/runs/scheduled__2026-11-22T11%3A00%3A00%2B00%3A00"
    assert f'<a href="{run}" data-airflow>run</a>' in page
    assert f'<a href="{run}/tasks/bias.judge" data-airflow>log</a>' in page


def test_the_next_run_of_a_dag_is_airflows_own_plan(airflow_db: Any) -> None:
    airflow_db.add(DagBundleModel(name=BUNDLE))
    airflow_db.flush()
    for dag_id, paused, stale in (("small.windows", False, False), ("small.watch", True, False), ("old", False, True)):
        airflow_db.add(
            DagModel(dag_id=dag_id, bundle_name=BUNDLE, is_paused=paused, is_stale=stale, next_dagrun_create_after=NOW)
        )
    airflow_db.commit()
    assert runs.next_runs(["small.windows", "small.watch", "old", "none"]) == {
        "small.windows": NextRun("small.windows", False, NOW),
        "small.watch": NextRun("small.watch", True, NOW),
    }


def test_the_next_verdict_is_that_of_the_first_dag_that_runs(endpoint: MonitoredEndpoint) -> None:
    planned = {
        "small.windows": NextRun("small.windows", False, NOW + HOUR),
        "small.watch": NextRun("small.watch", False, NOW + timedelta(minutes=5)),
    }
    assert next_verdict(endpoint, None, NOW, planned) == Next(NOW + timedelta(minutes=5), "small.watch")


def test_without_dags_it_is_the_schedules_as_long_as_that_is_alive(endpoint: MonitoredEndpoint) -> None:
    paused = {"small.windows": NextRun("small.windows", True, NOW)}
    alive = bias(NOW - HOUR, metric())
    following = next_verdict(endpoint, alive, NOW + timedelta(minutes=1), paused)
    assert following == Next(NOW + HOUR, None)
    assert next_verdict(endpoint, bias(NOW - 5 * HOUR, metric()), NOW, paused) is None
    assert next_verdict(endpoint, None, NOW, paused) is None


def test_windows_of_unusual_names_have_pages_too(visit: Visitor, past: Any) -> None:
    window = f"2026/11/22/11-30-00-from-{uuid.uuid4().hex}"
    unusual = bias(NOW - HOUR, metric())
    past["small"].known["bias"] = [unusual.__class__(**{**unusual.__dict__, "window": window})]
    assert visit().get(addresses.execution("small", "bias", window)).status_code == 200
