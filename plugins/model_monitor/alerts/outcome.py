"""What a window came to, as far as alerts are concerned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from model_monitor.results import standing
from model_monitor.verdicts import COMPLETED, VIOLATED
from model_monitor.windows import moment, shown

State = Literal["fine", "violating", "failed", "measured"]
STATES: dict[str, State] = {COMPLETED: "fine", VIOLATED: "violating", "Failed": "failed", "Stopped": "failed"}
"""By the status of an execution that is over."""


@dataclass(frozen=True)
class Outcome:
    """A window and what became of it; `violations` are keys that stay the same while the data changes.

    `measured` is what was compared with nothing. `scheduled` is UTC as `2026-11-22T10:00:00Z`, so that texts are in the
    order of time.
    """

    scheduled: str
    state: State
    violations: tuple[str, ...] = ()
    reason: str | None = None

    @classmethod
    def of(cls, verdict: Mapping[str, Any]) -> Outcome:
        """What a verdict says."""
        scheduled = shown(moment(verdict["scheduled"]))
        if verdict["status"] not in (COMPLETED, VIOLATED):
            # What follows the first line tells what was found there, which differs every hour.
            return cls(scheduled, "failed", reason=verdict["reason"].partition("\n")[0])
        if not verdict.get("compared", True):
            return cls(scheduled, "measured")
        found = tuple(sorted({violation_key(row) for row in verdict["violations"]}))
        return cls(scheduled, STATES[verdict["status"]], found)

    def covers(self, scheduled: str, status: str) -> bool:
        """Whether nothing new can come of an execution of this status: of a later window, or of this one as it is."""
        if self.scheduled != scheduled:
            return self.scheduled > scheduled
        return self.state == STATES[status] or (self.state == "measured" and status == COMPLETED)

    def as_dict(self) -> dict[str, Any]:
        """The outcome as JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Outcome:
        """The outcome behind `as_dict`."""
        return cls(content["scheduled"], content["state"], tuple(content["violations"]), content["reason"])


def violation_key(row: Mapping[str, Any]) -> str:
    """What makes violations of two windows the same: the metric, and what stays of its group."""
    if "facet" in row:
        group, position = str(row["facet_value"]), row["position"]
        return f"{row['facet']}[{group if position is None else standing(group, position)!r}] {row['metric']}"
    return f"{row.get('label') or ''} {row['metric']}".strip()
