"""Bar charts."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from model_monitor.analysis.plots import ALERT, PALE, Ranges, bars

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


def spans(drawing: str, count: int) -> list[tuple[float, float]]:
    """From where to where the bars reach: they are the first paths on the background."""
    _, *paths = [path.get("d", "") for path in ElementTree.fromstring(drawing).iter(f"{SVG}path")]
    corners = [[float(word) for word in path.replace("z", "").split()[1::3]] for path in paths[:count]]
    return [(min(across), max(across)) for across in corners]


def bar_widths(drawing: str, count: int) -> list[float]:
    return [right - left for left, right in spans(drawing, count)]


def test_lengths_are_in_the_proportion_of_the_values() -> None:
    first, second, third = bar_widths(bars("t", ["a", "b", "c"], [0.1, -0.2, 0.4], [0.2] * 3, [False] * 3, "x"), 3)
    assert second == pytest.approx(2 * first, rel=1e-4)
    assert third == pytest.approx(4 * first, rel=1e-4)


def test_the_baseline_stands_where_its_value_is() -> None:
    drawing = bars("t", ["a", "b"], [0.1, 0.2], [0.2, None], [False, False], "x")
    place, _of_the_legend = (float(stroke.get("x", "")) for stroke in ElementTree.fromstring(drawing).iter(f"{SVG}use"))
    assert place == pytest.approx(spans(drawing, 2)[1][1], abs=1e-3)


def test_one_huge_value_leaves_the_others_visible() -> None:
    def width_of_small_bar(linear_up_to: float | None) -> float:
        drawing = bars("t", ["DCA", "RD"], [-36.7, 0.2], [None, None], [False, False], "value", linear_up_to)
        return bar_widths(drawing, 2)[1]

    assert width_of_small_bar(None) < 5
    assert width_of_small_bar(2.0) > 15


@pytest.mark.parametrize("values", [[0.0], [1e-12, -3e-12], [1e200, -1e200], [-36.7, 1e9], [1.0] * 200])
@pytest.mark.parametrize("linear_up_to", [None, 2.0])
def test_any_values_make_a_chart(values: list[float], linear_up_to: float | None) -> None:
    none, plain = [None] * len(values), [False] * len(values)
    widths = bar_widths(bars("t", ["a"] * len(values), values, none, plain, "x", linear_up_to), len(values))
    assert all((width > 0) == (value != 0) for width, value in zip(widths, values, strict=True))


def ranged(interval: tuple[float, float] | None, allowed: float | None) -> str:
    ranges = Ranges("95 % interval", [interval], [allowed])
    return bars("t", ["a"], [0.1], [None], [False], "x", 2.0, ranges)


def drawn(drawing: str, property: str) -> list[list[tuple[float, float]]]:
    """The corners of the paths that have this style, without those of the legend, which come last."""
    paths = [path for path in ElementTree.fromstring(drawing).iter(f"{SVG}path") if property in path.get("style", "")]
    words = [path.get("d", "").replace("z", "").split() for path in paths]
    return [list(zip(map(float, one[1::3]), map(float, one[2::3]), strict=True)) for one in words]


WHISKER = "stroke-width: 1.1"


def test_whiskers_reach_from_end_to_end_and_the_band_as_far_as_allowed() -> None:
    drawing = ranged((0.05, 0.4), 0.2)
    ((left, right),) = spans(drawing.replace(PALE, ""), 2)[1:]
    zero, unit = left, (right - left) / 0.1

    line, low, high, *_legend = drawn(drawing, WHISKER)
    band, _legend_band = drawn(drawing, PALE)

    assert [x for x, _ in line] == pytest.approx([zero + 0.05 * unit, zero + 0.4 * unit], abs=1e-3)
    assert [low[0][0], high[0][0]] == pytest.approx([x for x, _ in line], abs=1e-3)
    assert (min(x for x, _ in band), max(x for x, _ in band)) == pytest.approx(
        (zero - 0.2 * unit, zero + 0.2 * unit), abs=1e-3
    )
    assert {"95 % interval", "allowed"} <= {text.text for text in ElementTree.fromstring(drawing).iter(f"{SVG}text")}


@pytest.mark.parametrize(
    ("interval", "lines"),
    [((0.05, 0.4), 3), ((0.05, float("inf")), 2), ((float("-inf"), float("inf")), 1), (None, 0)],
)
def test_an_infinite_end_goes_on_without_a_cap(interval: tuple[float, float] | None, lines: int) -> None:
    of_the_legend = 3
    assert len(drawn(ranged(interval, 0.2), WHISKER)) == lines + of_the_legend


def test_an_unlimited_band_is_as_wide_as_the_chart() -> None:
    (wide, _), (narrow, _) = (drawn(ranged(None, limit), PALE) for limit in (float("inf"), 0.2))
    assert max(x for x, _ in wide) > max(x for x, _ in narrow)
    assert min(x for x, _ in wide) < min(x for x, _ in narrow)


def test_without_ranges_there_is_neither_whisker_nor_band() -> None:
    drawing = bars("t", ["a"], [0.1], [0.2], [True], "x", 2.0)
    assert not drawn(drawing, WHISKER)
    assert not drawn(drawing, PALE)
    assert "allowed" not in drawing


def test_long_names_are_cut() -> None:
    assert f"{'n' * 39}…" in bars("t", ["n" * 60], [1.0], [None], [False], "x")


def test_what_is_unseen_in_names_is_left_out() -> None:
    drawing = bars("t", ["a\u202eb\x00c\u2066\n"], [1.0], [None], [False], "x")
    assert "abc" in {element.text for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")}
