"""People that an endpoint is asked about in JSON, several to a request: their baseline, their labels, both monitors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.place import Place
from tests.running_aws import (
    capture_config,
    create_endpoint,
    create_model,
    make_bucket,
    new_name,
    start_local_aws,
    tar_gz,
)

JSON = "application/json"
PREDICTOR = {
    "instance_type": "ml.m5.large",
    "initial_instance_count": 1,
    "content_type": JSON,
    "accept_type": JSON,
    "content_template": '{"instances":$records}',
    "record_template": '{"features":$features}',
}


@contextmanager
def json_place(folder: Path, archive: dict[str, bytes], **container: Any) -> Iterator[Place]:
    """A server with an endpoint, whose captures of JSON stay legible, for a model of these files and this container."""
    aws = start_local_aws(folder, "--clock", "stepped")
    try:
        bucket = make_bucket(aws)
        model = create_model(aws, bucket, tar_gz(archive), **container)
        capture = capture_config(bucket, CaptureContentTypeHeader={"JsonContentTypes": [JSON]})
        yield Place(aws, bucket, model, create_endpoint(aws, model, capture))
    finally:
        aws.stop()


@dataclass(frozen=True)
class JsonPeople:
    """Rows and their labels, and how they are analysed; `predicted_label` is found in an endpoint's answer."""

    rows: list[list[Any]]
    labels: list[Any]
    bias: dict[str, Any]
    shap: dict[str, Any]
    predicted_label: str

    def baseline(self, place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
        """The completed job that analysed all of them, and its analysis; the analysis' address is under "uri"."""
        records = [{"features": row, "label": label} for row, label in zip(self.rows, self.labels, strict=True)]
        found = {"label": self.predicted_label, "probability": "predictions[*].score"}
        config = self.bias | {
            "dataset_type": JSON,
            "features": "instances[*].features",
            "methods": {
                "pre_training_bias": {"methods": "all"},
                "post_training_bias": {"methods": "all"},
                "shap": self.shap,
            },
            "predictor": PREDICTOR | {"model_name": place.model} | found,
        }
        job = place.baseline(config, [json.dumps({"instances": records}, ensure_ascii=False)])
        assert job["ProcessingJobStatus"] == "Completed", job["FailureReason"]
        uri = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
        return job, json.loads(place.output(job, "analysis.json")) | {"uri": f"{uri}/analysis.json"}

    def ask(self, place: Place, each: int) -> str:
        """Ask the endpoint about so many at a time, and say their labels; gives the labels' address."""
        runtime, prefix = place.aws.client("sagemaker-runtime"), new_name("labels")
        truths = []
        for first in range(0, len(self.rows), each):
            rows, labels = self.rows[first : first + each], self.labels[first : first + each]
            body = json.dumps({"instances": [{"features": row} for row in rows]}, ensure_ascii=False)
            answer = runtime.invoke_endpoint(
                EndpointName=place.endpoint, Body=body, ContentType=JSON, Accept=JSON, InferenceId=str(first)
            )
            assert len(json.loads(answer["Body"].read())["predictions"]) == len(rows)
            data = json.dumps({"instances": [{"label": label} for label in labels]})
            truth = {
                "groundTruthData": {"data": data, "encoding": "JSON"},
                "eventMetadata": {"eventId": str(first)},
                "eventVersion": "0",
            }
            truths.append(json.dumps(truth))
        place.put(f"{prefix}/{place.aws.now():%Y/%m/%d/%H}/0000.jsonl", "\n".join(truths) + "\n")
        return f"s3://{place.bucket}/{prefix}"

    def captured_bias(self, place: Place, baseline: str, labels: str) -> dict[str, Any]:
        """The analysis of what was captured by the bias monitor, given the addresses of a baseline and of labels."""
        execution, analysis = place.monitor(
            "ModelBias",
            self.bias,
            baseline,
            {"GroundTruthS3Input": {"S3Uri": labels}},
            FeaturesAttribute="instances[*].features",
            InferenceAttribute=self.predicted_label,
        )
        assert execution["MonitoringExecutionStatus"] == "Completed", execution
        return analysis

    def captured_explanations(self, place: Place, baseline: str) -> dict[str, Any]:
        """The analysis of what was captured by the explainability monitor, given the address of a baseline."""
        config = {
            "headers": self.bias["headers"],
            "methods": {"shap": self.shap},
            "predictor": PREDICTOR | {"model_name": place.model},
        }
        execution, analysis = place.monitor(
            "ModelExplainability",
            config,
            baseline,
            {},
            FeaturesAttribute="instances[*].features",
            InferenceAttribute="predictions[*].score",
        )
        assert execution["MonitoringExecutionStatus"] == "Completed", execution
        return analysis
