"""Groups of tasks that several DAGs have."""

from __future__ import annotations

from typing import Any

from model_monitor.config import MonitoredEndpoint
from model_monitor.dag_settings import answer_of
from model_monitor.names import KINDS
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.engine_baseline import EngineBaselineOperator
from model_monitor.operators.shadow import BASELINE, CreateShadowEndpointOperator, DeleteShadowEndpointOperator


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
