"""`python -m stack up | down | status | airflow … | monitor …`: the stack behind `make up` and `make down`."""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing

from stack.settings import CONNECTION, PROJECT, USER, Folders, database
from stack.stack import Stack, StackError, up

PATIENT_AIRFLOW = "stack.patient_airflow"


def main() -> int:
    """Do what the command line asks; 0 when it worked."""
    parser = argparse.ArgumentParser(prog="stack", description="Airflow and the embedded AWS on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start both and leave them running")
    start.add_argument("--ui-port", type=int, default=8080)
    start.add_argument("--aws-port", type=int, default=5566)
    commands.add_parser("down", help="stop both")
    commands.add_parser("status", help="what is running")
    command = commands.add_parser("airflow", help="an Airflow command with the running stack's settings")
    command.add_argument("arguments", nargs=argparse.REMAINDER)
    monitor = commands.add_parser("monitor", help="model_monitor's own command with the running stack's connection")
    monitor.add_argument("arguments", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()

    folders = Folders()
    found = Stack.find(folders)
    if arguments.command == "down":
        return _down(found)
    if arguments.command == "status":
        return _status(found)
    if arguments.command == "airflow":
        return _airflow(found, arguments.arguments)
    if arguments.command == "monitor":
        return _monitor(found, arguments.arguments)
    if found and found.alive and found.dead() is None:
        _show(found)
        return 0
    if found:
        found.stop()
    own_connection = CONNECTION in os.environ
    try:
        stack = up(folders, ui_port=arguments.ui_port, aws_port=None if own_connection else arguments.aws_port)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    _show(stack)
    return 0


def _down(stack: Stack | None) -> int:
    if stack is None:
        print("Nothing is running.")
        return 0
    stack.stop()
    print("Stopped.")
    return 0


def _status(stack: Stack | None) -> int:
    if stack is None:
        print("Nothing is running.")
        return 0
    for program in stack.programs:
        print(f"{program.name:14} {'running' if program.alive else 'ended':8} pid {program.pid:<8} {program.log}")
    return 0


def _airflow(stack: Stack | None, arguments: list[str]) -> int:
    if stack is None or not stack.alive:
        print("Nothing is running; `make up` starts Airflow.", file=sys.stderr)
        return 1
    environment = stack.environment()
    if arguments[1:2] == ["test"]:
        # A test's run is deleted at its end, and the scheduler ends when a run disappears while it looks at it.
        environment |= database_copy(stack.folders)
    if arguments[:2] == ["backfill", "create"]:
        return run(PATIENT_AIRFLOW, arguments, environment)
    return run("airflow", arguments, environment)


def _monitor(stack: Stack | None, arguments: list[str]) -> int:
    if stack is None or not stack.alive:
        print("Nothing is running; `make up` starts the embedded AWS and Airflow.", file=sys.stderr)
        return 1
    return run("model_monitor", arguments, stack.environment())


def run(module: str, arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run a module of this environment in the project's folder; its exit code."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=environment, cwd=PROJECT, check=False).returncode


def database_copy(folders: Folders) -> dict[str, str]:
    """Copies Airflow's database as it is now; returns the setting for a program that is to use the copy."""
    copy = folders.airflow / "test.db"
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(folders.airflow_db)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return database(copy)


def _show(stack: Stack) -> None:
    aws = stack.aws_url or f"as {CONNECTION} says"
    print(
        f"\nAirflow   {stack.ui_url}\n"
        f"login     {USER} / {stack.password}\n"
        f"AWS       {aws}\n"
        f"logs      {stack.folders.logs}\n"
        "stop      make down"
    )


if __name__ == "__main__":
    sys.exit(main())
