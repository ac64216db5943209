"""What all charts have in common: plain plotly figures, whose colours are the page's own CSS variables.

A figure is `{"data": [traces], "layout": {...}}`. `static/app.js` replaces `var(--name)` by the theme's colour and
`{"shared": name}` by a list that several charts of a page have in common.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

Figure = dict[str, Any]

VALUE, BASELINE, ALLOWED, INTERVAL = "var(--value)", "var(--baseline)", "var(--allowed)", "var(--interval)"
VIOLATION, SECOND, INK, MUTED, LINE = "var(--violation)", "var(--second)", "var(--ink)", "var(--muted)", "var(--line)"
CLEAR = "rgba(0,0,0,0)"
SHORT, WRAPPED = 26, 60
FEW = 30
"""Up to how many marks are drawn large."""


def text(untrusted: object) -> str:
    """A text that plotly shows as it is; it would take `<`, `>` and `&` for its own kind of HTML."""
    return str(untrusted).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(name: str, width: int = SHORT) -> str:
    """A name that fits on an axis; not escaped."""
    plain = " ".join(name.split())
    return plain if len(plain) <= width else f"{plain[: width - 1]}…"


def short(name: str, width: int = SHORT) -> str:
    """A name that fits on an axis."""
    return text(cut(name, width))


def wrapped(name: str, width: int = WRAPPED) -> str:
    """A name in lines that a hover box can hold."""
    lines = textwrap.wrap(name, width, break_long_words=True) or [name]
    return "<br>".join(map(text, lines))


def number(value: float | None) -> float | None:
    """A value as JSON can carry it: six digits, None where there is none or it is not finite."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def numbers(values: Iterable[float | None]) -> list[float | None]:
    """Values as JSON can carry them."""
    return [number(value) for value in values]


def moment(time: datetime) -> str:
    """A time as plotly reads it."""
    return f"{time:%Y-%m-%dT%H:%M:%S}" if time.second else f"{time:%Y-%m-%dT%H:%M}"


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis with quiet lines, whose labels are never cut off."""
    return {
        "title": {"text": text(title), "font": {"size": 12, "color": MUTED}, "standoff": 6},
        "automargin": True,
        "gridcolor": LINE,
        "linecolor": LINE,
        "zerolinecolor": LINE,
        "zerolinewidth": 2,
        "tickfont": {"size": 11, "color": MUTED},
        **more,
    }


def time_axis(start: datetime, end: datetime, title: str = "Window's scheduled time, UTC") -> dict[str, Any]:
    """An axis of time that is the same for all charts of a page, so that what is missing is seen."""
    return axis(title, type="date", range=[moment(start), moment(end)], hoverformat="%a %d %b %Y %H:%M UTC", nticks=7)


def layout(height: int, **more: Any) -> dict[str, Any]:
    """A layout on the page's own background."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"family": "var(--font)", "size": 12, "color": INK},
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": "var(--raised)",
            "bordercolor": LINE,
            "font": {"family": "var(--font)", "size": 12, "color": INK},
            "namelength": -1,
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        "showlegend": False,
        **more,
    }


def line(name: str, x: Any, y: Sequence[Any], colour: str, **more: Any) -> dict[str, Any]:
    """A line with a point for each value, so that a value between two gaps is seen."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": text(name),
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 2},
        "marker": {"color": colour, "size": 4 if len(y) <= FEW else 3},
        "hovertemplate": "%{y:.4f}",
        **more,
    }


def edge(x: Any, y: Any, **more: Any) -> dict[str, Any]:
    """The invisible edge of an area."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"width": 0, "color": CLEAR},
        "hoverinfo": "skip",
        "showlegend": False,
        **more,
    }


def violations(x: Any, y: Any, name: str = "Violation") -> dict[str, Any]:
    """Marks that differ from other points in shape as well as in colour."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": x,
        "y": y,
        "marker": {"symbol": "x", "size": 8 if len(x) <= FEW else 5, "color": VIOLATION},
        "hovertemplate": "%{y:.4f}",
    }


def figure(data: list[dict[str, Any]], layout: Mapping[str, Any], **config: Any) -> Figure:
    """Traces and layout; `config` is plotly's."""
    return {"data": data, "layout": dict(layout), **({"config": config} if config else {})}
