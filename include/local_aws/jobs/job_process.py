"""One job's subprocess: started in its own "/", watched, stopped when asked to or when its time is up."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

POLL_SECONDS = 0.1
GRACE_SECONDS = 10.0
CONTINUOUS_SECONDS = 2.0

End = Literal["exited", "stopped", "timed out"]


@dataclass(frozen=True)
class Outcome:
    """How a job's process ended; `exit_code` is negative when a signal ended it."""

    end: End
    exit_code: int


def run(
    command: list[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    on_line: Callable[[str], None],
    on_tick: Callable[[], None],
    stop: threading.Event,
    max_seconds: float,
) -> Outcome:
    """Run a program to its end.

    Its standard input stays open as long as this process lives, so that it can notice when it is left alone.

    Args:
        on_line: gets each line of its standard output and error.
        on_tick: is called every two seconds while it runs.
        stop: when set, the program gets SIGTERM, and SIGKILL if it goes on.
        max_seconds: after which it is stopped in the same way.
    """
    process = subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    reader = threading.Thread(target=_read, args=(process, on_line), daemon=True)
    reader.start()
    try:
        end = _watch(process, on_tick, stop, time.monotonic() + max_seconds)
    finally:
        _signal(process, signal.SIGKILL)
        exit_code = process.wait()
        reader.join()
        if process.stdin is not None:
            process.stdin.close()
    return Outcome(end, exit_code)


def _watch(
    process: subprocess.Popen[bytes], on_tick: Callable[[], None], stop: threading.Event, deadline: float
) -> End:
    next_tick = time.monotonic() + CONTINUOUS_SECONDS
    while process.poll() is None:
        if stop.wait(POLL_SECONDS):
            _end(process)
            return "stopped"
        if time.monotonic() > deadline:
            _end(process)
            return "timed out"
        if time.monotonic() > next_tick:
            on_tick()
            next_tick = time.monotonic() + CONTINUOUS_SECONDS
    return "exited"


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _read(process: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> None:
    if process.stdout is not None:
        with process.stdout:
            for line in process.stdout:
                on_line(line.decode("utf-8", errors="replace"))
