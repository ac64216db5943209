from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_monitor.errors import InputError
from model_monitor.records import (
    ENCODINGS,
    Capture,
    Payload,
    capture_record,
    ground_truth_lines,
    ground_truth_record,
    parse_capture,
)

CAPTURED = (
    '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"132,25,113.2",'
    '"encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT",'
    '"data":"0.01076381653547287","encoding":"CSV"}},"eventMetadata":{"eventId":"3082dff5-53a7-4c5a-ab4e-1657a5c11ef7",'
    '"inferenceId":"234","inferenceTime":"2022-04-18T00:21:48Z"},"eventVersion":"0"}'
)
CAPTURE = Capture(
    event_id="3082dff5-53a7-4c5a-ab4e-1657a5c11ef7",
    inference_id="234",
    inference_time=datetime(2022, 4, 18, 0, 21, 48, tzinfo=UTC),
    input=Payload("132,25,113.2", "CSV", "text/csv"),
    output=Payload("0.01076381653547287", "CSV", "text/csv; charset=utf-8"),
)


def test_a_capture_is_written_and_read_as_sagemaker_does() -> None:
    assert capture_record(CAPTURE) == CAPTURED
    assert parse_capture(CAPTURED, "captures.jsonl:1") == CAPTURE


def test_a_capture_without_an_inference_id_has_none() -> None:
    assert '"inferenceId"' not in capture_record(Capture("event-1", CAPTURE.inference_time, CAPTURE.input, None))


def test_ground_truth_lines() -> None:
    assert ground_truth_record("7", "1") == {
        "groundTruthData": {"data": "1", "encoding": "CSV"},
        "eventMetadata": {"eventId": "7"},
        "eventVersion": "0",
    }
    lines = ground_truth_lines({"7": "1", "8": "0"}).split("\n")
    assert [json.loads(line) for line in lines] == [ground_truth_record("7", "1"), ground_truth_record("8", "0")]


def test_times_are_written_in_utc() -> None:
    evening_in_denver = datetime(2026, 11, 22, 16, 0, tzinfo=timezone(timedelta(hours=-7)))
    record = json.loads(capture_record(Capture("e", evening_in_denver, CAPTURE.input, None)))
    assert record["eventMetadata"]["inferenceTime"] == "2026-11-22T23:00:00Z"


payloads = st.builds(Payload, st.text(), st.sampled_from(ENCODINGS), st.none() | st.text())


@given(
    st.builds(
        Capture,
        event_id=st.uuids().map(str),
        inference_time=st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)),
        input=payloads,
        output=st.none() | payloads,
        inference_id=st.none() | st.text(min_size=1, max_size=64),
        custom_attributes=st.lists(st.text()).map(tuple),
    )
)
def test_any_capture_survives_writing_and_reading(capture: Capture) -> None:
    line = capture_record(capture)
    assert "\n" not in line
    assert parse_capture(line, "captures.jsonl:1") == capture


def changed(*path: str, value: object = None) -> str:
    """The captured line with one key set to another value, or taken away."""
    record = json.loads(CAPTURED)
    *parents, last = path
    section = record
    for parent in parents:
        section = section[parent]
    section.pop(last) if value is None else section.update({last: value})
    return json.dumps(record)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("oops", "c.jsonl:3: not JSON: Expecting value at column 1: oops"),
        ("[1]", r"c.jsonl:3: expected a JSON object on every line, found \[1\]"),
        (changed("eventMetadata"), "c.jsonl:3: eventMetadata: expected an object, it is missing"),
        (changed("eventMetadata", "eventId"), "c.jsonl:3: eventMetadata: eventId: expected a string, it is missing"),
        (changed("eventMetadata", "inferenceId", value=7), "inferenceId: expected a string, found 7"),
        (changed("eventMetadata", "inferenceTime", value="noon"), "inferenceTime: expected a time .* found noon"),
        (changed("captureData", value=[]), r"c.jsonl:3: captureData: expected an object, found \[\]"),
        (changed("captureData", value={}), "captureData: expected endpointInput or endpointOutput"),
        (
            changed("captureData", "endpointInput", "encoding", value="XML"),
            "c.jsonl:3: captureData: endpointInput: encoding: expected CSV or JSON or BASE64, found XML",
        ),
        (changed("captureData", "endpointOutput", "data", value=0.1), "endpointOutput: data: expected a string"),
    ],
)
def test_a_line_that_is_no_capture_says_where_and_why(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_capture(line, "c.jsonl:3")
