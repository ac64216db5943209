from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.embedded import BUCKET, embedded
from tests.running_aws import REGION, create_endpoint, create_model, make_bucket, start_local_aws


def test_all_is_there_again_after_a_restart(tmp_path: Path, model_archive: bytes) -> None:
    first = start_local_aws(tmp_path)
    bucket = make_bucket(first)
    s3 = first.client("s3")
    s3.put_object(Bucket=bucket, Key="a/b c.txt", Body=b"one", Metadata={"who": "me"}, Tagging="stage=test")
    s3.put_object(Bucket=bucket, Key="a/b c.txt", Body=b"two", Metadata={"who": "you"}, ContentType="text/plain")
    s3.put_object_tagging(Bucket=bucket, Key="a/b c.txt", Tagging={"TagSet": [{"Key": "stage", "Value": "new"}]})
    s3.put_object(Bucket=bucket, Key="gone", Body=b"x")
    s3.put_object(Bucket=bucket, Key="gone-too", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a/b c.txt"})
    s3.delete_object(Bucket=bucket, Key="gone")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "gone-too"}]})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    empty = make_bucket(first)
    deleted = make_bucket(first)
    s3.delete_bucket(Bucket=deleted)
    before = {item["Key"]: item for item in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    endpoint = create_endpoint(first, create_model(first, bucket, model_archive))
    described = first.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    first.stop()

    second = start_local_aws(tmp_path)
    try:
        s3 = second.client("s3")
        after = {
            item["Key"]: item for item in s3.list_objects_v2(Bucket=bucket)["Contents"] if "model" not in item["Key"]
        }
        assert {key: (item["ETag"], item["Size"], item["LastModified"]) for key, item in after.items()} == {
            key: (item["ETag"], item["Size"], item["LastModified"]) for key, item in before.items()
        }
        assert set(after) == {"a/b c.txt", "copy", "parts"}
        found = s3.get_object(Bucket=bucket, Key="a/b c.txt")
        assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"two", {"who": "you"}, "text/plain")
        tags = s3.get_object_tagging(Bucket=bucket, Key="a/b c.txt")["TagSet"]
        assert tags == [{"Key": "stage", "Value": "new"}]
        assert {item["Name"] for item in s3.list_buckets()["Buckets"]} == {bucket, empty}
        with pytest.raises(ClientError, match="NoSuchBucket"):
            s3.list_objects_v2(Bucket=deleted)
        again = second.client("sagemaker").describe_endpoint(EndpointName=endpoint)
        assert again | {"ResponseMetadata": None} == described | {"ResponseMetadata": None}
        second.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, Body="1,0,0,0", ContentType="text/csv"
        )
    finally:
        second.stop()


ODD_KEYS = (
    "..",
    "../outside",
    "a/../b",
    "%2e%2e/outside",
    "a%20b",
    "a b",
    "a+b&c=d?e#f",
    "100%",
    "zażółć/日本/😀",
    "folder/",
    "/leading",
    "double//slash",
    "back\\slash",
    "quote'\"<>",
    "k" * 1024,
)


def test_keys_are_what_they_are_after_a_restart_too(tmp_path: Path) -> None:
    with embedded(tmp_path / "data") as first:
        s3 = first.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key in ODD_KEYS:
            s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode(), Metadata={"odd": "yes"})
        s3.put_object(Bucket=BUCKET, Key="nothing", Body=b"")
    with embedded(tmp_path / "data") as second:
        s3 = second.client("s3")
        assert {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]} == {*ODD_KEYS, "nothing"}
        for key in ODD_KEYS:
            found = s3.get_object(Bucket=BUCKET, Key=key)
            assert (found["Body"].read(), found["Metadata"]) == (key.encode(), {"odd": "yes"}), key
        assert s3.get_object(Bucket=BUCKET, Key="nothing")["Body"].read() == b""
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_the_latest_versions_are_there_after_a_restart(tmp_path: Path) -> None:
    with embedded(tmp_path) as first:
        s3 = first.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for key in ("changed", "back", "gone"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"old")
        s3.put_object(Bucket=BUCKET, Key="changed", Body=b"new")
        newer = s3.put_object(Bucket=BUCKET, Key="back", Body=b"new")["VersionId"]
        s3.delete_object(Bucket=BUCKET, Key="back", VersionId=newer)
        s3.delete_object(Bucket=BUCKET, Key="gone")
    with embedded(tmp_path) as second:
        s3 = second.client("s3")
        assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
        stored = second.keys()
        assert [(key, second.get(key)) for key in stored] == [("back", "old"), ("changed", "new")]


def test_a_listing_goes_on_after_a_restart(tmp_path: Path) -> None:
    with embedded(tmp_path) as first:
        s3 = first.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key in ("a/1", "a/2", "b/1", "c"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
        tokens = [
            s3.list_objects_v2(Bucket=BUCKET, MaxKeys=2)["NextContinuationToken"],
            s3.list_objects_v2(Bucket=BUCKET, MaxKeys=1, Delimiter="/")["NextContinuationToken"],
        ]
    with embedded(tmp_path) as second:
        s3 = second.client("s3")
        rest = s3.list_objects_v2(Bucket=BUCKET, ContinuationToken=tokens[0])
        assert [item["Key"] for item in rest["Contents"]] == ["b/1", "c"]
        rest = s3.list_objects_v2(Bucket=BUCKET, ContinuationToken=tokens[1], Delimiter="/")
        assert [item["Prefix"] for item in rest["CommonPrefixes"]] == ["b/"]
        with pytest.raises(ClientError, match="continuation token provided is incorrect"):
            s3.list_objects_v2(Bucket=BUCKET, ContinuationToken="never given")
