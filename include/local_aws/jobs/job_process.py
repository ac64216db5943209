"""One job's program: started in its own "/", watched, stopped when asked to or when its time is up."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from local_aws.launching.launcher import Launcher
from local_aws.launching.program import Program, RunningProgram

GRACE_SECONDS = 10.0
CONTINUOUS_SECONDS = 2.0

End = Literal["exited", "stopped", "timed out"]


@dataclass(frozen=True)
class Outcome:
    """How a job's program ended; `exit_code` is negative when a signal ended it."""

    end: End
    exit_code: int


class StopRequest:
    """Made once; tells those who wait for it."""

    def __init__(self) -> None:
        self._made = threading.Event()
        self._told: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def make(self) -> None:
        """Ask for the stop."""
        with self._lock:
            self._made.set()
            told = list(self._told)
        for call in told:
            call()

    @property
    def made(self) -> bool:
        """Whether a stop is asked for."""
        return self._made.is_set()

    def when_made(self, told: Callable[[], None]) -> None:
        """Call this when a stop is asked for; at once when it is already."""
        with self._lock:
            self._told.append(told)
        if self.made:
            told()


def run(
    launcher: Launcher,
    program: Program,
    *,
    on_line: Callable[[str], None],
    on_tick: Callable[[], None],
    stop: StopRequest,
    max_seconds: float,
) -> Outcome:
    """Run a program to its end.

    Args:
        on_line: gets each line of its standard output and error.
        on_tick: is called every two seconds while it runs.
        stop: when made, the program gets SIGTERM, and SIGKILL if it goes on.
        max_seconds: after which it is stopped in the same way.
    """
    running = launcher.start(program)
    reader = threading.Thread(target=_read, args=(running, on_line), name=f"output-{running.pid}", daemon=True)
    reader.start()
    try:
        end = _watch(running, on_tick, stop, time.monotonic() + max_seconds)
    finally:
        running.signal(signal.SIGKILL)
        exit_code = running.wait()
        reader.join()
        running.close_input()
    return Outcome(end, exit_code)


def _watch(running: RunningProgram, on_tick: Callable[[], None], stop: StopRequest, deadline: float) -> End:
    happened = threading.Event()
    running.when_over(happened.set)
    stop.when_made(happened.set)
    next_tick = time.monotonic() + CONTINUOUS_SECONDS
    while not happened.wait(max(min(next_tick, deadline) - time.monotonic(), 0)):
        if time.monotonic() >= deadline:
            _end(running)
            return "timed out"
        on_tick()
        next_tick = time.monotonic() + CONTINUOUS_SECONDS
    if running.poll() is None:
        _end(running)
        return "stopped"
    return "exited"


def _end(running: RunningProgram) -> None:
    running.signal(signal.SIGTERM)
    try:
        running.wait(GRACE_SECONDS)
    except TimeoutError:
        running.signal(signal.SIGKILL)


def _read(running: RunningProgram, on_line: Callable[[str], None]) -> None:
    for line in running.lines():
        on_line(line)
