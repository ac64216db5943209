"""Bar charts as SVG text, to stand inside an HTML page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

ACCENT, MUTED, ALERT = "#2f6f9f", "#9aa5ad", "#b3402a"

_WIDTH, _ROW, _TOP, _BOTTOM, _SIDE, _CHARACTER = 662.4, 19.44, 28.0, 38.0, 10.0, 5.0
"""Points; a character's width is that of most letters at the size of the names."""


def bars(
    title: str,
    names: Sequence[str],
    values: Sequence[float],
    baseline: Sequence[float | None],
    flagged: Sequence[bool],
    axis: str,
    linear_up_to: float | None = None,
) -> str:
    """Horizontal bars, the first name on top, with the baseline's values as short upright strokes; flagged bars are
    hatched.

    Beyond `linear_up_to` the axis is logarithmic, so that one huge value leaves the others visible. Text stays text in
    the SVG; the same input gives the same output.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}):
        shown = [_short(name) for name in names]
        height = _TOP + _ROW * len(names) + _BOTTOM
        # Placed by hand: matplotlib's own layouts draw everything several times to find the same places.
        left = _SIDE + _CHARACTER * max(map(len, shown))
        figure = Figure(figsize=(_WIDTH / 72, height / 72))
        FigureCanvasSVG(figure)
        axes = figure.add_axes(
            (left / _WIDTH, _BOTTOM / height, 1 - (left + _SIDE) / _WIDTH, _ROW * len(names) / height)
        )
        places = list(range(len(names)))
        axes.barh(
            places,
            values,
            height=0.62,
            color=[ALERT if flag else ACCENT for flag in flagged],
            hatch=["////" if flag else "" for flag in flagged],
            edgecolor="white",
            linewidth=0,
        )
        legend: list[Any] = []
        if any(flagged):
            legend.append(Patch(facecolor=ALERT, hatch="////", edgecolor="white", label="violation"))
        known = [(place, value) for place, value in zip(places, baseline, strict=True) if value is not None]
        if known:
            across, down = [value for _, value in known], [place for place, _ in known]
            legend.append(axes.scatter(across, down, marker="|", s=170, color="#222", label="baseline"))
        if legend:
            figure.legend(handles=legend, loc="upper right", borderaxespad=0.2, ncols=2, frameon=False, fontsize=8)
        largest = max(abs(value) for value in [*values, *(value for _, value in known)])
        if linear_up_to is not None and largest > linear_up_to:
            axes.set_xscale("symlog", linthresh=linear_up_to)
            axes.xaxis.set_major_formatter("{x:g}")
            axis = f"{axis}; logarithmic beyond {linear_up_to:g}"
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_yticks(places, shown, fontsize=8)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.tick_params(axis="x", labelsize=8)
        axes.set_xlabel(axis, fontsize=8)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        text = io.StringIO()
        figure.savefig(
            text, format="svg", metadata={"Title": title, "Date": None, "Creator": None, "Format": None, "Type": None}
        )
    drawing = text.getvalue()
    return drawing[drawing.index("<svg") :]


def _short(name: str, limit: int = 40) -> str:
    text = name if len(name) <= limit else f"{name[: limit - 1]}…"
    return text.replace("$", r"\$")
