"""What is on the plots of a page, as Plotly computed and drew it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page

from screenshots.airflow_ui import wait_for_plots

DRAWN = '.plot[data-drawn="true"]'
READ = """plot => {
    const shown = plot.calcdata.filter(points => points.length && points[0].trace.visible === true);
    const real = point => Number.isFinite(point.s ?? point.y) || Number.isFinite(point.x);
    return {
        title: (plot.closest("figure, section, article") ?? plot).innerText.split("\\n")[0],
        points: shown.map(points => points.filter(real).length),
        marks: plot.querySelectorAll(
            ".scatterlayer .trace path, .barlayer .point path, .heatmaplayer image, .boxlayer path, canvas").length,
        axes: ["xaxis", "yaxis"].map(axis => plot._fullLayout[axis]?.title?.text ?? ""),
        texts: [...plot.querySelectorAll("text")].map(text => text.textContent),
    };
}"""
# Where the mouse is to be put: on the middle point of a trace, of points rather than of bars; and its value.
AIM = """plot => {
    const box = plot.getBoundingClientRect(), layout = plot._fullLayout;
    const pointable = points => points.length && points[0].trace.visible === true
        && !["skip", "none"].includes(points[0].trace.hoverinfo)
        && (points[0].trace.type === "bar" || points[0].trace.mode?.includes("markers"));
    const order = points => points[0].trace.type === "bar" ? 1 : 0;
    for (const points of plot.calcdata.filter(pointable).sort((a, b) => order(a) - order(b))) {
        const trace = points[0].trace, bar = trace.type === "bar";
        const x = layout[trace.xaxis.replace("x", "xaxis")], y = layout[trace.yaxis.replace("y", "yaxis")];
        const seen = points.filter(point => bar ? point.s : Number.isFinite(point.x) && Number.isFinite(point.y));
        if (!seen.length) continue;
        const point = seen[Math.floor(seen.length / 2)];
        const along = bar && [point.b + point.s / 2, (point.p0 + point.p1) / 2];
        const [right, up] = !bar ? [point.x, point.y] : trace.orientation === "h" ? along : along.reverse();
        const [across, down] = [x.c2p(right), y.c2p(up)];
        const value = point => bar ? point.s : layout.hovermode.startsWith("y") ? point.x : point.y;
        const near = bar ? [point] : seen.filter(other => Math.abs(x.c2p(other.x) - across) <= 3);
        return {left: box.left + x._offset + across, top: box.top + y._offset + down, values: near.map(value)};
    }
    return null;
}"""


@dataclass(frozen=True)
class Plot:
    """A plot: points of each visible trace, marks drawn, titles of its axes, all its texts."""

    title: str
    points: list[int]
    marks: int
    axes: list[str]
    texts: list[str]


def plots(page: Page) -> list[Plot]:
    """All plots of a page, once all of them are drawn."""
    wait_for_plots(page.main_frame)
    return [Plot(**plot.evaluate(READ)) for plot in page.locator(DRAWN).all()]


def hover(page: Page, plot: Locator) -> tuple[list[float], str]:
    """Put the mouse on a point; returns its value, with those within 3 pixels, and what the label beside it says."""
    plot.scroll_into_view_if_needed()
    aim: dict[str, Any] | None = plot.evaluate(AIM)
    assert aim is not None, f"nothing to point at: {plot.evaluate('plot => plot.outerHTML.slice(0, 300)')}"
    # The label follows the mouse with a delay: on its way, it must not be nearer to another point.
    page.mouse.move(aim["left"], aim["top"] - 2)
    page.mouse.move(aim["left"], aim["top"], steps=2)
    label = plot.locator(".hoverlayer .hovertext, .hoverlayer .legend").first
    label.wait_for()
    return [float(value) for value in aim["values"]], " ".join(label.locator("text").all_text_contents())


def says(label: str, values: list[float]) -> bool:
    """Whether a number in a label is one of the values, to the digits that are shown."""
    for text in re.findall(r"[-−]?\d+(?:\.\d+)?", label):
        digits = len(text.partition(".")[2])
        shown = float(text.replace("−", "-"))
        if any(abs(shown - value) <= 0.5 * 10**-digits + 1e-12 for value in values):
            return True
    return False
