"""The report as its reader gets it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from model_monitor.analysis.bias_metrics import DESCRIPTIONS
from model_monitor.analysis.drift import bias_violations
from model_monitor.analysis.report import Comparison, render
from model_monitor.analysis.report_template import shown
from model_monitor.analysis.report_texts import MEANINGS


class Page(HTMLParser):
    """What stands in the page: tables by row, visible words, and everything that it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.words = ""
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        self._cell = tag in ("td", "th") or (self._cell and tag == "em")
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._cell:
            self.tables[-1][-1][-1] += data.strip()

    def cells(self, first: str) -> list[str]:
        return next(row for table in self.tables for row in table if row[:1] == [first] or row[1:2] == [first])


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

    assert page.cells("Difference in Acceptance Rates (DAR)")[1:4] == ["−0.2778", "0.0000", "violation"]
    assert page.cells("Recall Difference (RD)")[1:4] == ["0.1000", "0.2000", "ok"]
    assert page.cells("Treatment Equality (TE)")[1:4] == ["∞", "2.5000", "violation"]
    *_, verdict, meaning = page.cells("Conditional Demographic Disparity in Predicted Labels (CDDPL)")
    assert verdict == "–"
    assert meaning.endswith("Not computed: Group variable is empty or not provided.")
    assert "2 violations of the baseline's constraints" in page.words
    assert all(text in page.words for text in ("Weekly", "Endpointchurn", "Account Length: (100, 232]"))


def test_without_a_baseline_there_is_nothing_to_judge() -> None:
    page = Page(render("Analysis Report", bias(DAR=0.1), {}, Comparison()))

    assert page.tables[0][0] == ["Metric", "Value", "Meaning"]
    assert "Not compared with a baseline" in page.words


def test_features_are_ranked_and_the_long_tail_is_folded_away() -> None:
    values = {f"State_{i}": i / 1000 for i in range(1, 69)} | {"Day Mins": 0.9}
    before = {f"State_{i}": (69 - i) / 1000 for i in range(1, 69)} | {"Day Mins": 0.5}

    page = Page(render("R", explained(**values), {}, Comparison(explained(**before), (), {"label0": 0.95})))

    top, rest = page.tables
    assert top[1] == ["1", "Day Mins", "0.9000", "0.5000", "1"]
    assert top[2] == ["2", "State_68", "0.0680", "0.0010", "69"]
    assert (len(top), len(rest)) == (1 + 15, 1 + 54)
    assert "54 more inputs" in page.words
    assert "NDCG 0.9500" in page.words
    assert "No violations of the baseline's constraints" in page.words


def test_attribution_drift_is_named() -> None:
    violation = {"label": "label0", "metric_name": "shap", "constraint_check_type": "x", "description": "y"}

    page = Page(render("R", explained(a=1.0), {}, Comparison(explained(a=1.0), [violation], {"label0": 0.6877})))

    assert "1 violation of the baseline's constraints" in page.words
    assert "NDCG 0.6877:\nthe order of inputs has drifted" in page.words


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
    (table,) = Page(render("R", explained(**named), {}, Comparison())).tables
    assert [row[2] for row in table[1:]] == column


def test_violations_are_explained_only_where_there_is_a_baseline() -> None:
    rule = "A value is a violation when it lies farther from 0"
    assert rule not in Page(render("R", bias(DAR=0.1), {}, Comparison())).words
    assert rule in Page(render("R", bias(DAR=0.1), {}, Comparison(bias(DAR=0.1)))).words


def test_every_metric_has_a_meaning() -> None:
    assert set(MEANINGS) == set(DESCRIPTIONS)
