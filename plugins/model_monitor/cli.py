"""`python -m model_monitor check | status`: definitions tested against reality, and how every endpoint stands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO

from model_monitor.config import MonitoredEndpoint, endpoints_folder, load_endpoint, load_endpoints
from model_monitor.errors import ConfigError

FINE, ERRORS, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; 0 when nothing is wrong, 1 when errors were found, 2 for unusable arguments."""
    parser = argparse.ArgumentParser(prog="python -m model_monitor", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="test definitions against their files and their account")
    check.add_argument("files", nargs="+", type=_file, metavar="FILE", help="an endpoint's YAML")
    check.add_argument("--offline", action="store_true", help="only what needs no account")
    status = commands.add_parser("status", help="what each endpoint has, and what is missing")
    status.add_argument("names", nargs="*", metavar="NAME", help="endpoints; all unless given")
    given = parser.parse_args(arguments)
    if given.command == "check":
        return _check(given.files, given.offline)
    return _status(given.names)


def _file(text: str) -> Path:
    file = Path(text)
    if not file.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {file}")
    return file


def _check(files: Sequence[Path], offline: bool) -> int:
    counts = {"ok": 0, "warning": 0, "error": 0}
    for file in files:
        try:
            endpoint = load_endpoint(file)
        except ConfigError as problem:
            _say(f"{file}\n{problem}\n")
            counts["error"] += 1
            continue
        _say(f"{endpoint.name}, {file}")
        for line, level in _findings(endpoint, offline):
            counts[level] += 1
            _say(line)
        _say("")
    _say(f"{counts['error']} errors, {counts['warning']} warnings, {counts['ok']} checks passed or left out")
    return ERRORS if counts["error"] else FINE


def _findings(endpoint: MonitoredEndpoint, offline: bool) -> Iterator[tuple[str, str]]:
    with _quiet():
        from model_monitor.preflight.account import Account
        from model_monitor.preflight.run import run

        found = list(run(endpoint, None if offline else Account.of(endpoint)))
    for finding in found:
        yield str(finding), finding.level


def _status(wanted: Sequence[str]) -> int:
    loaded = load_endpoints()
    unknown = sorted(set(wanted) - {endpoint.name for endpoint in loaded})
    for problem in loaded.errors:
        _say(str(problem), sys.stderr)
    if unknown:
        known = ", ".join(endpoint.name for endpoint in loaded) or "none"
        _say(f"No endpoint {', '.join(unknown)} in {endpoints_folder()}; there are {known}", sys.stderr)
        return UNUSABLE
    with _quiet():
        from model_monitor.status import statuses, table

        text = table(statuses([endpoint for endpoint in loaded if not wanted or endpoint.name in wanted]))
    _say(text)
    return ERRORS if loaded.errors else FINE


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what Airflow and its providers say of themselves out of the answer."""
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    with redirect_stdout(sys.stderr):
        yield


def _say(text: str, to: TextIO | None = None) -> None:
    (to or sys.stdout).write(f"{text}\n")
