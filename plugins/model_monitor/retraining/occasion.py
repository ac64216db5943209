"""Whether violations are a reason to retrain: from the events of their assets to an occasion, or to why there is none.

While a human thinks, the monitors go on, and their events wait for the next run. What that run looks at can be settled
by then: another model is in service, or the same question was answered with no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from model_monitor import names, windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from model_monitor.names import KINDS, Kind


@dataclass(frozen=True)
class Judged:
    """A verdict as an event carries it: the monitor, the window, its report's folder, its violations."""

    kind: Kind
    start: datetime
    end: datetime
    report: str
    violations: tuple[Mapping[str, Any], ...]

    @classmethod
    def read(cls, endpoint: MonitoredEndpoint, extra: Mapping[str, Any]) -> Judged | None:
        """The verdict that ViolationsOperator leaves in an event's extra; None where there is none of this endpoint."""
        kind = next((kind for kind in KINDS if kind == extra.get("kind")), None)
        found = extra.get("violations")
        if kind is None or extra.get("endpoint") != endpoint.name or not isinstance(found, list):
            return None
        if not all(isinstance(violation, dict) for violation in found):
            return None
        try:
            window = windows.scheduled_at(endpoint, windows.moment(str(extra["scheduled"])))
        except (KeyError, InputError):
            return None
        return cls(kind, window.start, window.end, str(extra.get("report", "")), tuple(found))

    def folder(self, endpoint: MonitoredEndpoint) -> str | None:
        """The window's folder's name, such as `2026/11/22/10`, which the dashboard knows it by."""
        reports = f"{names.report_folders(endpoint, self.kind)}/"
        return self.report.removeprefix(reports) if self.report.startswith(reports) else None

    def as_dict(self) -> dict[str, Any]:
        """The verdict as XCom carries it."""
        return {
            "kind": self.kind,
            "start": windows.shown(self.start),
            "end": windows.shown(self.end),
            "report": self.report,
            "violations": [dict(violation) for violation in self.violations],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Judged:
        """The verdict behind `as_dict`."""
        start, end = (windows.moment(content[key]) for key in ("start", "end"))
        return cls(content["kind"], start, end, content["report"], tuple(content["violations"]))


@dataclass(frozen=True)
class Settled:
    """What is settled already: since when the model is in service, and when the last candidate was rejected."""

    serving_since: datetime | None = None
    rejected_at: datetime | None = None
    pause: timedelta = timedelta()


@dataclass(frozen=True)
class Occasion:
    """The verdicts to retrain for, one of each monitor at most; or, with `why_not`, none."""

    verdicts: tuple[Judged, ...] = ()
    why_not: str | None = None


def occasion(endpoint: MonitoredEndpoint, extras: Iterable[Mapping[str, Any]], settled: Settled) -> Occasion:
    """What the events of a run come to. Of each monitor the newest window counts.

    Args:
        extras: what the events carry.
    """
    newest: dict[Kind, Judged] = {}
    for extra in extras:
        judged = Judged.read(endpoint, extra)
        if judged is not None and (judged.kind not in newest or judged.end >= newest[judged.kind].end):
            newest[judged.kind] = judged
    if not newest:
        return Occasion(why_not=f"No event of this run holds a verdict on {endpoint.name}.")
    violating = [newest[kind] for kind in KINDS if kind in newest and newest[kind].violations]
    if not violating:
        return Occasion(why_not=f"No violations any more: {_shown(newest.values())}.")
    since = settled.serving_since
    open_still = [judged for judged in violating if since is None or judged.start >= since]
    if since is not None and not open_still:
        return Occasion(
            why_not=f"The model in service is newer: it serves since {windows.shown(since)}, and what was judged began "
            f"before: {_shown(violating)}."
        )
    rejected = settled.rejected_at
    if rejected is not None:
        until = rejected + settled.pause
        open_still = [judged for judged in open_still if judged.start >= until]
        if not open_still:
            return Occasion(
                why_not=f"A candidate was rejected at {windows.shown(rejected)}: nobody is asked again about windows "
                f"that begin before {windows.shown(until)} (retraining.pause_after_rejection)."
            )
    return Occasion(tuple(open_still))


def _shown(verdicts: Iterable[Judged]) -> str:
    return ", ".join(f"{one.kind} of {windows.shown(one.start)} – {windows.shown(one.end)}" for one in verdicts)
