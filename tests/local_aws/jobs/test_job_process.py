from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.jobs import job_process
from local_aws.jobs.job_process import Outcome, StopRequest
from local_aws.launching.launcher import Launcher
from local_aws.launching.program import LONGEST_LINE, Program
from tests.polling import until
from tests.processes import alive
from tests.running_aws import ROOT

PATH = f"{ROOT / 'plugins'}{os.pathsep}{ROOT / 'include'}"


@pytest.fixture(scope="module", params=["forked", "spawned"])
def launcher(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    started = Launcher(forks=request.param == "forked")
    yield started
    started.stop()


def run(
    launcher: Launcher, text: str, folder: Path, stop: StopRequest | None = None, max_seconds: float = 30
) -> tuple[Outcome, str]:
    """Run a program of this text; a line "ready" makes the stop request."""
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "ready\n" and stop is not None:
            stop.make()

    (folder / "program.py").write_text(text)
    outcome = job_process.run(
        launcher,
        Program("program", {"PATH": os.defpath, "PYTHONUNBUFFERED": "1", "PYTHONPATH": f"{folder}:{PATH}"}, folder),
        on_line=on_line,
        on_tick=lambda: None,
        stop=stop or StopRequest(),
        max_seconds=max_seconds,
    )
    return outcome, "".join(lines)


def test_exit_code_and_both_streams(launcher: Launcher, tmp_path: Path) -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert run(launcher, program, tmp_path) == (Outcome("exited", 3), "out\nerr\n")


def test_output_without_line_feeds_comes_in_pieces(launcher: Launcher, tmp_path: Path) -> None:
    pieces: list[str] = []
    (tmp_path / "program.py").write_text("print('x' * 1_000_000)")
    job_process.run(
        launcher,
        Program("program", {"PYTHONPATH": f"{tmp_path}:{PATH}"}, tmp_path),
        on_line=pieces.append,
        on_tick=lambda: None,
        stop=StopRequest(),
        max_seconds=30,
    )
    assert "".join(pieces) == "x" * 1_000_000 + "\n"
    assert max(map(len, pieces)) == LONGEST_LINE


def test_it_runs_in_its_folder_with_its_environment_only(launcher: Launcher, tmp_path: Path) -> None:
    program = "import os; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}), os.getsid(0) == os.getpid())"
    outcome, text = run(launcher, program, tmp_path)
    assert outcome.exit_code == 0
    assert text == f"{tmp_path.resolve()} ['PATH', 'PYTHONPATH', 'PYTHONUNBUFFERED'] True\n"


def test_a_stop_is_sigterm_first(launcher: Launcher, tmp_path: Path) -> None:
    program = (
        "import signal, sys, threading\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('cleaning up'), sys.exit(7)))\n"
        "print('ready')\n"
        "threading.Event().wait()\n"
    )
    assert run(launcher, program, tmp_path, StopRequest()) == (Outcome("stopped", 7), "ready\ncleaning up\n")


def test_and_then_sigkill(launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_process, "GRACE_SECONDS", 0.1)
    program = (
        "import signal, threading\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready')\n"
        "threading.Event().wait()\n"
    )
    assert run(launcher, program, tmp_path, StopRequest()) == (Outcome("stopped", -9), "ready\n")


def test_its_time_runs_out(launcher: Launcher, tmp_path: Path) -> None:
    outcome, _ = run(launcher, "import threading; threading.Event().wait()", tmp_path, max_seconds=0.1)
    assert outcome == Outcome("timed out", -15)


def test_what_a_program_started_ends_with_it(launcher: Launcher, tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import threading; threading.Event().wait()'])\n"
        "print(child.pid)\n"
    )
    _, text = run(launcher, program, tmp_path)
    until(lambda: alive(int(text)), lambda running: not running)


def test_a_stop_that_was_asked_for_before(launcher: Launcher, tmp_path: Path) -> None:
    stop = StopRequest()
    stop.make()
    outcome, _ = run(launcher, "import threading; threading.Event().wait()", tmp_path, stop)
    assert outcome.end == "stopped"


def test_ticks_come_while_it_runs(launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_process, "CONTINUOUS_SECONDS", 0.01)
    stop, ticks = StopRequest(), threading.Event()
    (tmp_path / "waiting.py").write_text("import threading; threading.Event().wait()")

    def tick() -> None:
        ticks.set()
        stop.make()

    job_process.run(
        launcher,
        Program("waiting", {"PYTHONPATH": f"{tmp_path}:{PATH}"}, tmp_path),
        on_line=lambda line: None,
        on_tick=tick,
        stop=stop,
        max_seconds=30,
    )
    assert ticks.is_set()


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
