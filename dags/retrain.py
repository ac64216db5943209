"""`<endpoint>.retrain`: violations lead to a candidate, a human decides, and a new model has its own baselines."""

from __future__ import annotations

from airflow.sdk import DAG, Asset, AssetAny, TaskGroup

from model_monitor import names
from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_parts import baselines_of
from model_monitor.dag_settings import settings
from model_monitor.names import KINDS
from model_monitor.operators.endpoint import CreateEndpointConfigOperator, CreateModelOperator, DeployEndpointOperator
from model_monitor.operators.retrain import (
    ApproveModelOperator,
    PutInForceOperator,
    RetrainingNeededOperator,
    RetrainOperator,
)
from model_monitor.operators.schedule import FollowModelOperator
from model_monitor.operators.storage import UploadFilesOperator

DOC = """
### Retrain {name}

Starts when a monitor finds violations, or by hand.

1. **needed**: the verdict that started the run; skipped where it is settled by now, as by a newer model.
2. **retrain**: `{function}` trains a candidate; its archive goes to S3. **register** makes a SageMaker model of it.
3. **approve**: waits for a human, {timeout} at most. Their answer is on the task's page, and under *Required Actions*.
4. **replace**: endpoint configuration, endpoint, and the model is in force for everything that names one.
5. **baselines** of the new model, and **monitors**: running schedules follow.

Rejected, or nobody answered: nothing is replaced, and the run ends here. Guide: `docs/retraining.md`.
"""


def retrain(endpoint: MonitoredEndpoint, function: str, timeout: str) -> None:
    with DAG(
        **settings(endpoint, "retrain"),
        description=f"Train a new model for {endpoint.name} after violations, and replace the old one once approved",
        doc_md=DOC.format(name=endpoint.name, function=function, timeout=timeout),
        schedule=AssetAny(*(Asset(names.violations_asset(endpoint, kind)) for kind in KINDS)),
    ):
        needed = RetrainingNeededOperator(task_id="needed", endpoint=endpoint)
        candidate = RetrainOperator(task_id="retrain", endpoint=endpoint, verdicts=needed.output)
        register = CreateModelOperator(task_id="register", endpoint=endpoint, candidate=candidate.output)
        approve = ApproveModelOperator(
            task_id="approve", endpoint=endpoint, verdicts=needed.output, candidate=candidate.output
        )
        with TaskGroup("replace", tooltip="The approved model comes into service and into force"):
            config = CreateEndpointConfigOperator(
                task_id="create_endpoint_config", endpoint=endpoint, candidate=approve.output
            )
            in_service = DeployEndpointOperator(
                task_id="deploy_endpoint", endpoint=endpoint, candidate=approve.output, deferrable=True
            )
            in_force = PutInForceOperator(task_id="put_in_force", endpoint=endpoint, approved=approve.output)
            files = UploadFilesOperator(task_id="upload_files", endpoint=endpoint)
        with TaskGroup("baselines", tooltip="What the monitors will compare with") as baselines:
            baselines_of(endpoint, trigger_rule="all_success")
        with TaskGroup("monitors", tooltip="Running schedules follow the model") as monitors:
            for kind in KINDS:
                FollowModelOperator(task_id=kind, endpoint=endpoint, kind=kind)
        register >> approve
        config >> in_service >> in_force >> files >> baselines >> monitors


for monitored in load_endpoints():
    if monitored.retraining is not None:
        retrain(monitored, monitored.retraining.function, monitored.retraining.approval_timeout)
