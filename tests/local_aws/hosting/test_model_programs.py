"""Endpoints of every kind of model, through the API."""

from __future__ import annotations

import io
import json

import joblib
import numpy as np
import pytest
from botocore.exceptions import ClientError
from sklearn.ensemble import RandomForestClassifier

from tests.running_aws import Running, create_endpoint, create_model, new_name, tar_gz

REGISTRY = "246618743249.dkr.ecr.us-west-2.amazonaws.com"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
PYTHON = "python-inference"

INFERENCE = b"""
import os
import joblib

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "forest.joblib"))

def predict_fn(data, model):
    return model.predict_proba(data)[:, 1]
"""


@pytest.fixture(scope="module")
def forest() -> RandomForestClassifier:
    rows = np.random.default_rng(3).normal(size=(100, 4))
    return RandomForestClassifier(5, random_state=0).fit(rows, rows[:, 0] > 0)


def dumped(model: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def test_a_scikit_learn_endpoint_answers_as_the_model_itself(
    local_aws: Running, bucket: str, forest: RandomForestClassifier
) -> None:
    archive = tar_gz({"forest.joblib": dumped(forest), "code/inference.py": INFERENCE})
    endpoint = create_endpoint(local_aws, create_model(local_aws, bucket, archive, Image=SKLEARN))
    rows = np.random.default_rng(4).normal(size=(7, 4)).round(3)
    body = "\n".join(",".join(map(str, row)) for row in rows.tolist())
    runtime = local_aws.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="text/csv", Accept="text/csv")
    assert answer["ContentType"] == "text/csv"
    scores = [float(line) for line in answer["Body"].read().split()]
    assert scores == forest.predict_proba(rows.astype(np.float32))[:, 1].tolist()
    with pytest.raises(runtime.exceptions.ModelError) as error:
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x", ContentType="image/png")
    assert error.value.response["OriginalStatusCode"] == 415
    with pytest.raises(runtime.exceptions.ModelError) as error:
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"1,2", ContentType="text/csv")
    assert error.value.response["OriginalStatusCode"] == 500
    assert error.value.response["OriginalMessage"].startswith("Expected 2D array, got 1D array instead")


def test_long_words_of_a_model_are_cut_to_what_the_error_may_hold(local_aws: Running, bucket: str) -> None:
    script = b"def model_fn(d): return 1\ndef predict_fn(data, model): raise ValueError('x' * 5000)\n"
    endpoint = create_endpoint(
        local_aws, create_model(local_aws, bucket, tar_gz({"code/inference.py": script}), Image=PYTHON)
    )
    runtime = local_aws.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as error:
        runtime.invoke_endpoint(EndpointName=endpoint, Body="[1]", ContentType="application/json")
    assert len(error.value.response["OriginalMessage"]) == 2048
    assert error.value.response["Message"].endswith("for more information.")
    assert len(error.value.response["Message"]) == 2048


def test_code_beside_the_archive(local_aws: Running, bucket: str) -> None:
    """As the SageMaker SDK deploys a scikit-learn model: the script is an archive of its own in S3."""
    code = tar_gz({"serve.py": b"def model_fn(d): return 3\ndef predict_fn(data, model): return data * model\n"})
    local_aws.client("s3").put_object(Bucket=bucket, Key="code/sourcedir.tar.gz", Body=code)
    model = create_model(
        local_aws,
        bucket,
        tar_gz({"weights": b""}),
        Image=SKLEARN,
        Environment={
            "SAGEMAKER_PROGRAM": "serve.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{bucket}/code/sourcedir.tar.gz",
        },
    )
    endpoint = create_endpoint(local_aws, model)
    answer = local_aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body="[[1, 2.5]]", ContentType="application/json"
    )
    assert json.load(answer["Body"]) == [[3.0, 7.5]]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (b"x = 1", "Please provide a model_fn implementation: inference.py defines no model_fn(model_dir), "),
        (b"import no_such_package", "inference.py needs the package no_such_package, which is not installed here."),
        (b"def model_fn(d): raise OSError('no weights')", "model_fn failed: OSError: no weights"),
        (b"import os\ndef model_fn(d):\n    print('bye', flush=True)\n    os._exit(3)", "bye"),
        (b"import os\nprint('dying', flush=True)\nos.kill(os.getpid(), 11)", "dying (ended by SIGSEGV)"),
    ],
    ids=["no model_fn", "import", "raises", "exits", "crashes"],
)
def test_a_script_that_cannot_be_served_fails_its_endpoint(
    local_aws: Running, bucket: str, script: bytes, reason: str
) -> None:
    model = create_model(local_aws, bucket, tar_gz({"code/inference.py": script}), Image=PYTHON)
    endpoint = create_endpoint(local_aws, model, wait="Failed")
    told = local_aws.client("sagemaker").describe_endpoint(EndpointName=endpoint)["FailureReason"]
    assert told.startswith(
        "The primary container for production variant AllTraffic did not pass the ping health check."
    )
    assert reason in told


def test_a_script_has_a_process_of_its_own(local_aws: Running, bucket: str) -> None:
    script = (
        b"import os\ndef model_fn(d): return os.getpid()\ndef predict_fn(data, model): return [model, os.getcwd()]\n"
    )
    model = create_model(local_aws, bucket, tar_gz({"code/inference.py": script}), Image=PYTHON)
    runtime = local_aws.client("sagemaker-runtime")
    seen = []
    for _ in range(2):
        endpoint = create_endpoint(local_aws, model)
        answer = runtime.invoke_endpoint(EndpointName=endpoint, Body="[1]", ContentType="application/json")
        seen.append(json.load(answer["Body"]))
    (first, one), (second, other) = seen
    assert first != second
    assert one != other
    assert local_aws.process.pid not in (first, second)


def test_xgboost_takes_libsvm(local_aws: Running, bucket: str, model_archive: bytes) -> None:
    endpoint = create_endpoint(local_aws, create_model(local_aws, bucket, model_archive))
    runtime = local_aws.client("sagemaker-runtime")
    answers = [
        runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=kind)["Body"].read()
        for body, kind in (("0 0:1.5 1:0 2:0 3:0", "text/libsvm"), ("1.5,0,0,0", "text/csv"))
    ]
    assert answers[0] == answers[1]


def test_an_image_that_nothing_stands_for_is_named_with_those_that_have_a_program(
    local_aws: Running, bucket: str, model_archive: bytes
) -> None:
    model = create_model(local_aws, bucket, model_archive, Image=f"{REGISTRY}/pytorch-inference:2.0")
    name = new_name("endpoint")
    try:
        create_endpoint(local_aws, model, wait="Failed", name=name)
        told = local_aws.client("sagemaker").describe_endpoint(EndpointName=name)["FailureReason"]
    except ClientError as error:
        told = str(error)
    assert "sagemaker-scikit-learn, python-inference" in told
