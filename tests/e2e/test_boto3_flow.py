"""The whole flow with plain boto3 and none of this project's code; an hour passes at once."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.polling import until
from tests.running_aws import (
    ROLE,
    Running,
    capture_config,
    create_endpoint,
    create_model,
    make_bucket,
    start_local_aws,
)

CLARIFY_IMAGE = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"
CLUSTER = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
ENDPOINT = "churn"
BIAS, EXPLAINABILITY = "churn-bias", "churn-explain"


@dataclass
class Flow:
    """What the steps share."""

    aws: Running
    bucket: str
    model: str
    headers: list[str]
    test_rows: list[str]
    hour: datetime | None = None

    @property
    def sagemaker(self) -> Any:
        return self.aws.client("sagemaker")

    @property
    def s3(self) -> Any:
        return self.aws.client("s3")

    def put(self, key: str, body: bytes | str) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def json(self, key: str) -> Any:
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def baseline(self, name: str, config: dict[str, Any]) -> dict[str, Any]:
        """Run a baselining job as the SageMaker SDK asks for it, and wait for its end."""
        output = f"baselining/{name}"
        self.sagemaker.create_processing_job(
            ProcessingJobName=name,
            ProcessingResources={"ClusterConfig": CLUSTER},
            AppSpecification={"ImageUri": CLARIFY_IMAGE},
            RoleArn=ROLE,
            ProcessingInputs=[
                s3_input("dataset", f"s3://{self.bucket}/data/validation.csv", "/opt/ml/processing/input/data"),
                s3_input(
                    "analysis_config",
                    self.put(f"{output}/analysis_config.json", json.dumps(config)),
                    "/opt/ml/processing/input/config",
                ),
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": "analysis_result",
                        "S3Output": {
                            "S3Uri": f"s3://{self.bucket}/{output}",
                            "LocalPath": "/opt/ml/processing/output",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            StoppingCondition={"MaxRuntimeInSeconds": 1800},
        )
        return until(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
        )

    def executions(self, schedule: str) -> list[dict[str, Any]]:
        """A schedule's executions, newest first, once they are all over."""
        return until(
            lambda: self.sagemaker.list_monitoring_executions(MonitoringScheduleName=schedule)[
                "MonitoringExecutionSummaries"
            ],
            lambda found: all(item["MonitoringExecutionStatus"] not in ("Pending", "InProgress") for item in found),
        )


def s3_input(name: str, uri: str, local_path: str) -> dict[str, Any]:
    """A processing input as the SageMaker SDK writes it."""
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": local_path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """A deployed churn model that captures its requests."""
    from demo.data import write

    data = tmp_path_factory.mktemp("churn")
    write(data)
    aws = start_local_aws(tmp_path_factory.mktemp("aws"), "--clock", "stepped")
    try:
        yield deployed(aws, data)
    finally:
        aws.stop()


def deployed(aws: Running, data: Path) -> Flow:
    """Upload, make the model, deploy it with data capture."""
    bucket = make_bucket(aws)
    model = create_model(aws, bucket, (data / "model.tar.gz").read_bytes())
    create_endpoint(aws, model, capture_config(bucket), name=ENDPOINT)
    validation = (data / "validation-dataset-with-header.csv").read_text()
    flow = Flow(
        aws=aws,
        bucket=bucket,
        model=model,
        headers=next(csv.reader([validation.splitlines()[0]])),
        test_rows=(data / "test-dataset-input-cols.csv").read_text().splitlines(),
    )
    flow.put("data/validation.csv", validation)
    return flow


def predictor(flow: Flow) -> dict[str, Any]:
    """The model that analyses ask."""
    return {
        "model_name": flow.model,
        "instance_type": "ml.m5.large",
        "initial_instance_count": 1,
        "accept_type": "text/csv",
        "content_type": "text/csv",
    }


def shap(flow: Flow) -> dict[str, Any]:
    """Kernel SHAP against the mean of the test rows."""
    columns = zip(*(map(float, row.split(",")) for row in flow.test_rows), strict=True)
    mean = [sum(column) / len(column) for column in columns]
    return {
        "use_logit": False,
        "save_local_shap_values": False,
        "baseline": [mean],
        "num_samples": 100,
        "agg_method": "mean_abs",
    }


FACET = [{"name_or_index": "Account Length", "value_or_threshold": [100]}]


def test_1_both_baselines(flow: Flow) -> None:
    report = {"name": "report", "title": "Analysis Report"}
    bias = flow.baseline(
        "bias-baseline",
        {
            "dataset_type": "text/csv",
            "headers": flow.headers,
            "label": "Churn",
            "label_values_or_threshold": [1],
            "facet": FACET,
            "probability_threshold": 0.8,
            "predictor": predictor(flow),
            "methods": {
                "report": report,
                "pre_training_bias": {"methods": "all"},
                "post_training_bias": {"methods": "all"},
            },
        },
    )
    explainability = flow.baseline(
        "explain-baseline",
        {
            "dataset_type": "text/csv",
            "headers": flow.headers,
            "label": "Churn",
            "predictor": predictor(flow),
            "methods": {"report": report, "shap": shap(flow)},
        },
    )
    for job in (bias, explainability):
        assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
        assert job["ExitMessage"] == "Completed: SageMaker XAI Analyzer ran successfully"
        assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    constraints = flow.json("baselining/bias-baseline/analysis.json")
    (facet,) = constraints["post_training_bias_metrics"]["facets"]["Account Length"]
    assert [metric["name"] for metric in facet["metrics"]] == sorted(metric["name"] for metric in facet["metrics"])
    explained = flow.json("baselining/explain-baseline/analysis.json")["explanations"]["kernel_shap"]["label0"]
    assert set(explained["global_shap_values"]) == set(flow.headers[1:])
    assert not flow.keys("datacapture/"), "the analysis must not leave captures"


def test_2_their_log_is_in_cloudwatch_logs(flow: Flow) -> None:
    logs = flow.aws.client("logs")
    group = "/aws/sagemaker/ProcessingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="bias-baseline/algo-1-")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])["events"]
    text = "\n".join(event["message"] for event in events)
    assert "Starting SageMaker Clarify Processing job" in text
    assert "exit_message: Completed: SageMaker XAI Analyzer ran successfully" in text


def test_3_traffic_and_labels(flow: Flow) -> None:
    now = flow.aws.now()
    flow.aws.advance(3600 - (now.minute * 60 + now.second) + 600)
    flow.hour = flow.aws.now().replace(minute=0, second=0, microsecond=0)
    runtime = flow.aws.client("sagemaker-runtime")
    for number, row in enumerate(flow.test_rows):
        answer = runtime.invoke_endpoint(
            EndpointName=ENDPOINT, Body=row, ContentType="text/csv", InferenceId=str(number)
        )
        assert 0 <= float(answer["Body"].read()) <= 1
    labels = random.Random(0)
    records = [
        {
            "groundTruthData": {"data": str(int(labels.random() < 0.7)), "encoding": "CSV"},
            "eventMetadata": {"eventId": str(number)},
            "eventVersion": "0",
        }
        for number in range(len(flow.test_rows))
    ]
    flow.put(f"ground_truth/{flow.hour:%Y/%m/%d/%H}/0000.jsonl", "\n".join(map(json.dumps, records)) + "\n")


def test_4_schedules_wait_for_the_hour(flow: Flow) -> None:
    sagemaker, reports = flow.sagemaker, f"s3://{flow.bucket}/reports"
    common = {
        "JobResources": {"ClusterConfig": CLUSTER},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
    }
    output = {
        "MonitoringOutputs": [
            {"S3Output": {"S3Uri": reports, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "Continuous"}}
        ]
    }
    endpoint_input = {"EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/input/endpoint"}
    environment = {"publish_cloudwatch_metrics": "Enabled"}
    bias_config = {"label_values_or_threshold": [1], "facet": FACET, "headers": flow.headers, "label": "Churn"}
    sagemaker.create_model_bias_job_definition(
        JobDefinitionName=BIAS,
        ModelBiasAppSpecification={
            "ImageUri": CLARIFY_IMAGE,
            "ConfigUri": flow.put(f"reports/{BIAS}/analysis_config.json", json.dumps(bias_config)),
            "Environment": environment,
        },
        ModelBiasJobInput={
            "EndpointInput": {
                **endpoint_input,
                "StartTimeOffset": "-PT1H",
                "EndTimeOffset": "-PT0H",
                "ProbabilityThresholdAttribute": 0.8,
            },
            "GroundTruthS3Input": {"S3Uri": f"s3://{flow.bucket}/ground_truth"},
        },
        ModelBiasJobOutputConfig=output,
        ModelBiasBaselineConfig={"BaseliningJobName": "bias-baseline"},
        **common,
    )
    explain_config = {
        "methods": {"shap": shap(flow)},
        "predictor": predictor(flow),
        "headers": flow.headers[1:],
    }
    sagemaker.create_model_explainability_job_definition(
        JobDefinitionName=EXPLAINABILITY,
        ModelExplainabilityAppSpecification={
            "ImageUri": CLARIFY_IMAGE,
            "ConfigUri": flow.put(f"reports/{EXPLAINABILITY}/analysis_config.json", json.dumps(explain_config)),
            "Environment": environment,
        },
        ModelExplainabilityJobInput={"EndpointInput": endpoint_input},
        ModelExplainabilityJobOutputConfig=output,
        ModelExplainabilityBaselineConfig={
            "ConstraintsResource": {"S3Uri": f"s3://{flow.bucket}/baselining/explain-baseline/analysis.json"}
        },
        **common,
    )
    for schedule, monitoring_type in ((BIAS, "ModelBias"), (EXPLAINABILITY, "ModelExplainability")):
        sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=schedule,
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": schedule,
                "MonitoringType": monitoring_type,
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            },
        )
        described = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule)
        assert described["MonitoringScheduleStatus"] == "Scheduled"
        assert described["EndpointName"] == ENDPOINT
        assert "LastMonitoringExecutionSummary" not in described
        assert flow.executions(schedule) == []


def test_5_the_hour_brings_one_execution_each(flow: Flow) -> None:
    assert flow.hour is not None
    fired = flow.hour + timedelta(hours=1)
    flow.aws.advance((fired - flow.aws.now()).total_seconds())
    (bias,), (explainability,) = flow.executions(BIAS), flow.executions(EXPLAINABILITY)
    for execution in (bias, explainability):
        assert execution["ScheduledTime"] == fired
        assert execution["EndpointName"] == ENDPOINT
    assert bias["MonitoringExecutionStatus"] == "CompletedWithViolations", bias.get("FailureReason")
    assert explainability["MonitoringExecutionStatus"] == "Completed", explainability.get("FailureReason")
    last = flow.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=BIAS)["LastMonitoringExecutionSummary"]
    assert last["MonitoringExecutionStatus"] == "CompletedWithViolations"


def test_6_the_jobs_are_named_and_shaped_as_sagemakers(flow: Flow) -> None:
    assert flow.hour is not None
    sagemaker, fired = flow.sagemaker, flow.hour + timedelta(hours=1)
    (execution,) = flow.executions(BIAS)
    name = execution["ProcessingJobArn"].rsplit("/", 1)[-1]
    prefix, identity = name.rsplit("-", 1)
    assert prefix == f"model-bias-monitoring-{fired:%Y%m%d%H%M}"
    analysis = sagemaker.describe_processing_job(ProcessingJobName=name)
    merge = sagemaker.describe_processing_job(ProcessingJobName=f"groundtruth-merge-{fired:%Y%m%d%H%M}-{identity}")
    assert analysis["ProcessingJobStatus"] == merge["ProcessingJobStatus"] == "Completed"
    assert analysis["ExitMessage"].startswith("CompletedWithViolations: Job completed successfully with ")
    hour = f"{flow.hour:%Y/%m/%d/%H}"
    assert {item["InputName"]: item["S3Input"]["LocalPath"] for item in merge["ProcessingInputs"]} == {
        "groundtruth_input_1": f"/opt/ml/processing/groundtruth/{hour}",
        "endpoint_input_1": f"/opt/ml/processing/input_data/{ENDPOINT}/AllTraffic/{hour}",
    }
    environment = analysis["Environment"]
    assert environment["analysis_type"] == "MODEL_BIAS"
    assert environment["probability_threshold_attribute"] == "0.8"
    assert environment["start_time"] == f"{flow.hour:%Y-%m-%dT%H:00:00Z}"
    assert environment["end_time"] == f"{fired:%Y-%m-%dT%H:00:00Z}"
    (merged,) = flow.keys(f"reports/merge/{ENDPOINT}/AllTraffic/{hour}/")
    lines = flow.s3.get_object(Bucket=flow.bucket, Key=merged)["Body"].read().decode().splitlines()
    assert len(lines) == len(flow.test_rows)


def test_7_reports_and_violations(flow: Flow) -> None:
    assert flow.hour is not None
    folder = f"{flow.hour + timedelta(hours=1):%Y/%m/%d/%H}"
    bias, explainability = (f"reports/{ENDPOINT}/{name}/{folder}/" for name in (BIAS, EXPLAINABILITY))
    assert {key.removeprefix(bias) for key in flow.keys(bias)} == {
        "analysis.json",
        "constraint_violations.json",
        "report.html",
    }
    assert {key.removeprefix(explainability) for key in flow.keys(explainability)} == {
        "analysis.json",
        "explanations_shap/baseline.csv",
        "report.html",
    }
    violations = flow.json(f"{bias}constraint_violations.json")["violations"]
    assert {violation["constraint_check_type"] for violation in violations} == {"bias_drift_check"}
    with pytest.raises(ClientError) as missing:
        flow.json(f"{explainability}constraint_violations.json")
    assert missing.value.response["Error"]["Code"] == "NoSuchKey"


def test_8_metrics_are_in_cloudwatch(flow: Flow) -> None:
    cloudwatch = flow.aws.client("cloudwatch")
    names = {
        metric["MetricName"]
        for namespace in ("bias-metrics", "explainability-metrics")
        for metric in cloudwatch.list_metrics(Namespace=f"aws/sagemaker/Endpoints/{namespace}")["Metrics"]
    }
    assert {"bias_metric_DPPL", "feature_Day Mins"} <= names


def test_9_a_second_look_at_an_hour_counts_nothing_twice(flow: Flow) -> None:
    assert flow.hour is not None
    hour, report_hour = f"{flow.hour:%Y/%m/%d/%H}", f"{flow.aws.now():%Y/%m/%d/%H}"
    flow.sagemaker.create_monitoring_schedule(
        MonitoringScheduleName="second-look",
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": BIAS,
            "MonitoringType": "ModelBias",
            "ScheduleConfig": {
                "ScheduleExpression": "NOW",
                "DataAnalysisStartTime": "-PT1H",
                "DataAnalysisEndTime": "-PT0H",
            },
        },
    )
    (execution,) = flow.executions("second-look")
    assert execution["MonitoringExecutionStatus"] == "CompletedWithViolations", execution.get("FailureReason")
    assert len(flow.keys(f"reports/merge/{ENDPOINT}/AllTraffic/{hour}/")) == 1
    first, second = (
        flow.json(f"reports/{ENDPOINT}/{schedule}/{report_hour}/analysis.json") for schedule in (BIAS, "second-look")
    )
    assert first == second
    flow.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="second-look")


def test_a_an_hour_without_traffic_says_so(flow: Flow) -> None:
    flow.aws.advance(2 * 3600)
    newest, middle, *_ = flow.executions(EXPLAINABILITY)
    assert newest["MonitoringExecutionStatus"] == "Failed"
    assert newest["FailureReason"] == "Job inputs had no data"
    assert "ProcessingJobArn" not in newest
    assert newest["ScheduledTime"] - middle["ScheduledTime"] == timedelta(hours=1)


def test_b_cleaning_up_in_the_order_that_works(flow: Flow) -> None:
    sagemaker = flow.sagemaker
    with pytest.raises(ClientError, match="schedule"):
        sagemaker.delete_endpoint(EndpointName=ENDPOINT)
    for schedule in (BIAS, EXPLAINABILITY):
        sagemaker.stop_monitoring_schedule(MonitoringScheduleName=schedule)
    flow.aws.advance(3600)
    for schedule in (BIAS, EXPLAINABILITY):
        assert len(flow.executions(schedule)) == 3, "a stopped schedule fires no more"
        sagemaker.delete_monitoring_schedule(MonitoringScheduleName=schedule)
        with pytest.raises(ClientError, match="ResourceNotFound"):
            sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule)
        assert len(flow.executions(schedule)) == 3, "executions outlive their schedule"
    sagemaker.delete_model_bias_job_definition(JobDefinitionName=BIAS)
    sagemaker.delete_model_explainability_job_definition(JobDefinitionName=EXPLAINABILITY)
    sagemaker.delete_endpoint(EndpointName=ENDPOINT)
    sagemaker.delete_endpoint_config(EndpointConfigName=ENDPOINT)
    sagemaker.delete_model(ModelName=flow.model)
    assert flow.keys("datacapture/")
