"""Bar charts as SVG text, to stand inside an HTML page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

ACCENT, MUTED, ALERT = "#2f6f9f", "#9aa5ad", "#b3402a"


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
        figure = Figure(figsize=(9.2, 1.0 + 0.27 * len(names)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
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
            figure.legend(handles=legend, loc="outside upper right", ncols=2, frameon=False, fontsize=8)
        largest = max(abs(value) for value in [*values, *(value for _, value in known)])
        if linear_up_to is not None and largest > linear_up_to:
            axes.set_xscale("symlog", linthresh=linear_up_to)
            axes.xaxis.set_major_formatter("{x:g}")
            axis = f"{axis}; logarithmic beyond {linear_up_to:g}"
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_yticks(places, [_short(name) for name in names], fontsize=8)
        axes.invert_yaxis()
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
