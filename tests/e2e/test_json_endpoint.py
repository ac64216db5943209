"""An endpoint that is asked and answers in JSON: baselines, captures, ground truth, and both monitors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.e2e.place import Place
from tests.running_aws import capture_config, create_endpoint, create_model, make_bucket, new_name, tar_gz
from tests.running_aws import start_local_aws as start

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/python-inference:1"
FEATURES = ["Age", "Plan", "Minutes"]
PEOPLE = 120
EACH = 10
JSON = "application/json"

INFERENCE = """
import json
import math


def model_fn(model_dir):
    return {"no": 0.0, "yes": 1.5}


def input_fn(body, content_type):
    assert content_type == "application/json", content_type
    return [one["features"] for one in json.loads(body)["instances"]]


def predict_fn(rows, plans):
    assert all(isinstance(age, int) for age, _, _ in rows), rows
    return [1 / (1 + math.exp(3 - 0.05 * age - plans[plan] - 0.01 * minutes)) for age, plan, minutes in rows]


def output_fn(scores, accept):
    assert accept == "application/json", accept
    return json.dumps({"predictions": [{"score": one, "predicted_label": int(one > 0.5)} for one in scores]})
"""

PREDICTOR = {
    "instance_type": "ml.m5.large",
    "initial_instance_count": 1,
    "content_type": JSON,
    "accept_type": JSON,
    "content_template": '{"instances":$records}',
    "record_template": '{"features":$features}',
}
BIAS: dict[str, Any] = {
    "headers": [*FEATURES, "Target"],
    "label": "instances[*].label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Plan", "value_or_threshold": ["yes"]}],
}
SHAP = {"num_samples": 6, "agg_method": "mean_abs", "baseline": {"instances": [{"features": [40, "no", 100.0]}]}}


def people() -> list[list[Any]]:
    rng = np.random.default_rng(1)
    return [
        [int(age), str(plan), round(float(minutes), 1)]
        for age, plan, minutes in zip(
            rng.integers(18, 80, PEOPLE), rng.choice(["no", "yes"], PEOPLE), rng.normal(0, 60, PEOPLE), strict=True
        )
    ]


def labels() -> list[int]:
    return np.random.default_rng(2).integers(0, 2, PEOPLE).tolist()


def asked() -> list[slice]:
    return [slice(first, first + EACH) for first in range(0, PEOPLE, EACH)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    aws = start(tmp_path_factory.mktemp("aws"), "--clock", "stepped")
    try:
        bucket = make_bucket(aws)
        model = create_model(aws, bucket, tar_gz({"code/inference.py": INFERENCE.encode()}), Image=IMAGE)
        capture = capture_config(bucket, CaptureContentTypeHeader={"JsonContentTypes": [JSON]})
        yield Place(aws, bucket, model, create_endpoint(aws, model, capture))
    finally:
        aws.stop()


@pytest.fixture(scope="module")
def baseline(place: Place) -> dict[str, Any]:
    """The analysis of the data set, as the baseline of both monitors: its address is under "uri"."""
    records = [{"features": one, "label": label} for one, label in zip(people(), labels(), strict=True)]
    config = BIAS | {
        "dataset_type": JSON,
        "features": "instances[*].features",
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "shap": SHAP,
        },
        "predictor": PREDICTOR
        | {
            "model_name": place.model,
            "label": "predictions[*].predicted_label",
            "probability": "predictions[*].score",
        },
    }
    job = place.baseline(config, [json.dumps({"instances": records})])
    assert job["ProcessingJobStatus"] == "Completed", job["FailureReason"]
    uri = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    return json.loads(place.output(job, "analysis.json")) | {"uri": f"{uri}/analysis.json"}


@pytest.fixture(scope="module")
def traffic(place: Place) -> str:
    """Requests of several people each, and their labels; gives the labels' address."""
    runtime, prefix = place.aws.client("sagemaker-runtime"), new_name("labels")
    truths = []
    for number, part in enumerate(asked()):
        body = json.dumps({"instances": [{"features": one} for one in people()[part]]})
        answer = runtime.invoke_endpoint(
            EndpointName=place.endpoint, Body=body, ContentType=JSON, Accept=JSON, InferenceId=str(number)
        )
        assert len(json.loads(answer["Body"].read())["predictions"]) == EACH
        data = json.dumps({"instances": [{"label": one} for one in labels()[part]]})
        event = {"eventId": str(number)}
        truth = {"groundTruthData": {"data": data, "encoding": "JSON"}, "eventMetadata": event, "eventVersion": "0"}
        truths.append(json.dumps(truth))
    place.put(f"{prefix}/{place.aws.now():%Y/%m/%d/%H}/0000.jsonl", "\n".join(truths) + "\n")
    return f"s3://{place.bucket}/{prefix}"


def test_the_baseline_adds_up(baseline: dict[str, Any]) -> None:
    assert list(baseline["explanations"]["kernel_shap"]["label0"]["global_shap_values"]) == FEATURES
    facets = baseline["pre_training_bias_metrics"]["facets"]
    assert [one["value_or_threshold"] for one in facets["Plan"]] == ["yes"]
    metrics = {one["name"]: one["value"] for one in facets["Plan"][0]["metrics"]}
    positive = {
        plan: np.mean([label for one, label in zip(people(), labels(), strict=True) if one[1] == plan])
        for plan in ("no", "yes")
    }
    assert metrics["DPL"] == pytest.approx(positive["no"] - positive["yes"])


def test_captured_json_is_judged_as_the_same_data_set_was(place: Place, baseline: dict[str, Any], traffic: str) -> None:
    execution, analysis = place.monitor(
        "ModelBias",
        BIAS,
        baseline["uri"],
        {"GroundTruthS3Input": {"S3Uri": traffic}},
        FeaturesAttribute="instances[*].features",
        InferenceAttribute="predictions[*].predicted_label",
    )
    assert execution["MonitoringExecutionStatus"] == "Completed", execution
    for section in ("post_training_bias_metrics", "pre_training_bias_metrics"):
        assert analysis[section] == baseline[section]


@pytest.mark.usefixtures("traffic")
def test_captured_json_is_explained_as_the_same_data_set_was(place: Place, baseline: dict[str, Any]) -> None:
    config = {
        "headers": [*FEATURES, "Target"],
        "methods": {"shap": SHAP},
        "predictor": PREDICTOR | {"model_name": place.model},
    }
    execution, analysis = place.monitor(
        "ModelExplainability",
        config,
        baseline["uri"],
        {},
        FeaturesAttribute="instances[*].features",
        InferenceAttribute="predictions[*].score",
    )
    assert execution["MonitoringExecutionStatus"] == "Completed", execution
    found, expected = (one["explanations"]["kernel_shap"]["label0"] for one in (analysis, baseline))
    assert found["expected_value"] == pytest.approx(expected["expected_value"])
    assert found["global_shap_values"] == pytest.approx(expected["global_shap_values"])
