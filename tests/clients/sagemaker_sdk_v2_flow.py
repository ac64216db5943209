"""The whole flow with SageMaker's Python SDK v2, as a notebook user types it. Prints one JSON line of what was seen.

Runs in the oracle environment, where the project is not importable: `sagemaker_sdk_v2_flow.py <url> <data folder>`.
"""

from __future__ import annotations

import json
import random
import time
import urllib.request
from datetime import datetime
from typing import Any

import pandas as pd
from sagemaker import Session, image_uris
from sagemaker.clarify import BiasConfig, DataConfig, ModelConfig, ModelPredictedLabelConfig, SHAPConfig
from sagemaker.model import Model
from sagemaker.model_monitor import (
    CronExpressionGenerator,
    DataCaptureConfig,
    EndpointInput,
    ModelBiasMonitor,
    ModelExplainabilityMonitor,
)
from sagemaker.predictor import Predictor
from sagemaker.s3 import S3Downloader, S3Uploader
from sagemaker_sdk_v2 import DATA, ROLE, URL, complaints

TERMINAL = {"Completed", "CompletedWithViolations", "Failed", "Stopped"}


def main() -> None:
    session = Session()
    bucket = session.default_bucket()
    root = f"s3://{bucket}/sdk-flow"
    endpoint_name, model_name = "sdk-churn", "sdk-churn-model"
    seen: dict[str, Any] = {"bucket": bucket}

    Model(
        role=ROLE,
        name=model_name,
        image_uri=image_uris.retrieve("xgboost", session.boto_region_name, "0.90-1"),
        model_data=S3Uploader.upload(str(DATA / "model.tar.gz"), root),
        sagemaker_session=session,
    ).deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        endpoint_name=endpoint_name,
        data_capture_config=DataCaptureConfig(
            enable_capture=True, sampling_percentage=100, destination_s3_uri=f"{root}/datacapture"
        ),
    )

    data_set = DATA / "validation-dataset-with-header.csv"
    validation = str(data_set)
    test = DATA / "test-dataset-input-cols.csv"
    headers = data_set.read_text().splitlines()[0].split(",")
    rows = test.read_text().splitlines()
    for number, row in enumerate(rows):
        response = session.sagemaker_runtime_client.invoke_endpoint(
            EndpointName=endpoint_name, ContentType="text/csv", Body=row, InferenceId=str(number)
        )
        seen.setdefault("first_prediction", float(response["Body"].read()))
    ground_truth = f"{root}/ground_truth"
    now = datetime.fromisoformat(service_time(session))
    S3Uploader.upload_string_as_file_body(
        "\n".join(json.dumps(label_of(number)) for number in range(len(rows))),
        f"{ground_truth}/{now:%Y/%m/%d/%H/%M%S}.jsonl",
    )

    model = ModelConfig(
        model_name=model_name,
        instance_count=1,
        instance_type="ml.m5.large",
        content_type="text/csv",
        accept_type="text/csv",
    )

    def data(kind: str) -> DataConfig:
        return DataConfig(
            s3_data_input_path=validation,
            s3_output_path=f"{root}/baselining/{kind}",
            label=headers[0],
            headers=headers,
            dataset_type="text/csv",
        )

    bias = ModelBiasMonitor(role=ROLE, sagemaker_session=session, max_runtime_in_seconds=1800)
    bias.suggest_baseline(
        model_config=model,
        data_config=data("bias"),
        bias_config=BiasConfig(
            label_values_or_threshold=[1], facet_name="Account Length", facet_values_or_threshold=[100]
        ),
        model_predicted_label_config=ModelPredictedLabelConfig(probability_threshold=0.8),
    )
    explainability = ModelExplainabilityMonitor(role=ROLE, sagemaker_session=session, max_runtime_in_seconds=1800)
    explainability.suggest_baseline(
        data_config=data("explainability"),
        model_config=model,
        explainability_config=SHAPConfig(
            baseline=[list(pd.read_csv(test, header=None).mean())],
            num_samples=100,
            agg_method="mean_abs",
            save_local_shap_values=False,
        ),
    )
    for monitor in (bias, explainability):
        monitor.latest_baselining_job.wait(logs=False)
    seen["bias_constraints"] = bias.suggested_constraints().body_dict
    seen["explainability_constraints"] = explainability.suggested_constraints().body_dict

    bias.create_monitoring_schedule(
        output_s3_uri=f"{root}/reports",
        endpoint_input=EndpointInput(
            endpoint_name=endpoint_name,
            destination="/opt/ml/processing/input/endpoint",
            start_time_offset="-PT1H",
            end_time_offset="-PT0H",
            probability_threshold_attribute=0.8,
        ),
        ground_truth_input=ground_truth,
        schedule_cron_expression=CronExpressionGenerator.hourly(),
    )
    explainability.create_monitoring_schedule(
        output_s3_uri=f"{root}/reports",
        endpoint_input=endpoint_name,
        schedule_cron_expression=CronExpressionGenerator.hourly(),
    )
    seen["before_the_hour"] = "LastMonitoringExecutionSummary" in bias.describe_schedule()
    advance(3600)

    for name, monitor in (("bias", bias), ("explainability", explainability)):
        seen[name] = finished_execution(monitor)
        execution = monitor.list_executions()[-1]
        report = execution.output.destination
        seen[name]["files"] = sorted(uri.removeprefix(f"{report}/") for uri in S3Downloader.list(report))
        violations = execution.constraint_violations()
        seen[name]["violations"] = violations.body_dict["violations"] if violations else None

        seen[name]["latest"] = latest_violations(monitor)
    seen["alerts"] = alerts(bias)
    once = bias_once(session, bias, f"{root}/once", endpoint_name, ground_truth)
    seen["once"] = finished_execution(once)
    seen["updates"] = updates(bias)

    predictor = Predictor(endpoint_name, sagemaker_session=session)
    seen["capture"] = capture_switched(predictor, root)
    monitors = predictor.list_monitors()
    seen["monitors"] = sorted(type(monitor).__name__ for monitor in monitors)
    for monitor in monitors:
        monitor.stop_monitoring_schedule()
        monitor.delete_monitoring_schedule()
    predictor.delete_model()
    predictor.delete_endpoint(delete_endpoint_config=True)
    session.sagemaker_client.get_waiter("endpoint_deleted").wait(
        EndpointName=endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    for config in left_configs(session.sagemaker_client):
        session.delete_endpoint_config(config)
    seen["left"] = left(session.sagemaker_client)
    seen["complaints"] = complaints
    print(f"\n{json.dumps(seen)}")


def latest_violations(monitor: Any) -> list[str] | None:
    """The metrics that the monitor's latest execution complains of; a monitor of Clarify has no statistics."""
    violations = monitor.latest_monitoring_constraint_violations()
    try:
        monitor.latest_monitoring_statistics()
    except NotImplementedError:
        return violations and sorted(violation["metric_name"] for violation in violations.body_dict["violations"])
    raise AssertionError("Clarify's monitors have no statistics")


def alerts(monitor: Any) -> dict[str, Any]:
    """The schedule's alert, before and after it is told to be more patient, and its history."""
    (alert,), _ = monitor.list_monitoring_alerts()
    history, _ = monitor.list_monitoring_alert_history(monitoring_alert_name=alert.alert_name)
    monitor.update_monitoring_alert(alert.alert_name, data_points_to_alert=2, evaluation_period=3)
    (patient,), _ = monitor.list_monitoring_alerts()
    return {
        "status": alert.alert_status,
        "rule": [alert.data_points_to_alert, alert.evaluation_period],
        "history": [entry.alert_status for entry in history],
        "updated": [patient.data_points_to_alert, patient.evaluation_period],
    }


def bias_once(session: Session, monitor: Any, output: str, endpoint: str, ground_truth: str) -> ModelBiasMonitor:
    """A second bias monitor, which looks at the last hour at once and never again."""
    once = ModelBiasMonitor(role=ROLE, sagemaker_session=session, max_runtime_in_seconds=1800)
    once.create_monitoring_schedule(
        output_s3_uri=output,
        endpoint_input=EndpointInput(
            endpoint_name=endpoint,
            destination="/opt/ml/processing/input/endpoint",
            probability_threshold_attribute=0.8,
        ),
        ground_truth_input=ground_truth,
        analysis_config=monitor.latest_baselining_job_config.analysis_config,
        constraints=monitor.suggested_constraints(),
        schedule_cron_expression=CronExpressionGenerator.now(),
        data_analysis_start_time="-PT1H",
        data_analysis_end_time="-PT0H",
    )
    return once


def updates(monitor: Any) -> dict[str, Any]:
    """What a schedule says after each change of it."""
    first = monitor.job_definition_name
    monitor.update_monitoring_schedule(schedule_cron_expression=CronExpressionGenerator.daily(12))
    expression = monitor.describe_schedule()["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"]
    monitor.update_monitoring_schedule(max_runtime_in_seconds=900, instance_type="ml.m5.2xlarge")
    changed = monitor.sagemaker_session.sagemaker_client.describe_model_bias_job_definition(
        JobDefinitionName=monitor.job_definition_name
    )
    # A changed definition is a new one; the SDK leaves the one before to its user.
    monitor.sagemaker_session.sagemaker_client.delete_model_bias_job_definition(JobDefinitionName=first)
    monitor.stop_monitoring_schedule()
    stopped = monitor.describe_schedule()["MonitoringScheduleStatus"]
    monitor.start_monitoring_schedule()
    return {
        "expression": expression,
        "new_definition": first != monitor.job_definition_name,
        "instance_type": changed["JobResources"]["ClusterConfig"]["InstanceType"],
        "seconds": changed["StoppingCondition"]["MaxRuntimeInSeconds"],
        "stopped": stopped,
        "started": monitor.describe_schedule()["MonitoringScheduleStatus"],
    }


def capture_switched(predictor: Predictor, root: str) -> list[list[Any]]:
    """Data capture as the endpoint describes it after each switch, while requests are answered."""
    told = []
    for switch in (
        predictor.disable_data_capture,
        predictor.enable_data_capture,
        lambda: predictor.update_data_capture_config(
            DataCaptureConfig(enable_capture=True, sampling_percentage=50, destination_s3_uri=f"{root}/half")
        ),
    ):
        switch()
        described = predictor.sagemaker_session.sagemaker_client.describe_endpoint(
            EndpointName=predictor.endpoint_name
        ).get("DataCaptureConfig", {})
        told.append(
            [
                described.get("CaptureStatus"),
                described.get("CurrentSamplingPercentage"),
                described.get("DestinationS3Uri", "").removeprefix(root),
            ]
        )
    return told


def service_time(session: Session) -> str:
    with urllib.request.urlopen(f"{URL}/_local/health") as response:
        return str(json.load(response)["now"])


def label_of(inference_id: int) -> dict[str, Any]:
    label = "1" if random.Random(inference_id).random() < 0.7 else "0"
    return {
        "groundTruthData": {"data": label, "encoding": "CSV"},
        "eventMetadata": {"eventId": str(inference_id)},
        "eventVersion": "0",
    }


def advance(seconds: int) -> None:
    request = urllib.request.Request(
        f"{URL}/_local/clock", json.dumps({"advance_seconds": seconds}).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request).close()


def finished_execution(monitor: Any) -> dict[str, Any]:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        summary = monitor.describe_schedule()["LastMonitoringExecutionSummary"]
        if summary["MonitoringExecutionStatus"] in TERMINAL:
            return {"status": summary["MonitoringExecutionStatus"], "reason": summary.get("FailureReason")}
        time.sleep(1)
    raise TimeoutError(f"{monitor.monitoring_schedule_name}: still {summary['MonitoringExecutionStatus']} after 180 s")


def left_configs(client: Any) -> list[str]:
    """The endpoint configurations that switching the capture has left behind."""
    return [config["EndpointConfigName"] for config in client.list_endpoint_configs()["EndpointConfigs"]]


def left(client: Any) -> list[str]:
    """What the clean-up should have removed and has not."""
    found: list[list[dict[str, Any]]] = [
        client.list_monitoring_schedules()["MonitoringScheduleSummaries"],
        client.list_model_bias_job_definitions()["JobDefinitionSummaries"],
        client.list_model_explainability_job_definitions()["JobDefinitionSummaries"],
        client.list_endpoints()["Endpoints"],
        client.list_endpoint_configs()["EndpointConfigs"],
        client.list_models()["Models"],
    ]
    return [str(resource) for resources in found for resource in resources]


if __name__ == "__main__":
    main()
