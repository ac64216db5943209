"""What values over time are drawn with: areas, lines, marks and text, placed in points on a bare figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import IdentityTransform

from model_monitor.analysis.interval_rule import NOT_CERTAIN, VIOLATION
from model_monitor.analysis.plots import ACCENT, ALERT, PALE
from model_monitor.analysis.range_findings import Point

TEXT, CHARACTER = 7.5, 4.6
"""The size of text, and the width of most letters in it."""

Corner = tuple[float, float]
LineStyle = Literal["-", "--"]


@dataclass(frozen=True)
class Sign:
    """How points of one sort are marked, and what that says."""

    name: str
    of: Callable[[Point], bool]
    marker: str
    size: float
    color: str
    filled: bool = True


def _is(verdict: str | None) -> Callable[[Point], bool]:
    return lambda point: point.value is not None and math.isfinite(point.value) and _verdict(point) == verdict


def _verdict(point: Point) -> str | None:
    return point.verdict if point.verdict in (VIOLATION, NOT_CERTAIN) else None


SIGNS = (
    Sign("window", _is(None), "o", 3.0, ACCENT),
    Sign("not certain", _is(NOT_CERTAIN), "o", 4.6, ACCENT, filled=False),
    Sign("violation", _is(VIOLATION), "D", 4.2, ALERT),
    Sign("∞", lambda point: point.value == math.inf, "^", 5.5, ALERT),
    Sign("−∞", lambda point: point.value == -math.inf, "v", 5.5, ALERT),
)


@dataclass(frozen=True)
class Canvas:
    """A figure whose artists are placed in points from the bottom left."""

    figure: Figure

    def band(self, left: float, bottom: float, right: float, top: float) -> None:
        """A pale area behind what is drawn after it."""
        self.figure.add_artist(
            Rectangle(
                (left, bottom), right - left, top - bottom, facecolor=PALE, linewidth=0, transform=IdentityTransform()
            )
        )

    def lines(
        self, segments: Sequence[tuple[Corner, Corner]], color: str, width: float = 0.8, style: LineStyle = "-"
    ) -> None:
        """Lines from point to point, as one path, which takes less room than many."""
        if segments:
            corners = [corner for segment in segments for corner in (*segment, (math.nan, math.nan))]
            across, up = zip(*corners, strict=True)
            self.figure.add_artist(
                Line2D(
                    across,
                    up,
                    color=color,
                    linewidth=width,
                    linestyle=style,
                    solid_capstyle="butt",
                    transform=IdentityTransform(),
                )
            )

    def path(self, corners: Sequence[Corner]) -> None:
        """A line through all corners."""
        across, up = zip(*corners, strict=True)
        self.figure.add_artist(Line2D(across, up, color=ACCENT, linewidth=0.9, transform=IdentityTransform()))

    def marks(self, places: Sequence[Corner], sign: Sign) -> None:
        """Marks of one sort."""
        if places:
            across, up = zip(*places, strict=True)
            self.figure.add_artist(
                Line2D(
                    across,
                    up,
                    linestyle="none",
                    marker=sign.marker,
                    markersize=sign.size,
                    markerfacecolor=sign.color if sign.filled else "white",
                    markeredgecolor=sign.color if not sign.filled else "white",
                    markeredgewidth=1.1 if not sign.filled else 0.3,
                    transform=IdentityTransform(),
                )
            )

    def text(self, x: float, y: float, text: str, align: str) -> None:
        """Text whose `align` ("left", "center" or "right") stands at x, and whose middle at y."""
        self.figure.text(x, y, text, ha=align, va="center_baseline", fontsize=TEXT, transform=IdentityTransform())
