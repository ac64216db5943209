"""What to start, and what of it is known while it runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

OUT_OF_MEMORY = 137
"""The exit code of a program that asked for more memory than it may have, as of a container that did."""


LONGEST_LINE = 128 * 1024
"""Bytes after which a line is taken for over, so that output without line feeds is not kept in memory."""


def signal_name(number: int) -> str:
    """`SIGKILL` of 9."""
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


@dataclass(frozen=True)
class Program:
    """A module with a `main() -> int`, or one that `python -m` can run, and the surroundings that it gets.

    Args:
        environment: all of its environment variables; its modules are found through its `PYTHONPATH`.
        folder: its working directory.
        nice: how much it steps back where processors are scarce, 0 to 19.
    """

    module: str
    environment: Mapping[str, str]
    folder: Path
    nice: int = 0


class RunningProgram:
    """A program's process, which leads a process group of its own.

    Its standard input is open as long as this process lives and nobody closes it, so that it can notice when it is left
    alone; `output` is both its standard output and its standard error.
    """

    def __init__(self, pid: int, stdin: int, output: BinaryIO) -> None:
        self.pid = pid
        self.output = output
        self._stdin: int | None = stdin
        self._over = threading.Event()
        self._exit_code: int | None = None
        self._lock = threading.Lock()
        self._told: list[Callable[[], None]] = []

    def lines(self) -> Iterator[str]:
        """Its output until there is no more."""
        with self.output as output:
            while line := output.readline(LONGEST_LINE):
                yield line.decode("utf-8", errors="replace")

    def poll(self) -> int | None:
        """The exit code, negative when a signal ended the program; None while it runs."""
        return self._exit_code

    def wait(self, timeout: float | None = None) -> int:
        """The exit code once the program is over.

        Raises:
            TimeoutError: it still runs after that many seconds.
        """
        if not self._over.wait(timeout) or self._exit_code is None:
            raise TimeoutError(f"process {self.pid} still runs after {timeout} seconds")
        return self._exit_code

    def when_over(self, told: Callable[[], None]) -> None:
        """Call this once the program is over; at once when it is."""
        with self._lock:
            if self._exit_code is None:
                self._told.append(told)
                return
        told()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program and all that it started; harmless when it is over."""
        with self._lock:
            if self._exit_code is not None:
                return
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return

    def close_input(self) -> None:
        """Close its standard input."""
        with self._lock:
            stdin, self._stdin = self._stdin, None
        if stdin is not None:
            os.close(stdin)

    def ended(self, exit_code: int) -> None:
        """Told by what watches the process."""
        with self._lock:
            self._exit_code = exit_code
            told, self._told = self._told, []
        self._over.set()
        for call in told:
            call()
