from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local_aws.jobs import job_process
from local_aws.jobs.job_process import Outcome
from tests.polling import until

ROOT = Path(__file__).resolve().parents[3]


def run(
    program: str, folder: Path, stop: threading.Event | None = None, max_seconds: float = 30
) -> tuple[Outcome, str]:
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "ready\n" and stop is not None:
            stop.set()

    outcome = job_process.run(
        [sys.executable, "-u", "-c", program],
        {"PATH": os.defpath},
        folder,
        on_line=on_line,
        on_tick=lambda: None,
        stop=stop or threading.Event(),
        max_seconds=max_seconds,
    )
    return outcome, "".join(lines)


def test_exit_code_and_both_streams(tmp_path: Path) -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert run(program, tmp_path) == (Outcome("exited", 3), "out\nerr\n")


def test_it_runs_in_its_folder_with_its_environment_only(tmp_path: Path) -> None:
    outcome, text = run("import os; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}))", tmp_path)
    assert outcome.exit_code == 0
    assert text == f"{tmp_path.resolve()} ['PATH']\n"


def test_a_stop_is_sigterm_first(tmp_path: Path) -> None:
    program = (
        "import signal, sys, threading\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('cleaning up'), sys.exit(7)))\n"
        "print('ready')\n"
        "threading.Event().wait()\n"
    )
    assert run(program, tmp_path, threading.Event()) == (Outcome("stopped", 7), "ready\ncleaning up\n")


def test_and_then_sigkill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_process, "GRACE_SECONDS", 0.1)
    program = (
        "import signal, threading\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready')\n"
        "threading.Event().wait()\n"
    )
    assert run(program, tmp_path, threading.Event()) == (Outcome("stopped", -9), "ready\n")


def test_its_time_runs_out(tmp_path: Path) -> None:
    outcome, _ = run("import threading; threading.Event().wait()", tmp_path, max_seconds=0.1)
    assert outcome == Outcome("timed out", -15)


def alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import threading; threading.Event().wait()'])\n"
        "print(child.pid)\n"
    )
    _, text = run(program, tmp_path)
    until(lambda: alive(int(text)), lambda running: not running)


def test_a_program_ends_when_the_platform_is_gone() -> None:
    program = (
        "import threading\n"
        "from local_aws.containers.job_container import exit_with_parent\n"
        "exit_with_parent()\n"
        "threading.Event().wait()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, env={"PYTHONPATH": str(ROOT / "include")}
    )
    assert process.poll() is None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 1
