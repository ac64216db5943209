"""`make monitor`: the project's own command line, with the running stack's connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack import __main__ as command
from stack import stack
from stack.settings import CONNECTION, Folders
from stack.stack import Stack


def test_without_a_stack_it_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert command._monitor(None, ["status"]) == 1
    assert "`make up`" in capsys.readouterr().err


def test_it_has_the_connection_of_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[list[str], str]] = []

    class Ran:
        returncode = 0

    def run(arguments: list[str], env: dict[str, str], **options: object) -> Ran:
        used.append((arguments[1:], env[CONNECTION]))
        return Ran()

    folders = Folders(tmp_path)
    folders.airflow.mkdir()
    monkeypatch.delenv(CONNECTION, raising=False)
    monkeypatch.setattr(command.subprocess, "run", run)
    monkeypatch.setattr(stack.Stack, "alive", True)
    running = Stack(folders, "http://127.0.0.1:8080", "http://127.0.0.1:5566")
    assert command._monitor(running, ["status", "churn"]) == 0
    ((arguments, connection),) = used
    assert arguments == ["-m", "model_monitor", "status", "churn"]
    assert "http://127.0.0.1:5566" in connection
