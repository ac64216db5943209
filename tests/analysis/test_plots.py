"""Bar charts."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from model_monitor.analysis.plots import ALERT, bars


def test_a_chart_is_svg_with_its_names_as_text_in_order() -> None:
    drawing = bars("Bias <of> age", ["DAR", "RD"], [0.1, -0.2], [0.05, None], [True, False], "metric value")

    tree = ElementTree.fromstring(drawing)
    texts = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.index("DAR") < texts.index("RD")
    assert {"metric value", "baseline", "violation"} <= set(texts)
    assert ALERT in drawing


def test_flagged_bars_are_told_apart_without_colour() -> None:
    plain, flagged = (bars("t", ["DAR", "RD"], [0.1, 0.2], [None] * 2, [flag] * 2, "x") for flag in (False, True))

    assert "<pattern" in flagged
    assert "<pattern" not in plain
    assert ALERT not in plain


def test_one_huge_value_leaves_the_others_visible() -> None:
    def width_of_small_bar(linear_up_to: float | None) -> float:
        drawing = bars("t", ["DCA", "RD"], [-36.7, 0.2], [None, None], [False, False], "value", linear_up_to)
        paths = [element.get("d", "") for element in ElementTree.fromstring(drawing).iter() if element.get("clip-path")]
        corners = [float(word) for word in paths[1].split()[1::3]]
        return max(corners) - min(corners)

    assert width_of_small_bar(None) < 5
    assert width_of_small_bar(2.0) > 15
