"""The proxy names operations as botocore does, passes them on unchanged, and refuses as AWS does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.denying_proxy import DenyingProxy, denying
from tests.running_aws import Running


@pytest.fixture
def proxy(local_aws: Running) -> Iterator[DenyingProxy]:
    with denying(local_aws.url) as started:
        yield started


@pytest.fixture
def through(local_aws: Running, proxy: DenyingProxy) -> Running:
    """The clients' way to `local_aws` by the proxy."""
    return replace(local_aws, url=proxy.url)


def refusal(call: Any, **request: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status of the error that a call ends with."""
    with pytest.raises(ClientError) as raised:
        call(**request)
    response = raised.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_operations_pass_and_are_named(through: Running, proxy: DenyingProxy, bucket: str) -> None:
    s3 = through.client("s3")
    s3.put_object(Bucket=bucket, Key="a/ü b.txt", Body=b"text", Metadata={"who": "me"})
    s3.copy_object(Bucket=bucket, Key="c", CopySource={"Bucket": bucket, "Key": "a/ü b.txt"})
    found = s3.get_object(Bucket=bucket, Key="c")
    assert (found["Body"].read(), found["Metadata"]) == (b"text", {"who": "me"})
    assert s3.head_object(Bucket=bucket, Key="c")["ContentLength"] == 4
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    s3.abort_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload)
    s3.head_bucket(Bucket=bucket)
    s3.get_bucket_location(Bucket=bucket)
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 2
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "c"}]})
    s3.delete_object(Bucket=bucket, Key="a/ü b.txt")
    s3.list_buckets()
    through.client("sagemaker").list_models()
    through.client("sts").get_caller_identity()
    through.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}])
    refusal(through.client("sagemaker-runtime").invoke_endpoint, EndpointName="none", Body=b"1", ContentType="text/csv")
    s3_operations = [
        *("PutObject", "CopyObject", "GetObject", "HeadObject", "CreateMultipartUpload", "UploadPart"),
        *("AbortMultipartUpload", "HeadBucket", "GetBucketLocation", "ListObjectsV2", "DeleteObjects", "DeleteObject"),
        "ListBuckets",
    ]
    assert proxy.seen == [
        *(f"s3:{operation}" for operation in s3_operations),
        "sagemaker:ListModels",
        "sts:GetCallerIdentity",
        "cloudwatch:PutMetricData",
        "sagemaker:InvokeEndpoint",
    ]


def test_denied_operations_are_refused_as_aws_does(through: Running, proxy: DenyingProxy, bucket: str) -> None:
    proxy.deny("s3:PutObject", "s3:HeadBucket", "sagemaker:ListModels", "sagemaker:InvokeEndpoint", "iam:GetRole")
    s3 = through.client("s3")
    assert refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"1")[::2] == ("AccessDenied", 403)
    assert refusal(s3.head_bucket, Bucket=bucket)[::2] == ("403", 403)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    code, message, status = refusal(through.client("sagemaker").list_models)
    assert (code, status) == ("AccessDeniedException", 400)
    assert "not authorized to perform: sagemaker:ListModels" in message
    invoke = through.client("sagemaker-runtime").invoke_endpoint
    assert refusal(invoke, EndpointName="none", Body=b"1")[0] == "AccessDeniedException"
    assert refusal(through.client("iam").get_role, RoleName="none")[::2] == ("AccessDenied", 403)


def test_managed_monitoring_closed_and_open_again(through: Running, proxy: DenyingProxy) -> None:
    sagemaker = through.client("sagemaker")
    schedule = {
        "MonitoringScheduleName": "none",
        "MonitoringScheduleConfig": {"MonitoringJobDefinitionName": "none", "MonitoringType": "ModelBias"},
    }
    proxy.close_managed_monitoring()
    code, message, _ = refusal(sagemaker.create_monitoring_schedule, **schedule)
    assert (code, "maintenance mode" in message) == ("ValidationException", True)
    proxy.reset()
    assert "maintenance mode" not in refusal(sagemaker.create_monitoring_schedule, **schedule)[1]
    assert proxy.seen == ["sagemaker:CreateMonitoringSchedule"]
