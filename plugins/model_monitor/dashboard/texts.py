"""How the pages put things: values, moments, states and violations in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from model_monitor.analysis.report_actions import ACTIONS, NDCG_ACTION
from model_monitor.analysis.report_texts import MEANINGS, SECTION_TITLES
from model_monitor.dashboard.explanation_charts import NDCG_THRESHOLD
from model_monitor.history.model import Execution, Metric, Violation

NONE = "–"


@dataclass(frozen=True)
class State:
    """A state in a word, and which of the page's marks it has: good, bad, busy, or plain."""

    word: str
    mark: str


STATES = {
    "Completed": State("OK", "good"),
    "CompletedWithViolations": State("Violations", "bad"),
    "Failed": State("Failed", "bad"),
    "InProgress": State("Running", "busy"),
    "Pending": State("Waiting", "busy"),
    "Stopping": State("Stopping", "busy"),
    "Stopped": State("Stopped", "plain"),
}
SUBJECTS = {"post_training_bias_metrics": "predictions", "pre_training_bias_metrics": "data"}
"""What the sections of an analysis are about, in a word."""
NEVER = State("Never judged", "plain")


def state(execution: Execution | None) -> State:
    """An execution's state; a status that is not known stands for itself."""
    if execution is None:
        return NEVER
    return STATES.get(execution.state, State(execution.state, "plain"))


def value(number: float | None) -> str:
    """A metric's value with four decimals."""
    if number is None:
        return NONE
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    return f"{number:.4f}".replace("-", "−")


def moment(time: datetime | None) -> str:
    """`22 Nov 2026 10:00`, in UTC."""
    return NONE if time is None else f"{time.astimezone(UTC):%d %b %Y %H:%M}"


def until(time: datetime, now: datetime) -> str:
    """How far away a moment is, such as `in 12 min` or `3 h ago`."""
    seconds = (time - now).total_seconds()
    size = abs(seconds)
    if size < 90:
        return "now"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if size >= length * (2 if unit == "d" else 1):
            return f"in {size / length:.0f} {unit}" if seconds > 0 else f"{size / length:.0f} {unit} ago"
    return "now"


def size(count: int) -> str:
    """A file's size."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def meaning(metric: str) -> str:
    """What a bias metric means, in a sentence."""
    return MEANINGS.get(metric, "")


def bias_violation(metric: Metric) -> str:
    """A violated metric in plain words."""
    if metric.value is None:
        return metric.error or "It cannot be compared with its baseline."
    if metric.baseline is None:
        return "It was farther from 0 than at the baseline of that time, which was not kept."
    now, before = abs(metric.value), abs(metric.baseline)
    if now <= before:
        return "It is no farther from 0 than the baseline now, but the report lists it as violated."
    if math.isinf(now):
        return f"It is infinite now, and was {value(metric.baseline)} at the baseline."
    if before == 0:
        return "It was 0 at the baseline, so anything else is worse."
    factor = now / before
    far = f"{factor:.1f} times as far from 0 as" if factor >= 1.1 else f"{100 * (factor - 1):.1f} % farther from 0 than"
    return f"It is {far} at the baseline."


def attribution_violation(violation: Violation, ndcg: float | None) -> str:
    """A drifted order of features in plain words."""
    if ndcg is None:
        return violation.description
    return (
        f"The inputs that decide stand in another order than at the baseline: their orders agree to {value(ndcg)}, "
        f"and at least {NDCG_THRESHOLD:.2f} is asked for."
    )


def span(execution: Execution) -> str:
    """The window's two moments."""
    if execution.start is None or execution.end is None:
        return NONE
    end = execution.end.astimezone(UTC)
    same_day = execution.end - execution.start < timedelta(days=1)
    return f"{moment(execution.start)} – {f'{end:%H:%M}' if same_day else moment(execution.end)}"


def violations(count: int) -> str:
    """`1 violation`, `2 violations`."""
    return f"{count} violation" if count == 1 else f"{count} violations"


def windows(count: int) -> str:
    """`1 window`, `2 windows`."""
    return f"{count} window" if count == 1 else f"{count} windows"


def section(name: str) -> str:
    """What a section of an analysis is about."""
    return SECTION_TITLES.get(name, name.replace("_", " "))


def actions(violated: Iterable[Violation]) -> dict[str, str]:
    """How to act on each kind of violation."""
    found = {}
    for violation in violated:
        if violation.facet is None:
            found["Order of inputs"] = NDCG_ACTION
        elif violation.metric in ACTIONS:
            found[violation.metric] = ACTIONS[violation.metric]
    return found
