"""Data capture: what an endpoint was asked and answered, as JSON lines in S3.

A record is in a file of the data folder before the answer is sent (`capture_files`). The file becomes an object of S3
when no record came for two seconds, when it covers a minute, when it is full, when the hour changes, and on `flush`.
Nothing here fails an answer. While S3 does not answer, files wait; what S3 refuses, as when the bucket is gone, is
logged and lost, where SageMaker loses it silently.
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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.hosting.capture_files import CaptureFile, Target, left_over, read
from local_aws.s3_addresses import split_uri
from model_monitor.records import Capture, Encoding, Payload, capture_record

log = logging.getLogger(__name__)

QUIET_SECONDS = 2.0
FILE_SPAN = timedelta(minutes=1)
FULL_BYTES = 5 * 1024**2
RETRY_SECONDS = 10.0
MOST_WAITING_BYTES = 512 * 1024**2
TRY_AGAIN = frozenset({408, 429})


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
class _Open:
    """A file that grows, the moment of its first record, and when it was opened and last written to (monotonic)."""

    file: CaptureFile
    first: datetime
    opened: float
    written: float

    def takes(self, moment: datetime) -> bool:
        """Whether a record of a moment may be added."""
        same_hour = (self.first.date(), self.first.hour) == (moment.date(), moment.hour)
        return same_hour and moment - self.first < FILE_SPAN and self.file.size < FULL_BYTES

    def is_due(self, now: float, quiet_seconds: float) -> bool:
        """Whether it is to be written to S3."""
        full = self.file.size >= FULL_BYTES
        return full or now - self.written >= quiet_seconds or now - self.opened >= FILE_SPAN.total_seconds()


@dataclass
class _Waiting:
    """A file that is to be written to S3, not before a time (monotonic)."""

    path: Path
    size: int
    not_before: float = 0.0


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
    """Writes captures to `folder` at once and to S3 in the background; `s3(region)` gives the client to write with."""

    def __init__(self, s3: Callable[[str], Any], folder: Path, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._s3 = s3
        self._folder = folder
        self._quiet_seconds = quiet_seconds
        self._open: dict[Destination, _Open] = {}
        self._waiting = [_Waiting(path, path.stat().st_size) for path in left_over(folder)]
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to write to S3, with what an earlier process left."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()

    def add(self, destination: Destination, exchange: Exchange, config: dict[str, Any]) -> None:
        """Keep an exchange, or leave it out as the sampling percentage says; when this returns, it survives."""
        if random.random() * 100 >= config["InitialSamplingPercentage"]:
            return
        line = line_of(exchange, config)
        try:
            with self._lock:
                growing = self._open.get(destination)
                if growing is not None and not growing.takes(exchange.moment):
                    self._retire(destination)
                    growing = None
                now = time.monotonic()
                if growing is None:
                    file = CaptureFile(self._folder, _target(destination, exchange.moment))
                    growing = self._open[destination] = _Open(file, exchange.moment, opened=now, written=now)
                growing.file.append(line)
                growing.written = now
        except OSError:
            log.exception("A capture for %s is lost: it cannot be written to %s.", destination.uri, self._folder)

    def flush(self) -> None:
        """Write all that was added to S3; when this returns, it is there, or the log says why not."""
        with self._lock:
            for destination in list(self._open):
                self._retire(destination)
        self._write(at_once=True)

    def _work(self) -> None:
        while not self._stopped.wait(min(self._quiet_seconds / 4, 1.0)):
            now = time.monotonic()
            with self._lock:
                for destination, growing in list(self._open.items()):
                    if growing.is_due(now, self._quiet_seconds):
                        self._retire(destination)
            self._write(at_once=False)

    def _retire(self, destination: Destination) -> None:
        file = self._open.pop(destination).file
        file.close()
        self._waiting.append(_Waiting(file.path, file.size))
        while sum(waiting.size for waiting in self._waiting) > MOST_WAITING_BYTES:
            oldest = self._waiting.pop(0)
            oldest.path.unlink(missing_ok=True)
            log.error("More than %d bytes of captures wait for S3: the oldest are lost.", MOST_WAITING_BYTES)

    def _write(self, at_once: bool) -> None:
        with self._writing:
            now = time.monotonic()
            with self._lock:
                due = [waiting for waiting in self._waiting if at_once or waiting.not_before <= now]
            for waiting in due:
                if not self._upload(waiting.path):
                    waiting.not_before = time.monotonic() + RETRY_SECONDS
                    continue
                with self._lock, contextlib.suppress(ValueError):
                    self._waiting.remove(waiting)

    def _upload(self, path: Path) -> bool:
        """Write a file to S3 and remove it; False when that has to be tried again."""
        try:
            if (found := read(path)) is None:
                return True
            target, records = found
            self._s3(target.region).put_object(Bucket=target.bucket, Key=target.key, Body=records)
        except FileNotFoundError:
            return True
        except Exception as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, ClientError) else 500
            if not 400 <= status < 500 or status in TRY_AGAIN:
                log.warning("Captures in %s cannot be written to S3 now, and wait: %s", path, error)
                return False
            log.error("%d captures for s3://%s/%s are lost: %s", records.count(b"\n"), target.bucket, target.key, error)
        path.unlink(missing_ok=True)
        return True


def _target(destination: Destination, moment: datetime) -> Target:
    first = moment.astimezone(UTC)
    name = f"{first:%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
    folder = f"{destination.uri.rstrip('/')}/{destination.endpoint}/{destination.variant}/{first:%Y/%m/%d/%H}"
    bucket, key = split_uri(f"{folder}/{name}")
    return Target(destination.region, bucket, key)
