"""A program's output, written while it runs: as a CloudWatch Logs stream, or into this server's own log."""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import suppress
from typing import Any

from local_aws.clock import Clock

log = logging.getLogger(__name__)

GROUP = "/aws/sagemaker/ProcessingJobs"
BATCH_SECONDS = 0.5
LONGEST_BATCH = 1000
LONGEST_LINE = 200_000
LARGEST_BATCH = 800_000
"""Characters after which no further line joins a batch, which may have a megabyte."""
MOST_WAITING = LONGEST_BATCH
"""Lines that may wait to be written; a program that writes faster is read more slowly."""


class ServerLog:
    """Lines go to this server's own log, with a name before each."""

    def __init__(self, name: str) -> None:
        self._name = name

    def line(self, text: str) -> None:
        """Log one line."""
        log.info("%s: %s", self._name, text.rstrip())

    def close(self) -> None:
        """Nothing is left to write."""


class LogStream:
    """Lines go to `<group>/<stream>` in batches, with the server's time; `close` writes the rest."""

    def __init__(self, logs: Any, stream: str, clock: Clock, group: str = GROUP) -> None:
        self._logs = logs
        self._clock = clock
        self._group = group
        self._stream = stream
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(MOST_WAITING)
        self._create()
        self._writer = threading.Thread(target=self._write, name=f"logs-{stream}", daemon=True)
        self._writer.start()

    def line(self, text: str) -> None:
        """Add one line."""
        if text.strip():
            self._lines.put(
                {"timestamp": int(self._clock.timestamp() * 1000), "message": text.rstrip("\n")[:LONGEST_LINE]}
            )

    def close(self) -> None:
        """Write what is left."""
        self._lines.put(None)
        self._writer.join()

    def _create(self) -> None:
        """Make the stream, and its group where there is none yet; that is rare, so it comes second."""
        stream = {"logGroupName": self._group, "logStreamName": self._stream}
        with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            try:
                self._logs.create_log_stream(**stream)
            except self._logs.exceptions.ResourceNotFoundException:
                with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                    self._logs.create_log_group(logGroupName=self._group)
                self._logs.create_log_stream(**stream)

    def _write(self) -> None:
        open_ = True
        while open_:
            batch = self._batch()
            open_ = None not in batch
            events = sorted((event for event in batch if event is not None), key=lambda event: event["timestamp"])
            if events:
                try:
                    self._put(events)
                except Exception:
                    log.exception("%d lines of %s %s are lost.", len(events), self._group, self._stream)

    def _put(self, events: list[dict[str, Any]]) -> None:
        request = {"logGroupName": self._group, "logStreamName": self._stream, "logEvents": events}
        try:
            self._logs.put_log_events(**request)
        except self._logs.exceptions.ResourceNotFoundException:
            # Somebody deleted it, or it was quiet for so long that it was thrown out.
            self._create()
            self._logs.put_log_events(**request)

    def _batch(self) -> list[dict[str, Any] | None]:
        """What comes within half a second of the next line; None at the end stands for the stream's end."""
        batch = [self._lines.get()]
        deadline = time.monotonic() + BATCH_SECONDS
        size = 0
        while (last := batch[-1]) is not None and len(batch) < LONGEST_BATCH:
            size += len(last["message"])
            if size >= LARGEST_BATCH:
                break
            try:
                batch.append(self._lines.get(timeout=max(deadline - time.monotonic(), 0)))
            except queue.Empty:
                break
        return batch
