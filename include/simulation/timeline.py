"""The week as text: one line for each hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.results import Verdict
from model_monitor.analysis.drift import attribution_ndcg
from model_monitor.results import bias_metrics, shown

SHORT = {"Completed": "ok", "CompletedWithViolations": "VIOLATIONS"}
HEADLINE = "                customers  bias monitor                      explainability monitor"
SHOWN_METRIC = "DPPL"


@dataclass
class Timeline:
    """What the hours brought."""

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    firsts: dict[str, str] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)

    def hour(self, hour: datetime, customers: int, bias: Verdict, explainability: Verdict, ndcg: float | None) -> str:
        """The line of an hour, by the verdicts on it."""
        for verdict in (bias, explainability):
            self.statuses[verdict.kind, verdict.status] += 1
            if verdict.status == "CompletedWithViolations":
                self.firsts.setdefault(verdict.kind, f"{verdict.folder}/report.html")
        return (
            f"{hour:%a %d %b %H:%M}  {customers:9}  {_state(bias):14}{SHOWN_METRIC} {shown(_metric(bias)):>8}   "
            f"    {_state(explainability):14}NDCG {shown(ndcg)}"
        ).rstrip()

    def changed_alarms(self, states: Mapping[str, str]) -> list[str]:
        """A line for each alarm whose state is another than when this was last asked."""
        before, self.alarms = self.alarms, dict(states)
        return [
            f"alarm {name}: {before.get(name, 'INSUFFICIENT_DATA')} -> {state}"
            for name, state in states.items()
            if before.get(name, "INSUFFICIENT_DATA") != state
        ]

    def summary(self) -> list[str]:
        """How many executions of each monitor ended how."""
        return [f"{kind:16} {status:24} {count:4}" for (kind, status), count in sorted(self.statuses.items())]


def ndcg_of(verdict: Verdict, baseline: Mapping[str, Any]) -> float | None:
    """How well the ranking of features agrees with the baseline's: the worst of all labels."""
    scores = attribution_ndcg(verdict.analysis, baseline)
    return min(scores.values(), default=None)


def _state(verdict: Verdict) -> str:
    short = SHORT.get(verdict.status, verdict.status)
    return f"{len(verdict.violations)} {short}" if verdict.violations else short


def _metric(verdict: Verdict) -> float | str | None:
    return next((metric.value for metric in bias_metrics(verdict.analysis) if metric.name == SHOWN_METRIC), None)
