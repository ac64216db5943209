"""What became of windows, and what violated most in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from model_monitor.analysis.range_findings import (
    Counts,
    Point,
    Row,
    by_weight,
    count,
    finding,
    group_of,
    rows,
    state_of,
    streak,
)
from model_monitor.history.model import Execution, Metric, Violation

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
METRIC = Metric("post_training_bias_metrics", "Plan", 0, "gold", "DAR", "DAR", 0.1)
DAR = Violation("DAR", "bias_drift_check", "…", "Plan", "gold")
RD = Violation("RD", "bias_drift_check", "…", "Plan", "gold")
SHAP = Violation("shap", "feature_attribution_drift_check", "…", label="label0")


def due(hour: int, state: str = "Completed", judged: bool = True, **changes: Any) -> Execution:
    moment = TEN + hour * HOUR
    metrics = (METRIC,) if judged else ()
    return Execution("bias", f"{moment:%Y/%m/%d/%H}", moment, state, metrics=metrics, **changes)


@pytest.mark.parametrize(
    ("execution", "state"),
    [
        (due(0), "ok"),
        (due(0, "CompletedWithViolations"), "violations"),
        (due(0, judged=False), "unreadable"),
        (due(0, "Failed", judged=False), "failed"),
        (due(0, "InProgress", judged=False), "running"),
        (due(0, "SomethingNew", judged=False), "SomethingNew"),
    ],
)
def test_states_in_a_word(execution: Execution, state: str) -> None:
    assert state_of(execution) == state


def test_windows_are_counted_by_what_became_of_them() -> None:
    executions = [
        due(0),
        due(1, "CompletedWithViolations"),
        due(2, "Failed", judged=False),
        due(3, "Stopped", judged=False),
        due(4, judged=False),
        due(5, "InProgress", judged=False),
        due(6, "Pending", judged=False),
    ]
    assert count(executions, [TEN + 7 * HOUR]) == Counts(judged=2, violating=1, failed=3, running=2, missing=1)


@pytest.mark.parametrize(
    ("flags", "length"), [([], 0), ([True], 1), ([True, False], 0), ([False, True, True], 2), ([True, True], 2)]
)
def test_a_streak_is_what_lasts_until_the_end(flags: list[bool], length: int) -> None:
    assert streak(flags) == length


def points(*verdicts: str | None, values: tuple[float | None, ...] = ()) -> list[Point]:
    known = values or tuple(float(number) for number in range(len(verdicts)))
    return [Point(TEN + number * HOUR, known[number], None, verdict) for number, verdict in enumerate(verdicts)]


def test_a_finding_says_since_when_it_lasts_across_windows_that_were_not_judged() -> None:
    found = finding(("w", "w"), "m", points("violation", "ok", "violation", None, "violation"), abs, 0.1)

    assert found is not None
    assert (found.judged, found.violated, found.doubtful) == (4, 3, 0)
    assert (found.first, found.last) == (TEN, TEN + 4 * HOUR)
    assert (found.since, found.streak) == (TEN + 2 * HOUR, 2)
    assert (found.worst, found.baseline) == (4.0, 0.1)


def test_a_finding_that_is_over_has_no_since() -> None:
    found = finding(("w", "w"), "m", points("violation", "ok"), abs, 0.1)
    assert found is not None
    assert (found.since, found.streak, found.last) == (None, 0, TEN)


def test_what_is_never_violated_is_no_finding_and_what_is_doubtful_is() -> None:
    assert finding(("w", "w"), "m", points("ok", None), abs, 0.1) is None
    doubtful = finding(("w", "w"), "m", points("ok", "not certain"), abs, 0.1)
    assert doubtful is not None
    assert (doubtful.violated, doubtful.doubtful, doubtful.first) == (0, 1, None)


def test_the_worst_is_what_lies_farthest_on_the_bad_side() -> None:
    marked = ("violation",) * 4
    far = finding(("w", "w"), "m", points(*marked, values=(0.1, -5.0, 3.0, None)), abs, 0.0)
    low = finding(("w", "w"), "m", points(*marked, values=(0.8, 0.7, 0.95, None)), lambda value: -value, 0.9)
    assert (far and far.worst, low and low.worst) == (-5.0, 0.7)


def test_findings_come_in_the_order_of_how_often() -> None:
    often, once, maybe = (
        finding((name, name), name, points(*verdicts), abs, 0.0)
        for name, verdicts in [("a", ["violation"] * 2), ("b", ["violation"]), ("c", ["not certain"])]
    )
    assert by_weight([maybe, None, once, often]) == [often, once, maybe]


def test_consecutive_windows_of_the_same_outcome_share_a_row() -> None:
    red = "CompletedWithViolations"
    executions = [
        due(0),
        due(1),
        due(2, red, violations=(DAR, RD, DAR)),
        due(3, red, violations=(DAR,)),
        due(6, "Failed", judged=False, reason="No data"),
        due(7, red, violations=(SHAP,)),
    ]

    found = rows(executions, [TEN + 5 * HOUR, TEN + 4 * HOUR])

    told = "The schedule had it due, and nothing was started."
    assert found == [
        Row(TEN, TEN + HOUR, 2, "ok", "", ""),
        Row(TEN + 2 * HOUR, TEN + 2 * HOUR, 1, "violations", "DAR, RD", ""),
        Row(TEN + 3 * HOUR, TEN + 3 * HOUR, 1, "violations", "DAR", ""),
        Row(TEN + 4 * HOUR, TEN + 5 * HOUR, 2, "missing", "", told),
        Row(TEN + 6 * HOUR, TEN + 6 * HOUR, 1, "failed", "", "No data"),
        Row(TEN + 7 * HOUR, TEN + 7 * HOUR, 1, "violations", "NDCG", ""),
    ]


def test_reasons_are_of_bounded_length() -> None:
    (row,) = rows([due(0, "Failed", judged=False, reason="x" * 100_000)], [])
    assert (len(row.reason), row.reason[-1]) == (300, "…")


def test_a_group_is_known_by_its_value_or_by_its_place_where_the_text_changes() -> None:
    def of(position: int, group: str) -> Any:
        return group_of(Metric("post_training_bias_metrics", "F", position, group, "DAR", "", 0.1))

    assert of(0, "(100, 223]") == of(0, "(100, 232]")
    assert of(0, "gold") == of(3, "gold")
    assert of(0, "gold") != of(0, "silver")
