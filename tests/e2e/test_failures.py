"""What goes wrong for a user, end to end: each ends in the state and with the words that SageMaker gives."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.local_aws.conftest import (
    ROLE,
    Running,
    capture_config,
    create_endpoint,
    create_model,
    make_bucket,
    new_name,
    start_local_aws,
)

CLARIFY_IMAGE = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"
CLUSTER = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
HEADERS = ["label", "a", "b", "c", "d"]
WAIT_SECONDS = 120


def until(look: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    """What `look` gives once that is `done`."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not done(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen


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

    def config(self, **changes: Any) -> dict[str, Any]:
        """A bias analysis that works, or does not because of the changes."""
        return {
            "dataset_type": "text/csv",
            "headers": HEADERS,
            "label": "label",
            "label_values_or_threshold": [1],
            "facet": [{"name_or_index": "b", "value_or_threshold": [0]}],
            "methods": {"post_training_bias": {"methods": "all"}},
            "predictor": {
                "model_name": self.model,
                "instance_type": "ml.m5.large",
                "initial_instance_count": 1,
                "content_type": "text/csv",
                "accept_type": "text/csv",
            },
        } | changes

    def baseline(
        self, config: dict[str, Any] | str, rows: list[str], output: str = "analysis_result"
    ) -> dict[str, Any]:
        """Run a baselining job to its end."""
        name = new_name("baseline")
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
        return until(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] != "InProgress",
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
        self.sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": name,
                "MonitoringType": "ModelBias",
                "ScheduleConfig": {
                    "ScheduleExpression": "NOW",
                    "DataAnalysisStartTime": "-PT1H",
                    "DataAnalysisEndTime": "-PT0H",
                },
            },
        )
        (execution,) = until(
            lambda: self.sagemaker.list_monitoring_executions(MonitoringScheduleName=name)[
                "MonitoringExecutionSummaries"
            ],
            lambda found: found[0]["MonitoringExecutionStatus"] not in ("Pending", "InProgress"),
        )
        return dict(execution)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> Iterator[Place]:
    aws = start_local_aws(tmp_path_factory.mktemp("aws"), "--clock", "stepped")
    try:
        bucket = make_bucket(aws)
        model = create_model(aws, bucket, model_archive)
        yield Place(aws, bucket, model, create_endpoint(aws, model, capture_config(bucket)))
    finally:
        aws.stop()


@pytest.fixture
def quiet_hour(place: Place) -> None:
    """Two hours later: nothing of earlier tests is in the window."""
    place.aws.advance(timedelta(hours=2).total_seconds())


def label(event: str, value: object = 1) -> str:
    record = {
        "groundTruthData": {"data": str(value), "encoding": "CSV"},
        "eventMetadata": {"eventId": event},
        "eventVersion": "0",
    }
    return json.dumps(record)


def failed(job: dict[str, Any]) -> str:
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert job["ExitMessage"].startswith("Customer Error: ")
    return str(job["FailureReason"])


def test_the_analysis_that_the_others_break(place: Place) -> None:
    job = place.baseline(place.config(), table())
    assert job["ProcessingJobStatus"] == "Completed", job["FailureReason"]


def test_a_wrong_row_width(place: Place) -> None:
    reason = failed(place.baseline(place.config(headers=HEADERS[:-1]), table()))
    assert "Headers in config do not match with the number of columns in the dataset." in reason


def test_a_value_that_is_no_number(place: Place) -> None:
    rows = table()
    rows[7] = "1,0.5,many,0.1,0.2"
    reason = failed(place.baseline(place.config(), rows))
    assert "Could not convert string to float." in reason


def test_a_missing_label_column(place: Place) -> None:
    assert "Headers must contain label." in failed(place.baseline(place.config(label="Churn"), table()))


def test_an_unknown_facet(place: Place) -> None:
    config = place.config(facet=[{"name_or_index": "Age", "value_or_threshold": [40]}])
    assert "Unable to locate the facet." in failed(place.baseline(config, table()))


def test_a_configuration_that_is_no_json(place: Place) -> None:
    assert "Unable to load analysis configuration as JSON." in failed(place.baseline("{", table()))


def test_a_model_that_does_not_exist(place: Place) -> None:
    predictor = place.config()["predictor"] | {"model_name": "nobody"}
    job = place.baseline(place.config(predictor=predictor), table())
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Could not find model ")


def test_an_output_of_another_name(place: Place) -> None:
    reason = failed(place.baseline(place.config(), table(), output="result"))
    assert "Unexpected output in the processing job config" in reason


def test_a_model_archive_that_is_none(place: Place) -> None:
    model = create_model(place.aws, place.bucket, b"this is no archive")
    predictor = place.config()["predictor"] | {"model_name": model}
    job = place.baseline(place.config(predictor=predictor), table())
    assert job["ProcessingJobStatus"] == "Failed"
    assert "is a valid tar.gz archive" in job["FailureReason"]
    create_endpoint(place.aws, model, wait="Failed")


@pytest.mark.usefixtures("quiet_hour")
def test_a_ground_truth_line_that_is_no_json(place: Place) -> None:
    execution = place.execute(f"{label('1')}\nnot json\n", [("1", "1,2,3,4")], place.config())
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"].startswith("ClientError: ")
    assert "0000.jsonl" in execution["FailureReason"]
    assert "/groundtruth-merge-" in execution["ProcessingJobArn"]


@pytest.mark.usefixtures("quiet_hour")
def test_an_hour_without_captures_or_labels(place: Place) -> None:
    without_captures = place.execute(label("1"), [], place.config())
    without_labels = place.execute(None, [("1", "1,2,3,4")], place.config())
    for execution in (without_captures, without_labels):
        assert execution["MonitoringExecutionStatus"] == "Failed"
        assert execution["FailureReason"] == "Job inputs had no data"
        assert "ProcessingJobArn" not in execution


@pytest.mark.usefixtures("quiet_hour")
def test_labels_of_other_requests(place: Place) -> None:
    execution = place.execute(label("other"), [("1", "1,2,3,4")], place.config())
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Job inputs had no data"


@pytest.mark.usefixtures("quiet_hour")
def test_captures_of_another_width_than_the_headers(place: Place) -> None:
    config = place.config(headers=[*HEADERS, "e"])
    execution = place.execute(label("1"), [("1", "1,2,3,4")], config)
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert "Headers in config do not match with the number of columns in the dataset." in execution["FailureReason"]


def test_the_endpoint_refuses_what_the_model_cannot_read(place: Place) -> None:
    runtime = place.aws.client("sagemaker-runtime")
    for body in ("1,2,3", "1,two,3,4"):
        with pytest.raises(ClientError) as error:
            runtime.invoke_endpoint(EndpointName=place.endpoint, Body=body, ContentType="text/csv")
        assert error.value.response["Error"]["Code"] == "ModelError"
