"""Pasts of endpoints, as their histories tell them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import MonitorError
from model_monitor.history.model import (
    Baseline,
    Execution,
    Explanation,
    File,
    Hour,
    Interval,
    Metric,
    Violation,
)
from model_monitor.names import KINDS, Kind

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POST = "post_training_bias_metrics"
FILES = tuple(
    File(name, size, "etag", NOW - 9 * HOUR)
    for name, size in (("report.html", 2048), ("analysis.json", 100), ("explanations_shap/out.csv", 10))
)
CONTENTS = {
    "report.html": b"<h1>Report</h1><script>alert(1)</script>",
    "analysis.json": b"{}",
    "explanations_shap/out.csv": b"a,b\n",
}


@dataclass
class Past:
    """What a `History` answers."""

    known: dict[Kind, list[Execution]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    baselines: dict[Kind, Baseline] = field(default_factory=dict)
    traffic: list[Hour] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)
    problem: str | None = None
    unasked: str | None = None
    uncounted: str | None = None
    endpoint: MonitoredEndpoint | None = None

    def now(self) -> datetime:
        if self.problem is not None:
            raise MonitorError(self.problem)
        return NOW

    def executions(self, kind: Kind, since: datetime, until: datetime | None = None) -> list[Execution]:
        return [one for one in self.known[kind] if since <= one.scheduled and (until is None or one.scheduled < until)]

    def execution(self, kind: Kind, window: str) -> Execution | None:
        return next((one for one in self.known[kind] if one.window == window), None)

    def newest(self, kind: Kind) -> Execution | None:
        return self.known[kind][-1] if self.known[kind] else None

    def baseline(self, kind: Kind) -> Baseline | None:
        return self.baselines.get(kind)

    def hours(self, since: datetime, until: datetime) -> list[Hour]:
        return [hour for hour in self.traffic if since <= hour.start < until]

    def read(self, kind: Kind, window: str, file: str) -> bytes | None:
        return self.contents.get(file)

    def read_baseline(self, kind: Kind, file: str) -> bytes | None:
        return self.contents.get(file)

    def tail(self, job: str, lines: int) -> list[str]:
        return [f"{job}: {line}" for line in self.logged][-lines:]

    def service_problem(self) -> str | None:
        return self.unasked

    def traffic_problem(self) -> str | None:
        return self.uncounted


def metric(
    value: float | None = 0.1,
    *,
    name: str = "DPPL",
    facet: str = "Age",
    group: str = "(0, 3.5]",
    baseline: float | None = 0.2,
    position: int = 0,
    interval: Interval | None = None,
    section: str = POST,
    error: str | None = None,
) -> Metric:
    """A bias metric."""
    verdict = None if value is None or baseline is None else "ok"
    return Metric(section, facet, position, group, name, f"{name} in words", value, error, baseline, interval, verdict)


def violation(of: Metric) -> Violation:
    """What a monitor says of a metric that is worse than its baseline."""
    return Violation(of.name, "bias_drift_check", "Metric value doesn't meet", of.facet, of.group)


def bias(scheduled: datetime, *metrics: Metric, violated: tuple[Metric, ...] = (), job: str | None = None) -> Execution:
    """A window judged for bias."""
    state = "CompletedWithViolations" if violated else "Completed"
    return Execution(
        "bias",
        f"{scheduled:%Y/%m/%d/%H}",
        scheduled,
        state,
        scheduled - HOUR,
        scheduled,
        job=job,
        files=FILES,
        metrics=metrics,
        violations=tuple(map(violation, violated)),
    )


def explained(scheduled: datetime, ndcg: float, label: str = "label0", count: int = 4) -> Execution:
    """A window judged for explainability."""
    before = {f"feature {number}": 1 / (number + 1) for number in range(count)}
    now = dict(zip(before, reversed(list(before.values())), strict=True)) if ndcg < 0.9 else before
    drifted = (Violation("shap", "feature_attribution_drift_check", "drifted", label=label),) if ndcg < 0.9 else ()
    return Execution(
        "explainability",
        f"{scheduled:%Y/%m/%d/%H}",
        scheduled,
        "CompletedWithViolations" if drifted else "Completed",
        scheduled - HOUR,
        scheduled,
        files=FILES,
        explanations=(Explanation(label, 0.1, now, before, ndcg),),
        violations=drifted,
    )


def usual_past(hours: int = 30, worse: Callable[[int], bool] = lambda number: number >= 20) -> Past:
    """Hourly windows until an hour ago, the last ten of which violate."""
    past = Past(contents=CONTENTS, logged=["Reading", "Writing"])
    for number in range(hours):
        due = NOW - (hours - number) * HOUR
        metrics = metric(0.5 if worse(number) else 0.1), metric(0.01, name="RD")
        past.known["bias"].append(
            bias(due, *metrics, violated=metrics[:1] if worse(number) else (), job=f"job-{number}")
        )
        past.known["explainability"].append(explained(due, 0.8 if worse(number) else 0.99))
        past.traffic.append(Hour(due - HOUR, 12, 10, 9))
    past.baselines = {
        "bias": Baseline("bias", FILES, (metric(0.2, baseline=None), metric(0.1, name="RD", baseline=None))),
        "explainability": Baseline("explainability", FILES, (), (Explanation("label0", 0.1, {"feature 0": 1.0}),)),
    }
    return past
