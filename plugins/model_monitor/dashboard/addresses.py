"""Where the dashboard's pages are, for links from anywhere; a browser resolves them on Airflow's own address."""

from __future__ import annotations

from urllib.parse import quote

from model_monitor.names import Kind

PREFIX = "/model-monitor"
REPORT = "report.html"


def overview() -> str:
    """Every endpoint."""
    return f"{PREFIX}/"


def endpoint(name: str) -> str:
    """One endpoint over time."""
    return f"{PREFIX}/endpoints/{quote(name)}"


def execution(name: str, kind: Kind, window: str) -> str:
    """One judged window; `window` is its folder's name, such as `2026/11/22/10`."""
    return f"{endpoint(name)}/{kind}/executions/{quote(window)}"


def execution_file(name: str, kind: Kind, window: str, file: str = REPORT) -> str:
    """A file of a judged window."""
    return f"{execution(name, kind, window)}/files/{quote(file)}"


def baseline(name: str, kind: Kind) -> str:
    """What a monitor compares with."""
    return f"{endpoint(name)}/{kind}/baseline"


def baseline_file(name: str, kind: Kind, file: str = REPORT) -> str:
    """A file of a baseline."""
    return f"{baseline(name, kind)}/files/{quote(file)}"


def range_report(name: str, kind: Kind, start: str, end: str) -> str:
    """A report on the windows due from one moment to before another, both ISO 8601."""
    return f"{endpoint(name)}/{kind}/range/{REPORT}?start={quote(start)}&end={quote(end)}"
