"""Child processes that outlive a crash of their parent no longer than until the next look: started, found, stopped."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

GRACE_SECONDS = 8


@dataclass(frozen=True)
class Program:
    """A running program; its start time tells it from a later process of the same id."""

    name: str
    pid: int
    started: float
    log: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        process = self._process()
        return process is not None and process.status() != psutil.STATUS_ZOMBIE

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.started) < 1 else None
        except psutil.NoSuchProcess:
            return None

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        return "\n".join(Path(self.log).read_text(errors="replace").splitlines()[-lines:])


def start(name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path) -> Program:
    """Start a program in a session of its own, so that Ctrl-C reaches the parent only; its output goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    return Program(name, process.pid, psutil.Process(process.pid).create_time(), str(log))


def stop(programs: Iterable[Program], grace_seconds: float = GRACE_SECONDS) -> None:
    """Ask every program to end, wait for all of them, then kill what is left of them and of their descendants."""
    roots: list[psutil.Process] = []
    family: dict[int, psutil.Process] = {}
    for program in programs:
        process = program._process()
        if process is None:
            continue
        roots.append(process)
        for member in [process, *_descendants(process)]:
            family[member.pid] = member
    for process in roots:
        _signal(process.terminate)
    deadline = time.monotonic() + grace_seconds
    while any(_running(member) for member in family.values()) and time.monotonic() < deadline:
        for root in roots:
            family |= {member.pid: member for member in _descendants(root)}
        _reap(roots)
        time.sleep(0.1)
    stubborn = [member for member in family.values() if _running(member)]
    for member in stubborn:
        _signal(member.kill)
    psutil.wait_procs(stubborn, timeout=5)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _reap(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        try:
            os.waitpid(process.pid, os.WNOHANG)
        except ChildProcessError:
            continue


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
