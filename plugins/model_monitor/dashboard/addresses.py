"""Where the dashboard's pages are, for links from anywhere; a browser resolves them on Airflow's own address."""

from __future__ import annotations

from urllib.parse import quote

from model_monitor.names import Kind

PREFIX = "/model-monitor"
REPORT = "report.html"


def overview() -> str:
    """Every endpoint."""
    return f"{PREFIX}/"


def endpoint(name: str) -> str:
    """One endpoint over time."""
    return f"{PREFIX}/endpoints/{quote(name)}"


def execution(name: str, kind: Kind, window: str) -> str:
    """One judged window; `window` is its folder's name, such as `2026/11/22/10`."""
    return f"{endpoint(name)}/{kind}/executions/{quote(window)}"


def execution_file(name: str, kind: Kind, window: str, file: str = REPORT) -> str:
    """A file of a judged window."""
    return f"{execution(name, kind, window)}/files/{quote(file)}"


def job_log(name: str, kind: Kind, window: str) -> str:
    """What the managed job that judged a window wrote."""
    return f"{execution(name, kind, window)}/log"


def baseline(name: str, kind: Kind) -> str:
    """What a monitor compares with."""
    return f"{endpoint(name)}/{kind}/baseline"


def baseline_file(name: str, kind: Kind, file: str = REPORT) -> str:
    """A file of a baseline."""
    return f"{baseline(name, kind)}/files/{quote(file)}"


def range_report(name: str, kind: Kind, start: str, end: str) -> str:
    """A report on the windows due from one moment to before another, both ISO 8601."""
    return f"{range_reports(name, kind)}?start={quote(start)}&end={quote(end)}"


def range_reports(name: str, kind: Kind) -> str:
    """Where reports on several windows are asked for."""
    return f"{endpoint(name)}/{kind}/range/{REPORT}"


def static(name: str) -> str:
    """A static file."""
    return f"{PREFIX}/static/{name}"


def of_dag(dag_id: str) -> str:
    """What Airflow's page of a DAG shows of it; ids are to be quoted already, as in a template of Airflow's."""
    return f"{PREFIX}/dags/{dag_id}"


def of_run(dag_id: str, run_id: str) -> str:
    """What Airflow's page of a run shows."""
    return f"{of_dag(dag_id)}/runs/{run_id}"


def of_task(dag_id: str, task_id: str) -> str:
    """What Airflow's page of a task shows."""
    return f"{of_dag(dag_id)}/tasks/{task_id}"


def of_task_instance(dag_id: str, run_id: str, task_id: str) -> str:
    """What Airflow's page of a task in a run shows."""
    return f"{of_run(dag_id, run_id)}/tasks/{task_id}"
