"""Programs are started apart from their parent and stopped with all their descendants."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from stack import processes
from stack.processes import Program

PARENT_OF_A_STUBBORN_CHILD = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"],
    stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


def start(tmp_path: Path, code: str) -> Program:
    return processes.start(
        "program", [sys.executable, "-c", code], log=tmp_path / "program.log", environment=os.environ, folder=tmp_path
    )


def first_line(program: Program) -> str:
    process = psutil.Process(program.pid)
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if (text := Path(program.log).read_text()).endswith("\n"):
            return text.strip()
    pytest.fail(f"ended early: {program.log_tail()}")


def test_stop_reaches_children_that_ignore_the_request(tmp_path: Path) -> None:
    program = start(tmp_path, PARENT_OF_A_STUBBORN_CHILD)
    child = psutil.Process(int(first_line(program)))
    assert program.alive

    processes.stop([program], grace_seconds=0.3)

    assert not program.alive
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_program_has_a_session_of_its_own(tmp_path: Path) -> None:
    """So that Ctrl-C in the terminal reaches the parent, which then stops everything in order."""
    program = start(tmp_path, "import os, time; print(os.getsid(0), flush=True); time.sleep(60)")
    try:
        assert int(first_line(program)) == program.pid
    finally:
        processes.stop([program])


def test_a_later_process_with_the_same_id_is_left_alone(tmp_path: Path) -> None:
    program = start(tmp_path, "import time; time.sleep(60)")
    try:
        earlier = replace(program, started=program.started - 3600)
        assert not earlier.alive
        processes.stop([earlier])
        assert program.alive
    finally:
        processes.stop([program])


def test_the_log_holds_what_the_program_said(tmp_path: Path) -> None:
    program = start(tmp_path, "import sys; print('one'); print('two', file=sys.stderr)")
    psutil.Process(program.pid).wait()
    assert program.log_tail(lines=1) in {"one", "two"}
    assert set(program.log_tail().split()) == {"one", "two"}
