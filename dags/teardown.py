"""`<endpoint>.teardown`: everything of an endpoint goes, its captured data and its reports stay."""

from __future__ import annotations

from airflow.sdk import DAG, TaskGroup

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_settings import settings
from model_monitor.names import KINDS
from model_monitor.operators.alarms import DeleteAlarmsOperator
from model_monitor.operators.teardown import (
    DeleteEndpointConfigsOperator,
    DeleteEndpointOperator,
    DeleteModelsOperator,
    DeleteMonitorOperator,
    DeleteShadowEndpointsOperator,
)

DOC = """
### Tear down {name}

1. **monitors**: schedules are stopped, running executions awaited, schedules, job definitions and alarms deleted.
2. **endpoint**: the endpoint and what is left of shadow endpoints, then configurations, then models.

Only what this project made for this endpoint is deleted. Captures, ground truth, baselines and reports stay in
`{bucket}`.
"""


def teardown(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "teardown"),
        description=f"Delete {endpoint.name}, its monitors and its models; data stays",
        doc_md=DOC.format(name=endpoint.name, bucket=f"s3://{endpoint.bucket}/{endpoint.prefix}"),
        schedule=None,
    ):
        with TaskGroup("monitors", tooltip="Schedules and job definitions") as monitors:
            for kind in KINDS:
                monitor = DeleteMonitorOperator(task_id=f"delete_{kind}", endpoint=endpoint, kind=kind, deferrable=True)
                if endpoint.alarms is not None:
                    # Until its schedule is gone, a verdict would make them again.
                    monitor >> DeleteAlarmsOperator(task_id=f"delete_{kind}_alarms", endpoint=endpoint, kind=kind)
        with TaskGroup("endpoint", tooltip="Endpoint, configurations, models"):
            deleted = DeleteEndpointOperator(task_id="delete_endpoint", endpoint=endpoint, deferrable=True)
            shadows = DeleteShadowEndpointsOperator(task_id="delete_shadow_endpoints", endpoint=endpoint)
            configs = DeleteEndpointConfigsOperator(task_id="delete_endpoint_configs", endpoint=endpoint)
            models = DeleteModelsOperator(task_id="delete_models", endpoint=endpoint)
        monitors >> deleted >> shadows >> configs >> models


for monitored in load_endpoints():
    teardown(monitored)
