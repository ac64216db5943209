"""Bar charts as SVG text, to stand inside an HTML page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

ACCENT, MUTED, ALERT, INK = "#2f6f9f", "#9aa5ad", "#b3402a", "#222222"
LONGEST_NAME = 40

_WIDTH, _ROW, _BAR = 662.4, 19.5, 12.0
_TOP, _BOTTOM, _RIGHT, _GAP = 24.0, 36.0, 8.0, 6.0
_FONT, _CHARACTER = 8.0, 4.9
_MARGIN = 0.05
_MOST_TICKS = 9
_HATCH = "violation-hatch"


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
    shown = [_short(name) for name in names]
    known = [value for value in baseline if value is not None]
    scale = _scale([*values, *known], linear_up_to)
    if scale.linear_up_to is not None:
        axis = f"{axis}; logarithmic beyond {scale.linear_up_to:g}"
    left = _GAP + max((len(name) for name in shown), default=0) * _CHARACTER
    bottom = _TOP + _ROW * len(names)
    place = _Place(left, _WIDTH - _RIGHT, scale)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}pt" height="{bottom + _BOTTOM:g}pt" '
        f'viewBox="0 0 {_WIDTH} {bottom + _BOTTOM:g}" font-family="sans-serif" font-size="{_FONT:g}">',
        f"<title>{escape(title)}</title>",
        *([_hatching()] if any(flagged) else []),
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *_axis(place, bottom, axis),
    ]
    for row, (name, value, before, flag) in enumerate(zip(shown, values, baseline, flagged, strict=True)):
        middle = _TOP + _ROW * (row + 0.5)
        parts.append(_text(left - _GAP / 2, middle + _FONT * 0.35, name, "end"))
        parts.append(_bar(place, value, middle, flag))
        if before is not None:
            parts.append(_stroke(place.of(before), middle))
    parts.extend(_legend(any(flagged), bool(known)))
    return "\n".join([*parts, "</svg>"])


@dataclass(frozen=True)
class _Scale:
    """From the smallest value to the largest; linear around zero, logarithmic beyond `linear_up_to`."""

    smallest: float
    largest: float
    linear_up_to: float | None

    def of(self, value: float) -> float:
        limit = self.linear_up_to
        if limit is None or abs(value) <= limit:
            return value
        return math.copysign(limit * (1 + math.log10(abs(value) / limit)), value)

    def ticks(self) -> list[float]:
        """The values with a mark; zero is one of them."""
        limit = self.linear_up_to
        if limit is None:
            return _steps(self.smallest, self.largest)
        powers = [10.0**power for power in range(math.ceil(math.log10(limit)), 308)]
        marks = [0.0, limit / 2, *powers]
        both = sorted({*marks, *(-mark for mark in marks)})
        inside = [mark for mark in both if self.smallest <= mark <= self.largest]
        every = math.ceil(len(inside) / (2 * _MOST_TICKS))
        return [mark for mark in inside if (abs(inside.index(mark) - inside.index(0.0))) % every == 0]


@dataclass(frozen=True)
class _Place:
    """Where values stand, from the left edge to the right one."""

    left: float
    right: float
    scale: _Scale

    def of(self, value: float) -> float:
        low, high = self.scale.of(self.scale.smallest), self.scale.of(self.scale.largest)
        margin = (high - low) * _MARGIN
        share = (self.scale.of(value) - low + margin) / (high - low + 2 * margin)
        return self.left + share * (self.right - self.left)


def _scale(values: Sequence[float], linear_up_to: float | None) -> _Scale:
    smallest, largest = min(0.0, *values), max(0.0, *values)
    if smallest == largest:
        smallest, largest = -1.0, 1.0
    needed = linear_up_to is not None and max(-smallest, largest) > linear_up_to
    return _Scale(smallest, largest, linear_up_to if needed else None)


def _steps(smallest: float, largest: float) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten."""
    rough = (largest - smallest) / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    first = math.ceil(smallest / step)
    return [number * step for number in range(first, math.floor(largest / step) + 1)]


def _axis(place: _Place, bottom: float, label: str) -> Iterator[str]:
    zero = place.of(0)
    yield _line(zero, _TOP, zero, bottom, MUTED)
    yield _line(place.left, bottom, place.right, bottom, INK)
    for tick in place.scale.ticks():
        yield _line(place.of(tick), bottom, place.of(tick), bottom + 3.5, INK)
        yield _text(place.of(tick), bottom + 12, f"{tick:g}".replace("-", "−"))
    yield _text((place.left + place.right) / 2, bottom + 27, label)


def _bar(place: _Place, value: float, middle: float, flag: bool) -> str:
    start, end = sorted((place.of(0), place.of(value)))
    fill = f"url(#{_HATCH})" if flag else ACCENT
    return (
        f'<rect class="bar" x="{start:.2f}" y="{middle - _BAR / 2:.2f}" width="{end - start:.2f}" '
        f'height="{_BAR:g}" fill="{fill}"/>'
    )


def _stroke(x: float, middle: float) -> str:
    return _line(x, middle - 6.5, x, middle + 6.5, INK, 1.5, "baseline")


def _legend(violations: bool, baseline: bool) -> Iterator[str]:
    x, middle = _WIDTH - _RIGHT, _TOP / 2
    if baseline:
        x -= len("baseline") * _CHARACTER
        yield _text(x, middle + _FONT * 0.35, "baseline", "start")
        x -= 10
        yield _stroke(x, middle)
        x -= 14
    if violations:
        x -= len("violation") * _CHARACTER
        yield _text(x, middle + _FONT * 0.35, "violation", "start")
        x -= 22
        yield f'<rect x="{x:.2f}" y="{middle - 3:g}" width="16" height="6" fill="url(#{_HATCH})"/>'


def _hatching() -> str:
    return (
        f'<defs><pattern id="{_HATCH}" patternUnits="userSpaceOnUse" width="5" height="5">'
        f'<rect width="5" height="5" fill="{ALERT}"/>'
        '<path d="M-1,1 l2,-2 M0,5 l5,-5 M4,6 l2,-2" stroke="white" stroke-width="0.8"/></pattern></defs>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 0.8, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<line{named} x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" '
        f'stroke="{colour}" stroke-width="{width:g}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
