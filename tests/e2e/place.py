"""A served model of four inputs, and the calls that tests of analyses share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.polling import until
from tests.running_aws import (
    ROLE,
    Running,
    new_name,
)

CLARIFY_IMAGE = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"
CLUSTER = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
HEADERS = ["label", "a", "b", "c", "d"]
BIAS: dict[str, Any] = {
    "dataset_type": "text/csv",
    "headers": HEADERS,
    "label": "label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "b", "value_or_threshold": [0]}],
    "methods": {"post_training_bias": {"methods": "all"}},
}
"""The analysis of a data set with these headers, but for its predictor."""


def csv_predictor(model: str) -> dict[str, Any]:
    """The predictor of an analysis that asks a model in CSV."""
    return {
        "model_name": model,
        "instance_type": "ml.m5.large",
        "initial_instance_count": 1,
        "content_type": "text/csv",
        "accept_type": "text/csv",
    }


def table(rows: int = 200) -> list[str]:
    """A data set of four inputs and a label, without a header."""
    numbers = np.random.default_rng(1).normal(size=(rows, 4)).round(3)
    return [",".join(map(str, [int(row[0] > 0), *row])) for row in numbers.tolist()]


@dataclass
class Place:
    """A server, a bucket in it, and a served model."""

    aws: Running
    bucket: str
    model: str
    endpoint: str

    @property
    def sagemaker(self) -> Any:
        return self.aws.client("sagemaker")

    def put(self, key: str, body: str) -> str:
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def output(self, job: dict[str, Any], name: str) -> str:
        """A file that a job left."""
        uri = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
        key = f"{uri.removeprefix(f's3://{self.bucket}/')}/{name}"
        content: bytes = self.aws.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content.decode()

    def captures(self) -> int:
        """How many capture files of the endpoint there are."""
        prefix = f"datacapture/{self.endpoint}/"
        return int(self.aws.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)["KeyCount"])

    def config(self, **changes: Any) -> dict[str, Any]:
        """A bias analysis that works, or does not because of the changes."""
        return BIAS | {"predictor": csv_predictor(self.model)} | changes

    def baseline(
        self, config: dict[str, Any] | str, rows: list[str], output: str = "analysis_result"
    ) -> dict[str, Any]:
        """Run a baselining job to its end."""
        name = new_name("baseline")
        self.start_baseline(name, config, rows, output)
        return until(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] != "InProgress",
        )

    def start_baseline(
        self, name: str, config: dict[str, Any] | str, rows: list[str], output: str = "analysis_result"
    ) -> None:
        """Start a baselining job."""
        text = config if isinstance(config, str) else json.dumps(config)
        uris = {
            "dataset": (self.put(f"{name}/data/data.csv", "\n".join(rows) + "\n"), "data"),
            "analysis_config": (self.put(f"{name}/analysis_config.json", text), "config"),
        }
        self.sagemaker.create_processing_job(
            ProcessingJobName=name,
            ProcessingResources={"ClusterConfig": CLUSTER},
            AppSpecification={"ImageUri": CLARIFY_IMAGE},
            RoleArn=ROLE,
            ProcessingInputs=[
                {
                    "InputName": input_name,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"/opt/ml/processing/input/{folder}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for input_name, (uri, folder) in uris.items()
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": output,
                        "S3Output": {
                            "S3Uri": f"s3://{self.bucket}/{name}/output",
                            "LocalPath": "/opt/ml/processing/output",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
        )

    def execute(
        self, ground_truth: str | None, requests: list[tuple[str, str]], config: dict[str, Any]
    ) -> dict[str, Any]:
        """Send requests and labels, then run a bias monitor once over the hour; the execution when it is over."""
        runtime = self.aws.client("sagemaker-runtime")
        for inference_id, body in requests:
            runtime.invoke_endpoint(
                EndpointName=self.endpoint, Body=body, ContentType="text/csv", InferenceId=inference_id
            )
        name = new_name("monitor")
        if ground_truth is not None:
            self.put(f"{name}/labels/{self.aws.now():%Y/%m/%d/%H}/0000.jsonl", ground_truth)
        place = {
            "S3Uri": f"s3://{self.bucket}/{name}/reports",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        }
        self.sagemaker.create_model_bias_job_definition(
            JobDefinitionName=name,
            ModelBiasAppSpecification={
                "ImageUri": CLARIFY_IMAGE,
                "ConfigUri": self.put(f"{name}/analysis_config.json", json.dumps(config)),
            },
            ModelBiasJobInput={
                "EndpointInput": {"EndpointName": self.endpoint, "LocalPath": "/opt/ml/processing/input/endpoint"},
                "GroundTruthS3Input": {"S3Uri": f"s3://{self.bucket}/{name}/labels"},
            },
            ModelBiasJobOutputConfig={"MonitoringOutputs": [{"S3Output": place}]},
            JobResources={"ClusterConfig": CLUSTER},
            RoleArn=ROLE,
        )
        return self._execution(name, "ModelBias")

    def monitor(
        self, kind: str, config: dict[str, Any], constraints: str, more: dict[str, Any], **endpoint_input: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Run a monitor of a kind, such as ModelBias, once over the last hour; the execution, and its analysis."""
        name = new_name("monitor")
        given = {"EndpointName": self.endpoint, "LocalPath": "/opt/ml/processing/input/endpoint"} | endpoint_input
        target = {
            "S3Uri": f"s3://{self.bucket}/{name}/reports",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        }
        create = {
            "ModelBias": self.sagemaker.create_model_bias_job_definition,
            "ModelExplainability": self.sagemaker.create_model_explainability_job_definition,
        }[kind]
        create(
            JobDefinitionName=name,
            RoleArn=ROLE,
            JobResources={"ClusterConfig": CLUSTER},
            **{
                f"{kind}BaselineConfig": {"ConstraintsResource": {"S3Uri": constraints}},
                f"{kind}AppSpecification": {
                    "ImageUri": CLARIFY_IMAGE,
                    "ConfigUri": self.put(f"{name}/analysis_config.json", json.dumps(config)),
                },
                f"{kind}JobInput": {"EndpointInput": given, **more},
                f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": target}]},
            },
        )
        execution = self._execution(name, kind)
        job = self.sagemaker.describe_processing_job(
            ProcessingJobName=execution.get("ProcessingJobArn", "none").rpartition("/")[2]
        )
        return execution, json.loads(self.output(job, "analysis.json"))

    def _execution(self, name: str, kind: str) -> dict[str, Any]:
        """The one execution, when it is over, of a job definition that is run at once."""
        once = {"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"}
        self.sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": name,
                "MonitoringType": kind,
                "ScheduleConfig": once,
            },
        )
        (execution,) = until(
            lambda: self.sagemaker.list_monitoring_executions(MonitoringScheduleName=name)[
                "MonitoringExecutionSummaries"
            ],
            lambda found: found[0]["MonitoringExecutionStatus"] not in ("Pending", "InProgress"),
        )
        return dict(execution)
