"""The flip test: would members of the disadvantaged group be predicted otherwise if they were in the other one?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from model_monitor.errors import AnalysisError

NEIGHBOURS = 5
NEIGHBOURS_OF_FEW = 1
FEW = 9
_SPARE = 11
_CELLS = 1_000_000


@dataclass(frozen=True)
class FlipCounts:
    """Rows of the disadvantaged group: those that the model predicts positive and their nearest advantaged neighbours
    negative, those the other way round, and all."""

    favoured: int
    disfavoured: int
    size: int

    @property
    def value(self) -> float:
        """(F+ - F-) / n_d, in [-1, 1]: F+ are the favoured, F- the disfavoured. FT.

        Source: Clarify, FT, with the sign of `smclarify` 0.5, which published results share; the guide's is opposite.
        """
        return (self.favoured - self.disfavoured) / self.size


def flip_test(features: pd.DataFrame, disadvantaged: np.ndarray, predicted: np.ndarray) -> float:
    """The flip test's value; arguments and errors are those of `flip_counts`."""
    return flip_counts(features, disadvantaged, predicted).value


def flip_counts(features: pd.DataFrame, disadvantaged: np.ndarray, predicted: np.ndarray) -> FlipCounts:
    """How many of the disadvantaged rows the model predicts otherwise than their nearest advantaged neighbours.

    `features` are all columns but facet and label; `disadvantaged` and `predicted` are Boolean, one per row. Five
    neighbours vote (one, if there are fewer than ten); of equally near ones, those that stand first in the data.

    Raises:
        AnalysisError: when there is nothing to compare, or values that have no distance.
    """
    if not disadvantaged.any():
        raise AnalysisError("Facet set is empty")
    if disadvantaged.all():
        raise AnalysisError("Negated Facet set is empty")
    if any(not pd.api.types.is_numeric_dtype(dtype) for dtype in features.dtypes):
        raise AnalysisError("FlipTest does not support non-numeric columns")
    if features.shape[1] == 0:
        raise AnalysisError("FlipTest needs columns besides facet and label")
    points = features.to_numpy(dtype=float)
    if not np.isfinite(points).all():
        raise AnalysisError("FlipTest does not support missing or infinite values")
    reference, votes = points[~disadvantaged], predicted[~disadvantaged].astype(np.int8)
    k = NEIGHBOURS if len(reference) > FEW else NEIGHBOURS_OF_FEW
    queries, asked = np.unique(points[disadvantaged], axis=0, return_inverse=True)
    elected = votes[nearest(reference, queries, k)].sum(axis=1) * 2 > k
    model, neighbours = predicted[disadvantaged], elected[asked.ravel()]
    return FlipCounts(int((model & ~neighbours).sum()), int((neighbours & ~model).sum()), len(model))


def nearest(reference: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """Positions (m, k) of the k rows of `reference` (n, f) that are nearest to each of `queries` (m, f).

    Euclidean, nearest first, ties by position. A matrix product in single precision finds candidates; exact distances
    decide among them, and among all rows wherever rounding could have hidden one.
    """
    centre = reference.mean(axis=0)
    scale = max(float(np.abs(reference - centre).max()), float(np.abs(queries - centre).max())) or 1.0
    unit = ((reference - centre) / scale).astype(np.float32)
    factors = np.vstack([-2 * unit.T, np.square(unit).sum(axis=1)])
    size = max(1, _CELLS // len(reference))
    found = [
        _nearest_in_chunk(reference, chunk, ((chunk - centre) / scale).astype(np.float32), factors, scale, k)
        for chunk in (queries[start : start + size] for start in range(0, len(queries), size))
    ]
    return np.concatenate(found)


def _nearest_in_chunk(
    reference: np.ndarray, queries: np.ndarray, unit: np.ndarray, factors: np.ndarray, scale: float, k: int
) -> np.ndarray:
    """`unit` (m, f) and `factors` (f + 1, n) hold centred queries and reference in units of `scale`."""
    lengths = np.square(unit.astype(float)).sum(axis=1)
    rough = np.column_stack([unit, np.ones(len(unit), dtype=np.float32)]) @ factors
    count = min(len(reference), k + _SPARE)
    candidates = np.sort(np.argpartition(rough, count - 1, axis=1)[:, :count], axis=1)
    exact = ((queries[:, None, :] - reference[candidates]) ** 2).sum(axis=2)
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    chosen = np.take_along_axis(candidates, order, axis=1)
    if count == len(reference):
        return chosen
    furthest = np.take_along_axis(exact, order[:, -1:], axis=1)[:, 0] / scale**2 - lengths
    rounding = 4 * np.finfo(np.float32).eps * (reference.shape[1] + 4)
    limit = furthest + rounding * (lengths + float(factors[-1].max()))
    reach = np.take_along_axis(rough, candidates, axis=1).max(axis=1)
    for row in np.flatnonzero(reach <= limit):
        near = np.flatnonzero(rough[row] <= limit[row])
        distances = ((queries[row] - reference[near]) ** 2).sum(axis=1)
        chosen[row] = near[np.argsort(distances, kind="stable")[:k]]
    return chosen
