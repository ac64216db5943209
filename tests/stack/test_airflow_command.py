"""`make airflow`: commands on the running stack."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from stack import __main__ as command
from stack import stack
from stack.settings import Folders, database
from stack.stack import Stack

SETTING = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path)
    folders.airflow.mkdir()
    with closing(sqlite3.connect(folders.airflow_db)) as connection:
        connection.execute("create table dag (dag_id text)")
    return folders


def rows(file: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("select dag_id from dag").fetchall()


def test_every_copy_of_the_database_is_a_new_one_and_leaves_the_original_alone(folders: Folders) -> None:
    copy = folders.airflow / "test.db"
    assert command.database_copy(folders) == database(copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("insert into dag values ('tried')")
    assert rows(folders.airflow_db) == []
    assert command.database_copy(folders) == database(copy)
    assert rows(copy) == []


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["tasks", "test", "churn.deploy", "prepare.check_bucket"], "test.db"),
        (["dags", "test", "churn.deploy"], "test.db"),
        (["dags", "list"], "airflow.db"),
    ],
)
def test_only_tests_run_on_a_copy_whose_runs_no_scheduler_sees(
    folders: Folders, arguments: list[str], file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []

    class Ran:
        returncode = 0

    def run(arguments: list[str], env: dict[str, str], **options: object) -> Ran:
        used.append(env[SETTING])
        return Ran()

    monkeypatch.setattr(command.subprocess, "run", run)
    monkeypatch.setattr(stack.Stack, "alive", True)
    running = Stack(folders, "http://127.0.0.1:8080", "http://127.0.0.1:5566")
    assert command._airflow(running, arguments) == 0
    assert used == [database(folders.airflow / file)[SETTING]]
