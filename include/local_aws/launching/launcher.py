"""Starts programs: forked from a process that has imported what they need, or, where that cannot be, from nothing."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from functools import cache

from local_aws.launching.fork_server_client import ForkServerClient, ForkServerGone
from local_aws.launching.limits import Limits
from local_aws.launching.program import Program, RunningProgram

log = logging.getLogger(__name__)

MOST_DEATHS = 3


class Launcher:
    """Starts programs; `forks` says whether it may fork them from a server of its own, which only Linux does safely."""

    def __init__(self, forks: bool = sys.platform == "linux", limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._forks = forks
        self._deaths = 0
        self._server: ForkServerClient | None = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Start the fork server, so that it has imported all by the time that something is to be started."""
        self._fork_server()

    def start(self, program: Program) -> RunningProgram:
        """Start a program.

        Raises:
            OSError: the machine has no room for another process.
        """
        memory_bytes = self.limits.program_memory_bytes
        server = self._fork_server()
        if server is not None:
            try:
                return server.start(program, memory_bytes)
            except ForkServerGone as error:
                log.warning("%s; %s is started without it.", error, program.module)
        return spawn(program, memory_bytes)

    def stop(self) -> None:
        """End the fork server, and with it what it started."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def _fork_server(self) -> ForkServerClient | None:
        with self._lock:
            if not self._forks:
                return None
            if self._server is None or self._server.gone:
                if self._server is not None:
                    self._deaths += 1
                    log.warning("The fork server ended by itself (%d of %d times).", self._deaths, MOST_DEATHS)
                    self._server.close()
                if self._deaths >= MOST_DEATHS:
                    self._forks = False
                    log.warning("Programs are started without a fork server from now on, which takes longer.")
                    return None
                self._server = ForkServerClient()
            return self._server


@cache
def launcher() -> Launcher:
    """The launcher of this process."""
    return Launcher()


def spawn(program: Program, memory_bytes: int) -> RunningProgram:
    """Start a program in a fresh interpreter."""
    limits = [str(memory_bytes), str(program.nice)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "local_aws.launching.child", program.module, *limits],
        env=dict(program.environment),
        cwd=program.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin = os.dup(process.stdin.fileno())
    process.stdin.close()
    running = RunningProgram(process.pid, stdin, os.fdopen(os.dup(process.stdout.fileno()), "rb"))
    process.stdout.close()
    threading.Thread(target=_watch, args=(process, running), name=f"watch-{process.pid}", daemon=True).start()
    return running


def _watch(process: subprocess.Popen[bytes], running: RunningProgram) -> None:
    if hasattr(os, "waitid"):
        # Its number is not free for another process before `wait`.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        log.debug("Process %d left nothing running.", process.pid)
    running.ended(process.wait())
