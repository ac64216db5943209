"""Kernel SHAP against exact Shapley values, closed forms and the estimator written out row by row."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from model_monitor.analysis.kernel_shap import Predict, explain, samples_per_record
from model_monitor.errors import AnalysisError


def interacting(rows: np.ndarray) -> np.ndarray:
    """A model in which every feature works together with others."""
    return np.sin(rows).prod(axis=1) + rows[:, 0] * rows[:, -1] ** 2 + rows.sum(axis=1)


def shapley(predict: Predict, record: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Exact Shapley values by the definition: the weighted mean of a feature's contributions to all coalitions."""
    n = len(record)

    def value(members: tuple[int, ...]) -> float:
        rows = baseline.copy()
        rows[:, members] = record[list(members)]
        return float(predict(rows).mean())

    phi = np.zeros(n)
    for feature in range(n):
        others = [other for other in range(n) if other != feature]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for members in combinations(others, size):
                phi[feature] += weight * (value((*members, feature)) - value(members))
    return phi


@pytest.mark.parametrize("features", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("baseline_rows", [1, 3])
def test_values_are_exact_when_all_coalitions_fit(features: int, baseline_rows: int) -> None:
    rng = np.random.default_rng(features)
    records, baseline = rng.normal(size=(4, features)), rng.normal(size=(baseline_rows, features))

    found = explain(interacting, records, baseline)

    expected = [shapley(interacting, record, baseline) for record in records]
    np.testing.assert_allclose(found.values[:, :, 0], expected, atol=1e-12)
    np.testing.assert_allclose(found.expected_value, interacting(baseline).mean())


@pytest.mark.parametrize("num_samples", [1, 20, 21, 100, 138, 139, 500])
def test_values_add_up_to_what_the_model_says_beyond_the_expected_value(num_samples: int) -> None:
    rng = np.random.default_rng(3)
    records, baseline = rng.normal(size=(5, 69)), rng.normal(size=(2, 69))

    found = explain(interacting, records, baseline, num_samples=num_samples, seed=1)

    surplus = interacting(records) - found.expected_value
    np.testing.assert_allclose(found.values.sum(axis=1)[:, 0], surplus, atol=1e-10)


@pytest.mark.parametrize("num_samples", [160, 400, None])
def test_a_linear_models_values_are_weight_times_distance_from_the_baseline(num_samples: int | None) -> None:
    rng = np.random.default_rng(4)
    records, baseline, weights = rng.normal(size=(6, 40)), rng.normal(size=(3, 40)), rng.normal(size=40)

    found = explain(lambda rows: rows @ weights, records, baseline, num_samples=num_samples, seed=1)

    np.testing.assert_allclose(found.values[:, :, 0], weights * (records - baseline.mean(axis=0)), atol=1e-9)


def test_more_samples_come_closer_to_the_exact_values() -> None:
    rng = np.random.default_rng(5)
    records, baseline = rng.normal(size=(20, 12)), rng.normal(size=(1, 12))

    def smooth(rows: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-rows.sum(axis=1) - rows[:, 0] * rows[:, 1]))

    exact = explain(smooth, records, baseline, num_samples=2**12).values
    errors = [
        np.abs(explain(smooth, records, baseline, num_samples=count, seed=1).values - exact).mean()
        for count in (40, 200, 1000)
    ]

    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.003


@pytest.mark.parametrize("samples", [20, 50, 58, 59])
def test_the_estimator_is_clarifys_minimum_norm_least_squares_with_the_last_feature_eliminated(samples: int) -> None:
    """Each record's coalitions are read off the rows that the model is asked for, and solved one record at a time."""
    rng = np.random.default_rng(6)
    records, baseline = rng.normal(size=(40, 30)), rng.normal(size=(1, 30))
    asked: list[np.ndarray] = []

    def watched(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return interacting(rows)

    found = explain(watched, records, baseline, num_samples=samples, seed=1)

    mixed = asked[-1].reshape(len(records), samples + samples % 2, -1)
    for record, rows, phi in zip(records, mixed, found.values[:, :, 0], strict=True):
        present = (rows == record).astype(float)
        surplus = float(interacting(record[None])[0] - interacting(baseline)[0])
        target = interacting(rows) - interacting(baseline) - present[:, -1] * surplus
        reference = np.linalg.lstsq(present[:, :-1] - present[:, -1:], target, rcond=1e-8)[0]
        scale = np.abs(reference).max()
        np.testing.assert_allclose(phi[:-1] / scale, reference / scale, atol=1e-5)
        np.testing.assert_allclose(phi[-1] / scale, (surplus - reference.sum()) / scale, atol=1e-4)


def test_coalitions_come_with_their_complements_and_anew_for_every_record() -> None:
    records, baseline = np.ones((200, 30)), np.zeros((1, 30))
    asked: list[np.ndarray] = []

    def watched(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return rows.sum(axis=1)

    explain(watched, records, baseline, num_samples=20, seed=1)

    present = asked[-1].reshape(200, 20, 30).astype(bool)
    as_sets = [{row.tobytes() for row in rows} for rows in present]
    assert all({(~row).tobytes() for row in rows} == seen for rows, seen in zip(present, as_sets, strict=True))
    assert len({frozenset(seen) for seen in as_sets}) == 200


def test_coalition_sizes_follow_the_shapley_kernel() -> None:
    features, pairs = 10, 9
    asked: list[np.ndarray] = []

    def watched(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return rows.sum(axis=1)

    explain(watched, np.ones((4000, features)), np.zeros((1, features)), num_samples=2 * pairs, seed=1)

    sizes = np.concatenate([rows.sum(axis=1) for rows in asked[2:]])
    frequencies = np.bincount(sizes.astype(int), minlength=features)[1:features] / len(sizes)
    size = np.arange(1, features)
    kernel = (features - 1) / (size * (features - size))
    np.testing.assert_allclose(frequencies, kernel / kernel.sum(), atol=0.01)


def test_features_that_equal_the_baseline_take_part_as_clarify_lets_them() -> None:
    """With fewer samples than features they get values other than 0; the `shap` package would leave them out."""
    record, baseline = np.zeros((1, 69)), np.zeros((1, 69))
    record[0, :5] = 1

    found = explain(lambda rows: rows[:, :5].sum(axis=1), record, baseline, num_samples=100, seed=1)

    assert np.abs(found.values[0, 5:, 0]).max() > 0.01


def test_single_features_and_their_complements_are_all_asked_for_from_twice_as_many_samples_on() -> None:
    asked: list[np.ndarray] = []

    def watched(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return rows.sum(axis=1)

    explain(watched, np.ones((1, 30)), np.zeros((1, 30)), num_samples=60, seed=1)

    rows = {tuple(row) for row in asked[-1].astype(int)}
    single = {tuple(row) for row in np.eye(30, dtype=int)}
    assert rows == single | {tuple(1 - np.array(row)) for row in single}


def test_the_same_seed_gives_the_same_values_and_none_gives_others() -> None:
    rng = np.random.default_rng(7)
    records, baseline = rng.normal(size=(3, 30)), rng.normal(size=(1, 30))

    def values(seed: int | None) -> np.ndarray:
        return explain(interacting, records, baseline, num_samples=40, seed=seed).values

    np.testing.assert_array_equal(values(11), values(11))
    assert not np.allclose(values(11), values(12))
    assert not np.allclose(values(None), values(None))


def test_every_output_of_a_model_is_explained_by_itself() -> None:
    rng = np.random.default_rng(8)
    records, baseline = rng.normal(size=(4, 5)), rng.normal(size=(2, 5))

    both = explain(lambda rows: np.column_stack([interacting(rows), rows[:, 2]]), records, baseline)

    assert both.values.shape == (4, 5, 2)
    np.testing.assert_allclose(
        both.values[:, :, 0], explain(interacting, records, baseline).values[:, :, 0], atol=1e-12
    )
    np.testing.assert_allclose(both.values[:, 2, 1], records[:, 2] - baseline[:, 2].mean(), atol=1e-12)
    np.testing.assert_allclose(both.expected_value, [interacting(baseline).mean(), baseline[:, 2].mean()])


def test_with_logit_values_are_in_log_odds() -> None:
    rng = np.random.default_rng(9)
    records, baseline, weights = rng.normal(size=(5, 8)), rng.normal(size=(1, 8)), rng.normal(size=8)

    found = explain(lambda rows: 1 / (1 + np.exp(-(rows @ weights))), records, baseline, use_logit=True)

    np.testing.assert_allclose(found.values[:, :, 0], weights * (records - baseline), atol=1e-8)
    np.testing.assert_allclose(found.expected_value, baseline @ weights)


def test_logit_refuses_scores_that_are_no_probabilities() -> None:
    with pytest.raises(AnalysisError, match=r"use_logit needs probabilities in \[0, 1\]; .* to 3.0"):
        explain(lambda rows: rows[:, 0], np.array([[3.0, 1.0]]), np.zeros((1, 2)), use_logit=True)


def test_certain_scores_stay_finite_in_log_odds() -> None:
    found = explain(lambda rows: rows[:, 0], np.array([[1.0, 0.5]]), np.zeros((1, 2)), use_logit=True)

    assert np.isfinite(found.values).all()


def test_categories_are_mixed_as_they_are() -> None:
    records = np.array([["gold", 2.0], ["none", 3.0]], dtype=object)
    baseline = np.array([["none", 1.0]], dtype=object)

    def model(rows: np.ndarray) -> np.ndarray:
        return (rows[:, 0] == "gold") * 10 + rows[:, 1].astype(float)

    np.testing.assert_allclose(explain(model, records, baseline).values[:, :, 0], [[10, 1], [0, 2]], atol=1e-12)


def test_a_baseline_of_another_width_is_refused() -> None:
    with pytest.raises(AnalysisError, match="SHAP baseline rows have 2 values, and records have 3 features"):
        explain(interacting, np.zeros((1, 3)), np.zeros((1, 2)))


def test_rows_asked_for_at_once_are_bounded() -> None:
    asked: list[int] = []

    def watched(rows: np.ndarray) -> np.ndarray:
        asked.append(rows.nbytes)
        return rows.sum(axis=1)

    explain(watched, np.ones((50, 10)), np.zeros((2, 10)), num_samples=20, chunk_bytes=10_000)

    assert max(asked) <= 10_000
    assert len(asked) > 10


def test_the_number_of_samples() -> None:
    assert samples_per_record(69, 100) == 100
    assert samples_per_record(69, None) == 2 * 69 + 2048
    assert samples_per_record(4, None) == 14
    assert samples_per_record(4, 100) == 14
    assert samples_per_record(69, 101) == 102
