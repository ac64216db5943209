"""One model, served by a process of its own that speaks the container contract."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import urllib3

from local_aws import runners
from local_aws.container_view import PASSED_ON, ContainerView, source_path, variables_for
from local_aws.containers.user_script import FETCHED_CODE, SUBMIT_DIRECTORY
from local_aws.hosting import model_archive
from local_aws.launching.launcher import launcher
from local_aws.launching.program import Program, RunningProgram, signal_name
from local_aws.s3_addresses import S3_ERRORS, TooLarge, fetch, split_uri

READY = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")
START_SECONDS = 120.0
STOP_SECONDS = 5.0
END_SECONDS = 0.5
MODEL_FOLDER = "opt/ml/model"


class ModelServerFailed(Exception):
    """A model could not be served; the text is the endpoint's FailureReason."""


class Sink(Protocol):
    """Where a server's output goes."""

    def line(self, text: str) -> None:
        """Take one line."""

    def close(self) -> None:
        """There are no more lines."""


class ModelServer:
    """A running model server. `url` + "/invocations" answers."""

    def __init__(self, program: RunningProgram, reader: threading.Thread, url: str, folder: Path) -> None:
        self.process = program
        self._reader = reader
        self.url = url
        self._folder = folder
        self.http = urllib3.connectionpool.connection_from_url(url, maxsize=32, block=False, retries=False)

    @property
    def invocations_url(self) -> str:
        """Where the model answers."""
        return f"{self.url}/invocations"

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the process and remove its files; harmless when that is done already."""
        self.http.close()
        self.process.signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except TimeoutError:
            self.process.signal(signal.SIGKILL)
            self.process.wait()
        self.process.close_input()
        self._reader.join(STOP_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)


def start(container: dict[str, Any], folder: Path, s3: Any, variant: str, sink: Sink) -> ModelServer:
    """Fetch a model's archive, start its server and wait until it answers GET /ping.

    Args:
        container: a ContainerDefinition: Image, ModelDataUrl, Environment.
        folder: stands for the container's "/"; new, and removed when the server stops.
        variant: named in what goes wrong.
        sink: gets the server's output, and is closed when there is no more.

    Raises:
        ModelServerFailed: with the text that SageMaker would give where it has one.
    """
    try:
        module = runners.model_server(container.get("Image", ""))
        _fetch(container, folder, s3)
    except runners.NoRunner as error:
        sink.close()
        raise ModelServerFailed(str(error)) from error
    except ModelServerFailed:
        sink.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _launch(module, container, folder, variant, sink)


def _fetch(container: dict[str, Any], folder: Path, s3: Any) -> None:
    model_folder = folder / MODEL_FOLDER
    model_folder.mkdir(parents=True)
    if container.get("ModelDataUrl") is not None:
        _fetch_archive(container["ModelDataUrl"], model_folder, folder / "model.tar.gz", s3)
    code = (container.get("Environment") or {}).get(SUBMIT_DIRECTORY, "")
    if code.startswith("s3://"):
        _fetch_archive(code, folder / FETCHED_CODE, folder / "code.tar.gz", s3)


def _fetch_archive(uri: str, target: Path, archive: Path, s3: Any) -> None:
    bucket, key = split_uri(uri)
    try:
        fetch(s3, bucket, key, archive, model_archive.MOST_BYTES)
    except TooLarge as error:
        raise ModelServerFailed(
            f'Failed to download model data for container "container_1" from URL: "{uri}": {error}.'
        ) from error
    except S3_ERRORS as error:
        raise ModelServerFailed(
            f'Failed to download model data for container "container_1" from URL: "{uri}". '
            "Please ensure that there is an object located at the URL "
            "and that the role passed to CreateModel has permissions to download the object."
        ) from error
    try:
        model_archive.extract(archive, target)
    except model_archive.BadArchive as error:
        raise ModelServerFailed(
            f'Failed to extract model data archive for container "container_1" from URL "{uri}". '
            f"Please ensure that the object located at the URL is a valid tar.gz archive. ({error})"
        ) from error
    archive.unlink()


def _launch(module: str, container: dict[str, Any], folder: Path, variant: str, sink: Sink) -> ModelServer:
    own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    own |= {"PYTHONPATH": source_path(module), "OPT_ML_ROOT": str(folder), "PYTHONUNBUFFERED": "1"}
    view = ContainerView(folder)
    program = launcher().start(Program(module, variables_for(container.get("Environment", {}), own), folder))
    lines: queue.Queue[str | None] = queue.Queue()
    started = threading.Event()
    reader = threading.Thread(target=_read, args=(program, lines, started, sink, view), daemon=True)
    reader.start()
    last = ""
    deadline = time.monotonic() + START_SECONDS
    while (line := _next(lines, deadline)) is not None:
        if ready := READY.search(line):
            server = ModelServer(program, reader, ready[1], folder)
            if _answers_ping(server):
                started.set()
                return server
            break
        last = line.strip() or last
    ended = _ended_by_signal(program)
    program.signal(signal.SIGKILL)
    program.wait()
    program.close_input()
    shutil.rmtree(folder, ignore_errors=True)
    raise ModelServerFailed(
        f"The primary container for production variant {variant} did not pass the ping health check. "
        f"Please check CloudWatch logs for this endpoint. {last}{ended}".strip()
    )


def _ended_by_signal(program: RunningProgram) -> str:
    """Which signal ended a program that has just closed its output; empty when none did."""
    try:
        exit_code = program.wait(END_SECONDS)
    except TimeoutError:
        return ""
    return f" (ended by {signal_name(-exit_code)})" if exit_code < 0 else ""


def _read(
    program: RunningProgram,
    lines: queue.Queue[str | None],
    started: threading.Event,
    sink: Sink,
    view: ContainerView,
) -> None:
    for text in program.lines():
        line = view.of(text)
        if not started.is_set():
            lines.put(line)
        sink.line(line)
    lines.put(None)
    sink.close()


def _next(lines: queue.Queue[str | None], deadline: float) -> str | None:
    try:
        return lines.get(timeout=max(deadline - time.monotonic(), 0))
    except queue.Empty:
        return None


def _answers_ping(server: ModelServer) -> bool:
    try:
        return server.http.request("GET", "/ping", timeout=10).status == 200
    except urllib3.exceptions.HTTPError:
        return False
