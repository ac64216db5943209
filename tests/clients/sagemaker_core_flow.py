"""The whole flow with sagemaker-core's resource classes, which take no answer that is not as modelled.

`sagemaker_core_flow.py <data folder>`; where AWS is stands in the environment. Prints one JSON line of what was seen.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from sagemaker.core.resources import (
    Endpoint,
    EndpointConfig,
    Model,
    ModelBiasJobDefinition,
    ModelExplainabilityJobDefinition,
    MonitoringAlert,
    MonitoringExecution,
    MonitoringSchedule,
    ProcessingJob,
    Tag,
)
from sagemaker.core.shapes import (
    AppSpecification,
    CaptureContentTypeHeader,
    CaptureOption,
    ContainerDefinition,
    DataCaptureConfig,
    EndpointInput,
    ModelBiasAppSpecification,
    ModelBiasBaselineConfig,
    ModelBiasJobInput,
    ModelExplainabilityAppSpecification,
    ModelExplainabilityJobInput,
    MonitoringClusterConfig,
    MonitoringConstraintsResource,
    MonitoringGroundTruthS3Input,
    MonitoringOutput,
    MonitoringOutputConfig,
    MonitoringResources,
    MonitoringS3Output,
    MonitoringScheduleConfig,
    MonitoringStoppingCondition,
    ProcessingClusterConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingOutputConfig,
    ProcessingResources,
    ProcessingS3Input,
    ProcessingS3Output,
    ProductionVariant,
    ScheduleConfig,
)
from sagemaker.core.shapes import Tag as TagShape

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from strict_responses import complaints, watch_every_client

watch_every_client()
URL = os.environ["AWS_ENDPOINT_URL"]
DATA = Path(sys.argv[1])
BUCKET = "core-flow"
ROLE = "arn:aws:iam::123456789012:role/service-role/SageMakerRole"
XGBOOST = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"
CLARIFY = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"
TERMINAL = {"Completed", "CompletedWithViolations", "Failed", "Stopped"}

s3 = boto3.client("s3")
seen: dict[str, Any] = {}


def put(key: str, body: str | bytes) -> str:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def variant(model: str, weight: float = 1.0) -> ProductionVariant:
    return ProductionVariant(
        variant_name="AllTraffic",
        model_name=model,
        instance_type="ml.m5.large",
        initial_instance_count=1,
        initial_variant_weight=weight,
    )


def deploy() -> Endpoint:
    """A served model that captures its requests; then the same with another configuration."""
    archive = put("model/model.tar.gz", (DATA / "model.tar.gz").read_bytes())
    model = Model.create(
        model_name="core",
        primary_container=ContainerDefinition(image=XGBOOST, model_data_url=archive),
        execution_role_arn=ROLE,
        tags=[TagShape(key="team", value="risk")],
    )
    seen["model"] = Model.get(model_name="core").primary_container.model_data_url == archive
    Tag.add_tags(resource_arn=model.model_arn, tags=[TagShape(key="stage", value="test")])
    Tag.delete_tags(resource_arn=model.model_arn, tag_keys=["team"])
    seen["tags"] = {tag.key: tag.value for tag in Tag.get_all(resource_arn=model.model_arn)}
    capture = DataCaptureConfig(
        enable_capture=True,
        initial_sampling_percentage=100,
        destination_s3_uri=f"s3://{BUCKET}/datacapture",
        capture_options=[CaptureOption(capture_mode="Input"), CaptureOption(capture_mode="Output")],
        capture_content_type_header=CaptureContentTypeHeader(csv_content_types=["text/csv"]),
    )
    for name in ("core-1", "core-2"):
        EndpointConfig.create(
            endpoint_config_name=name, production_variants=[variant("core")], data_capture_config=capture
        )
    seen["configs"] = sorted(config.get_name() for config in EndpointConfig.get_all(name_contains="core-"))
    endpoint = Endpoint.create(endpoint_name="core", endpoint_config_name="core-1")
    endpoint.wait_for_status("InService", poll=1, timeout=120)
    endpoint.endpoint_config_name = "core-2"
    endpoint.update()
    endpoint.wait_for_status("InService", poll=1, timeout=120)
    seen["endpoint_config"] = endpoint.endpoint_config_name
    seen["capture"] = endpoint.data_capture_config.capture_status
    seen["endpoints"] = [found.endpoint_name for found in Endpoint.get_all(status_equals="InService")]
    return endpoint


def baseline(name: str, config: dict[str, Any]) -> str:
    """Run a baselining job; gives the address of its analysis."""

    def source(input_name: str, uri: str, folder: str) -> ProcessingInput:
        place = ProcessingS3Input(
            s3_uri=uri,
            local_path=f"/opt/ml/processing/input/{folder}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
        )
        return ProcessingInput(input_name=input_name, s3_input=place)

    job = ProcessingJob.create(
        processing_job_name=name,
        processing_resources=ProcessingResources(
            cluster_config=ProcessingClusterConfig(instance_count=1, instance_type="ml.m5.xlarge", volume_size_in_gb=30)
        ),
        app_specification=AppSpecification(image_uri=CLARIFY),
        role_arn=ROLE,
        processing_inputs=[
            source("dataset", put("data/data.csv", (DATA / "data.csv").read_text()), "data"),
            source("analysis_config", put(f"{name}/analysis_config.json", json.dumps(config)), "config"),
        ],
        processing_output_config=ProcessingOutputConfig(
            outputs=[
                ProcessingOutput(
                    output_name="analysis_result",
                    s3_output=ProcessingS3Output(
                        s3_uri=f"s3://{BUCKET}/{name}/output",
                        local_path="/opt/ml/processing/output",
                        s3_upload_mode="EndOfJob",
                    ),
                )
            ]
        ),
    )
    job.wait(poll=1, timeout=180)
    seen.setdefault("jobs", {})[name] = job.processing_job_status
    return f"s3://{BUCKET}/{name}/output/analysis.json"


RESOURCES = MonitoringResources(
    cluster_config=MonitoringClusterConfig(instance_count=1, instance_type="ml.m5.xlarge", volume_size_in_gb=30)
)
ENDPOINT_INPUT = EndpointInput(
    endpoint_name="core",
    local_path="/opt/ml/processing/input/endpoint",
    start_time_offset="-PT1H",
    end_time_offset="-PT0H",
)
OUTPUT = MonitoringOutputConfig(
    monitoring_outputs=[
        MonitoringOutput(
            s3_output=MonitoringS3Output(
                s3_uri=f"s3://{BUCKET}/reports", local_path="/opt/ml/processing/output", s3_upload_mode="Continuous"
            )
        )
    ]
)


def define(bias: dict[str, Any], shap: dict[str, Any], constraints: str) -> None:
    """The job definitions of both monitors."""
    ModelBiasJobDefinition.create(
        job_definition_name="core-bias",
        model_bias_baseline_config=ModelBiasBaselineConfig(
            constraints_resource=MonitoringConstraintsResource(s3_uri=constraints)
        ),
        model_bias_app_specification=ModelBiasAppSpecification(
            image_uri=CLARIFY, config_uri=put("bias/analysis_config.json", json.dumps(bias))
        ),
        model_bias_job_input=ModelBiasJobInput(
            endpoint_input=ENDPOINT_INPUT,
            ground_truth_s3_input=MonitoringGroundTruthS3Input(s3_uri=f"s3://{BUCKET}/labels"),
        ),
        model_bias_job_output_config=OUTPUT,
        job_resources=RESOURCES,
        role_arn=ROLE,
        stopping_condition=MonitoringStoppingCondition(max_runtime_in_seconds=1800),
    )
    ModelExplainabilityJobDefinition.create(
        job_definition_name="core-explain",
        model_explainability_app_specification=ModelExplainabilityAppSpecification(
            image_uri=CLARIFY, config_uri=put("shap/analysis_config.json", json.dumps(shap))
        ),
        model_explainability_job_input=ModelExplainabilityJobInput(endpoint_input=ENDPOINT_INPUT),
        model_explainability_job_output_config=OUTPUT,
        job_resources=RESOURCES,
        role_arn=ROLE,
    )
    seen["definitions"] = {
        "bias": ModelBiasJobDefinition.get("core-bias").model_bias_job_input.endpoint_input.endpoint_name,
        "explain": ModelExplainabilityJobDefinition.get("core-explain").job_resources.cluster_config.instance_type,
    }
    seen["definitions"]["listed"] = [
        definition.job_definition_name
        for kind in (ModelBiasJobDefinition, ModelExplainabilityJobDefinition)
        for definition in kind.get_all(endpoint_name="core")
    ]


def note_breakage(method: str, call: Callable[[], Any]) -> None:
    """Whether a method ends in an error of Python's, which no answer of a server can avoid."""
    try:
        call()
    except ClientError:
        raise
    except Exception as error:
        seen.setdefault("broken", {})[method] = f"{type(error).__name__}: {error}".splitlines()[0]


def schedule_config(definition: str, monitoring_type: str, expression: str = "cron(0 * ? * * *)") -> Any:
    return MonitoringScheduleConfig(
        monitoring_job_definition_name=definition,
        monitoring_type=monitoring_type,
        schedule_config=ScheduleConfig(schedule_expression=expression),
    )


def monitor() -> None:
    """Both schedules through an hour, updated, stopped, started and stopped."""
    bias = MonitoringSchedule.create(
        monitoring_schedule_name="core-bias", monitoring_schedule_config=schedule_config("core-bias", "ModelBias")
    )
    MonitoringSchedule.create(
        monitoring_schedule_name="core-explain",
        monitoring_schedule_config=schedule_config("core-explain", "ModelExplainability"),
    )
    bias.wait_for_status("Scheduled", poll=1, timeout=60)
    seen["before"] = len(list(MonitoringExecution.get_all(monitoring_schedule_name="core-bias")))
    advance(3600)
    executions = {
        name: finished(lambda name=name: list(MonitoringExecution.get_all(monitoring_schedule_name=name)))
        for name in ("core-bias", "core-explain")
    }
    seen["executions"] = {
        name: [(found.monitoring_execution_status, str(found.failure_reason)) for found in listed]
        for name, listed in executions.items()
    }
    bias.refresh()
    seen["last"] = bias.last_monitoring_execution_summary.monitoring_execution_status
    bias.update(monitoring_schedule_config=schedule_config("core-bias", "ModelBias", "cron(0 12 ? * * *)"))
    bias.wait_for_status("Scheduled", poll=1, timeout=60)
    seen["updated"] = bias.monitoring_schedule_config.schedule_config.schedule_expression
    bias.stop()
    bias.wait_for_status("Stopped", poll=1, timeout=60)
    bias.start()
    bias.wait_for_status("Scheduled", poll=1, timeout=60)
    seen["schedules"] = sorted(found.monitoring_schedule_name for found in MonitoringSchedule.get_all())


def alerts() -> None:
    """The alert that every schedule has."""
    (alert,) = MonitoringAlert.get_all(monitoring_schedule_name="core-bias")
    seen["alert"] = [alert.alert_status, alert.datapoints_to_alert, alert.evaluation_period]
    client = boto3.client("sagemaker")
    note_breakage("MonitoringAlert.update", lambda: alert.update("core-bias", 1, 1))
    note_breakage("MonitoringAlert.list_history", lambda: alert.list_history("core-bias"))
    client.update_monitoring_alert(
        MonitoringScheduleName="core-bias",
        MonitoringAlertName=alert.monitoring_alert_name,
        DatapointsToAlert=2,
        EvaluationPeriod=3,
    )
    (alert,) = MonitoringAlert.get_all(monitoring_schedule_name="core-bias")
    seen["alert_updated"] = [alert.datapoints_to_alert, alert.evaluation_period]


def clean_up(endpoint: Endpoint) -> None:
    """Delete all, in the order that works."""
    for name in ("core-bias", "core-explain"):
        schedule = MonitoringSchedule.get(name)
        schedule.stop()
        schedule.wait_for_status("Stopped", poll=1, timeout=60)
        schedule.delete()
    ModelBiasJobDefinition.get("core-bias").delete()
    ModelExplainabilityJobDefinition.get("core-explain").delete()
    endpoint.delete()
    endpoint.wait_for_delete(poll=1, timeout=60)
    for name in ("core-1", "core-2"):
        EndpointConfig.get(name).delete()
    Model.get("core").delete()
    seen["left"] = [
        found.get_name() for kind in (MonitoringSchedule, Endpoint, EndpointConfig, Model) for found in kind.get_all()
    ]


def finished(look: Callable[[], list[Any]]) -> list[Any]:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        found = look()
        if found and all(execution.monitoring_execution_status in TERMINAL for execution in found):
            return found
        time.sleep(0.5)
    raise TimeoutError(f"still {found} after 180 s")


def now() -> str:
    with urllib.request.urlopen(f"{URL}/_local/health") as answer:
        return str(json.load(answer)["now"])


def advance(seconds: int) -> None:
    request = urllib.request.Request(f"{URL}/_local/clock", json.dumps({"advance_seconds": seconds}).encode())
    urllib.request.urlopen(request).close()


def main() -> None:
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    bias, shap = (json.loads((DATA / f"{name}.json").read_text()) for name in ("bias", "shap"))
    endpoint = deploy()
    lines = []
    for number, row in enumerate((DATA / "rows.csv").read_text().splitlines()):
        answer = endpoint.invoke(body=row, content_type="text/csv", inference_id=str(number))
        seen.setdefault("prediction", float(answer.body.read()))
        seen.setdefault("variant", answer.invoked_production_variant)
        lines.append(
            {
                "groundTruthData": {"data": str(number % 2), "encoding": "CSV"},
                "eventMetadata": {"eventId": str(number)},
                "eventVersion": "0",
            }
        )
    hour = now()[:13].replace("-", "/").replace("T", "/")
    put(f"labels/{hour}/0000.jsonl", "\n".join(map(json.dumps, lines)))
    constraints = baseline("core-baseline", bias)
    define(bias, shap, constraints)
    monitor()
    alerts()
    clean_up(endpoint)
    seen["complaints"] = complaints
    print(f"\n{json.dumps(seen)}")


if __name__ == "__main__":
    main()
