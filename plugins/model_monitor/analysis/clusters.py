"""A SHAP baseline made of the data set itself: the centres of its clusters.

K-means for numbers and K-prototypes where there are categories, as Clarify does without a baseline. How it scales
features, weighs categories and chooses the number of clusters is not published: here numbers are standardised, a
category that differs counts as half a standard deviation (Huang, 1998), and the number is Pham's (2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from model_monitor.analysis.formats.rows import are_whole

MOST_CLUSTERS = 12
_MOST_ROWS = 10_000
_STARTS = 4
_ROUNDS = 100
_CATEGORY_WEIGHT = 0.5
_NOTABLE_GAIN = 0.85


@dataclass(frozen=True)
class _Points:
    """Standardised numbers (n, p) and codes of categories (n, q)."""

    numbers: np.ndarray
    categories: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class _Clustering:
    members: np.ndarray
    cost: float


def cluster_centres(features: pd.DataFrame, clusters: int | None, seed: int | None = None) -> pd.DataFrame:
    """One row per cluster of `features`: means of numbers, the commonest value of categories and of Booleans.

    Means of whole numbers are the nearest value that occurs, as models may not take others. `clusters` is 1 to 12;
    None leaves the choice to the data. There are no more clusters than different rows.
    """
    rng = np.random.default_rng(seed)
    if len(features) > _MOST_ROWS:
        features = features.iloc[np.sort(rng.choice(len(features), _MOST_ROWS, replace=False))]
    points = _points(features)
    different = len(np.unique(np.column_stack([points.numbers, points.categories]), axis=0))
    most = min(clusters or MOST_CLUSTERS, different)
    if clusters is None:
        found = [_clustered(points, count, rng) for count in range(1, most + 1)]
        members = found[_best([one.cost for one in found], features.shape[1])].members
    else:
        members = _clustered(points, most, rng).members
    return _centres(features, members)


def _points(features: pd.DataFrame) -> _Points:
    rows, numeric = len(features), [name for name in features.columns if _is_number(features[name])]
    scaled = np.column_stack([_standardised(features[name]) for name in numeric]) if numeric else np.zeros((rows, 0))
    codes = [pd.factorize(features[name])[0] for name in features.columns if name not in numeric]
    return _Points(scaled, np.column_stack(codes) if codes else np.zeros((rows, 0), dtype=np.int64))


def _standardised(column: pd.Series) -> np.ndarray:
    """Mean 0 and standard deviation 1; what is missing or infinite is the mean."""
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(numbers)
    if not known.any():
        return np.zeros(len(numbers))
    small = np.where(known, numbers, 0.0) / (np.abs(numbers[known]).max() or 1.0)
    centred = np.where(known, small - small[known].mean(), 0.0)
    spread = float(centred[known].std())
    return centred / spread if spread > 0 else np.zeros(len(numbers))


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _clustered(points: _Points, count: int, rng: np.random.Generator) -> _Clustering:
    """The cheapest of several runs of Lloyd's algorithm from K-means++ starts."""
    runs = [_run(points, _starts(points, count, rng)) for _ in range(_STARTS if count > 1 else 1)]
    return min(runs, key=lambda run: run.cost)


def _run(points: _Points, starts: np.ndarray) -> _Clustering:
    count = len(starts)
    centres = _Points(points.numbers[starts], points.categories[starts])
    members = np.full(len(points), -1)
    distances = np.zeros((len(points), count))
    for _ in range(_ROUNDS):
        distances = _distances(points, centres)
        nearest = distances.argmin(axis=1)
        for empty in np.setdiff1d(np.arange(count), nearest):
            has_others = np.bincount(nearest, minlength=count)[nearest] > 1
            furthest = int(np.where(has_others, distances[np.arange(len(points)), nearest], -1.0).argmax())
            nearest[furthest] = empty
            distances[furthest] = 0.0
        if (nearest == members).all():
            break
        members = nearest
        centres = _moved(points, members, count)
    cost = float(distances[np.arange(len(points)), members].sum())
    return _Clustering(members, cost)


def _starts(points: _Points, count: int, rng: np.random.Generator) -> np.ndarray:
    """Rows far from each other, drawn in proportion to their distance from those drawn before.

    There are fewer than `count` where no further row can be told from these.
    """
    chosen = [int(rng.integers(len(points)))]
    nearest = np.full(len(points), np.inf)
    while len(chosen) < count:
        last = _Points(points.numbers[chosen[-1:]], points.categories[chosen[-1:]])
        nearest = np.minimum(nearest, _distances(points, last)[:, 0])
        if not nearest.any():
            break
        chosen.append(int(rng.choice(len(points), p=nearest / nearest.sum())))
    return np.array(chosen)


def _distances(points: _Points, centres: _Points) -> np.ndarray:
    """Squared distances (n, k); each category that differs adds its weight."""
    squares = np.square(points.numbers).sum(axis=1)[:, None] + np.square(centres.numbers).sum(axis=1)[None, :]
    distances = np.maximum(squares - 2 * points.numbers @ centres.numbers.T, 0.0)
    for one, other in zip(points.categories.T, centres.categories.T, strict=True):
        distances += _CATEGORY_WEIGHT * (one[:, None] != other[None, :])
    return np.asarray(distances)


def _moved(points: _Points, members: np.ndarray, count: int) -> _Points:
    sizes = np.bincount(members, minlength=count)[:, None]
    sums = np.zeros((count, points.numbers.shape[1]))
    np.add.at(sums, members, points.numbers)
    modes = np.array(
        [[_commonest(column[members == cluster]) for column in points.categories.T] for cluster in range(count)]
    ).reshape(count, -1)
    return _Points(sums / sizes, modes.astype(np.int64))


def _commonest(codes: np.ndarray) -> int:
    values, counts = np.unique(codes, return_counts=True)
    return int(values[counts.argmax()])


def _best(costs: list[float], dimensions: int) -> int:
    """The count, less one, that costs least next to one cluster fewer, as evenly spread data set the expectation.

    One cluster where no count gains notably. Source: Pham, Dimov and Nguyen, "Selection of K in K-means clustering",
    2005.
    """
    if len(costs) == 1:
        return 0
    gains, expected = [1.0], 1 - 3 / (4 * max(dimensions, 2))
    for fewer, cost in pairwise(costs):
        gains.append(cost / (expected * fewer) if fewer > 0 else 1.0)
        expected += (1 - expected) / 6
    best = int(np.argmin(gains))
    return best if gains[best] < _NOTABLE_GAIN else 0


def _centres(features: pd.DataFrame, members: np.ndarray) -> pd.DataFrame:
    rows = [features[members == cluster] for cluster in range(int(members.max()) + 1)]
    return pd.DataFrame({name: [_centre(row[name], features[name]) for row in rows] for name in features.columns})


def _centre(members: pd.Series, column: pd.Series) -> object:
    if not _is_number(column):
        modes = members.mode(dropna=True)
        return modes.iloc[0] if len(modes) else None
    mean = members.replace([np.inf, -np.inf], np.nan).mean()
    if not are_whole(column) or np.isnan(mean):
        return mean
    values = np.unique(column.dropna().to_numpy())
    return values[np.abs(values - mean).argmin()].item()
