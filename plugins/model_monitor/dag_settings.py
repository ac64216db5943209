"""What the DAGs of all endpoints have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from model_monitor.config import MonitoredEndpoint
from model_monitor.retries import RETRY_POLICY

RECURRING = ("traffic", "ground_truth", "windows", "retrain", "watch")


def settings(endpoint: MonitoredEndpoint, kind: str) -> dict[str, Any]:
    """Arguments of `DAG` for one endpoint's DAG of one kind, whose id is `<endpoint>.<kind>`."""
    return {
        "dag_id": f"{endpoint.name}.{kind}",
        "tags": ["model-monitor", endpoint.name, kind],
        "catchup": False,
        "max_active_runs": 1,
        # Only what starts by itself has to be switched on.
        "is_paused_upon_creation": kind in RECURRING,
        "render_template_as_native_obj": True,
        "default_args": {
            "owner": endpoint.owner,
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            "retry_exponential_backoff": 2.0,
            "retry_policy": RETRY_POLICY,
        },
    }


def answer_of(task_id: str) -> str:
    """A template for what another task of the run answered; None where it has not run, as in a task tested alone."""
    return f"{{{{ ti.xcom_pull(task_ids='{task_id}') }}}}"
