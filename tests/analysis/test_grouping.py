"""Categories and quantities, and who belongs to a group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis.grouping import Kind, above, equal_to, kind_of
from model_monitor.errors import AnalysisError


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        (pd.Series([0.0, 1.0] * 50), (1,), Kind.CONTINUOUS),
        (pd.Series([0, 1] * 21), (1,), Kind.CATEGORICAL),
        (pd.Series([0, 1] * 20), (1,), Kind.CONTINUOUS),
        (pd.Series(range(100)), (50,), Kind.CONTINUOUS),
        (pd.Series(range(100)), (1, 2), Kind.CATEGORICAL),
        (pd.Series([0.5, 1.5]), (0.5, 1.5), Kind.CATEGORICAL),
        (pd.Series(["a", "b"]), ("a",), Kind.CATEGORICAL),
        (pd.Series(["1", "2"]), ("1",), Kind.CONTINUOUS),
        (pd.Series(["1", "2"] * 50), ("1",), Kind.CATEGORICAL),
        (pd.Series(["1", "x"]), ("1",), Kind.CATEGORICAL),
        (pd.Series([True, False]), (True,), Kind.CATEGORICAL),
        (pd.Series([1, 2], dtype="category"), (1,), Kind.CATEGORICAL),
    ],
)
def test_what_a_column_is_taken_for(column: Any, values: tuple[Any, ...], kind: Kind) -> None:
    assert kind_of(column, values) is kind


@pytest.mark.parametrize(
    ("column", "values", "members", "shown"),
    [
        ([99, 100, 101], (100,), [False, False, True], "(100, 101]"),
        ([1.5, 2.5], (2,), [False, True], "(2.0, 2.5]"),
        ([1, 2, 3], ("2",), [False, False, True], "(2.0, 3.0]"),
        ([1.0, None, 3.0], (1,), [False, False, True], "(1.0, 3.0]"),
        ([1, 2], (5,), [False, False], "(2, 5]"),
        ([1, 2], (2,), [False, False], ""),
        ([-3, -2], (2,), [False, False], ""),
    ],
)
def test_above_a_threshold(column: list[Any], values: tuple[Any, ...], members: list[bool], shown: str) -> None:
    group = above(pd.Series(column), values)
    assert (group.members.tolist(), group.shown) == (members, shown)


@pytest.mark.parametrize(
    ("column", "values", "members"),
    [
        (["a", "b", "c"], ("a", "c"), [True, False, True]),
        (["a", None], ("a",), [True, False]),
        ([0, 1], ("1",), [False, True]),
        ([0, 1], ("1.0",), [False, True]),
        ([0, 1], (1.0,), [False, True]),
        (["0", "1"], (1,), [False, True]),
        ([True, False], ("false",), [False, True]),
        ([True, False], (1,), [True, False]),
        (["a", "b"], ("c",), [False, False]),
    ],
)
def test_equal_to_listed_values(column: list[Any], values: tuple[Any, ...], members: list[bool]) -> None:
    group = equal_to(pd.Series(column), values)
    assert group.members.tolist() == members
    assert group.shown == ",".join(map(str, values))


def test_values_that_the_column_cannot_hold() -> None:
    with pytest.raises(AnalysisError, match="column 'Plan' holds 1, never 'yes'"):
        equal_to(pd.Series([1, 2], name="Plan"), ("yes",))


def test_a_column_without_any_number_has_no_interval() -> None:
    with pytest.raises(AnalysisError, match="column 'Age' holds no value"):
        above(pd.Series([np.nan, np.nan], name="Age"), (1,))
