"""Parts that several DAGs have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator

from model_monitor.dag_settings import answer_of
from model_monitor.names import KINDS
from model_monitor.operators.alarms import SetAlarmsOperator
from model_monitor.operators.alert import AlertOperator, ViolationsOperator
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.engine_baseline import EngineBaselineOperator
from model_monitor.operators.shadow import BASELINE, CreateShadowEndpointOperator, DeleteShadowEndpointOperator

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

    from model_monitor.config import MonitoredEndpoint
    from model_monitor.names import Kind

TRIES_AGAIN = 4
"""So often that the waits, of half a minute and then twice as long each time, outlast `LONGEST_TELLING`: for so long
others wait for a task that was killed while it told.
"""


def act_on(verdict: BaseOperator, endpoint: MonitoredEndpoint, kind: Kind, window: str | None = None) -> None:
    """Let a task that answers a verdict be followed by what acts on it; to be called in its group.

    People are told whatever became of the verdict, unless it was skipped, and alarms are put on its window's metrics.
    `done`, which runs no process, fails with any of them, so that a run whose verdict failed does not end well because
    telling of it did.

    Args:
        window: a template for what WindowOperator answered, where Airflow judges.
    """
    # Runs that judge different windows at the same time take turns, or each would tell the same.
    about: dict[str, Any] = {
        "endpoint": endpoint,
        "kind": kind,
        "trigger_rule": "none_skipped",
        "max_active_tis_per_dag": 1,
    }
    acting: list[BaseOperator] = [
        AlertOperator(task_id="alert", window=window, verdict=answer_of(verdict.task_id), retries=TRIES_AGAIN, **about),
        ViolationsOperator(task_id="violations", verdict=answer_of(verdict.task_id), **about),
    ]
    if endpoint.alarms is not None:
        # Without a verdict there are no new metrics, and the monitor may be gone.
        judged = f"{{{{ ti.xcom_pull(task_ids='{verdict.task_id}') is not none }}}}"
        acting.append(SetAlarmsOperator(task_id="alarms", when=judged, **about))
    done = EmptyOperator(task_id="done", trigger_rule="none_failed_min_one_success")
    verdict >> acting >> done
    verdict >> done


def baselines_of(endpoint: MonitoredEndpoint, trigger_rule: str) -> None:
    """One analysis each for bias and for explainability, made as `monitoring.baselines` says, in a group `baselines`.

    Args:
        trigger_rule: of the first tasks.
    """
    if endpoint.monitoring.baselines == "sagemaker":
        for kind in KINDS:
            BaselineOperator(task_id=kind, endpoint=endpoint, kind=kind, deferrable=True, trigger_rule=trigger_rule)
        return
    about: dict[str, Any] = {"endpoint": endpoint, "purpose": BASELINE}
    shadow = CreateShadowEndpointOperator(
        task_id="shadow_endpoint", deferrable=True, trigger_rule=trigger_rule, **about
    )
    clean_up = DeleteShadowEndpointOperator(task_id="clean_up", **about).as_teardown()
    for kind in KINDS:
        baseline = EngineBaselineOperator(
            task_id=kind, endpoint=endpoint, kind=kind, model_endpoint=answer_of("baselines.shadow_endpoint")
        )
        shadow >> baseline >> clean_up
    shadow >> clean_up
