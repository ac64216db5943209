"""Where values stand on a chart's axis, and which of them are marked there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from matplotlib.scale import SymmetricalLogTransform
from matplotlib.ticker import MaxNLocator, SymmetricalLogLocator

_MARGIN = 0.05


@dataclass(frozen=True)
class Scale:
    """From values to points of an axis that reaches from `start` to `end`."""

    at: Callable[[float], float]
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool

    def inside(self, value: float) -> float:
        """Where a value stands; an infinite one stands at the axis' end."""
        if math.isinf(value):
            return self.start if value < 0 else self.end
        return self.at(value)


def scale(
    values: Iterable[float],
    linear_up_to: float | None,
    start: float,
    end: float,
    *,
    most_ticks: int = 9,
    anchor: float = 0.0,
) -> Scale:
    """An axis that holds `anchor` and all values, with a margin.

    Beyond `linear_up_to` it is logarithmic, so that one huge value leaves the others visible.
    """
    values = [anchor, *values]
    smallest, largest = min(values), max(values)
    logarithmic = False
    if linear_up_to is not None and max(-smallest, largest) > linear_up_to:
        logarithmic = True
        transform = SymmetricalLogTransform(base=10, linthresh=linear_up_to, linscale=1)
        locator = SymmetricalLogLocator(transform)
        locator.set_params(numticks=most_ticks)
        ticks = locator.tick_values(smallest, largest)
    else:
        ticks = MaxNLocator(most_ticks, steps=[1, 2, 2.5, 5, 10]).tick_values(smallest, largest)

    def place(value: float) -> float:
        return float(transform.transform([value])[0]) if logarithmic else value

    low, high = place(smallest), place(largest)
    width = (high - low) or 1.0
    low, width = low - _MARGIN * width, (1 + 2 * _MARGIN) * width
    room = end - start
    visible = tuple(float(tick) for tick in ticks if low <= place(tick) <= low + width)
    return Scale(lambda value: start + room * (place(value) - low) / width, start, end, visible, logarithmic)


def tick_text(value: float) -> str:
    """A tick's value as the axis has it."""
    return f"{value:g}".replace("-", "−")
