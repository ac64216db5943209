"""A local_aws that uses the S3 of another one, which serves only whom it knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.services.s3.foreign import ForeignS3, UnusableS3
from tests.polling import until
from tests.running_aws import (
    REGION,
    ROLE,
    Running,
    capture_config,
    create_endpoint,
    launch_local_aws,
    start_local_aws,
)

KEY, SECRET = "AKIDOFTHESTORE", "secret-of-the-store"
BUCKET = "elsewhere"
CLARIFY = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"
CLUSTER = {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}}
BIAS = {
    "dataset_type": "text/csv",
    "headers": ["label", "facet"],
    "label": "label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "facet", "value_or_threshold": [1]}],
    "methods": {"pre_training_bias": {"methods": ["CI"]}, "report": {"name": "report"}},
}


@dataclass
class Pair:
    """The S3, a client of it, and the local_aws that uses it."""

    store: Running
    s3: Any
    aws: Running


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    keys = folder / "keys"
    keys.write_text(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    keys.chmod(0o600)
    store = start_local_aws(folder / "store", "--keys", str(keys))
    s3 = boto3.client(
        "s3", region_name=REGION, endpoint_url=store.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET
    )
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", store.url)
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        aws = start_local_aws(folder / "aws")
    yield Pair(store, s3, aws)
    aws.stop()
    store.stop()


def test_models_come_from_it_and_captures_go_there(pair: Pair, model_archive: bytes) -> None:
    pair.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=model_archive)
    image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker = pair.aws.client("sagemaker")
    sagemaker.create_model(ModelName="model", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    endpoint = create_endpoint(pair.aws, "model", capture_config(BUCKET))
    pair.aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body="1,0,0,0", ContentType="text/csv", InferenceId="one"
    )
    prefix = f"datacapture/{endpoint}/AllTraffic/"
    found = until(lambda: pair.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix), lambda page: page["KeyCount"] == 1)
    captured = pair.s3.get_object(Bucket=BUCKET, Key=found["Contents"][0]["Key"])["Body"].read()
    assert json.loads(captured)["eventMetadata"]["inferenceId"] == "one"


def test_jobs_read_and_write_there_and_so_does_the_program_itself(pair: Pair) -> None:
    pair.s3.put_object(Bucket=BUCKET, Key="data.csv", Body="1,1\n0,0\n1,0\n1,1\n")
    config = BIAS | {"dataset_uri": f"s3://{BUCKET}/data.csv"}
    pair.s3.put_object(Bucket=BUCKET, Key="analysis_config.json", Body=json.dumps(config))
    sagemaker = pair.aws.client("sagemaker")
    inputs = [
        ("config", "analysis_config.json", "/opt/ml/processing/input/config"),
        ("data", "data.csv", "/opt/ml/processing/input/data"),
    ]
    sagemaker.create_processing_job(
        ProcessingJobName="bias",
        ProcessingResources=CLUSTER,
        AppSpecification={"ImageUri": CLARIFY},
        RoleArn=ROLE,
        ProcessingInputs=[
            {
                "InputName": name,
                "S3Input": {
                    "S3Uri": f"s3://{BUCKET}/{key}",
                    "LocalPath": path,
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for name, key, path in inputs
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "analysis_result",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/report",
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    )
    job = until(
        lambda: sagemaker.describe_processing_job(ProcessingJobName="bias"),
        lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
    )
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    analysis = json.loads(pair.s3.get_object(Bucket=BUCKET, Key="report/analysis.json")["Body"].read())
    metrics = analysis["pre_training_bias_metrics"]["facets"]["facet"][0]["metrics"]
    assert [metric["name"] for metric in metrics] == ["CI"]


def test_requests_for_s3_are_told_where_it_is(pair: Pair) -> None:
    with pytest.raises(ClientError, match=f"uses the S3 at {pair.store.url}") as caught:
        pair.aws.client("s3").list_buckets()
    assert caught.value.response["Error"]["Code"] == "InvalidRequest"
    with urlopen(f"{pair.aws.url}/_local/health") as answer:
        assert json.load(answer)["s3"] == pair.store.url


def test_without_credentials_it_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert ForeignS3.of_environment({}) is None
    with pytest.raises(UnusableS3, match="there are no credentials for it"):
        ForeignS3.of_environment({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"})
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    process = launch_local_aws(tmp_path / "data")
    assert process.wait(60) == 1
    assert (
        "local_aws cannot start: AWS_ENDPOINT_URL_S3 is http://127.0.0.1:1"
        in (tmp_path / "data" / "server.log").read_text()
    )
    if process.stdout is not None:
        process.stdout.close()
