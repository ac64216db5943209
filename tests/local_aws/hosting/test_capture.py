from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.hosting import capture
from local_aws.hosting.capture import CaptureWriter, Destination, Exchange, line_of
from tests.polling import until
from tests.running_aws import Running, capture_config, create_endpoint, create_model, make_bucket

MOMENT = datetime(2026, 11, 22, 10, 27, 57, 62_000, tzinfo=UTC)
DESTINATION = Destination("us-west-2", "s3://bucket/some/prefix", "churn", "AllTraffic")
CONFIG = capture_config("bucket")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def exchange(moment: datetime = MOMENT, **changes: Any) -> Exchange:
    fields: dict[str, Any] = {
        "moment": moment,
        "inference_id": "234",
        "custom_attributes": None,
        "request": b"132,25,113.2",
        "request_type": "text/csv",
        "answer": b"0.01076381653547287",
        "answer_type": "text/csv; charset=utf-8",
    }
    return Exchange(**fields | changes)


def record(exchange: Exchange, config: dict[str, Any]) -> Any:
    return json.loads(line_of(exchange, config))


class Bucket:
    """Stands for S3: remembers what was put."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Any]] = {}
        self.error: Exception | None = None

    def __call__(self, region: str) -> Bucket:
        return self

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        if self.error:
            raise self.error
        self.objects[f"{Bucket}/{Key}"] = [json.loads(line) for line in Body.decode().splitlines()]

    def ids(self) -> list[str]:
        return [record["eventMetadata"]["inferenceId"] for records in self.objects.values() for record in records]


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def writer(bucket: Bucket, tmp_path: Path) -> CaptureWriter:
    return CaptureWriter(bucket, tmp_path)


def test_a_record_is_what_sagemaker_writes() -> None:
    line = line_of(exchange(), CONFIG)
    assert re.fullmatch(
        re.escape(
            '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"132,25,113.2",'
            '"encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT",'
            '"data":"0.01076381653547287","encoding":"CSV"}},"eventMetadata":{"eventId":"EVENT","inferenceId":"234",'
            '"inferenceTime":"2026-11-22T10:27:57Z"},"eventVersion":"0"}'
        ).replace("EVENT", UUID),
        line,
    )


def test_without_inference_id_there_is_none_in_the_record() -> None:
    assert set(record(exchange(inference_id=None), CONFIG)["eventMetadata"]) == {"eventId", "inferenceTime"}


def test_custom_attributes_are_kept() -> None:
    assert record(exchange(custom_attributes="trace=1"), CONFIG)["eventMetadata"]["customAttributes"] == ["trace=1"]


@pytest.mark.parametrize(
    ("content_type", "body", "encoding"),
    [
        ("text/csv", b"1,2", "CSV"),
        ("TEXT/CSV;header=absent", b"1,2", "CSV"),
        ("application/json", b"{}", "JSON"),
        ("text/html", b"x", "BASE64"),
        ("text/csv", b"\xff", "BASE64"),
    ],
)
def test_the_content_type_decides_the_encoding(content_type: str, body: bytes, encoding: str) -> None:
    captured = record(exchange(request=body, request_type=content_type), CONFIG)["captureData"]["endpointInput"]
    assert captured["encoding"] == encoding
    assert captured["data"] == (base64.b64encode(body).decode() if encoding == "BASE64" else body.decode())


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://bucket", "bucket/churn/AllTraffic"),
        ("s3://bucket/", "bucket/churn/AllTraffic"),
        ("s3://bucket/a/b/", "bucket/a/b/churn/AllTraffic"),
        ("s3://bucket//a//b", "bucket//a//b/churn/AllTraffic"),
    ],
)
def test_captures_lie_where_monitors_look_for_them(uri: str, place: str, writer: CaptureWriter, bucket: Bucket) -> None:
    """Monitors look below the address as it was given."""
    writer.add(Destination("us-west-2", uri, "churn", "AllTraffic"), exchange(), CONFIG)
    writer.flush()
    (key,) = bucket.objects
    assert key.startswith(f"{place}/2026/11/22/10/27-57-062-")


def test_without_listed_content_types_all_is_base64() -> None:
    config = {key: value for key, value in CONFIG.items() if key != "CaptureContentTypeHeader"}
    data = record(exchange(), config)["captureData"]
    assert {part["encoding"] for part in data.values()} == {"BASE64"}


@pytest.mark.parametrize(
    ("modes", "parts"),
    [
        (["Input"], {"endpointInput"}),
        (["Output"], {"endpointOutput"}),
        (["InputAndOutput"], {"endpointInput", "endpointOutput"}),
    ],
)
def test_only_the_modes_that_are_asked_for(modes: list[str], parts: set[str]) -> None:
    config = CONFIG | {"CaptureOptions": [{"CaptureMode": mode} for mode in modes]}
    assert set(record(exchange(), config)["captureData"]) == parts


def test_a_file_is_named_by_its_first_record(bucket: Bucket, writer: CaptureWriter) -> None:
    writer.add(DESTINATION, exchange(), CONFIG)
    writer.add(DESTINATION, exchange(MOMENT + timedelta(seconds=5)), CONFIG)
    writer.flush()
    [(key, records)] = bucket.objects.items()
    assert re.fullmatch(rf"bucket/some/prefix/churn/AllTraffic/2026/11/22/10/27-57-062-{UUID}\.jsonl", key)
    assert [item["eventMetadata"]["inferenceTime"] for item in records] == [
        "2026-11-22T10:27:57Z",
        "2026-11-22T10:28:02Z",
    ]


@pytest.mark.parametrize(
    ("seconds", "files"),
    [
        ((-10, 5, 20), [("10", 1), ("11", 2)]),
        ((0, 59, 60), [("11", 1), ("11", 2)]),
    ],
    ids=["an hour", "a minute"],
)
def test_no_file_crosses_an_hour_or_covers_more_than_a_minute(
    bucket: Bucket, writer: CaptureWriter, seconds: tuple[int, ...], files: list[tuple[str, int]]
) -> None:
    hour = MOMENT.replace(hour=11, minute=0, second=0)
    for offset in seconds:
        writer.add(DESTINATION, exchange(hour + timedelta(seconds=offset)), CONFIG)
    writer.flush()
    assert sorted((key.split("/")[-2], len(records)) for key, records in bucket.objects.items()) == files


def test_a_full_file_is_followed_by_another(
    bucket: Bucket, writer: CaptureWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "FULL_BYTES", 2000)
    for number in range(20):
        writer.add(DESTINATION, exchange(inference_id=str(number)), CONFIG)
    writer.flush()
    assert len(bucket.objects) > 3
    assert bucket.ids() == [str(number) for number in range(20)]


def test_what_is_quiet_and_what_is_of_an_earlier_hour_is_written_without_flush(bucket: Bucket, tmp_path: Path) -> None:
    writer = CaptureWriter(bucket, tmp_path, quiet_seconds=0.05)
    writer.add(DESTINATION, exchange(), CONFIG)
    writer.add(DESTINATION, exchange(MOMENT + timedelta(hours=1)), CONFIG)
    writer.start()
    try:
        until(lambda: sorted(key.split("/")[-2] for key in bucket.objects), lambda hours: hours == ["10", "11"])
    finally:
        writer.stop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("percentage", "low", "high"), [(0, 0, 0), (30, 220, 380), (100, 1000, 1000)])
def test_sampling(bucket: Bucket, writer: CaptureWriter, percentage: int, low: int, high: int) -> None:
    for _ in range(1000):
        writer.add(DESTINATION, exchange(), CONFIG | {"InitialSamplingPercentage": percentage})
    writer.flush()
    assert low <= len(bucket.ids()) <= high


def test_captures_wait_while_s3_does_not_answer(bucket: Bucket, writer: CaptureWriter) -> None:
    bucket.error = OSError("no")
    writer.add(DESTINATION, exchange(inference_id="first"), CONFIG)
    writer.flush()
    bucket.error = None
    writer.add(DESTINATION, exchange(inference_id="second"), CONFIG)
    writer.flush()
    assert bucket.ids() == ["first", "second"]


def test_what_s3_refuses_is_lost_and_said_to_be(
    bucket: Bucket, writer: CaptureWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answer = {"Error": {"Code": "NoSuchBucket"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
    bucket.error = ClientError(answer, "PutObject")
    writer.add(DESTINATION, exchange(), CONFIG)
    writer.flush()
    assert list(tmp_path.iterdir()) == []
    assert "1 captures for s3://bucket/some/prefix/churn/AllTraffic/2026/11/22/10/" in caplog.text
    assert "NoSuchBucket" in caplog.text


def test_of_too_much_that_waits_the_oldest_is_lost(
    bucket: Bucket, writer: CaptureWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "MOST_WAITING_BYTES", 1500)
    bucket.error = OSError("no")
    for number in range(5):
        writer.add(DESTINATION, exchange(inference_id=str(number)), CONFIG)
        writer.flush()
    bucket.error = None
    writer.flush()
    assert bucket.ids() == ["3", "4"][-len(bucket.ids()) :]
    assert bucket.ids()


def test_what_a_killed_process_left_is_written_once_under_its_own_hour(bucket: Bucket, tmp_path: Path) -> None:
    killed = CaptureWriter(bucket, tmp_path)
    for number in range(3):
        killed.add(DESTINATION, exchange(inference_id=str(number)), CONFIG)
    left = {path: path.read_bytes() for path in tmp_path.iterdir()}
    CaptureWriter(bucket, tmp_path).flush()
    assert bucket.ids() == ["0", "1", "2"]
    assert list(tmp_path.iterdir()) == []

    for path, content in left.items():
        path.write_bytes(content)
    CaptureWriter(bucket, tmp_path).flush()
    assert bucket.ids() == ["0", "1", "2"], "a kill between the upload and the removal doubles nothing"
    assert [key.split("/")[-2] for key in bucket.objects] == ["10"]


@pytest.mark.parametrize(("cut", "ids"), [(10, ["0", "1"]), (-1, ["0", "1", "2"])], ids=["half a line", "whole"])
def test_a_line_that_was_cut_off_is_left_out(
    bucket: Bucket, tmp_path: Path, caplog: pytest.LogCaptureFixture, cut: int, ids: list[str]
) -> None:
    killed = CaptureWriter(bucket, tmp_path)
    for number in range(3):
        killed.add(DESTINATION, exchange(inference_id=str(number)), CONFIG)
    (file,) = tmp_path.iterdir()
    if cut > 0:
        file.write_bytes(file.read_bytes()[:-cut])
    CaptureWriter(bucket, tmp_path).flush()
    assert bucket.ids() == ids
    assert ("cut off" in caplog.text) == (cut > 0)


def test_files_without_records_are_removed_and_damaged_ones_are_kept_aside(
    bucket: Bucket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "strange.jsonl").write_text("no header\n{}\n")
    CaptureWriter(bucket, tmp_path).flush()
    assert [path.name for path in tmp_path.iterdir()] == ["strange.damaged"]
    assert "does not say which object it becomes" in caplog.text


def test_an_endpoint_captures_what_it_is_asked_and_answers(local_aws: Running, model_archive: bytes) -> None:
    bucket = make_bucket(local_aws)
    model = create_model(local_aws, bucket, model_archive)
    endpoint = create_endpoint(local_aws, model, capture_config(bucket))
    runtime = local_aws.client("sagemaker-runtime")
    answers = {}
    for inference_id in ("a", "b"):
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, Body=f"{len(answers)},0,0,0", ContentType="text/csv", InferenceId=inference_id
        )
        answers[inference_id] = answer["Body"].read().decode()
    with pytest.raises(runtime.exceptions.ModelError):
        runtime.invoke_endpoint(EndpointName=endpoint, Body="1", ContentType="text/csv", InferenceId="bad")
    s3 = local_aws.client("s3")

    def records() -> list[dict[str, Any]]:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"datacapture/{endpoint}/AllTraffic/").get("Contents", [])
        bodies = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode() for item in found]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    seen = until(records, lambda found: len(found) >= 2)
    assert {
        item["eventMetadata"]["inferenceId"]: item["captureData"]["endpointOutput"]["data"] for item in seen
    } == answers
