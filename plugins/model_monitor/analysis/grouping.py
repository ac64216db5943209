"""Which rows belong to the listed values of a column, or lie above its threshold.

Whether a column is a category or a quantity is guessed as Clarify guesses it, so a small window can turn a column of
few whole numbers into a quantity. Source: `smclarify` 0.5, which published results follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.config_schema import Scalar
from model_monitor.errors import AnalysisError

UNIQUE_FRACTION = 0.05


class Kind(Enum):
    """How a column's values are told apart."""

    CATEGORICAL = "categorical"
    CONTINUOUS = "continuous"


@dataclass(frozen=True)
class Group:
    """Rows that belong (n,), and how the reports print the group: "a,b" or "(100, 225]"."""

    members: np.ndarray
    shown: str


def kind_of(column: pd.Series[Any], values: tuple[Scalar, ...] | None, weights: np.ndarray | None = None) -> Kind:
    """Several listed values make a category; else floats are quantities, and whole numbers are if at least 5 % of the
    values differ; all else are categories. `weights` (n,) tell how many records each row stands for."""
    if isinstance(column.dtype, pd.CategoricalDtype) or (values is not None and len(values) > 1):
        return Kind.CATEGORICAL
    if pd.api.types.is_float_dtype(column.dtype):
        return Kind.CONTINUOUS
    if _holds_integers(column):
        present = int(column.count()) if weights is None else int(weights[column.notna().to_numpy()].sum())
        fraction = column.nunique() / present if present else 0.0
        return Kind.CONTINUOUS if fraction >= UNIQUE_FRACTION else Kind.CATEGORICAL
    return Kind.CATEGORICAL


def _holds_integers(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
        return len(column) > 0 and bool(column.astype(str).str.fullmatch(r"\s*[+-]?\d+\s*").all())
    return pd.api.types.is_integer_dtype(column.dtype)


def above(column: pd.Series[Any], values: tuple[Scalar, ...] | None, among: pd.Series[Any] | None = None) -> Group:
    """Rows strictly above the one threshold, up to the largest value of `among` (the column itself unless given).

    Nobody belongs when the largest value is the threshold (or its negative) itself.

    Raises:
        AnalysisError: without a threshold that is a number.
    """
    if not values:
        raise AnalysisError(f"Threshold values must be provided for continuous features: column '{column.name}'")
    try:
        threshold = float(values[0]) if isinstance(values[0], str | bool) else values[0]
    except ValueError as error:
        raise AnalysisError(
            "Facet/label value provided must be a single numeric threshold for continuous data: "
            f"column '{column.name}', found {values[0]!r}"
        ) from error
    numbers = pd.to_numeric(column).to_numpy()
    present = pd.to_numeric(column if among is None else among).dropna().to_numpy()
    if not len(present):
        raise AnalysisError(f"A threshold divides values: column '{column.name}' holds no value")
    largest = present.max()
    if abs(largest) == threshold:
        return Group(np.zeros(len(numbers), dtype=bool), "")
    low, high = sorted((threshold, largest.item()))
    if isinstance(low, float) or isinstance(high, float):
        low, high = float(low), float(high)
    return Group((numbers > low) & (numbers <= high), f"({low}, {high}]")


def equal_to(column: pd.Series[Any], values: tuple[Scalar, ...] | None) -> Group:
    """Rows that hold one of the values; if none does, the values are tried as the column's own type.

    Raises:
        AnalysisError: without values, or with values that cannot be the column's.
    """
    if not values:
        raise AnalysisError(f"Label_column data is invalid or can't be classified: column '{column.name}', no values")
    shown = ",".join(map(str, values))
    members = _equals_any(column, values)
    if not members.any() and len(column):
        members = _equals_any(column, _as_type_of(column, values))
    return Group(members, shown)


def _equals_any(column: pd.Series[Any], values: tuple[Any, ...]) -> np.ndarray:
    members = np.zeros(len(column), dtype=bool)
    for value in values:
        members |= (column == value).fillna(False).to_numpy(dtype=bool)
    return members


def _as_type_of(column: pd.Series[Any], values: tuple[Scalar, ...]) -> tuple[Any, ...]:
    present = column.dropna()
    if not len(present):
        return values
    first = present.iloc[0]
    if isinstance(values[0], type(first)):
        return values
    if isinstance(first, bool | np.bool_):
        return tuple(_TRUTH.get(str(value).lower(), value) for value in values)
    kind: type[Any] = int if isinstance(first, np.integer | int) else type(first)
    try:
        return tuple(kind(value) for value in values)
    except ValueError:
        pass
    try:
        return tuple(float(value) for value in values)
    except ValueError as error:
        raise AnalysisError(
            "'label' has not positive elements. Double-check if 'label' and 'positive_label_values' have correct "
            f"data-types or values: column '{column.name}' holds {first}, never {', '.join(map(repr, values))}"
        ) from error


_TRUTH = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
