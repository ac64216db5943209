from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup

from model_monitor.alerts.state import LONGEST_TELLING
from model_monitor.config import MonitoredEndpoint
from model_monitor.dag_parts import act_on
from model_monitor.dag_settings import settings


def test_an_alert_is_tried_again_until_nobody_waits_for_a_task_that_was_killed(endpoint: MonitoredEndpoint) -> None:
    with DAG(**settings(endpoint, "watch"), schedule=None) as dag, TaskGroup("bias"):
        act_on(EmptyOperator(task_id="verdict"), endpoint, "bias")
    alert = dag.get_task("bias.alert")
    waits = [alert.retry_delay * alert.retry_exponential_backoff**number for number in range(alert.retries)]
    assert sum(waits, timedelta()) > LONGEST_TELLING
    assert dag.get_task("bias.violations").retries < alert.retries
