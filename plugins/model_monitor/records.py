"""The JSON lines that monitoring is made of: captures are written and read, ground truth is written.

Formats are those of SageMaker's data capture and ground-truth merge. Analyses read whole files of them at once instead,
and merge them there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

from model_monitor.errors import InputError

Encoding = Literal["CSV", "JSON", "BASE64"]
ENCODINGS: tuple[Encoding, ...] = ("CSV", "JSON", "BASE64")
EVENT_VERSION = "0"


@dataclass(frozen=True)
class Payload:
    """What went into an endpoint, or came out of it, as captured."""

    data: str
    encoding: Encoding
    content_type: str | None = None


@dataclass(frozen=True)
class Capture:
    """One captured request; `inference_time` is in UTC, to the second."""

    event_id: str
    inference_time: datetime
    input: Payload | None
    output: Payload | None
    inference_id: str | None = None
    custom_attributes: tuple[str, ...] = ()


def capture_record(capture: Capture) -> str:
    """One line of a capture file, without the line's end."""
    record = {
        "captureData": _capture_data(capture),
        "eventMetadata": _event_metadata(capture),
        "eventVersion": EVENT_VERSION,
    }
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def ground_truth_record(inference_id: str, data: str, encoding: Encoding = "CSV") -> dict[str, Any]:
    """One ground-truth record; for a request of several rows `data` holds all of their labels."""
    return {
        "groundTruthData": {"data": data, "encoding": encoding},
        "eventMetadata": {"eventId": inference_id},
        "eventVersion": EVENT_VERSION,
    }


def ground_truth_lines(labels: Mapping[str, str]) -> str:
    """The content of a ground-truth file: one line per inference id."""
    return "\n".join(json.dumps(ground_truth_record(inference_id, label)) for inference_id, label in labels.items())


def parse_capture(line: str, source: str) -> Capture:
    """Read one line of a capture file.

    Args:
        source: the file and line, such as `s3://…/27-57-062.jsonl:3`, for the message of an error.

    Raises:
        InputError: naming the source, the key and what was expected there.
    """
    reader = _Reader(source, _object(line, source))
    metadata = reader.section("eventMetadata")
    data = reader.section("captureData")
    capture = Capture(
        event_id=metadata.text("eventId"),
        inference_time=metadata.moment("inferenceTime"),
        input=data.payload("endpointInput"),
        output=data.payload("endpointOutput"),
        inference_id=metadata.text("inferenceId") if "inferenceId" in metadata.content else None,
        custom_attributes=metadata.texts("customAttributes"),
    )
    if capture.input is None and capture.output is None:
        raise InputError(f"{source}: captureData: expected endpointInput or endpointOutput")
    return capture


def _capture_data(capture: Capture) -> dict[str, Any]:
    payloads = (("endpointInput", "INPUT", capture.input), ("endpointOutput", "OUTPUT", capture.output))
    return {key: _side(mode, payload) for key, mode, payload in payloads if payload is not None}


def _side(mode: str, payload: Payload) -> dict[str, Any]:
    observed = {} if payload.content_type is None else {"observedContentType": payload.content_type}
    return observed | {"mode": mode, "data": payload.data, "encoding": payload.encoding}


def _event_metadata(capture: Capture) -> dict[str, Any]:
    metadata: dict[str, Any] = {"eventId": capture.event_id}
    if capture.inference_id is not None:
        metadata["inferenceId"] = capture.inference_id
    if capture.custom_attributes:
        metadata["customAttributes"] = list(capture.custom_attributes)
    moment = capture.inference_time.astimezone(UTC).replace(tzinfo=None)
    return metadata | {"inferenceTime": f"{moment.isoformat(timespec='seconds')}Z"}


def _object(line: str, source: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{source}: not JSON: {error.msg} at column {error.colno}: {_shown(line)}") from error
    if not isinstance(content, dict):
        raise InputError(f"{source}: expected a JSON object on every line, found {_shown(line)}")
    return content


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else text[:79] + "…"


@dataclass(frozen=True)
class _Reader:
    place: str
    content: dict[str, Any]

    def section(self, key: str) -> _Reader:
        value = self.content.get(key)
        if not isinstance(value, dict):
            self._expected(key, "an object")
        return _Reader(f"{self.place}: {key}", value)

    def text(self, key: str) -> str:
        value = self.content.get(key)
        if not isinstance(value, str):
            self._expected(key, "a string")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._expected(key, "a list of strings")
        return tuple(value)

    def encoding(self) -> Encoding:
        value = self.content.get("encoding")
        for encoding in ENCODINGS:
            if value == encoding:
                return encoding
        self._expected("encoding", " or ".join(ENCODINGS))

    def moment(self, key: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(key))
        except ValueError:
            self._expected(key, "a time such as 2026-11-22T10:21:48Z")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def payload(self, key: str) -> Payload | None:
        if key not in self.content:
            return None
        side = self.section(key)
        content_type = side.text("observedContentType") if "observedContentType" in side.content else None
        return Payload(side.text("data"), side.encoding(), content_type)

    def _expected(self, key: str, what: str) -> NoReturn:
        found = f"found {_shown(self.content[key])}" if key in self.content else "it is missing"
        raise InputError(f"{self.place}: {key}: expected {what}, {found}")
