"""Bar charts as SVG text, to stand inside an HTML page.

Matplotlib's artists are placed in points on a bare figure: its axes, which place what they hold, take several times as
long to draw the same.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import IdentityTransform

from model_monitor.analysis.scales import scale, tick_text

ACCENT, MUTED, ALERT, DARK, PALE = "#2f6f9f", "#9aa5ad", "#b3402a", "#222222", "#e3e8eb"

_WIDTH, _ROW, _TOP, _BOTTOM, _SIDE, _CHARACTER = 662.4, 19.44, 28.0, 38.0, 10.0, 5.0
"""Points; a character's width is that of most letters at the size of the text."""

_ONE_AT_A_TIME = Lock()
"""Matplotlib's settings are the process's."""

_BAR, _BAND, _STROKE, _CAP, _TEXT, _TICK = 0.62 * _ROW, 0.9 * _ROW, 13.0, 3.0, 8.0, 3.5


@dataclass(frozen=True)
class Ranges:
    """What else is known of each bar: the interval of its value, and how far from 0 the value is allowed to lie.

    `name` is what the legend calls the intervals. None stands for what is not known; ends can be infinite.
    """

    name: str
    intervals: Sequence[tuple[float, float] | None]
    allowed: Sequence[float | None]

    def ends(self) -> list[float]:
        """All finite ends, which the axis has to reach."""
        ends = [end for interval in self.intervals if interval is not None for end in interval]
        ends += [end for limit in self.allowed if limit is not None for end in (-limit, limit)]
        return [end for end in ends if math.isfinite(end)]


def bars(
    title: str,
    names: Sequence[str],
    values: Sequence[float],
    baseline: Sequence[float | None],
    flagged: Sequence[bool],
    axis: str,
    linear_up_to: float | None = None,
    ranges: Ranges | None = None,
) -> str:
    """Horizontal bars, the first name on top, with the baseline's values as short upright strokes; flagged bars are
    hatched. `ranges` adds intervals as whiskers, without a cap where they go on, and allowed ranges as pale bands.

    Beyond `linear_up_to` the axis is logarithmic, so that one huge value leaves the others visible. Text stays text in
    the SVG; the same input gives the same output.
    """
    shown = [short(name) for name in names]
    known = [(row, value) for row, value in enumerate(baseline) if value is not None]
    height = _TOP + _ROW * len(names) + _BOTTOM
    placed = [*values, *(value for _, value in known), *(ranges.ends() if ranges else [])]
    across = scale(placed, linear_up_to, _SIDE + _CHARACTER * max(map(len, shown)), _WIDTH - _SIDE)
    with reproducible(title):
        canvas = _Canvas(Figure(figsize=(_WIDTH / 72, height / 72), dpi=72))
        FigureCanvasSVG(canvas.figure)
        rows = [height - _TOP - _ROW * (row + 0.5) for row in range(len(names))]
        if ranges:
            for middle, limit in zip(rows, ranges.allowed, strict=True):
                if limit is not None:
                    canvas.band(across.inside(-limit), across.inside(limit), middle)
        for middle, value, flag in zip(rows, values, flagged, strict=True):
            canvas.bar(across.at(0), across.at(value), middle, flag)
        canvas.lines([((across.at(0), _BOTTOM), (across.at(0), height - _TOP))], MUTED)
        canvas.strokes([(across.at(value), rows[row]) for row, value in known])
        if ranges:
            for middle, interval in zip(rows, ranges.intervals, strict=True):
                if interval is not None:
                    low, high = interval
                    caps = [across.at(end) for end in interval if math.isfinite(end)]
                    canvas.whisker(across.inside(low), across.inside(high), middle, caps)
        for middle, name in zip(rows, shown, strict=True):
            canvas.text(across.start - _TICK - 2, middle, name, "right")
        canvas.lines([((across.start, _BOTTOM), (_WIDTH - _SIDE, _BOTTOM))], DARK)
        canvas.lines([((across.at(tick), _BOTTOM), (across.at(tick), _BOTTOM - _TICK)) for tick in across.ticks], DARK)
        for tick in across.ticks:
            canvas.text(across.at(tick), _BOTTOM - 10, tick_text(tick), "center")
        if across.logarithmic:
            axis = f"{axis}; logarithmic beyond {linear_up_to:g}"
        canvas.text((across.start + _WIDTH - _SIDE) / 2, 9, axis, "center")
        canvas.legend(height - _TOP / 2, bool(known), any(flagged), ranges.name if ranges else None)
        return svg(canvas.figure, title)


@dataclass(frozen=True)
class _Canvas:
    """A figure whose artists are placed in points from the bottom left."""

    figure: Figure

    def bar(self, start: float, end: float, middle: float, flagged: bool) -> None:
        """A horizontal bar."""
        self.figure.add_artist(
            Rectangle(
                (min(start, end), middle - _BAR / 2),
                abs(end - start),
                _BAR,
                facecolor=ALERT if flagged else ACCENT,
                hatch="////" if flagged else None,
                edgecolor="white",
                linewidth=0,
                transform=IdentityTransform(),
            )
        )

    def band(self, start: float, end: float, middle: float) -> None:
        """A pale band behind what is drawn after it."""
        self.figure.add_artist(
            Rectangle(
                (start, middle - _BAND / 2),
                end - start,
                _BAND,
                facecolor=PALE,
                linewidth=0,
                transform=IdentityTransform(),
            )
        )

    def whisker(self, start: float, end: float, middle: float, caps: Sequence[float]) -> None:
        """A horizontal line with short upright ones at `caps`, edged in white to be seen on bars."""
        segments = [((start, middle), (end, middle))]
        segments += [((cap, middle - _CAP), (cap, middle + _CAP)) for cap in caps]
        for color, width in (("white", 2.6), (DARK, 1.1)):
            self.figure.add_artist(
                LineCollection(segments, colors=color, linewidths=width, transform=IdentityTransform())
            )

    def lines(self, segments: Sequence[tuple[tuple[float, float], tuple[float, float]]], color: str) -> None:
        """Thin lines from point to point."""
        self.figure.add_artist(LineCollection(segments, colors=color, linewidths=0.8, transform=IdentityTransform()))

    def strokes(self, points: Sequence[tuple[float, float]]) -> None:
        """Short upright strokes."""
        across, down = [x for x, _ in points], [y for _, y in points]
        self.figure.add_artist(
            Line2D(
                across,
                down,
                linestyle="none",
                marker="|",
                markersize=_STROKE,
                markeredgewidth=1.5,
                color=DARK,
                transform=IdentityTransform(),
            )
        )

    def text(self, x: float, y: float, text: str, align: str) -> None:
        """Text whose `align` ("left", "center" or "right") stands at x, and whose middle at y."""
        self.figure.text(x, y, text, ha=align, va="center_baseline", fontsize=_TEXT, transform=IdentityTransform())

    def legend(self, y: float, strokes: bool, hatched: bool, intervals: str | None) -> None:
        """What strokes, hatches, whiskers and bands say, from the right."""
        signs: list[tuple[str, bool, Callable[[float], None]]] = [
            ("baseline", strokes, lambda x: self.strokes([(x, y)])),
            ("violation", hatched, lambda x: self.bar(x - 12, x + 4, y, flagged=True)),
            (intervals or "", intervals is not None, lambda x: self.whisker(x - 14, x + 2, y, [x - 14, x + 2])),
            ("allowed", intervals is not None, lambda x: self.band(x - 12, x + 4, y)),
        ]
        x = _WIDTH - _SIDE
        for label, present, draw in signs:
            if present:
                self.text(x, y, label, "right")
                x -= _CHARACTER * len(label) + 6
                draw(x)
                x -= 24


@contextmanager
def reproducible(title: str) -> Iterator[None]:
    """Settings with which the same drawing is the same text, in which text stays text; for one thread at a time."""
    with (
        _ONE_AT_A_TIME,
        matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}),
    ):
        yield


def svg(figure: Figure, title: str) -> str:
    """A figure as SVG text, without what differs from run to run."""
    text = io.StringIO()
    metadata = {"Title": title, "Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(text, format="svg", metadata=metadata)
    drawing = text.getvalue()
    return drawing[drawing.index("<svg") :]


def short(name: str, limit: int = 40) -> str:
    """A name as a chart has room for it; dollars are no mathematics, nothing turns the writing's direction."""
    plain = name.translate(_UNSEEN)
    text = plain if len(plain) <= limit else f"{plain[: limit - 1]}…"
    return text.replace("$", r"\$")


_UNSEEN = dict.fromkeys([*range(32), 127, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Control characters, and those that turn the direction of writing."""
