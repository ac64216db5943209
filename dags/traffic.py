"""`<endpoint>.traffic`: artificial requests, so that there is something to monitor."""

from __future__ import annotations

from airflow.sdk import DAG, Param

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_settings import settings
from model_monitor.operators.traffic import SendTrafficOperator

DOC = """
### Traffic for {name}

Sends one pass of the test data set. The inference id of each request is its row's number; ground truth is joined by it.
Skipped while the endpoint is not in service.
"""


def traffic(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "traffic"),
        description=f"Send a pass of the test inputs to {endpoint.name}",
        doc_md=DOC.format(name=endpoint.name),
        schedule=endpoint.traffic.schedule,
        params={
            "requests_per_second": Param(
                endpoint.traffic.requests_per_second,
                type="number",
                exclusiveMinimum=0,
                title="Requests per second",
            ),
            "count": Param(
                None,
                type=["null", "integer"],
                minimum=1,
                title="Requests",
                description_md="How many requests to send; one pass over the file when empty.",
            ),
        },
    ):
        SendTrafficOperator(
            task_id="send_traffic",
            endpoint=endpoint,
            count="{{ params.count }}",
            requests_per_second="{{ params.requests_per_second }}",
            skip_unless_in_service=True,
        )


for monitored in load_endpoints():
    traffic(monitored)
