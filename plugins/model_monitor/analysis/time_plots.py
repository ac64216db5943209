"""Values over time as SVG text, to stand inside an HTML page: one panel for each metric, two beside each other.

As in `plots`, artists are placed in points on a bare figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from model_monitor.analysis.interval_rule import NOT_CERTAIN, VIOLATION
from model_monitor.analysis.plots import DARK, MUTED, reproducible, short, svg
from model_monitor.analysis.range_findings import Point
from model_monitor.analysis.scales import Scale, scale, tick_text
from model_monitor.analysis.time_axis import time_ticks
from model_monitor.analysis.time_canvas import CHARACTER, SIGNS, Canvas, Sign

MOST_POINTS = 200
"""A panel with more windows shows the worst one of each of so many stretches of time."""

_WIDTH, _GAP, _LEFT, _RIGHT = 662.4, 16.0, 38.0, 12.0
_HEAD, _PANEL, _PLOT_BOTTOM, _PLOT_TOP = 24.0, 118.0, 20.0, 16.0
_TICK = 3.0
_WHISKER = "#8fb3cf"


@dataclass(frozen=True)
class Panel:
    """A metric over time, its baseline's value and the range that is allowed.

    `worse` says how bad a value is: greater is worse. The axis holds `anchor`.
    """

    title: str
    points: Sequence[Point]
    baseline: float | None
    allowed: tuple[float, float] | None
    worse: Callable[[float], float] = abs
    anchor: float = 0.0
    linear_up_to: float | None = 2.0


def panels(title: str, drawn: Sequence[Panel], start: datetime, end: datetime, names: Legend) -> str:
    """All panels over the same stretch of time, two in a row; a single one has the row for itself."""
    columns = 1 if len(drawn) == 1 else 2
    rows = math.ceil(len(drawn) / columns)
    height = _HEAD + _PANEL * rows
    width = (_WIDTH - _GAP * (columns - 1)) / columns
    shown = [replace(panel, points=condensed(panel.points, start, end, panel.worse)) for panel in drawn]
    with reproducible(title):
        canvas = Canvas(Figure(figsize=(_WIDTH / 72, height / 72), dpi=72))
        FigureCanvasSVG(canvas.figure)
        for number, panel in enumerate(shown):
            row, column = divmod(number, columns)
            left, bottom = column * (width + _GAP), height - _HEAD - _PANEL * (row + 1)
            _draw(canvas, panel, _Place(left + _LEFT, left + width - _RIGHT, bottom, start, end))
        _draw_legend(canvas, height - 10, names, shown)
        return svg(canvas.figure, title)


@dataclass(frozen=True)
class Legend:
    """What the signs of intervals, of the dashed line and of the band are called."""

    interval: str = "interval"
    baseline: str = "baseline"
    allowed: str = "allowed"


def condensed(
    points: Sequence[Point], start: datetime, end: datetime, worse: Callable[[float], float]
) -> Sequence[Point]:
    """The points, or the worst of each of `MOST_POINTS` stretches of time; a violation is worse than any other."""
    if len(points) <= MOST_POINTS:
        return points
    length = (end - start) / MOST_POINTS
    slots: dict[int, list[Point]] = {}
    for point in points:
        slots.setdefault(min(int((point.moment - start) / length), MOST_POINTS - 1), []).append(point)
    return [max(found, key=lambda point: _badness(point, worse)) for _, found in sorted(slots.items())]


def _badness(point: Point, worse: Callable[[float], float]) -> tuple[int, float]:
    if point.value is None:
        return -1, 0.0
    return {VIOLATION: 2, NOT_CERTAIN: 1}.get(point.verdict or "", 0), worse(point.value)


@dataclass(frozen=True)
class _Place:
    """Where a panel stands, in points, and the time that its width stands for."""

    left: float
    right: float
    bottom: float
    start: datetime
    end: datetime

    @property
    def low(self) -> float:
        """The lower end of the plot."""
        return self.bottom + _PLOT_BOTTOM

    @property
    def high(self) -> float:
        """The upper end of the plot."""
        return self.bottom + _PANEL - _PLOT_TOP

    def at(self, moment: datetime) -> float:
        """Where a moment stands."""
        room = self.right - self.left - 8
        return self.left + 4 + room * ((moment - self.start) / (self.end - self.start))


def _draw(canvas: Canvas, panel: Panel, place: _Place) -> None:
    up = scale(_ends(panel), panel.linear_up_to, place.low, place.high, most_ticks=4, anchor=panel.anchor)
    if panel.allowed is not None:
        bottom, top = (_within(up, end) for end in panel.allowed)
        canvas.band(place.left, bottom, place.right, top)
    canvas.lines([((place.left, up.at(tick)), (place.right, up.at(tick))) for tick in up.ticks], "#eef1f3", 0.6)
    if panel.baseline is not None and math.isfinite(panel.baseline):
        canvas.lines([((place.left, up.at(panel.baseline)), (place.right, up.at(panel.baseline)))], DARK, 0.9, "--")
    _draw_points(canvas, panel.points, place, up)
    canvas.lines(
        [((place.left, place.low), (place.right, place.low)), ((place.left, place.low), (place.left, place.high))], DARK
    )
    for tick in up.ticks:
        canvas.text(place.left - 3, up.at(tick), tick_text(tick), "right")
    most = int((place.right - place.left) / (CHARACTER * 8))
    for moment, text in time_ticks(place.start, place.end, most):
        x = place.at(moment)
        canvas.lines([((x, place.low), (x, place.low - _TICK))], DARK)
        canvas.text(x, place.low - 9, text, "center")
    beyond = f" (logarithmic beyond {panel.linear_up_to:g})" if up.logarithmic else ""
    room = int((place.right - place.left) / CHARACTER) - len(beyond)
    canvas.text(place.left, place.high + 8, short(panel.title, room) + beyond, "left")


def _draw_points(canvas: Canvas, points: Sequence[Point], place: _Place, up: Scale) -> None:
    whiskers = [
        (
            (place.at(point.moment), _within(up, point.interval[0])),
            (place.at(point.moment), _within(up, point.interval[1])),
        )
        for point in points
        if point.interval is not None and point.value is not None
    ]
    canvas.lines(whiskers, _WHISKER, 1.0)
    unjudged = [place.at(point.moment) for point in points if point.value is None]
    canvas.lines([((x, place.low), (x, place.low + 5)) for x in unjudged], MUTED, 1.2)
    for run in _runs(points):
        canvas.path([(place.at(point.moment), up.at(point.value or 0.0)) for point in run])
    for sign in SIGNS:
        canvas.marks([(place.at(one.moment), up.inside(one.value or 0.0)) for one in points if sign.of(one)], sign)


def _runs(points: Sequence[Point]) -> Iterable[list[Point]]:
    """Points that a line joins: finite ones with nothing missing between them."""
    run: list[Point] = []
    for point in points:
        if point.value is not None and math.isfinite(point.value):
            run.append(point)
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run


def _ends(panel: Panel) -> list[float]:
    """All finite values that the axis has to reach."""
    ends = [point.value for point in panel.points if point.value is not None]
    ends += [end for point in panel.points if point.interval is not None for end in point.interval]
    ends += [panel.baseline] if panel.baseline is not None else []
    ends += panel.allowed or ()
    return [end for end in ends if math.isfinite(end)]


def _within(up: Scale, value: float) -> float:
    return min(max(up.inside(value), up.start), up.end)


def _draw_legend(canvas: Canvas, y: float, names: Legend, drawn: Sequence[Panel]) -> None:
    """What signs say, from the left; only those that occur."""
    points = [point for panel in drawn for point in panel.points]
    entries: list[tuple[str, bool, Callable[[float], None]]] = [
        (sign.name, any(map(sign.of, points)), _sample(canvas, sign, y)) for sign in SIGNS
    ]
    entries += [
        (
            names.interval,
            any(point.interval is not None for point in points),
            lambda x: canvas.lines([((x, y - 5), (x, y + 5))], _WHISKER, 1.4),
        ),
        (
            names.baseline,
            any(panel.baseline is not None for panel in drawn),
            lambda x: canvas.lines([((x - 8, y), (x + 6, y))], DARK, 0.9, "--"),
        ),
        (
            names.allowed,
            any(panel.allowed is not None for panel in drawn),
            lambda x: canvas.band(x - 8, y - 5, x + 6, y + 5),
        ),
        (
            "no value",
            any(point.value is None for point in points),
            lambda x: canvas.lines([((x, y - 3), (x, y + 3))], MUTED, 1.2),
        ),
    ]
    x = _LEFT + 8
    for label, present, draw in entries:
        if present:
            draw(x)
            canvas.text(x + 10, y, label, "left")
            x += CHARACTER * len(label) + 30


def _sample(canvas: Canvas, sign: Sign, y: float) -> Callable[[float], None]:
    return lambda x: canvas.marks([(x, y)], sign)
