"""`<endpoint>.deploy`: a model becomes an endpoint that captures its traffic, and gets its baselines."""

from __future__ import annotations

from airflow.sdk import DAG, Param, TaskGroup

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_parts import baselines_of
from model_monitor.dag_settings import answer_of, settings
from model_monitor.operators.endpoint import CreateEndpointConfigOperator, CreateModelOperator, DeployEndpointOperator
from model_monitor.operators.storage import CheckBucketOperator, UploadFilesOperator
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.sensors.captures import CapturesSensor

DOC = """
### Deploy {name}

{description}

1. **prepare**: is the bucket writable? Upload the model archive and the validation data set.
2. **endpoint**: model, endpoint configuration with data capture, endpoint.
3. **try_out**: send some rows of the test data set and show what was captured.
4. **baselines**: one analysis each for bias and for explainability. Their results are the constraints that the monitors
   compare with. {baselines}

Running it again changes only what has changed. Next: `{name}.traffic` and `{name}.ground_truth`, then `{name}.monitor`.
"""


MADE_BY = {
    "sagemaker": "Processing jobs of Clarify make them.",
    "airflow": "The tasks make them themselves, asking a shadow endpoint, which captures nothing.",
}


def deploy(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "deploy"),
        description=f"Deploy {endpoint.name} with data capture, and make both baselines",
        doc_md=DOC.format(
            name=endpoint.name,
            description=endpoint.description,
            baselines=MADE_BY[endpoint.monitoring.baselines],
        ),
        schedule=None,
        params={
            "sample_invocations": Param(
                endpoint.traffic.sample_invocations,
                type="integer",
                minimum=0,
                maximum=100_000,
                title="Sample invocations",
                description_md="Rows of the test data set to send to the new endpoint, without inference ids.",
            ),
        },
    ):
        with TaskGroup("prepare", tooltip="The bucket and the files"):
            bucket = CheckBucketOperator(task_id="check_bucket", endpoint=endpoint)
            files = UploadFilesOperator(task_id="upload_files", endpoint=endpoint)
        with TaskGroup("endpoint", tooltip="Model, endpoint configuration with data capture, endpoint"):
            model = CreateModelOperator(task_id="create_model", endpoint=endpoint)
            config = CreateEndpointConfigOperator(task_id="create_endpoint_config", endpoint=endpoint)
            in_service = DeployEndpointOperator(task_id="deploy_endpoint", endpoint=endpoint, deferrable=True)
        with TaskGroup("try_out", tooltip="Some requests, and what was captured of them"):
            traffic = SendTrafficOperator(
                task_id="send_sample",
                endpoint=endpoint,
                count="{{ params.sample_invocations }}",
                inference_ids=False,
            )
            captures = CapturesSensor(
                task_id="show_captures",
                endpoint=endpoint,
                traffic=answer_of("try_out.send_sample"),
                deferrable=True,
            )
        with TaskGroup("baselines", tooltip="What the monitors will compare with") as baselines:
            # Asking for no sample invocations skips them, not what comes after.
            baselines_of(endpoint, trigger_rule="none_failed")
        bucket >> files >> model >> config >> in_service >> traffic >> captures >> baselines


for monitored in load_endpoints():
    deploy(monitored)
