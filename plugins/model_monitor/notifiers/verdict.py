"""Verdicts told from a callback, for DAGs of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseNotifier

from model_monitor.alerts.delivery import tell
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.base import connection_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from model_monitor.config import MonitoredEndpoint
    from model_monitor.names import Kind


class VerdictNotifier(BaseNotifier):
    """Tell the channels of the endpoint's YAML what they have to be told of the verdict that the task answered.

    For `on_success_callback` of VerdictOperator, JudgeBiasOperator and JudgeExplainabilityOperator. Airflow only logs
    what goes wrong in a callback, and does not try it again; AlertOperator in a task of its own is tried again.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
    """

    def __init__(self, *, endpoint: MonitoredEndpoint, kind: Kind) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.kind = kind

    def notify(self, context: Context) -> None:
        task = context["ti"]
        verdict = task.xcom_pull(task_ids=task.task_id)
        if not isinstance(verdict, dict):
            self.log.info("%s answered no verdict, so there is nothing to tell.", task.task_id)
            return
        storage = StorageHook(**connection_of(self.endpoint))
        tell(self.endpoint, self.kind, verdict, storage, context, self.log)
