"""Parts that several DAGs have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator

from model_monitor.dag_settings import answer_of
from model_monitor.operators.alert import AlertOperator, ViolationsOperator

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

    from model_monitor.config import MonitoredEndpoint
    from model_monitor.names import Kind


def act_on(verdict: BaseOperator, endpoint: MonitoredEndpoint, kind: Kind, window: str | None = None) -> None:
    """Let a task that answers a verdict be followed by what acts on it; to be called in its group.

    People are told whatever became of the verdict, unless it was skipped. `done`, which runs no process, fails with any
    of them, so that a run whose verdict failed does not end well because telling of it did.

    Args:
        window: a template for what WindowOperator answered, where Airflow judges.
    """
    # Runs that judge different windows at the same time take turns, or each would tell the same.
    about: dict[str, Any] = {
        "endpoint": endpoint,
        "kind": kind,
        "verdict": answer_of(verdict.task_id),
        "trigger_rule": "none_skipped",
        "max_active_tis_per_dag": 1,
    }
    alert = AlertOperator(task_id="alert", window=window, **about)
    violations = ViolationsOperator(task_id="violations", **about)
    done = EmptyOperator(task_id="done", trigger_rule="none_failed_min_one_success")
    verdict >> [alert, violations] >> done
    verdict >> done
