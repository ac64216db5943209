"""The report as its reader gets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from model_monitor.analysis.bias_metrics import DESCRIPTIONS
from model_monitor.analysis.drift import bias_violations
from model_monitor.analysis.interval_rule import Intervals
from model_monitor.analysis.judging import compare_by_intervals
from model_monitor.analysis.persistence import JudgedWindow
from model_monitor.analysis.report import Comparison, render
from model_monitor.analysis.report_actions import (
    ACTIONS,
    FIRST_STEPS,
    NDCG_ACTION,
    NDCG_MEANING,
    NOT_CERTAIN_ACTION,
)
from model_monitor.analysis.report_template import shown
from model_monitor.analysis.report_texts import MEANINGS
from model_monitor.analysis.uncertainty import Interval
from tests.analysis.report_page import Page


def bias(facet: str = "Account Length", **metrics: Any) -> dict[str, Any]:
    entries = [
        {"name": name, "description": DESCRIPTIONS[name], "value": value}
        | ({"error": "Group variable is empty or not provided"} if value is None else {})
        for name, value in metrics.items()
    ]
    facets = {facet: [{"value_or_threshold": "(100, 232]", "metrics": entries}]}
    return {
        "version": "1.0",
        "post_training_bias_metrics": {"label": "Churn", "facets": facets, "label_value_or_threshold": "1"},
    }


def explained(**values: float) -> dict[str, Any]:
    section = {"label0": {"global_shap_values": values, "expected_value": 0.0083}}
    return {"version": "1.0", "explanations": {"kernel_shap": section}}


def test_a_bias_report_shows_value_baseline_verdict_and_meaning() -> None:
    now, baseline = bias(DAR=-0.27777, RD=0.1, TE="Infinity", CDDPL=None), bias(DAR=0.0, RD=0.2, TE=2.5, CDDPL=None)

    page = Page(render("Weekly", now, {"Endpoint": "churn"}, Comparison(baseline, bias_violations(now, baseline))))

    assert page.tables[0][0] == ["Metric", "Value", "Baseline", "Verdict"]
    assert row(page, "DAR") == ["−0.2778", "0.0000", "violation"]
    assert row(page, "RD") == ["0.1000", "0.2000", "ok"]
    assert row(page, "TE") == ["∞", "2.5000", "violation"]
    assert row(page, "CDDPL") == ["–", "–", "–"]
    assert "Not computed: Group variable is empty or not provided." in page.words
    assert all(MEANINGS[name] in page.words for name in ("DAR", "RD", "TE", "CDDPL"))
    assert "2 violations of the baseline's constraints" in page.words
    assert all(text in page.words for text in ("Weekly", "Endpointchurn", "Account Length: (100, 232]"))


def test_without_a_baseline_there_is_nothing_to_judge() -> None:
    page = Page(render("Analysis Report", bias(DAR=0.1), {}, Comparison()))

    assert page.tables[0][0] == ["Metric", "Value"]
    assert "Not compared with a baseline" in page.words
    assert "A baseline:" not in page.words


def test_a_baseline_says_what_it_is_for_and_judges_nothing() -> None:
    analysis = bias(DAR=0.9) | explained(a=1.0, b=0.5)
    pages = {
        "both": Page(render("R", analysis, {}, Comparison(), is_baseline=True)),
        "bias": Page(render("R", bias(DAR=0.9), {}, Comparison(), is_baseline=True)),
    }

    assert "A baseline: monitors compare windows of live data with these values." in pages["both"].words
    assert "Nothing here is judged" in pages["both"].words
    assert "NDCG, measured with the order here, lies below 0.9" in pages["both"].words
    assert "NDCG" not in pages["bias"].words
    assert pages["bias"].tables[0][0] == ["Metric", "Value"]
    assert not any(word in pages["both"].words for word in ("Not compared", "What to do first", "violations of"))
    assert pages["both"].tables[-1][0] == ["Finding", "Meaning", "How to act on it"]


def acted_on(html: str) -> list[str]:
    """What the page tells to do beside findings."""
    return [unescape(text) for text in re.findall(r'<div class="act">(.*?)</div>', html)]


def test_what_to_do_stands_beside_violations_and_nowhere_else() -> None:
    now, baseline = bias(DAR=-0.27777, RD=0.1), bias(DAR=0.0, RD=0.2)

    violated = render("R", now, {}, Comparison(baseline, bias_violations(now, baseline)))
    fine = render("R", now, {}, Comparison(now))

    assert acted_on(violated) == [ACTIONS["DAR"]]
    assert all(step in Page(violated).words for step in FIRST_STEPS)
    assert acted_on(fine) == []
    assert FIRST_STEPS[0] not in Page(fine).words


def test_what_is_not_certain_is_to_be_waited_for() -> None:
    analysis, comparison = by_intervals(order=PERHAPS_DRIFTED, AD=0.1, RD=0.3)
    told = acted_on(render("R", analysis, {}, comparison))
    assert told == [f"{NOT_CERTAIN_ACTION} {ACTIONS['RD']}", f"{NOT_CERTAIN_ACTION} {NDCG_ACTION}"]


def test_the_glossary_has_each_metric_of_the_report_once() -> None:
    analysis = bias(DAR=0.1, RD=0.2) | explained(a=1.0)
    facets = analysis["post_training_bias_metrics"]["facets"]
    facets["Plan"] = facets["Account Length"]

    *_, (_, *glossary) = Page(render("R", analysis, {}, Comparison())).tables

    assert glossary == [
        ["DAR", MEANINGS["DAR"], ACTIONS["DAR"]],
        ["RD", MEANINGS["RD"], ACTIONS["RD"]],
        ["NDCG", NDCG_MEANING, NDCG_ACTION],
    ]


def test_features_are_ranked_and_the_long_tail_is_folded_away() -> None:
    values = {f"State_{i}": i / 1000 for i in range(1, 69)} | {"Day Mins": 0.9}
    before = {f"State_{i}": (69 - i) / 1000 for i in range(1, 69)} | {"Day Mins": 0.5}

    page = Page(render("R", explained(**values), {}, Comparison(explained(**before), (), {"label0": 0.95})))

    top, rest, _glossary = page.tables
    assert top[1] == ["1", "Day Mins", "0.9000", "0.5000", "1", "="]
    assert top[2] == ["2", "State_68", "0.0680", "0.0010", "69", "▲ 67"]
    assert rest[-1] == ["69", "State_1", "0.0010", "0.0680", "2", "▼ 67"]
    assert (len(top), len(rest)) == (1 + 15, 1 + 54)
    assert "54 more inputs" in page.words
    assert "NDCG 0.9500" in page.words
    assert "No violations of the baseline's constraints" in page.words


def test_attribution_drift_is_named() -> None:
    violation = {"label": "label0", "metric_name": "shap", "constraint_check_type": "x", "description": "y"}

    now, before = explained(a=0.1, b=0.2, c=1.0, d=0.15), explained(a=1.0, b=0.2, c=0.1, d=0.15)
    html = render("R", now, {}, Comparison(before, [violation], {"label0": 0.6877}))

    words = Page(html).words
    assert "1 violation of the baseline's constraints" in words
    assert "NDCG 0.6877:\nthe order of inputs has drifted" in words
    assert "Moves that matter most: c from rank 4 to 1, a from rank 1 to 4." in words
    assert acted_on(html) == [NDCG_ACTION]


def test_the_page_needs_nothing_else() -> None:
    page = Page(render("R", bias(DAR=0.1) | explained(a=1.0, b=0.5), {}, Comparison()))

    assert "svg" in page.tags
    assert "script" not in page.tags
    assert all(address.startswith("#") for address in page.loads)


def test_names_from_data_are_text_and_never_markup() -> None:
    evil = "<script>alert('x')</script>"

    html = render(evil, bias(evil, DAR=0.5) | explained(**{evil: 0.1}), {evil: evil}, Comparison())

    assert "script" not in Page(html).tags
    assert Page(html).words.count(evil) >= 5


def test_odd_names_can_be_drawn() -> None:
    names = {
        "cost in $": 1.0,
        "$x^": 0.5,
        "a very long name of a feature that would fill the whole chart": 0.1,
        "": 0.2,
    }

    words = Page(render("R", explained(**names), {}, Comparison())).words

    assert "cost in $" in words
    assert "a very long name of a feature that woul…" in words


def test_the_same_analysis_gives_the_same_page() -> None:
    pages = {render("R", bias(DAR=0.1, DCA=-36.7) | explained(a=1.0), {}, Comparison()) for _ in range(2)}

    assert len(pages) == 1
    assert not re.search(r"\d{4}-\d\d-\d\dT", pages.pop())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (-36.7, "−36.7000"),
        (0.00005, "0.0001"),
        (-1e-7, "−1.00e−07"),
        (2e9, "2.00e+09"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
        (None, "–"),
        (0.0, "0.0000"),
    ],
)
def test_numbers_for_readers(value: float | None, text: str) -> None:
    assert shown(value, 4) == text


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ((0.1085, 0.00123), ["0.1085", "0.0012"]),
        ((0.00123, 0.0001), ["0.001230", "0.000100"]),
        ((2345.6, 0.25), ["2345.6", "0.2"]),
        ((0.0, 0.0), ["0.0000", "0.0000"]),
    ],
)
def test_a_column_of_attributions_shows_four_digits_of_the_largest(
    values: tuple[float, ...], column: list[str]
) -> None:
    named = {f"f{i}": value for i, value in enumerate(values)}
    table, _glossary = Page(render("R", explained(**named), {}, Comparison())).tables
    assert [row[2] for row in table[1:]] == column


def test_violations_are_explained_only_where_there_is_a_baseline() -> None:
    rule = "A value is a violation when it lies farther from 0"
    assert rule not in Page(render("R", bias(DAR=0.1), {}, Comparison())).words
    assert rule in Page(render("R", bias(DAR=0.1), {}, Comparison(bias(DAR=0.1)))).words


def test_every_metric_has_a_meaning_and_something_to_do() -> None:
    assert set(MEANINGS) == set(ACTIONS) == set(DESCRIPTIONS)
    assert all(text.endswith(".") for text in [*MEANINGS.values(), *ACTIONS.values()])


NOW = {"DAR": -0.27777, "RD": 0.3, "TE": "Infinity", "DCA": -36.7, "AD": 0.1, "CDDPL": None}
BEFORE = {"DAR": 0.1, "RD": 0.2, "TE": 2.5, "DCA": -0.5, "AD": 0.2, "CDDPL": None}
DRIFTED, PERHAPS_DRIFTED = Interval(0.6, 0.7), Interval(0.6, 0.95)
INTERVALS = {
    "AD": Interval(0.0, 0.2),
    "DAR": Interval(-0.4, -0.15),
    "DCA": Interval(-float("inf"), -12.0),
    "RD": Interval(0.1, 0.5),
}


def test_clarifys_rule_says_nothing_of_intervals() -> None:
    now, baseline = bias(**NOW) | explained(a=1.0, b=0.5), bias(**BEFORE) | explained(a=0.5, b=1.0)
    violations = [*bias_violations(now, baseline), {"label": "label0", "metric_name": "shap", "description": "y"}]

    html = render("R", now, {}, Comparison(baseline, violations, {"label0": 0.8}))

    assert not [
        word for word in ("interval", "certain", "Allowed", "resampled", ">allowed<") if word in Page(html).words
    ]
    assert [row(Page(html), name)[-1] for name in ("DAR", "RD", "TE", "DCA", "AD")] == ["violation"] * 4 + ["ok"]


def test_the_page_is_light_wherever_it_is_shown() -> None:
    html = render("R", bias(DAR=0.1), {}, Comparison())
    assert "color-scheme: light" in html
    assert "html { background: #fff; }" in html


def by_intervals(
    earlier: list[int | None] | None = None, violating: int = 1, order: Interval = DRIFTED, **now: Any
) -> tuple[dict[str, Any], Comparison]:
    analysis = bias(**(now or NOW)) | explained(a=0.2, b=0.9, c=1.0)
    baseline = bias(**BEFORE) | explained(a=1.0, b=0.1, c=0.1)
    known = Intervals(0.95, 2000, 1, {("Account Length", 0): INTERVALS}, {"label0": order})
    windows = [JudgedWindow(f"2026-11-{day:02}", found) for day, found in enumerate(earlier or [], start=1)]
    return analysis, compare_by_intervals(
        analysis, baseline, known, scheduled="2026-11-30", earlier=windows, violating=violating
    )


def page_of(analysis: dict[str, Any], comparison: Comparison) -> Page:
    return Page(render("R", analysis, {}, comparison))


def row(page: Page, name: str) -> list[str]:
    return next(row[1:] for table in page.tables for row in table if row[0].startswith(DESCRIPTIONS[name]))


def test_a_metric_stands_beside_its_interval_and_its_allowed_range() -> None:
    page = page_of(*by_intervals())

    assert page.tables[0][0] == ["Metric", "Value", "95 % interval", "Baseline", "Allowed", "Verdict"]
    assert row(page, "AD") == ["0.1000", "0.0000 … 0.2000", "0.2000", "±0.2000", "ok"]
    assert row(page, "DAR") == ["−0.2778", "−0.4000 … −0.1500", "0.1000", "±0.1000", "violation"]
    assert row(page, "DCA") == ["−36.7000", "−∞ … −12.0000", "−0.5000", "±0.5000", "violation"]
    assert row(page, "RD") == ["0.3000", "0.1000 … 0.5000", "0.2000", "±0.2000", "not certain"]
    assert row(page, "TE") == ["∞", "–", "2.5000", "±2.5000", "not certain"]
    assert row(page, "CDDPL") == ["–", "–", "–", "–", "–"]
    assert MEANINGS["DAR"] in page.words
    assert "Not computed: Group variable is empty or not provided." in page.words


def test_the_rule_is_explained_where_it_judged() -> None:
    words = page_of(*by_intervals()).words

    assert "3 violations of the baseline's constraints; 2 values are worse than allowed, but not certain" in words
    assert "resampled 2000 times (bootstrap), and a value's 95 % interval" in " ".join(words.split())
    assert "“Not certain” is what Clarify's rule" in words
    assert "How certain this is" not in page_of(bias(**NOW), Comparison(bias(**BEFORE))).words


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (DRIFTED, "(95 % interval 0.6000 … 0.7000):\nthe order of inputs has drifted"),
        (PERHAPS_DRIFTED, "(95 % interval 0.6000 … 0.9500):\nthe order of inputs may have drifted"),
    ],
)
def test_the_order_of_inputs_has_its_interval(order: Interval, text: str) -> None:
    assert text in page_of(*by_intervals(order=order)).words


def test_a_verdict_that_waits_says_for_what_and_names_the_windows() -> None:
    page = page_of(*by_intervals([0, None], violating=2))

    assert "3 violations of the baseline's constraints, and not red: too few of the last windows violate" in page.words
    assert "at least 2 of the last 3. This one does, and it makes 1 of 3; 1 of them was not judged." in page.words
    assert page.tables[0] == [
        ["Window due", "Violations"],
        ["2026-11-01", "0"],
        ["2026-11-02", "not judged"],
        ["2026-11-30 (this one)", "3"],
    ]


def test_a_verdict_that_is_red_does_not_wait() -> None:
    words = page_of(*by_intervals([1, None], violating=2)).words
    assert "not red" not in words
    assert "it makes 2 of 3" in words


def test_many_windows_are_folded_away() -> None:
    def rendered(earlier: int) -> str:
        analysis, comparison = by_intervals([0] * earlier, violating=2)
        return render("R", analysis, {}, comparison)

    few, many = rendered(3), rendered(30)
    assert "<details open>" in few
    assert "<details><summary>The last 31 windows" in many


def test_a_window_without_any_violation_is_good() -> None:
    words = page_of(*by_intervals(order=PERHAPS_DRIFTED, AD=0.1, RD=0.3)).words
    assert "No violations of the baseline's constraints; 2 values are worse than allowed" in words


def test_intervals_are_drawn() -> None:
    analysis, comparison = by_intervals()
    assert "95 % interval</text>" in render("R", analysis, {}, comparison)


def test_names_are_text_beside_intervals_too() -> None:
    evil = "<script>alert('x')</script>"
    analysis, baseline = bias(evil, DAR=0.5) | explained(**{evil: 0.1}), bias(evil, DAR=0.1) | explained(**{evil: 0.1})
    known = Intervals(0.95, 100, 1, {(evil, 0): {"DAR": Interval(0.3, 0.6)}})
    earlier = [JudgedWindow(evil, 1)]

    comparison = compare_by_intervals(analysis, baseline, known, scheduled=evil, earlier=earlier, violating=1)

    page = page_of(analysis, comparison)
    assert "script" not in page.tags
    assert page.words.count(evil) >= 6


PROCESS = """
from model_monitor.analysis.interval_rule import Intervals
from model_monitor.analysis.judging import Subject, compare_by_intervals, result_files
from model_monitor.analysis.uncertainty import Interval

def analysis(value):
    metrics = [{"name": name, "description": name, "value": value} for name in ("DAR", "RD")]
    facets = {"facets": {"Plan": [{"value_or_threshold": "gold", "metrics": metrics}]}}
    explained = {"label0": {"global_shap_values": {"a": 1.0, "b": value}, "expected_value": 0.1}}
    return {
        "post_training_bias_metrics": facets | {"label": "C", "label_value_or_threshold": "1"},
        "explanations": {"kernel_shap": explained},
    }

known = Intervals(0.95, 100, 1, {("Plan", 0): {"DAR": Interval(0.3, 0.6)}})
judged = compare_by_intervals(analysis(0.5), analysis(0.1), known, scheduled="", earlier=[], violating=1)
print(result_files(analysis(0.5), judged, Subject(12), None))
"""


def test_two_processes_write_the_same_files() -> None:
    """With hashes of their own, which order what a program forgot to order."""
    plugins = str(Path(__file__).parents[2] / "plugins")
    written = {
        subprocess.run(
            [sys.executable, "-c", PROCESS],
            env={**os.environ, "PYTHONPATH": plugins, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(written) == 1
    assert b"<svg" in written.pop()
