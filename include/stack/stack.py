"""Starting and stopping the embedded AWS and Airflow together."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from stack import processes, settings
from stack.processes import Program
from stack.settings import HOST, PROJECT, Folders, Secrets

START_SECONDS = 180
AIRFLOW_PROGRAMS: dict[str, list[str]] = {
    "api-server": ["api-server"],
    # Task logs are files on this machine; without this, both would also serve them on all addresses.
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
HEARTBEATS = {"scheduler": "scheduler", "triggerer": "triggerer", "dag-processor": "dag_processor"}


class StackError(Exception):
    """The stack cannot start; the message says why and where its log is."""


@dataclass
class Stack:
    """What runs now, as kept in `.local/stack.json`."""

    folders: Folders
    ui_url: str
    aws_url: str | None
    programs: list[Program] = field(default_factory=list)

    @property
    def password(self) -> str:
        """The password of the user `admin`."""
        return Secrets.load(self.folders.airflow / "secrets.json").password

    @property
    def alive(self) -> bool:
        """Whether any of its programs still runs."""
        return any(program.alive for program in self.programs)

    @classmethod
    def find(cls, folders: Folders) -> Stack | None:
        """The stack that an earlier command left, running or not."""
        try:
            kept = json.loads(folders.state.read_text())
        except FileNotFoundError:
            return None
        return cls(folders, kept["ui_url"], kept["aws_url"], [Program(**program) for program in kept["programs"]])

    def stop(self) -> None:
        """Stop Airflow, then the embedded AWS that its tasks talk to, and all their descendants."""
        processes.stop(program for program in self.programs if program.name != "local_aws")
        processes.stop(program for program in self.programs if program.name == "local_aws")
        self.folders.state.unlink(missing_ok=True)

    def environment(self, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment of its programs."""
        secrets = Secrets.load(self.folders.airflow / "secrets.json")
        port = int(self.ui_url.rpartition(":")[2])
        return settings.environment(self.folders, secrets, ui_port=port, aws_url=self.aws_url, inherited=inherited)

    def dead(self) -> Program | None:
        """A program that has ended by itself, if any has."""
        return next((program for program in self.programs if not program.alive), None)

    def _add(self, program: Program) -> None:
        self.programs.append(program)
        kept = {"ui_url": self.ui_url, "aws_url": self.aws_url, "programs": [asdict(each) for each in self.programs]}
        settings.write_private(self.folders.state, json.dumps(kept, indent=2))


def up(
    folders: Folders,
    *,
    ui_port: int,
    aws_port: int | None,
    inherited: Mapping[str, str] = os.environ,
    say: Callable[[str], None] = print,
) -> Stack:
    """Start everything and return once all of it is healthy.

    `aws_port` is None when Airflow shall use the caller's own AWS connection.

    Raises:
        StackError: a port is taken, or a program ends or stays silent; everything started is stopped by then.
    """
    require_free(ui_port)
    if aws_port is not None:
        require_free(aws_port)
    aws_url = f"http://{HOST}:{aws_port}" if aws_port is not None else None
    secrets = Secrets.load(folders.airflow / "secrets.json")
    settings.write_private(folders.airflow / "passwords.json", json.dumps({settings.USER: secrets.password}))
    stack = Stack(folders, f"http://{HOST}:{ui_port}", aws_url)
    environment = stack.environment(inherited)
    try:
        if aws_url is not None:
            command = [sys.executable, "-m", "local_aws", "--port", str(aws_port), "--data-dir", str(folders.aws)]
            stack._add(_start("local_aws", command, folders, environment))
            say(f"Starting the embedded AWS on {aws_url}")
        _migrate(folders, environment, say)
        began = datetime.now(UTC)
        for name, arguments in AIRFLOW_PROGRAMS.items():
            command = [sys.executable, "-m", "airflow", *arguments]
            stack._add(_start(name, command, folders, environment))
        say(f"Starting Airflow on {stack.ui_url}")
        if aws_url is not None:
            _wait(stack, "the embedded AWS", lambda: _answers(f"{aws_url}/_local/health"))
        _wait(stack, "Airflow's API server", lambda: _answers(f"{stack.ui_url}/api/v2/monitor/health"))
        _wait(stack, "Airflow's scheduler, DAG processor and triggerer", lambda: _beating(stack.ui_url, began))
    except BaseException:
        stack.stop()
        raise
    return stack


def free_port(preferred: int | None = None) -> int:
    """A port nobody listens on: the preferred one if it can be had."""
    for port in [preferred, 0] if preferred else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StackError(f"No free port on {HOST}")


def require_free(port: int) -> None:
    """Raise StackError unless the port can be listened on."""
    if free_port(port) != port:
        raise StackError(
            f"Port {port} on {HOST} is taken. Stop what listens there (after an earlier `make up`: `make down`), "
            "or choose others: make up UI_PORT=8081 AWS_PORT=5567"
        )


def _start(name: str, command: list[str], folders: Folders, environment: Mapping[str, str]) -> Program:
    return processes.start(name, command, log=folders.logs / f"{name}.log", environment=environment, folder=PROJECT)


def _migrate(folders: Folders, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    stamp = folders.airflow / ".migrated"
    wanted = version("apache-airflow")
    if stamp.exists() and stamp.read_text() == wanted and folders.airflow_db.exists():
        return
    say("Preparing Airflow's database")
    log = folders.logs / "migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(
            command, env=environment, cwd=PROJECT, stdout=stream, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        raise StackError(f"Airflow's database could not be prepared:\n{_tail(log)}\nLog: {log}")
    stamp.write_text(wanted)


def _wait(stack: Stack, what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if dead := stack.dead():
            raise StackError(f"{dead.name} ended while starting:\n{dead.log_tail()}\nLog: {dead.log}")
        if time.monotonic() > deadline:
            raise StackError(f"{what} did not answer within {START_SECONDS} s. Logs: {stack.folders.logs}")
        time.sleep(0.3)


def _get(url: str) -> Any:
    try:
        with httpx.Client(trust_env=False, timeout=5) as client:
            answer = client.get(url)
    except httpx.TransportError:
        return None
    return answer.json() if answer.status_code == httpx.codes.OK else None


def _answers(url: str) -> bool:
    return _get(url) is not None


def _beating(ui_url: str, since: datetime) -> bool:
    health = _get(f"{ui_url}/api/v2/monitor/health") or {}
    for part in HEARTBEATS.values():
        beat = (health.get(part) or {}).get(f"latest_{part}_heartbeat")
        if beat is None or datetime.fromisoformat(beat) < since:
            return False
    return True


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
