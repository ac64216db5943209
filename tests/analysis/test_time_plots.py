"""Values over time, drawn."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

from model_monitor.analysis.plots import ACCENT, ALERT, PALE
from model_monitor.analysis.range_findings import Point
from model_monitor.analysis.time_plots import MOST_POINTS, Legend, Panel, condensed, panels

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 11, 20, tzinfo=UTC)
END = START + timedelta(days=2)


def point(hour: float, value: float | None, verdict: str | None = "ok", **more: Any) -> Point:
    return Point(START + timedelta(hours=hour), value, verdict=verdict, **more)


def drawn(*points: Point, baseline: float | None = 0.2, allowed: tuple[float, float] | None = (-0.2, 0.2)) -> str:
    return panels("t", [Panel("DAR: a metric", points, baseline, allowed)], START, END, Legend())


def texts(drawing: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def marks(drawing: str, style: str) -> list[tuple[float, float]]:
    """Where marks of a style stand, without the legend's, which come last."""
    found = [use for use in ElementTree.fromstring(drawing).iter(f"{SVG}use") if style in use.get("style", "")]
    return [(float(use.get("x", "")), float(use.get("y", ""))) for use in found][:-1]


WINDOW, VIOLATED = f"fill: {ACCENT}", f"fill: {ALERT}"


def test_a_panel_has_its_title_its_days_and_a_legend_of_what_occurs() -> None:
    found = texts(drawn(point(1, 0.1), point(2, 0.5, "violation")))
    assert "DAR: a metric" in found
    assert {"20 Nov", "21 Nov", "12:00"} <= set(found)
    assert {"window", "violation", "baseline", "allowed"} <= set(found)
    assert not {"not certain", "∞", "interval", "no value"} & set(found)


def test_marks_stand_where_moment_and_value_are() -> None:
    places = marks(drawn(point(0, 0.0), point(12, 0.1), point(24, 0.4), point(48, 0.2)), WINDOW)

    across, down = zip(*places, strict=True)
    assert [x - across[0] for x in across] == pytest.approx(
        [0, (across[3] - across[0]) / 4, (across[3] - across[0]) / 2, across[3] - across[0]], abs=1e-3
    )
    assert [down[0] - y for y in down] == pytest.approx(
        [0, (down[0] - down[2]) / 4, down[0] - down[2], (down[0] - down[2]) / 2], abs=1e-3
    )


def test_violations_and_doubts_differ_in_shape_not_only_in_colour() -> None:
    drawing = drawn(point(1, 0.1), point(2, 0.5, "violation"), point(3, 0.4, "not certain"), point(4, math.inf))
    assert len(marks(drawing, VIOLATED)) == 1 + 2
    assert {"window", "violation", "not certain", "∞"} <= set(texts(drawing))
    shapes = set(re.findall(r'<path id="(m\w+)" d="([^"]*)"', drawing))
    assert len({shape for name, shape in shapes if f'"#{name}"' in drawing}) >= 4


def path_lengths(drawing: str) -> list[int]:
    paths = [
        path
        for path in ElementTree.fromstring(drawing).iter(f"{SVG}path")
        if f"stroke: {ACCENT}" in path.get("style", "")
    ]
    return [len(re.findall(r"[ML]", path.get("d", ""))) for path in paths if "fill: none" in path.get("style", "")]


def test_the_line_has_a_gap_where_there_is_no_value() -> None:
    assert path_lengths(drawn(point(1, 0.1), point(2, -0.1), point(3, 0.1))) == [3]
    gap = drawn(point(1, 0.1), point(2, 0.2), point(3, None, None), point(4, 0.1), point(5, -0.2), point(6, 0.1))
    assert path_lengths(gap) == [2, 3]
    assert "no value" in texts(gap)


def test_the_band_is_what_is_allowed() -> None:
    assert drawn(point(1, 0.1)).count(PALE) == 2
    assert drawn(point(1, 0.1), allowed=None).count(PALE) == 0
    assert drawn(point(1, 0.1), baseline=math.inf, allowed=(-math.inf, math.inf)).count(PALE) == 2


def test_intervals_are_drawn_also_where_they_have_no_end() -> None:
    drawing = drawn(point(1, 0.1, interval=(-math.inf, math.inf)), point(2, 0.1, interval=(0.0, 0.2)))
    assert "interval" in texts(drawing)


@pytest.mark.parametrize(
    "values", [[0.0], [1e-12, -3e-12], [1e200, -1e200], [math.inf, -math.inf], [None], [-36.7, 1e9]]
)
def test_any_values_make_a_chart(values: list[float | None]) -> None:
    chart = ElementTree.fromstring(
        drawn(*(point(hour, value) for hour, value in enumerate(values)), baseline=None, allowed=None)
    )
    assert chart.tag.endswith("svg")


def test_few_points_stay_as_they_are() -> None:
    points = [point(hour / 10, 0.1) for hour in range(MOST_POINTS)]
    assert condensed(points, START, END, abs) == points


def test_of_many_points_the_worst_of_each_stretch_stays() -> None:
    points = [point(number * 48 / 1000, number % 7 / 10) for number in range(1000)]
    points[500] = point(500 * 48 / 1000, 0.001, "violation")

    kept = condensed(points, START, END, abs)

    length = (END - START) / MOST_POINTS
    expected = []
    for slot in range(MOST_POINTS):
        inside = [one for one in points if START + slot * length <= one.moment < START + (slot + 1) * length]
        flagged = [one for one in inside if one.verdict == "violation"]
        expected.append(max(flagged or inside, key=lambda one: abs(one.value or 0)))
    assert list(kept) == expected
    assert points[500] in kept


def test_panels_stand_two_in_a_row_and_one_alone_is_wide() -> None:
    def height(count: int) -> float:
        drawing = panels("t", [Panel("p", [point(1, 0.1)], None, None)] * count, START, END, Legend())
        return float(str(ElementTree.fromstring(drawing).get("height")).removesuffix("pt"))

    assert height(1) == height(2)
    assert height(4) == height(3) > height(2)


def test_the_same_points_give_the_same_drawing_also_in_threads() -> None:
    expected, found = drawn(point(1, 0.1), point(2, 0.5, "violation")), []

    def draw() -> None:
        found.extend(drawn(point(1, 0.1), point(2, 0.5, "violation")) for _ in range(5))

    threads = [Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {expected}
    assert len(found) == 20


def test_odd_titles_are_text_and_cut() -> None:
    drawing = panels("t", [Panel("cost in $ <b>" + "x" * 500, [point(1, 0.1)], None, None)] * 2, START, END, Legend())
    title = next(text for text in texts(drawing) if text.startswith("cost in $ <b>x"))
    assert title.endswith("…")
    assert len(title) < 90
