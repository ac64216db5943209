"""`<endpoint>.report`: one report for each monitor on all windows of a range of time."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_settings import answer_of, settings
from model_monitor.names import KINDS
from model_monitor.operators.range_report import RangeOperator, ReportRangeOperator

DOC = """
### Report on {name}

A report for each monitor on many windows at once: what violated and since when, each metric over time, what became of
every window. It is one HTML file in S3, to be printed or sent, and the task links to it.

* **By hand**: the windows due between the form's two moments, or in the last seven days.
* **On schedule**: {schedule}.
"""

MOMENT: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}
PARAMS = {
    "start": Param(None, title="Start", description_md="Windows due from here on; both moments or none.", **MOMENT),
    "end": Param(None, title="End", description_md="Windows due before it.", **MOMENT),
}


def report(endpoint: MonitoredEndpoint) -> None:
    cron = endpoint.reports.schedule
    scheduled = f"the windows since the run before (`{cron}`)" if cron else "not configured: see `reports.schedule`"
    with DAG(
        **settings(endpoint, "report") | {"is_paused_upon_creation": cron is not None},
        description=f"Report on a range of {endpoint.name}'s windows",
        doc_md=DOC.format(name=endpoint.name, schedule=scheduled),
        schedule=CronDataIntervalTimetable(cron, timezone="UTC") if cron else None,
        params=PARAMS,
    ):
        moments = RangeOperator(task_id="range", endpoint=endpoint, start="{{ params.start }}", end="{{ params.end }}")
        for kind in KINDS:
            moments >> ReportRangeOperator(task_id=kind, endpoint=endpoint, kind=kind, moments=answer_of("range"))


for monitored in load_endpoints():
    report(monitored)
