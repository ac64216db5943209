"""What a check found: how bad it is, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One result of a check; `fix` is empty where there is nothing to do, or where `what` says it already."""

    level: Level
    check: str
    where: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        line = f"{self.level:8} {self.check:18} {self.where}: {self.what}"
        return f"{line}\n{'':28}-> {self.fix}" if self.fix else line


def ok(check: str, where: object, what: str) -> Finding:
    """What is as it should be, or was not checked."""
    return Finding("ok", check, str(where), what)


def warning(check: str, where: object, what: str, fix: str) -> Finding:
    """What may be meant so, or will come in time."""
    return Finding("warning", check, str(where), what, fix)


def error(check: str, where: object, what: str, fix: str = "") -> Finding:
    """What makes a DAG fail, or its verdict worthless."""
    return Finding("error", check, str(where), what, fix)


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """The errors among findings."""
    return [finding for finding in findings if finding.level == "error"]
