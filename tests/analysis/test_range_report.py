"""The report on a range as its reader gets it; its numbers are recomputed here with pandas, from the same windows."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis.bias_metrics import DESCRIPTIONS
from model_monitor.analysis.drift import ndcg
from model_monitor.analysis.range_report import MOST_GROUPS, Range, render_range_report
from model_monitor.analysis.report_actions import ACTIONS, FIRST_STEPS, NDCG_ACTION, NDCG_MEANING
from model_monitor.analysis.report_template import shown
from model_monitor.analysis.report_texts import MEANINGS
from model_monitor.analysis.time_plots import MOST_POINTS
from model_monitor.history.model import Execution, Explanation, Interval, Metric, Violation
from tests.analysis.report_page import Page

START = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
POST, PRE = "post_training_bias_metrics", "pre_training_bias_metrics"


def moment(number: int) -> datetime:
    return START + number * HOUR


def text(value: datetime) -> str:
    return f"{value.day} {value:%b %H:%M}"


def window(number: int, state: str = "Completed", **content: Any) -> Execution:
    return Execution("bias", f"{moment(number):%Y/%m/%d/%H}", moment(number), state, **content)


def metric(name: str, value: float | None, verdict: str | None = "ok", facet: str = "Age", **more: Any) -> Metric:
    section = POST if name in ("DAR", "RD", "TE", "DI", "AD", "DPPL", "CDDPL") else PRE
    given = {"position": 0, "group": "(40, 99]", "baseline": 0.2} | more
    return Metric(
        section=section, facet=facet, name=name, description=DESCRIPTIONS[name], value=value, verdict=verdict, **given
    )


def judged(number: int, *metrics: Metric) -> Execution:
    """A bias window whose state and violations follow from its metrics."""
    violations = tuple(
        Violation(one.name, "bias_drift_check", "…", one.facet, one.group)
        for one in metrics
        if one.verdict == "violation"
    )
    state = "CompletedWithViolations" if violations else "Completed"
    return window(number, state, metrics=metrics, violations=violations)


def explained(
    number: int, values: Mapping[str, float], baseline: Mapping[str, float], label: str = "label0"
) -> Execution:
    score = ndcg(list(baseline.values()), [values[name] for name in baseline])
    verdict = "violation" if score < 0.9 else "ok"
    explanation = Explanation(label, 0.01, values, baseline, score, None, verdict)
    violations = (Violation("shap", "feature_attribution_drift_check", "…", label=label),) if score < 0.9 else ()
    state = "CompletedWithViolations" if violations else "Completed"
    return replace(window(number, state, explanations=(explanation,), violations=violations), kind="explainability")


def rendered(executions: list[Execution], missing: list[datetime] | None = None, hours: int = 48) -> str:
    about = Range(START, START + hours * HOUR, executions, missing or [])
    return render_range_report("churn: bias over time", {"Endpoint": "churn"}, about)


def page_of(*given: Any, **more: Any) -> Page:
    return Page(rendered(*given, **more))


def table(page: Page, first: str) -> list[list[str]]:
    """The rows of the table whose first header this is."""
    return next(rows[1:] for rows in page.tables if rows[0][0] == first)


def a_week() -> list[Execution]:
    """Windows with random values, some of them not judged."""
    random = np.random.default_rng(7)
    executions = []
    for number in range(168):
        if number % 40 == 13:
            executions.append(window(number, "Failed", reason="No data in the window"))
            continue
        metrics = []
        for name, baseline in (("DAR", 0.2), ("RD", -0.1), ("TE", 2.0), ("DPL", 0.3), ("CI", 0.9)):
            value = math.inf if name == "TE" and number == 100 else float(random.normal(scale=abs(baseline)))
            value = 0.0 if name == "CI" else value
            verdict = "violation" if abs(value) > abs(baseline) else "ok"
            metrics.append(metric(name, value, verdict, baseline=baseline))
        executions.append(judged(number, *metrics))
    return executions


def frame(executions: list[Execution]) -> pd.DataFrame:
    """One line for each metric of each window."""
    return pd.DataFrame(
        [
            {"due": one.scheduled, "name": metric.name, "value": metric.value, "baseline": metric.baseline}
            for one in executions
            for metric in one.metrics
        ]
    )


def test_findings_are_what_pandas_finds_in_the_same_windows() -> None:
    executions = a_week()
    expected = []
    for name, lines in frame(executions).groupby("name"):
        worse = lines["value"].abs() > lines["baseline"].abs()
        if not worse.any():
            continue
        lasting = int(worse[::-1].cumprod().sum())
        expected.append(
            [
                f"{DESCRIPTIONS[str(name)]}Age: (40, 99]",
                f"{worse.sum()} of {len(lines)}",
                "–",
                text(lines["due"][worse].iloc[0]),
                text(lines["due"][worse].iloc[-1]),
                "no longer" if not lasting else "the last one" if lasting == 1 else f"{lasting} in a row",
                shown(lines["value"].loc[lines["value"].abs().idxmax()], 4),
                shown(lines["baseline"].iloc[0], 4),
            ]
        )

    found = table(page_of(executions, hours=168), "Finding")

    assert sorted(found) == sorted(expected)
    assert len(found) == 4
    often = [int(row[1].split()[0]) for row in found]
    assert often == sorted(often, reverse=True)


def test_the_head_counts_windows() -> None:
    executions = a_week()
    violating = sum(
        bool((lines["value"].abs() > lines["baseline"].abs()).any()) for _, lines in frame(executions).groupby("due")
    )
    missing = [moment(168), moment(169)]

    words = " ".join(page_of([*executions, window(170, "InProgress")], missing, hours=172).words.split())

    failed = sum(execution.state == "Failed" for execution in executions)
    assert f"{168 - failed} windows judged {violating} of them violating {failed} failed or stopped" in words
    assert "1 not over yet 2 never started" in words
    assert f"{violating} of {168 - failed} judged windows violate the baseline's constraints." in words


BAD, FINE = metric("DAR", 0.5, "violation"), metric("DAR", 0.1)


@pytest.mark.parametrize(
    ("windows", "told"),
    [
        ([FINE, BAD, BAD], "The last 2 violate without a break, since 20 Nov 07:00."),
        ([FINE, BAD], "The last one does, and the one before it does not."),
        ([BAD, FINE], "The last one does not."),
        ([FINE], "No violations of the baseline's constraints in the one window that was judged."),
        ([FINE, FINE], "No violations of the baseline's constraints in any of the 2 windows that were judged."),
    ],
)
def test_the_verdict_says_whether_it_lasts(windows: list[Metric], told: str) -> None:
    page = page_of([judged(number, one) for number, one in enumerate(windows)])
    assert told in " ".join(page.words.split())


def test_a_range_without_windows_says_so() -> None:
    page = page_of([], [moment(0)])
    assert "No window of this range was judged." in page.words
    assert "svg" not in page.tags
    assert table(page, "Due (UTC)") == [
        ["20 Nov 06:00", "1", "missing", "–", "The schedule had it due, and nothing was started."]
    ]


def test_windows_are_listed_with_state_and_reason() -> None:
    executions = [judged(0, FINE), judged(1, FINE), judged(2, BAD), window(3, "Failed", reason="No data")]
    executions.append(window(4, problem="analysis.json: Invalid JSON"))
    assert table(page_of(executions), "Due (UTC)") == [
        ["20 Nov 06:00 – 20 Nov 07:00", "2", "ok", "–", "–"],
        ["20 Nov 08:00", "1", "violations", "DAR", "–"],
        ["20 Nov 09:00", "1", "failed", "–", "No data"],
        ["20 Nov 10:00", "1", "unreadable", "–", "analysis.json: Invalid JSON"],
    ]


def test_each_metric_has_a_panel_with_its_baseline_and_what_to_do_stands_in_the_glossary() -> None:
    executions = [judged(number, BAD, metric("RD", 0.1), metric("DPL", 0.1)) for number in range(3)]

    html = rendered(executions)

    page = Page(html)
    assert html.count("<svg") == 2
    assert all(
        f"{name}: {DESCRIPTIONS[name].removesuffix(f' ({name})')}" in page.words for name in ("DAR", "RD", "DPL")
    )
    assert {"violation", "baseline", "allowed"} <= set(page.words.split())
    assert table(page, "Finding")[0][0].startswith(DESCRIPTIONS["DAR"])
    assert page.tables[-1][1:] == [[name, MEANINGS[name], ACTIONS[name]] for name in ("DAR", "RD", "DPL")]
    assert FIRST_STEPS[0] in page.words


def test_without_findings_there_is_nothing_to_do_first() -> None:
    page = page_of([judged(0, FINE)])
    assert FIRST_STEPS[0] not in page.words
    assert "What violated" not in page.words


def test_intervals_and_doubts_are_drawn_and_counted() -> None:
    doubtful = metric("DAR", 0.3, "not certain", interval=Interval(0.1, 0.5))
    page = page_of([judged(0, FINE), judged(1, doubtful), judged(2, doubtful)])
    (row,) = table(page, "Finding")
    assert row[1:7] == ["0 of 3", "2", "–", "–", "no longer", "0.3000"]
    assert {"interval", "certain"} <= set(page.words.split())


def test_a_group_stays_the_same_while_its_text_changes() -> None:
    executions = [judged(number, metric("DAR", 0.5, "violation", group=f"(40, {90 + number}]")) for number in range(3)]
    (row,) = table(page_of(executions), "Finding")
    assert row[0].endswith("Age: (40, 92]")
    assert row[1] == "3 of 3"


BASELINE = {"a": 0.5, "b": 0.3, "c": 0.15, "d": 0.05}


def test_attributions_stand_beside_baseline_and_first_window_with_their_moves() -> None:
    last = {"a": 0.05, "b": 0.1, "c": 0.25, "d": 0.6}
    executions = [explained(0, BASELINE, BASELINE), explained(1, last, BASELINE)]

    page = page_of(executions)

    inputs = next(rows for rows in page.tables if rows[1][:1] == ["Model input"])
    assert inputs[0] == ["", "Baseline", "First, 20 Nov 06:00", "Last, 20 Nov 07:00", "Since the baseline"]
    assert inputs[2] == ["d", "0.0500", "4", "0.0500", "4", "0.6000", "1", "▲ 3"]
    assert inputs[5] == ["a", "0.5000", "1", "0.5000", "1", "0.0500", "4", "▼ 3"]
    assert "d from rank 4 to 1, a from rank 1 to 4" in page.words
    gains, discounts = np.array([0.05, 0.15, 0.3, 0.5]), 1 / np.log2(np.arange(2, 6))
    score = (gains @ discounts) / (gains[::-1] @ discounts)
    (row,) = table(page, "Finding")
    assert row == [
        "NDCGOrder of inputs: label0",
        "1 of 2",
        "–",
        "20 Nov 07:00",
        "20 Nov 07:00",
        "the last one",
        shown(score, 4),
        "≥ 0.9",
    ]
    assert page.tables[-1][1:] == [["NDCG", NDCG_MEANING, NDCG_ACTION]]
    assert {"threshold", "1 is the baseline's order"} <= {
        word for word in ("threshold", "1 is the baseline's order") if word in page.words
    }


def test_only_the_inputs_that_matter_are_listed() -> None:
    values = {f"f{number}": 1 / (1 + number) for number in range(100)}
    page = page_of([explained(0, values, values)])
    inputs = next(rows for rows in page.tables if rows[1][:1] == ["Model input"])
    assert [row[0] for row in inputs[2:]] == [f"f{number}" for number in range(15)]
    assert "85 more inputs" in page.words


def test_a_window_that_was_not_compared_is_drawn_and_not_judged() -> None:
    bare = Explanation("label0", 0.0, {"a": 1.0, "b": 0.5})
    page = page_of([replace(window(0), explanations=(bare,))])
    assert "No violations" in page.words
    inputs = next(rows for rows in page.tables if rows[1][:1] == ["Model input"])
    assert inputs[2] == ["a", "–", "–", "1.000", "1", "1.000", "1", "–"]


EVIL = "<script>alert('x')</script>\"&" + "é😀" * 50


def test_names_and_reasons_are_text_and_never_markup() -> None:
    bias = judged(0, metric("DAR", 0.5, "violation", facet=EVIL, group=EVIL))
    bias = replace(bias, violations=(Violation(EVIL, "c", EVIL, EVIL, EVIL),), problem=EVIL)
    strange = replace(judged(1), metrics=(replace(BAD, name=EVIL, description=EVIL),))
    inputs = explained(2, {EVIL: 1.0, "b": 0.5}, {EVIL: 0.1, "b": 0.5}, label=EVIL)
    failed = window(3, EVIL, reason=EVIL)
    about = Range(START, START + 9 * HOUR, [bias, strange, inputs, failed])

    html = render_range_report(EVIL, {EVIL: EVIL}, about, problem=EVIL)

    page = Page(html)
    assert "script" not in page.tags
    assert page.words.count("<script>alert('x')</script>\"&") >= 15
    assert all(address.startswith("#") for address in page.loads)


def test_the_page_needs_nothing_else_and_is_light() -> None:
    html = rendered([judged(0, BAD), explained(1, BASELINE, BASELINE)])
    page = Page(html)
    assert "svg" in page.tags
    assert not {"script", "link", "img", "iframe"} & page.tags
    assert all(address.startswith("#") for address in page.loads)
    assert "color-scheme: light" in html
    assert "@media print" in html


def test_the_same_windows_give_the_same_page() -> None:
    assert len({rendered(a_week(), hours=168) for _ in range(2)}) == 1


def test_a_thousand_windows_make_a_page_of_bounded_size_in_good_time() -> None:
    def many(count: int) -> list[Execution]:
        random = np.random.default_rng(1)
        names = ("DAR", "RD", "TE", "DI", "AD", "DPPL", "DPL", "CI", "JS", "KL", "KS", "LP", "TVD")
        return [
            judged(
                number,
                *(
                    metric(
                        name, float(random.normal()), random.choice(["ok", "violation"]), interval=Interval(-1.0, 1.0)
                    )
                    for name in names
                ),
            )
            for number in range(count)
        ]

    begun = time.process_time()
    html = rendered(many(1000), hours=1000)
    took = time.process_time() - begun

    assert len(html) < 1_500_000
    assert f"worst window of a {MOST_POINTS}th of the range" in Page(html).words
    assert took < 20
    assert "worst window" not in Page(rendered(many(100), hours=1000)).words


def test_of_many_groups_those_are_drawn_that_violated_most() -> None:
    facets = [f"facet {number}" for number in range(MOST_GROUPS + 5)]
    found = {facet: "violation" if number >= 5 else "ok" for number, facet in enumerate(facets)}
    html = rendered([judged(0, *(metric("DAR", 0.5, verdict, facet=facet) for facet, verdict in found.items()))])
    assert html.count("<svg") == MOST_GROUPS
    words = Page(html).words
    assert "5 more groups, which violated less often, are not drawn" in words
    assert all(f"\n{facet}: (40, 99]\n" in words for facet in facets[5:])


def test_of_many_labels_the_first_are_told() -> None:
    explanations = tuple(Explanation(f"class {number}", 0.0, {"a": 1.0}, {"a": 1.0}, 1.0) for number in range(12))
    page = page_of([replace(window(0), explanations=explanations)])
    assert len([rows for rows in page.tables if rows[0][1:2] == ["Baseline"]]) == 8
    assert "4 more labels are left out" in page.words


def test_windows_that_were_compared_with_another_baseline_are_counted() -> None:
    told = "compared with another baseline than the last one"
    unknown = [replace(judged(n, metric("AD", 0.1, baseline=None)), baseline_replaced=True) for n in range(3)]
    other = judged(3, metric("AD", 0.1, baseline=0.3), metric("DI", 1.0))
    last = judged(4, metric("AD", 0.1), metric("DPL", 0.1))
    assert f"4 windows were {told}" in page_of([*unknown, other, last]).words
    assert told not in page_of([judged(3, metric("AD", 0.1), metric("DI", 1.0)), last]).words

    before, after = {"a": 0.4, "b": 0.3}, {"a": 0.3, "b": 0.4}
    assert f"1 window was {told}" in page_of([explained(0, after, before), explained(1, after, after)]).words
    assert told not in page_of([explained(0, after, before), explained(1, before, before)]).words


def test_why_managed_executions_may_be_missing_is_told() -> None:
    about = Range(START, START + HOUR, [judged(0, FINE)])
    assert "may be missing here: no access" in Page(render_range_report("t", {}, about, "no access")).words
    assert "may be missing" not in Page(render_range_report("t", {}, about)).words
