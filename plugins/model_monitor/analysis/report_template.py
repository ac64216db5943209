"""The report's template, compiled once for all that this process and those forked from it render, and its filters."""

from __future__ import annotations

import math
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model_monitor.analysis.uncertainty import Interval

READABLE = 1e6


def shown(value: float | None, decimals: int) -> str:
    """A number as a reader of a column wants it: decimal points in line, ∞ for infinities, an en dash for none.

    What would be all zeros, or too long to read, is written with an exponent.
    """
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    plain = value == 0 or 0.5 * 10**-decimals <= abs(value) < READABLE
    return (f"{value:.{decimals}f}" if plain else f"{value:.2e}").replace("-", "−")


def climb(ranks: int | None) -> str:
    """How many ranks something rose or fell, readable without colour; an en dash for unknown."""
    if ranks is None:
        return "–"
    return f"▲ {ranks}" if ranks > 0 else f"▼ {-ranks}" if ranks < 0 else "="


def interval(ends: Interval | None, decimals: int) -> str:
    """An interval's two ends as `shown`; an en dash for none."""
    return "–" if ends is None else f"{shown(ends.low, decimals)} … {shown(ends.high, decimals)}"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters["number"] = shown
ENVIRONMENT.filters["interval"] = interval
ENVIRONMENT.filters["climb"] = climb

TEMPLATE = ENVIRONMENT.get_template("report.html.j2")
