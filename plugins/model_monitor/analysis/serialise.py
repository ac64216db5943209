"""`analysis.json` as text: four spaces, keys in their given order, infinities as the strings that Clarify writes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def dumps(analysis: Mapping[str, Any]) -> str:
    """The text of an analysis or of its violations: `inf` as "Infinity", `-inf` as "-Infinity", NaN as null."""
    return json.dumps(_finite(analysis), indent=4, allow_nan=False)


def infinity(value: float) -> str:
    """How an infinite metric is printed: "Infinity" or "-Infinity"."""
    return "Infinity" if value > 0 else "-Infinity"


def number(value: Any) -> float | None:
    """The number behind a metric's value as read back from `analysis.json`; None for null."""
    return None if value is None else float(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else infinity(value)
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
