"""Bar charts."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from model_monitor.analysis.plots import ALERT, bars

SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_is_svg_with_its_names_as_text_in_order() -> None:
    drawing = bars("Bias <of> age", ["DAR", "RD"], [0.1, -0.2], [0.05, None], [True, False], "metric value")

    tree = ElementTree.fromstring(drawing)
    texts = [element.text for element in tree.iter(f"{SVG}text")]
    assert texts.index("DAR") < texts.index("RD")
    assert {"metric value", "baseline", "violation"} <= set(texts)
    assert ALERT in drawing


def test_flagged_bars_are_told_apart_without_colour() -> None:
    plain, flagged = (bars("t", ["DAR", "RD"], [0.1, 0.2], [None] * 2, [flag] * 2, "x") for flag in (False, True))

    assert "<pattern" in flagged
    assert "<pattern" not in plain
    assert ALERT not in plain


def bar_widths(drawing: str) -> list[float]:
    bars_ = [element for element in ElementTree.fromstring(drawing).iter(f"{SVG}rect") if element.get("class") == "bar"]
    return [float(element.get("width", "")) for element in bars_]


def test_lengths_are_in_the_proportion_of_the_values() -> None:
    drawing = bars("t", ["a", "b", "c"], [0.1, -0.2, 0.4], [0.2, None, None], [False] * 3, "x")
    first, second, third = bar_widths(drawing)
    assert second == pytest.approx(2 * first, abs=0.02)
    assert third == pytest.approx(4 * first, abs=0.02)

    tree = ElementTree.fromstring(drawing)
    (baseline,) = (
        line for line in tree.iter(f"{SVG}line") if line.get("class") == "baseline" and line.get("y1") != "5.50"
    )
    bar = next(element for element in tree.iter(f"{SVG}rect") if element.get("class") == "bar")
    assert float(baseline.get("x1", "")) == pytest.approx(float(bar.get("x", "")) + second, abs=0.02)


def test_one_huge_value_leaves_the_others_visible() -> None:
    def width_of_small_bar(linear_up_to: float | None) -> float:
        return bar_widths(bars("t", ["DCA", "RD"], [-36.7, 0.2], [None, None], [False, False], "value", linear_up_to))[
            1
        ]

    assert width_of_small_bar(None) < 5
    assert width_of_small_bar(2.0) > 15


@pytest.mark.parametrize(
    "values", [[0.0], [1e-12, -3e-12], [1e200, -1e200], [-36.7, 1e9], [0.4378, 0.333], [1.0] * 200]
)
@pytest.mark.parametrize("linear_up_to", [None, 2.0])
def test_any_values_make_a_chart_with_zero_on_its_axis(values: list[float], linear_up_to: float | None) -> None:
    drawing = bars("t", ["a"] * len(values), values, [None] * len(values), [False] * len(values), "x", linear_up_to)
    texts = [element.text for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]
    assert texts.count("0") == 1
    assert len(texts) < len(values) + 25


def test_long_names_are_cut() -> None:
    assert f"{'n' * 39}…" in bars("t", ["n" * 60], [1.0], [None], [False], "x")
