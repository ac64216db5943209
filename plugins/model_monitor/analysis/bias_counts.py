"""One pass over the data: how many rows of each group, label and prediction there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Outcomes:
    """A group's rows by label and predicted label."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def size(self) -> int:
        """All rows of the group."""
        return self.predicted_positives + self.predicted_negatives

    @property
    def positives(self) -> int:
        """Rows whose label is positive."""
        return self.true_positives + self.false_negatives

    @property
    def negatives(self) -> int:
        """Rows whose label is negative."""
        return self.false_positives + self.true_negatives

    @property
    def predicted_positives(self) -> int:
        """Rows that the model predicts positive."""
        return self.true_positives + self.false_positives

    @property
    def predicted_negatives(self) -> int:
        """Rows that the model predicts negative."""
        return self.false_negatives + self.true_negatives


@dataclass(frozen=True)
class Counts:
    """All that the count metrics need.

    `subgroups` (g, 2, 2, 2) holds rows by value of the group variable, disadvantaged, label positive and predicted
    positive; it is None without a group variable.
    """

    advantaged: Outcomes
    disadvantaged: Outcomes
    subgroups: np.ndarray | None = None

    @property
    def size(self) -> int:
        """All rows."""
        return self.advantaged.size + self.disadvantaged.size


def count(
    disadvantaged: np.ndarray,
    label: np.ndarray,
    predicted: np.ndarray | None,
    subgroup: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Counts:
    """Count rows. The first three are Boolean (n,); without predictions every prediction counts as negative.

    `subgroup` (n,) numbers the values of the group variable from 0; -1 is a missing value, which belongs to none.
    `weights` (n,) tell how many records each row stands for; one unless given.
    """
    cell = disadvantaged.astype(np.uint8) << 2 | label.astype(np.uint8) << 1
    if predicted is not None:
        cell |= predicted.astype(np.uint8)
    table = _weighed(cell, weights, 8).reshape(2, 2, 2)
    subgroups = None
    if subgroup is not None:
        known = subgroup >= 0
        cells = subgroup[known].astype(np.int64) * 8 + cell[known]
        groups = int(subgroup.max(initial=-1)) + 1
        own = None if weights is None else weights[known]
        subgroups = _weighed(cells, own, groups * 8).reshape(groups, 2, 2, 2)
    return Counts(_outcomes(table[0]), _outcomes(table[1]), subgroups)


def _weighed(cells: np.ndarray, weights: np.ndarray | None, length: int) -> np.ndarray:
    """How many records lie in each cell; exact up to 2^53 of them."""
    return np.bincount(cells, weights, minlength=length).astype(np.int64)


def _outcomes(table: np.ndarray) -> Outcomes:
    (true_negatives, false_positives), (false_negatives, true_positives) = table.tolist()
    return Outcomes(true_positives, false_positives, false_negatives, true_negatives)
