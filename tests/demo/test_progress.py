"""Following a run: what is said while it works, and what is said when it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.airflow_api import Task
from demo.progress import StepFailed, Terminal, follow, readable_log, task_log

DAG, RUN = "churn.deploy", "manual__1"


class ScriptedAirflow:
    """Answers each look at the run with the next of the given moments."""

    def __init__(self, *moments: tuple[str, list[Task]]) -> None:
        self._moments = list(moments)
        self._now: tuple[str, list[Task]] = ("queued", [])

    def run_state(self, dag: str, run: str) -> str:
        if self._moments:
            self._now = self._moments.pop(0)
        return self._now[0]

    def tasks(self, dag: str, run: str) -> list[Task]:
        return self._now[1]


def test_each_task_is_told_once_when_it_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upload = Task("upload.model", "success", 1, 1.25)
    api = ScriptedAirflow(
        ("queued", []),
        ("running", [Task("upload.model", "running", 1, None), Task("endpoint", None, 0, None)]),
        ("running", [upload, Task("endpoint", "running", 1, None)]),
        ("success", [upload, Task("endpoint", "success", 1, 12.0), Task("extra", "skipped", 1, 0.0)]),
    )
    follow(api, DAG, RUN, task_logs=tmp_path, terminal=Terminal(), sleep=lambda seconds: None)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["1.2", "s", "upload.model", "ok"],
        ["12.0", "s", "endpoint", "ok"],
        ["0.0", "s", "extra", "skipped"],
    ]


def test_a_failure_names_the_task_the_reason_and_the_log(tmp_path: Path) -> None:
    failed = Task("endpoint.wait", "failed", 2, 3.0)
    log = task_log(tmp_path, DAG, RUN, failed)
    log.parent.mkdir(parents=True)
    entries = [
        {"timestamp": "2026-11-22T10:00:00Z", "level": "info", "event": "Waiting for churn"},
        {
            "timestamp": "2026-11-22T10:00:03Z",
            "level": "error",
            "event": "Task failed with exception",
            "error_detail": [{"exc_type": "EndpointFailed", "exc_value": "churn: Unable to extract model.tar.gz"}],
        },
    ]
    log.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    api = ScriptedAirflow(("failed", [failed, Task("next", "upstream_failed", 0, None)]))

    with pytest.raises(StepFailed) as raised:
        follow(api, DAG, RUN, task_logs=tmp_path, terminal=Terminal(), sleep=lambda seconds: None)

    message = str(raised.value)
    assert "churn.deploy: task endpoint.wait failed" in message
    assert "EndpointFailed: churn: Unable to extract model.tar.gz" in message
    assert f"Log: {log}" in message
    assert "next" not in message


def test_a_run_that_does_not_end_is_given_up_with_what_it_is_at(tmp_path: Path) -> None:
    api = ScriptedAirflow(("running", [Task("endpoint.wait", "deferred", 1, None)]))
    with pytest.raises(StepFailed, match=r"churn\.deploy has not ended within 0 s; it is at: endpoint\.wait"):
        follow(api, DAG, RUN, task_logs=tmp_path, terminal=Terminal(), deadline_seconds=0, sleep=lambda seconds: None)


def test_logs_of_mapped_tasks_have_a_folder_each() -> None:
    assert task_log(Path("/logs"), DAG, RUN, Task("wait", "failed", 3, None, map_index=1)) == Path(
        "/logs/dag_id=churn.deploy/run_id=manual__1/task_id=wait/map_index=1/attempt=3.log"
    )


def test_a_log_with_lines_that_are_not_json_is_still_readable(tmp_path: Path) -> None:
    log = tmp_path / "attempt=1.log"
    log.write_text('plain text\n{"event": "told", "level": "info"}\n')
    assert readable_log(log) == ["plain text", "told"]
    assert readable_log(tmp_path / "none.log") == ["(the task has written no log)"]
