from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.monitoring.monitoring_jobs import MonitoringRun, merge_job, monitoring_job
from local_aws.monitoring.schedule_expressions import Window

SCHEDULED = datetime(2026, 11, 22, 11, tzinfo=UTC)
IDENTITY = "0123456789abcdef01234567"
IMAGE = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"
CONSTRAINTS = "s3://bucket/baselining/analysis.json"


def definition(monitoring_type: str, **endpoint_input: Any) -> dict[str, Any]:
    job_input: dict[str, Any] = {
        "EndpointInput": {"EndpointName": "churn", "LocalPath": "/opt/ml/processing/input/endpoint", **endpoint_input}
    }
    if monitoring_type == "ModelBias":
        job_input["GroundTruthS3Input"] = {"S3Uri": "s3://bucket/ground_truth/"}
    return {
        f"{monitoring_type}AppSpecification": {
            "ImageUri": IMAGE,
            "ConfigUri": "s3://bucket/config/analysis_config.json",
        },
        f"{monitoring_type}JobInput": job_input,
        f"{monitoring_type}JobOutputConfig": {
            "MonitoringOutputs": [
                {"S3Output": {"S3Uri": "s3://bucket/reports", "LocalPath": "/opt/ml/processing/output"}}
            ]
        },
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}},
        "RoleArn": "arn:aws:iam::123456789012:role/Role",
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
    }


def run(monitoring_type: str, **endpoint_input: Any) -> MonitoringRun:
    return MonitoringRun(
        monitoring_type=monitoring_type,
        schedule="hourly",
        definition=definition(monitoring_type, **endpoint_input),
        scheduled=SCHEDULED,
        window=Window(SCHEDULED - timedelta(hours=1), SCHEDULED),
        identity=IDENTITY,
        captures=("s3://bucket/datacapture/churn/AllTraffic",),
    )


def places(job: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {
        item["InputName"]: (item["S3Input"]["S3Uri"], item["S3Input"]["LocalPath"]) for item in job["ProcessingInputs"]
    }


def test_the_folders_of_a_window_are_those_of_its_hours() -> None:
    bias = run("ModelBias")
    assert bias.capture_folders() == [
        (f"s3://bucket/datacapture/churn/AllTraffic/2026/11/22/{hour}", f"churn/AllTraffic/2026/11/22/{hour}")
        for hour in ("10", "11")
    ]
    assert bias.ground_truth_folders() == [
        (f"s3://bucket/ground_truth/2026/11/22/{hour}", f"2026/11/22/{hour}") for hour in ("10", "11")
    ]


def test_a_variant_with_captures_in_two_places_is_merged_once() -> None:
    folders = ("s3://bucket/datacapture/churn/AllTraffic", "s3://other/datacapture/churn/AllTraffic")
    merged = replace(run("ModelBias"), captures=folders).merged_folders()
    assert [path for _, path in merged] == [f"churn/AllTraffic/2026/11/22/{hour}" for hour in ("10", "11")]


def test_the_merge_job() -> None:
    bias = run("ModelBias")
    job = merge_job(bias, bias.capture_folders()[:1], bias.ground_truth_folders())
    assert job["ProcessingJobName"] == f"groundtruth-merge-202611221100-{IDENTITY}"
    assert job["AppSpecification"]["ImageUri"].endswith("/sagemaker-model-monitor-groundtruth-merger")
    assert job["Environment"] == {
        "dataset_source": "/opt/ml/processing/input_data",
        "ground_truth_source": "/opt/ml/processing/groundtruth",
        "output_path": "/opt/ml/processing/output",
    }
    assert places(job) == {
        "endpoint_input_1": (
            "s3://bucket/datacapture/churn/AllTraffic/2026/11/22/10",
            "/opt/ml/processing/input_data/churn/AllTraffic/2026/11/22/10",
        ),
        "groundtruth_input_1": (
            "s3://bucket/ground_truth/2026/11/22/10",
            "/opt/ml/processing/groundtruth/2026/11/22/10",
        ),
        "groundtruth_input_2": (
            "s3://bucket/ground_truth/2026/11/22/11",
            "/opt/ml/processing/groundtruth/2026/11/22/11",
        ),
    }
    (output,) = job["ProcessingOutputConfig"]["Outputs"]
    assert output["OutputName"] == "result"
    assert output["S3Output"]["S3Uri"] == "s3://bucket/reports/merge"
    assert output["S3Output"]["S3UploadMode"] == "EndOfJob"


def test_the_bias_job_reads_merged_records_and_is_told_all_that_the_platform_tells() -> None:
    bias = run("ModelBias", ProbabilityThresholdAttribute=0.8, InferenceAttribute="0")
    merged = [("s3://bucket/reports/merge/churn/AllTraffic/2026/11/22/10", "churn/AllTraffic/2026/11/22/10")]
    job = monitoring_job(bias, merged, CONSTRAINTS, remaining_seconds=1700)
    assert job["ProcessingJobName"] == f"model-bias-monitoring-202611221100-{IDENTITY}"
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 1700}
    assert places(job) == {
        "endpoint_input_1": (merged[0][0], "/opt/ml/processing/input/endpoint/churn/AllTraffic/2026/11/22/10"),
        "analysis_config": ("s3://bucket/config/analysis_config.json", "/opt/ml/processing/input/config"),
        "constraints": (CONSTRAINTS, "/opt/ml/processing/baseline/constraints"),
    }
    assert job["Environment"] == {
        "analysis_type": "MODEL_BIAS",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/analysis.json",
        "dataset_format": '{"sagemakerMergeJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}',
        "dataset_source": "/opt/ml/processing/input/endpoint",
        "end_time": "2026-11-22T11:00:00Z",
        "inference_attribute": "0",
        "metric_time": "2026-11-22T10:00:00Z",
        "output_path": "/opt/ml/processing/output",
        "probability_threshold_attribute": "0.8",
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": "churn",
        "sagemaker_monitoring_schedule_name": "hourly",
        "start_time": "2026-11-22T10:00:00Z",
    }


def test_the_report_lies_under_the_scheduled_hour_not_the_datas() -> None:
    explainability = run("ModelExplainability")
    job = monitoring_job(explainability, explainability.capture_folders(), None, remaining_seconds=1800)
    (output,) = job["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == "s3://bucket/reports/churn/hourly/2026/11/22/11"
    assert output["S3Output"]["S3UploadMode"] == "Continuous"


def test_without_a_baseline_there_are_no_constraints() -> None:
    explainability = run("ModelExplainability")
    job = monitoring_job(explainability, explainability.capture_folders(), None, remaining_seconds=1800)
    assert "constraints" not in places(job)
    assert "baseline_constraints" not in job["Environment"]
    assert job["Environment"]["analysis_type"] == "MODEL_EXPLAINABILITY"
    assert "sagemakerCaptureJson" in job["Environment"]["dataset_format"]


def test_the_definitions_environment_can_switch_metrics_off_but_not_rename_the_endpoint() -> None:
    bias = run("ModelBias")
    bias.definition["ModelBiasAppSpecification"]["Environment"] = {
        "publish_cloudwatch_metrics": "Disabled",
        "sagemaker_endpoint_name": "other",
    }
    environment = monitoring_job(bias, bias.merged_folders(), None, remaining_seconds=1)["Environment"]
    assert environment["publish_cloudwatch_metrics"] == "Disabled"
    assert environment["sagemaker_endpoint_name"] == "churn"
