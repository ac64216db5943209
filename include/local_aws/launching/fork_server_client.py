"""A fork server seen from the process that uses it: its start, what it is asked for, and what it tells."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from local_aws.container_view import HOST_VARIABLES, PASSED_ON
from local_aws.launching import messages
from local_aws.launching.program import Program, RunningProgram

log = logging.getLogger(__name__)

START_SECONDS = 60.0
END_SECONDS = 20.0
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class ForkServerGone(Exception):
    """The fork server does not answer."""


class ForkServerClient:
    """A fork server, and the programs that it runs."""

    def __init__(self) -> None:
        self._control, remote = socket.socketpair()
        own = Path(__file__).resolve().parents[2]
        path = os.pathsep.join(dict.fromkeys((str(own), *filter(None, sys.path))))
        with remote:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "local_aws.launching.fork_server", str(remote.fileno())],
                env={**_own_environment(), **ONE_THREAD, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                pass_fds=[remote.fileno()],
                start_new_session=True,
            )
        self._numbers = itertools.count()
        self._starting: dict[int, _Start] = {}
        self._running: dict[int, RunningProgram] = {}
        self._lock = threading.Lock()
        self.gone = False
        threading.Thread(target=self._listen, name="fork-server", daemon=True).start()

    def start(self, program: Program, memory_bytes: int) -> RunningProgram:
        """Have a program forked.

        Raises:
            ForkServerGone: it is gone, or does not answer.
            OSError: the machine has no room for another process.
        """
        stdin, their_stdin = _pipe_to()
        output, their_output = os.pipe()
        start = _Start(stdin, output)
        number = next(self._numbers)
        try:
            with self._lock:
                self._starting[number] = start
                if self.gone:
                    raise ForkServerGone("The fork server is gone")
                messages.send(self._control, _request(program, number, memory_bytes), [their_stdin, their_output])
        except (OSError, ForkServerGone) as error:
            self._give_up(number, start)
            raise ForkServerGone(f"The fork server does not answer: {error}") from error
        finally:
            os.close(their_stdin)
            os.close(their_output)
        answered = start.answered.wait(START_SECONDS)
        if start.error is not None:
            raise OSError(start.error, f"{program.module} cannot be started: {os.strerror(start.error)}")
        if not answered:
            start.unwanted.set()
        if start.program is None:
            raise ForkServerGone("The fork server did not start a program")
        return start.program

    def close(self) -> None:
        """End it, and with it what it started."""
        try:
            self._control.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("The fork server is gone already.")
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("The fork server does not end; it is killed.")
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        while (received := self._receive()) is not None:
            message, _ = received
            if "pid" in message:
                start = self._starting.pop(message["number"])
                program = self._running[message["number"]] = start.begun(message["pid"])
                if start.unwanted.is_set():
                    program.signal(signal.SIGKILL)
                    program.close_input()
            elif "error" in message:
                self._starting.pop(message["number"]).refused(message["error"])
            else:
                self._running.pop(message["number"]).ended(message["exit_code"])
        with self._lock:
            self.gone = True
        for number, start in list(self._starting.items()):
            self._give_up(number, start)
        # They die with the fork server.
        for program in self._running.values():
            program.ended(-signal.SIGKILL)
        self._control.close()
        self._process.wait()

    def _give_up(self, number: int, start: _Start) -> None:
        """Once, whether the listener or the caller notices first."""
        if self._starting.pop(number, None) is not None:
            start.abandon()

    def _receive(self) -> tuple[dict[str, Any], list[int]] | None:
        try:
            return messages.receive(self._control)
        except OSError:
            return None


class _Start:
    """A program that was asked for; unwanted when its answer took too long."""

    def __init__(self, stdin: int, output: int) -> None:
        self._stdin = stdin
        self._output = output
        self.answered = threading.Event()
        self.unwanted = threading.Event()
        self.program: RunningProgram | None = None
        self.error: int | None = None

    def begun(self, pid: int) -> RunningProgram:
        self.program = RunningProgram(pid, self._stdin, os.fdopen(self._output, "rb"))
        self.answered.set()
        return self.program

    def refused(self, error: int) -> None:
        self.error = error
        self.abandon()

    def abandon(self) -> None:
        os.close(self._stdin)
        os.close(self._output)
        self.answered.set()


def _own_environment() -> dict[str, str]:
    """What the fork server needs of this process's: what is forked from it can read all that it was started with."""
    return {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(HOST_VARIABLES)}


def _pipe_to() -> tuple[int, int]:
    """A pipe's end to write, and its end to read."""
    read, write = os.pipe()
    return write, read


def _request(program: Program, number: int, memory_bytes: int) -> dict[str, Any]:
    return {
        "number": number,
        "module": program.module,
        "environment": dict(program.environment),
        "folder": str(program.folder),
        "memory_bytes": memory_bytes,
        "nice": program.nice,
    }
