"""Data capture: what an endpoint was asked and answered, as JSON lines in S3.

Records are buffered per endpoint and variant and written after a short while, when the hour changes, when a minute of
the clock has passed since the first one, and on `flush`.
Nothing here slows or fails an answer; what cannot be written is logged and lost, where SageMaker loses it silently.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.s3_addresses import split_uri
from model_monitor.records import Capture, Encoding, Payload, capture_record

log = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
FILE_SPAN = timedelta(minutes=1)
MOST_BUFFERED = 10_000


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    moment: datetime
    inference_id: str | None
    custom_attributes: str | None
    request: bytes
    request_type: str
    answer: bytes
    answer_type: str


@dataclass(frozen=True)
class Destination:
    """Where an endpoint variant's captures go."""

    region: str
    uri: str
    endpoint: str
    variant: str


@dataclass
class Buffer:
    """Lines of one hour that wait to be written."""

    first: datetime
    opened: float
    lines: list[str] = field(default_factory=list)


def line_of(exchange: Exchange, config: dict[str, Any]) -> str:
    """A capture record, by an endpoint's DataCaptureConfig, as one line without its end."""
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    both = "InputAndOutput" in modes
    types = config.get("CaptureContentTypeHeader", {})
    capture = Capture(
        event_id=str(uuid.uuid4()),
        inference_time=exchange.moment,
        input=_payload(exchange.request, exchange.request_type, types) if both or "Input" in modes else None,
        output=_payload(exchange.answer, exchange.answer_type, types) if both or "Output" in modes else None,
        inference_id=exchange.inference_id,
        custom_attributes=(exchange.custom_attributes,) if exchange.custom_attributes else (),
    )
    return capture_record(capture)


def _payload(body: bytes, content_type: str, types: dict[str, list[str]]) -> Payload:
    media_type = content_type.split(";")[0].strip().lower()
    encoding: Encoding | None = None
    if media_type in map(str.lower, types.get("JsonContentTypes", [])):
        encoding = "JSON"
    elif media_type in map(str.lower, types.get("CsvContentTypes", [])):
        encoding = "CSV"
    if encoding is not None:
        with contextlib.suppress(UnicodeDecodeError):
            return Payload(body.decode("utf-8"), encoding, content_type)
    return Payload(base64.b64encode(body).decode(), "BASE64", content_type)


class CaptureWriter:
    """Writes captures in the background; `s3(region)` gives the client to write with."""

    def __init__(self, s3: Callable[[str], Any], flush_seconds: float = FLUSH_SECONDS) -> None:
        self._s3 = s3
        self._flush_seconds = flush_seconds
        self._buffers: dict[Destination, list[Buffer]] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()

    def add(self, destination: Destination, exchange: Exchange, config: dict[str, Any]) -> None:
        """Take an exchange, or leave it out as the sampling percentage says."""
        if random.random() * 100 >= config["InitialSamplingPercentage"]:
            return
        line = line_of(exchange, config)
        with self._lock:
            buffers = self._buffers.setdefault(destination, [])
            if not buffers or not _one_file(buffers[-1].first, exchange.moment):
                buffers.append(Buffer(first=exchange.moment, opened=time.monotonic()))
            if len(buffers[-1].lines) < MOST_BUFFERED:
                buffers[-1].lines.append(line)
            else:
                log.error("More than %d captures of %s wait to be written; one is lost.", MOST_BUFFERED, destination)

    def flush(self) -> None:
        """Write all that is buffered; when this returns, it is in S3."""
        self._write(older_than=float("inf"))

    def _work(self) -> None:
        while not self._stopped.wait(min(self._flush_seconds / 4, 1.0)):
            self._write(older_than=time.monotonic() - self._flush_seconds)

    def _write(self, older_than: float) -> None:
        with self._writing:
            for destination, buffer in self._take(older_than):
                try:
                    self._upload(destination, buffer)
                except Exception:
                    log.exception("%d captures for %s could not be written.", len(buffer.lines), destination.uri)

    def _take(self, older_than: float) -> list[tuple[Destination, Buffer]]:
        with self._lock:
            taken = []
            for destination, buffers in self._buffers.items():
                while buffers and (buffers[0].opened <= older_than or len(buffers) > 1):
                    taken.append((destination, buffers.pop(0)))
            return taken

    def _upload(self, destination: Destination, buffer: Buffer) -> None:
        bucket, prefix = split_uri(destination.uri)
        folder = [part for part in prefix.split("/") if part] + [destination.endpoint, destination.variant]
        first = buffer.first.astimezone(UTC)
        name = f"{first:%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        self._s3(destination.region).put_object(
            Bucket=bucket,
            Key="/".join([*folder, f"{first:%Y/%m/%d/%H}", name]),
            Body="".join(f"{line}\n" for line in buffer.lines).encode(),
        )


def _one_file(first: datetime, moment: datetime) -> bool:
    return moment - first < FILE_SPAN and (first.date(), first.hour) == (moment.date(), moment.hour)
