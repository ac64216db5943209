from __future__ import annotations

import base64
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.hosting.capture import CaptureWriter, Destination, Exchange, line_of
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
        self.fails = False

    def __call__(self, region: str) -> Bucket:
        return self

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        if self.fails:
            raise OSError("no")
        self.objects[f"{Bucket}/{Key}"] = [json.loads(line) for line in Body.decode().splitlines()]


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


def test_a_file_is_named_by_its_first_record() -> None:
    bucket = Bucket()
    writer = CaptureWriter(bucket)
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
    seconds: tuple[int, ...], files: list[tuple[str, int]]
) -> None:
    bucket = Bucket()
    writer = CaptureWriter(bucket)
    hour = MOMENT.replace(hour=11, minute=0, second=0)
    for offset in seconds:
        writer.add(DESTINATION, exchange(hour + timedelta(seconds=offset)), CONFIG)
    writer.flush()
    assert sorted((key.split("/")[-2], len(records)) for key, records in bucket.objects.items()) == files


def test_an_earlier_hour_is_written_at_once() -> None:
    bucket = Bucket()
    writer = CaptureWriter(bucket, flush_seconds=3600)
    writer.add(DESTINATION, exchange(), CONFIG)
    writer.add(DESTINATION, exchange(MOMENT + timedelta(hours=1)), CONFIG)
    writer._write(older_than=0)
    assert [key.split("/")[-2] for key in bucket.objects] == ["10"]


@pytest.mark.parametrize(("percentage", "low", "high"), [(0, 0, 0), (30, 220, 380), (100, 1000, 1000)])
def test_sampling(percentage: int, low: int, high: int) -> None:
    bucket = Bucket()
    writer = CaptureWriter(bucket)
    for _ in range(1000):
        writer.add(DESTINATION, exchange(), CONFIG | {"InitialSamplingPercentage": percentage})
    writer.flush()
    assert low <= sum(len(records) for records in bucket.objects.values()) <= high


def test_what_cannot_be_written_does_not_stop_what_comes_after() -> None:
    bucket = Bucket()
    writer = CaptureWriter(bucket)
    bucket.fails = True
    writer.add(DESTINATION, exchange(), CONFIG)
    writer.flush()
    bucket.fails = False
    writer.add(DESTINATION, exchange(), CONFIG)
    writer.flush()
    assert [len(records) for records in bucket.objects.values()] == [1]


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
    records: list[dict[str, Any]] = []
    deadline = time.monotonic() + 30
    while len(records) < 2 and time.monotonic() < deadline:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"datacapture/{endpoint}/AllTraffic/").get("Contents", [])
        bodies = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode() for item in found]
        records = [json.loads(line) for body in bodies for line in body.splitlines()]
        time.sleep(0.2)
    assert {
        item["eventMetadata"]["inferenceId"]: item["captureData"]["endpointOutput"]["data"] for item in records
    } == answers
