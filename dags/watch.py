"""`<endpoint>.watch`: executions that managed monitors begin by themselves are told of when they are over."""

from __future__ import annotations

from airflow.sdk import DAG, TaskGroup

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_parts import act_on
from model_monitor.dag_settings import settings
from model_monitor.names import KINDS
from model_monitor.operators.verdict import VerdictOperator
from model_monitor.operators.watch import NEWS, LookForNewsOperator

DOC = """
### Watch {name}

Monitoring schedules go on by themselves on AWS. Each run looks for the newest finished execution of both monitors; when
it has not been told of yet, its verdict is given, people are told what they have to be told, and the asset of
violations is updated. Nothing happens otherwise.

Whom it tells, and from how many violating windows on, says `alerts` in the endpoint's YAML. `{name}.monitor` and
`{name}.windows` tell of their own verdicts; no window is told of twice.
"""


def watch(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "watch"),
        description=f"Tell of new executions of {endpoint.name}'s managed monitors",
        doc_md=DOC.format(name=endpoint.name),
        schedule=endpoint.alerts.schedule,
    ):
        look = LookForNewsOperator(
            task_id="look", endpoint=endpoint, branches={kind: f"{kind}.verdict" for kind in KINDS}
        )
        for kind in KINDS:
            with TaskGroup(kind, tooltip=f"The {kind} monitor"):
                verdict = VerdictOperator(
                    task_id="verdict",
                    endpoint=endpoint,
                    kind=kind,
                    execution=f"{{{{ (ti.xcom_pull(task_ids='look', key='{NEWS}') or {{}}).get('{kind}') }}}}",
                )
                look >> verdict
                act_on(verdict, endpoint, kind)


for monitored in load_endpoints():
    watch(monitored)
