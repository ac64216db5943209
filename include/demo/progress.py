"""Following a DAG run while it works: one line for each task that ends, and why when one fails."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from demo.airflow_api import FINISHED, AirflowApi, Task

DEADLINE_SECONDS = 300
POLL_SECONDS = 0.5
ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed", "up_for_retry"})
WORKING = frozenset({"running", "deferred"})
MARKS = {"success": "ok", "upstream_failed": "not started"}


class StepFailed(Exception):
    """A DAG run failed or took too long; the message says which task, why, and where its log is."""


class Terminal:
    """Lines that stay, and on a terminal one last line that changes."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()

    def line(self, text: str = "") -> None:
        """Print a line that stays."""
        self._clear()
        print(text, flush=True)

    def status(self, text: str) -> None:
        """Replace the changing line."""
        if self._live:
            self._clear()
            print(text[:100], end="", flush=True)

    def _clear(self) -> None:
        if self._live:
            print("\r\x1b[K", end="")


def follow(
    api: AirflowApi,
    dag: str,
    run: str,
    *,
    task_logs: Path,
    terminal: Terminal,
    deadline_seconds: float = DEADLINE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Show the run's tasks as they end; returns when the run has succeeded.

    Raises:
        StepFailed: when the run has failed, or has not ended within `deadline_seconds`.
    """
    began = time.monotonic()
    shown: dict[str, tuple[str | None, int]] = {}
    while True:
        state = api.run_state(dag, run)
        tasks = api.tasks(dag, run)
        for task in tasks:
            if task.state in ENDED and shown.get(task.label) != (task.state, task.try_number):
                shown[task.label] = (task.state, task.try_number)
                terminal.line(_outcome(task))
                if task.state == "up_for_retry":
                    terminal.line(_last_error(task_logs, dag, run, task))
        if state in FINISHED:
            break
        working = ", ".join(task.label for task in tasks if task.state in WORKING)
        terminal.status(f"    … {working or 'waiting for the scheduler'} ({time.monotonic() - began:.0f} s)")
        if time.monotonic() - began > deadline_seconds:
            raise StepFailed(
                "\n".join(
                    [
                        f"{dag} has not ended within {deadline_seconds:.0f} s; it is at: {working or 'no task'}.",
                        *(_log_end(task_logs, dag, run, task) for task in tasks if task.state in WORKING),
                    ]
                )
            )
        sleep(POLL_SECONDS)
    if state == "failed":
        failed = [task for task in tasks if task.state == "failed"]
        raise StepFailed(
            "\n".join(_explain(task_logs, dag, run, task) for task in failed) or f"{dag} failed without a failed task"
        )


def run_logs(task_logs: Path, dag: str, run: str) -> Path:
    """The folder of a run's task logs."""
    return task_logs / f"dag_id={dag}" / f"run_id={run}"


def task_log(task_logs: Path, dag: str, run: str, task: Task) -> Path:
    """The log of a task's latest try."""
    folder = run_logs(task_logs, dag, run) / f"task_id={task.name}"
    if task.map_index >= 0:
        folder /= f"map_index={task.map_index}"
    return folder / f"attempt={task.try_number}.log"


def readable_log(log: Path, lines: int = 12) -> list[str]:
    """The last messages of a task's log, which Airflow keeps as JSON lines; with each error's own text."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        return ["(the task has written no log)"]
    messages: list[str] = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            messages.append(line)
            continue
        messages.append(str(entry.get("event", line)))
        for error in entry.get("error_detail") or []:
            messages.append(f"{error.get('exc_type')}: {error.get('exc_value')}")
    told = [line for message in messages for line in message.splitlines()]
    return [line for line in told if not line.startswith(("::group::", "::endgroup::"))][-lines:]


def _outcome(task: Task) -> str:
    seconds = f"{task.seconds:6.1f} s" if task.seconds is not None else " " * 8
    return f"    {seconds}  {task.label:58} {MARKS.get(task.state or '', task.state)}"


def _last_error(task_logs: Path, dag: str, run: str, task: Task) -> str:
    return "\n".join(f"              {line}" for line in readable_log(task_log(task_logs, dag, run, task), lines=3))


def _explain(task_logs: Path, dag: str, run: str, task: Task) -> str:
    return f"{dag}: task {task.label} failed.\n{_log_end(task_logs, dag, run, task)}"


def _log_end(task_logs: Path, dag: str, run: str, task: Task) -> str:
    log = task_log(task_logs, dag, run, task)
    tail = "\n".join(f"    {line}" for line in readable_log(log))
    return f"The end of {task.label}'s log:\n{tail}\nLog: {log}"
