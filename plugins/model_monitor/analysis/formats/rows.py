"""Rows of whatever format to typed columns, with every complaint naming file, line and column."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.errors import AnalysisError

WRONG_WIDTH = "Headers in config do not match with the number of columns in the dataset."
NOT_A_NUMBER = "Could not convert string to float."
STRAY_SHARE = 0.01

Origin = Callable[[int], str]
"""Where a row comes from, such as "data.csv, line 3"."""


@dataclass(frozen=True)
class Rows(ABC):
    """Rows without a header: how many cells each has, and where it comes from."""

    widths: np.ndarray
    origin: Origin

    def __len__(self) -> int:
        return len(self.widths)

    @abstractmethod
    def columns(self, names: list[str]) -> pd.DataFrame:
        """The cells as columns of those names; every row has as many cells as there are names."""


@dataclass(frozen=True)
class ValueRows(Rows):
    """Rows of values that have a type already, as JSON's have."""

    values: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, values: Sequence[Sequence[Any]], origin: Origin) -> ValueRows:
        """Rows of `values`."""
        return cls(np.fromiter(map(len, values), dtype=np.int64, count=len(values)), origin, values)

    def columns(self, names: list[str]) -> pd.DataFrame:
        frame = pd.DataFrame(list(self.values), columns=names).infer_objects()
        empty = frame.columns[frame.isna().all()]
        return frame.astype(dict.fromkeys(empty, float))


def joined_origin(sizes: Sequence[int], origins: Sequence[Origin]) -> Origin:
    """The origin of the rows of several parts that stand one after the other."""
    starts = np.cumsum([0, *sizes])

    def origin(row: int) -> str:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return origins[part](row - int(starts[part]))

    return origin


def parse(rows: Rows, names: list[str], kind: str = "columns") -> pd.DataFrame:
    """Typed columns of the given names: whole numbers, numbers, Booleans, else text; missing values where none is.

    Raises:
        AnalysisError: when a name is there twice, or a row has another number of cells; `kind` says what was counted.
    """
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise AnalysisError(f"{rows.origin(0)}: '{twice}' names more than one column; rename one, or give 'headers'")
    wrong = np.flatnonzero(rows.widths != len(names))
    if len(wrong):
        row = int(wrong[0])
        raise AnalysisError(
            f"{WRONG_WIDTH} {rows.origin(row)}: {rows.widths[row]} {kind} where {len(names)} are expected "
            f"({_shortened(names)}); {len(wrong)} of {len(rows)} rows differ"
        )
    frame = rows.columns(names)
    for name in names:
        if frame[name].dtype == object and pd.api.types.infer_dtype(frame[name]) == "integer":
            frame[name] = frame[name].map(_as_float, na_action="ignore").astype(float)
    return frame


def _as_float(huge: int | float) -> float:
    """A whole number beyond 64 bits."""
    try:
        return float(huge)
    except OverflowError:
        return math.inf if huge > 0 else -math.inf


def refuse_stray_text(frame: pd.DataFrame, rows: Rows, weights: np.ndarray | None = None) -> None:
    """Complain of a column that is numbers but for single cells: one of them, or at most 1 % of the rows.

    `weights` (n,) tell how many records each row stands for; one unless given.

    Raises:
        AnalysisError: naming the first such cell.
    """
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            continue
        numeric = pd.to_numeric(column, errors="coerce").notna()
        is_stray = (column.notna() & ~numeric).to_numpy()
        numbers, strays = records_of(numeric.to_numpy(), weights), records_of(is_stray, weights)
        everything = records_of(np.ones(len(column), dtype=bool), weights)
        if 0 < strays <= max(1, STRAY_SHARE * everything) and strays < numbers:
            row = int(np.flatnonzero(is_stray)[0])
            raise AnalysisError(
                f"{NOT_A_NUMBER} {rows.origin(row)}, column '{name}': found {column.iloc[row]!r}; "
                f"{numbers} of {everything} rows hold numbers there"
            )


def records_of(members: np.ndarray, weights: np.ndarray | None) -> int:
    """How many records the rows that are members (n,) stand for."""
    return int(members.sum() if weights is None else weights[members].sum())


def refuse_missing(column: pd.Series[Any], rows: Rows, weights: np.ndarray | None = None) -> None:
    """Complain of an empty cell; `weights` as for `refuse_stray_text`.

    Raises:
        AnalysisError: naming the first one.
    """
    is_missing = column.isna().to_numpy()
    if is_missing.any():
        everything = records_of(np.ones(len(column), dtype=bool), weights)
        raise AnalysisError(
            f"{rows.origin(int(np.flatnonzero(is_missing)[0]))}, column '{column.name}': no value; "
            f"{records_of(is_missing, weights)} of {everything} rows have none, and bias metrics need a label in each"
        )


def are_whole(column: pd.Series[Any]) -> bool:
    """Whether a column's values are whole numbers; where some are missing, the others are floats."""
    if not pd.api.types.is_float_dtype(column.dtype):
        return pd.api.types.is_integer_dtype(column.dtype)
    present = column.dropna()
    return 0 < len(present) < len(column) and bool((present % 1 == 0).all())


def _shortened(names: list[str]) -> str:
    return ", ".join(names if len(names) <= 6 else [*names[:3], "…", *names[-2:]])
