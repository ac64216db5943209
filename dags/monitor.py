"""`<endpoint>.monitor`: both monitors are scheduled, their first execution is awaited, and its verdict is told."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param, TaskGroup

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_parts import act_on
from model_monitor.dag_settings import answer_of, settings
from model_monitor.names import KINDS, Kind
from model_monitor.operators.alarms import SetAlarmsOperator
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator, StopScheduleOperator
from model_monitor.operators.verdict import VerdictOperator
from model_monitor.sensors.executions import ExecutionFinishedSensor, ExecutionStartedSensor

DOC = """
### Monitor {name}

Bias and explainability side by side: job definition, monitoring schedule, first execution, verdict, alerts.

The verdict lists the report's files and the violations, and links to the report. Hourly schedules go on after this run
unless it is asked to stop them; they start up to 20 minutes after the hour, so the first verdict can take more than an
hour. With **now** the last hour is analysed at once. `{name}.watch` tells of the executions that follow.

Needs `{name}.deploy` for the baselines, `{name}.traffic` for something to analyse, and `{name}.ground_truth` for the
bias monitor.
"""

PARAMS = {
    "schedule": Param(
        "hourly",
        type="string",
        enum=["hourly", "now"],
        values_display={"hourly": "Hourly, from now on", "now": "Once, now"},
        title="Schedule",
        description_md="**hourly** follows the configured cron expression; **now** analyses the last hour once.",
    ),
    "stop_after_first_execution": Param(
        False,
        type="boolean",
        title="Stop after the first execution",
        description_md="Stop the schedules once their first execution has started, to save cost. It is still finished.",
    ),
    "fail_on_violations": Param(
        False,
        type="boolean",
        title="Fail on violations",
        description_md="Fail the verdict's task when there are violations, for alerts that watch for failed runs.",
    ),
    "compare": Param(
        "baseline",
        type="string",
        enum=["baseline", "none"],
        values_display={"baseline": "With the baselining jobs' constraints", "none": "With nothing: only measure"},
        title="Compare",
        description_md="**none** needs no baselining job, and never finds violations.",
    ),
}


def watch(endpoint: MonitoredEndpoint, kind: Kind) -> None:
    asked: dict[str, Any] = {"schedule": "{{ params.schedule }}", "compare": "{{ params.compare }}"}
    monitored: dict[str, Any] = {"endpoint": endpoint, "kind": kind}
    with TaskGroup(kind, tooltip=f"The {kind} monitor"):
        definition = CreateJobDefinitionOperator(task_id="create_job_definition", **monitored, **asked)
        schedule = CreateScheduleOperator(task_id="create_schedule", **monitored, **asked)
        started = ExecutionStartedSensor(
            task_id="execution_started",
            schedule=answer_of(f"{kind}.create_schedule"),
            deferrable=True,
            **monitored,
        )
        stopped = StopScheduleOperator(
            task_id="stop_schedule", when="{{ params.stop_after_first_execution }}", **monitored
        )
        execution = answer_of(f"{kind}.execution_started")
        finished = ExecutionFinishedSensor(
            task_id="execution_finished", execution=execution, deferrable=True, **monitored
        )
        verdict = VerdictOperator(
            task_id="verdict",
            execution=execution,
            fail_on_violations="{{ params.fail_on_violations }}",
            **monitored,
        )
        definition >> schedule >> started >> finished >> verdict
        if endpoint.alarms is not None:
            schedule >> SetAlarmsOperator(task_id="create_alarms", **monitored)
        started >> stopped
        act_on(verdict, endpoint, kind)


def monitor(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "monitor"),
        description=f"Schedule both monitors of {endpoint.name} and judge their first execution",
        doc_md=DOC.format(name=endpoint.name),
        schedule=None,
        params=PARAMS,
    ):
        for kind in KINDS:
            watch(endpoint, kind)


for monitored in load_endpoints():
    monitor(monitored)
