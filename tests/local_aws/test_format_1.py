"""A data folder that the first version wrote (data/format-1.tar.gz) is taken over, whatever happens meanwhile."""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.database_files import UnusableStore
from local_aws.services.s3 import format_1 as s3_of_format_1
from local_aws.store import FORMAT, Store
from tests.local_aws.embedded import embedded
from tests.running_aws import start_local_aws

ARCHIVE = Path(__file__).parent / "data" / "format-1.tar.gz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path / "aws", filter="data")
    return tmp_path / "aws"


def seen(s3: Any) -> dict[str, Any]:
    """All objects, as a client sees them."""
    found = {}
    for bucket in s3.list_buckets()["Buckets"]:
        for item in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            answer = s3.get_object(Bucket=bucket["Name"], Key=item["Key"], ChecksumMode="ENABLED")
            found[f"{bucket['Name']}/{item['Key']}"] = (
                item["ETag"],
                item["LastModified"].isoformat(),
                answer["Body"].read() if item["Key"] != "model.tar.gz" else None,
                answer["Metadata"],
                answer["ContentType"],
                answer.get("ChecksumSHA256"),
            )
    return found


EXPECTED = {
    "contents/empty": ('"d41d8cd98f00b204e9800998ecf8427e"', "2026-11-23T04:31:58+00:00", b"", {}),
    "contents/parts": ('"bccb8986cc6b395e4f045d410c776698-1"', "2026-11-23T04:31:58+00:00", b"x" * 100, {}),
    "old/a/notes é.txt": (
        '"38bbce5fb3d0aec801f9eab39182fa7a"',
        "2026-11-23T04:31:58+00:00",
        "hällo".encode(),
        {"who": "ann"},
    ),
    "old/config/analysis_config.json": ('"99914b932bd37a50b983c5e7c90ae93b"', "2026-11-23T04:32:00+00:00", b"{}", {}),
    "old/model.tar.gz": ('"a42b9a580631b27d6d3d7f518d38f841"', "2026-11-23T04:31:58+00:00", None, {}),
}


def test_objects_are_what_they_were(folder: Path) -> None:
    for run in ("moved", "restarted"):
        with embedded(folder) as aws:
            s3 = aws.client("s3")
            found = seen(s3)
            assert {name: values[:4] for name, values in found.items()} == EXPECTED, run
            assert found["old/a/notes é.txt"][4:] == ("text/plain", "D7x0A1NvQlrVSY2c2EZJf1NxuoN0sapYPHnS8Mh1Af8=")
            tags = s3.get_object_tagging(Bucket="old", Key="a/notes é.txt")["TagSet"]
            assert tags == [{"Key": "team", "Value": "risk"}]
            assert s3.get_bucket_versioning(Bucket="old")["Status"] == "Enabled"
            assert len(s3.list_object_versions(Bucket="old", Prefix="config/")["Versions"]) == 1
    assert not (folder / "s3-format-1").exists()
    store = Store(folder / "state.sqlite")
    assert store.format == FORMAT
    assert store.list("s3-object") == []
    store.close()


def test_a_kill_in_the_midst_of_the_move_is_harmless(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move, moved = s3_of_format_1._move_object, []

    def killed(*args: Any) -> None:
        if len(moved) == 3:
            raise KeyboardInterrupt
        moved.append(move(*args))

    with monkeypatch.context() as patch:
        patch.setattr(s3_of_format_1, "_move_object", killed)
        with pytest.raises(KeyboardInterrupt), embedded(folder):
            pass
    with embedded(folder) as aws:
        found = seen(aws.client("s3"))
        assert {name: values[:4] for name, values in found.items()} == EXPECTED
        assert len(aws.client("s3").list_object_versions(Bucket="old", Prefix="config/")["Versions"]) == 1


def test_what_was_served_is_served_and_what_was_listed_is_listed(folder: Path) -> None:
    aws = start_local_aws(folder)
    try:
        sagemaker = aws.client("sagemaker")
        assert sagemaker.describe_endpoint(EndpointName="old")["EndpointStatus"] == "InService"
        answer = aws.client("sagemaker-runtime").invoke_endpoint(EndpointName="old", Body="1,2", ContentType="text/csv")
        assert 0 < float(answer["Body"].read()) < 1
        arn = sagemaker.describe_model(ModelName="old")["ModelArn"]
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "risk"}]
        assert sagemaker.describe_endpoint_config(EndpointConfigName="old")["ProductionVariants"]
        assert sagemaker.describe_model_explainability_job_definition(JobDefinitionName="old")["JobResources"]
        described = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="old")
        assert described["MonitoringScheduleStatus"] == "Scheduled"
        (execution,) = sagemaker.list_monitoring_executions(MonitoringScheduleName="once")[
            "MonitoringExecutionSummaries"
        ]
        assert execution["FailureReason"] == "Job inputs had no data"
        assert sagemaker.describe_processing_job(ProcessingJobName="old")["ProcessingJobStatus"] == "Failed"
        assert sagemaker.list_monitoring_alerts(MonitoringScheduleName="old")["MonitoringAlertSummaries"]
        with pytest.raises(ClientError, match="ould not find"):
            sagemaker.describe_endpoint(EndpointName="other")
    finally:
        aws.stop()


def test_objects_are_not_left_behind_for_an_s3_elsewhere(folder: Path) -> None:
    store = Store(folder / "state.sqlite")
    with pytest.raises(UnusableStore, match="Start once without AWS_ENDPOINT_URL_S3"):
        s3_of_format_1.set_aside(store, folder / "s3", here=False)
    store.close()


def test_a_later_format_is_refused(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state.sqlite")) as database:
        database.execute(f"PRAGMA user_version={FORMAT + 1}")
    with pytest.raises(UnusableStore, match=f"format {FORMAT + 1}; this one reads {FORMAT}"):
        Store(folder / "state.sqlite")
