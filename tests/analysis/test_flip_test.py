"""The flip test against a plain search for neighbours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis import flip_test as module
from model_monitor.analysis.flip_test import FlipCounts, flip_counts, flip_test, nearest
from model_monitor.errors import AnalysisError


def neighbours_by_hand(reference: np.ndarray, query: np.ndarray, k: int) -> list[int]:
    distances = [(float(sum((a - b) ** 2 for a, b in zip(row, query))), i) for i, row in enumerate(reference)]
    return [i for _, i in sorted(distances)[:k]]


@pytest.mark.parametrize("features", [1, 3, 40])
@pytest.mark.parametrize("grid", [2, 5, 1000])
def test_nearest_rows_are_exact_and_ties_go_by_position(features: int, grid: int) -> None:
    """On a coarse grid nearly all distances tie; far from the origin a matrix product alone would confuse them."""
    random = np.random.default_rng(features * grid)
    reference = random.integers(0, grid, (120, features)).astype(float) + 1e4
    queries = random.integers(0, grid, (30, features)).astype(float) + 1e4
    found = nearest(reference, queries, 5)
    assert found.tolist() == [neighbours_by_hand(reference, query, 5) for query in queries]


def test_small_differences_count_beside_a_column_of_large_numbers() -> None:
    """In single precision all rows of one population size look alike."""
    random = np.random.default_rng(3)
    population = np.repeat([1e3, 5e8], 60)[:, None]
    reference = np.hstack([population, random.normal(size=(120, 2))])
    queries = np.hstack([population[::12], random.normal(size=(10, 2))])
    found = nearest(reference, queries, 5)
    assert found.tolist() == [neighbours_by_hand(reference, query, 5) for query in queries]


def test_large_data_is_searched_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    reference, queries = random.normal(size=(50, 4)), random.normal(size=(33, 4))
    whole = nearest(reference, queries, 5)
    monkeypatch.setattr(module, "_CELLS", 100)
    assert nearest(reference, queries, 5).tolist() == whole.tolist()


def test_a_disadvantaged_row_accepted_among_rejected_neighbours_counts_plus() -> None:
    """Ten advantaged rows: the five near 0 rejected, the five near 100 accepted. Three disadvantaged rows near 0 are
    accepted, two near 100 rejected: (3 - 2) / 5."""
    place = [0, 1, 2, 3, 4, 100, 101, 102, 103, 104, 0.5, 1.5, 2.5, 100.5, 101.5]
    predicted = np.array([0] * 5 + [1] * 5 + [1, 1, 1, 0, 0], dtype=bool)
    disadvantaged = np.array([0] * 10 + [1] * 5, dtype=bool)
    assert flip_test(pd.DataFrame({"place": place}), disadvantaged, predicted) == pytest.approx(1 / 5)


@pytest.mark.parametrize("seed", range(5))
def test_flips_are_counted_row_by_row(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.integers(0, 6, (80, 2)).astype(float)
    disadvantaged, predicted = random.random(80) < 0.4, random.random(80) < 0.5
    reference, votes = points[~disadvantaged], predicted[~disadvantaged]
    flips = []
    for point, accepted in zip(points[disadvantaged], predicted[disadvantaged]):
        neighbours_accepted = votes[neighbours_by_hand(reference, point, 5)].sum() > 2
        flips.append(int(accepted) - int(neighbours_accepted))
    expected = FlipCounts(flips.count(1), flips.count(-1), len(flips))

    assert flip_counts(pd.DataFrame(points), disadvantaged, predicted) == expected
    assert flip_test(pd.DataFrame(points), disadvantaged, predicted) == sum(flips) / len(flips)


def test_below_ten_advantaged_rows_the_nearest_one_decides() -> None:
    place = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0.1]
    predicted = np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 1], dtype=bool)
    disadvantaged = np.array([0] * 9 + [1], dtype=bool)
    assert flip_test(pd.DataFrame({"place": place}), disadvantaged, predicted) == 0.0
    place, predicted, disadvantaged = [*place, 9], np.append(predicted, False), np.append(disadvantaged, False)
    assert flip_test(pd.DataFrame({"place": place}), disadvantaged, predicted) == 1.0


@pytest.mark.parametrize(
    ("features", "disadvantaged", "message"),
    [
        ({"x": [1.0, 2.0]}, [False, False], "Facet set is empty"),
        ({"x": [1.0, 2.0]}, [True, True], "Negated Facet set is empty"),
        ({"x": ["a", "b"]}, [True, False], "FlipTest does not support non-numeric columns"),
        ({"x": [1.0, None]}, [True, False], "FlipTest does not support missing or infinite values"),
        ({}, [True, False], "FlipTest needs columns besides facet and label"),
    ],
)
def test_what_cannot_be_compared(features: dict[str, list[object]], disadvantaged: list[bool], message: str) -> None:
    with pytest.raises(AnalysisError) as error:
        flip_test(pd.DataFrame(features, index=range(2)), np.array(disadvantaged), np.array([True, False]))
    assert str(error.value) == message
