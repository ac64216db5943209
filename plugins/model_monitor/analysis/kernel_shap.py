"""Kernel SHAP as Clarify computes it, for all records at once.

The estimator differs from the `shap` package's: every feature takes part, also where a record equals the baseline;
coalitions are drawn anew for every record, each with its complement; the last feature is eliminated through
`sum(phi) = f(x) - E`; of all least-squares solutions the one of the smallest norm is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from model_monitor.errors import AnalysisError

Predict = Callable[[np.ndarray], np.ndarray]

_LOGIT_MARGIN = 1e-12
_RIDGE = 3e-6
_REFINEMENTS = 6
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Attributions:
    """Shapley values (records, features, outputs) and the mean output over the baseline rows (outputs,)."""

    values: np.ndarray
    expected_value: np.ndarray


@dataclass(frozen=True)
class _Coalitions:
    """Present features (records or 1, samples, features) and each sample's weight (samples,).

    Sample i and sample i + samples/2 are each other's complement.
    """

    present: np.ndarray
    weights: np.ndarray


def samples_per_record(features: int, num_samples: int | None) -> int:
    """How many coalitions a record gets: `min(num_samples, 2^n - 2)`, `num_samples` being `2n + 2048` unless given.

    Coalitions come with their complements, so an odd count becomes the even one above.
    Source: Clarify, "Feature attributions that use Shapley values".
    """
    wanted = 2 * features + 2048 if num_samples is None else num_samples
    everything: int = 2**features - 2
    return min(wanted + wanted % 2, everything)


def explain(
    predict: Predict,
    records: np.ndarray,
    baseline: np.ndarray,
    *,
    num_samples: int | None = None,
    use_logit: bool = False,
    seed: int | np.random.Generator | None = None,
    chunk_bytes: int = 64 * 1024 * 1024,
) -> Attributions:
    """Attribute the model's output for `records` (r, n) to their n features, relative to `baseline` rows (b, n).

    `predict` takes rows (m, n) and gives (m,) or (m, k). With `use_logit`, attributions are in log-odds. Exact Shapley
    values when `num_samples` covers all `2^n - 2` coalitions. A generator as `seed` is drawn from on. `chunk_bytes`
    bounds the rows predicted together.

    Raises:
        AnalysisError: when records and baseline differ in width, or `use_logit` meets scores outside [0, 1].
    """
    features = records.shape[1]
    if baseline.ndim != 2 or baseline.shape[1] != features:
        raise AnalysisError(
            f"SHAP baseline rows have {baseline.shape[-1]} values, and records have {features} features. "
            "Give one value for each of the model's inputs."
        )
    outputs = _Outputs(predict, use_logit)
    expected = outputs(baseline).mean(axis=0)
    surplus = outputs(records) - expected
    samples = samples_per_record(features, num_samples)
    if samples == 0:
        return Attributions(surplus[:, None, :], expected)
    values = np.empty((len(records), features, len(expected)))
    rng = np.random.default_rng(seed)
    per_record = max(1, samples * len(baseline) * features * 8)
    for part in _chunks(len(records), max(1, chunk_bytes // per_record)):
        coalitions = _coalitions(rng, part.stop - part.start, features, samples)
        targets = outputs.over_baseline(_mixed(coalitions.present, records[part], baseline)) - expected
        values[part] = _solve(coalitions, targets, surplus[part])
    return Attributions(values, expected)


class _Outputs:
    """The model's outputs as (rows, k), in log-odds if asked for."""

    def __init__(self, predict: Predict, use_logit: bool) -> None:
        self._predict = predict
        self._use_logit = use_logit

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        scores = np.asarray(self._predict(rows), dtype=float).reshape(len(rows), -1)
        return _logit(scores) if self._use_logit else scores

    def over_baseline(self, mixed: np.ndarray) -> np.ndarray:
        """Outputs (r, m, k) of mixed rows (r, m, b, n), averaged over the baseline rows."""
        records, samples, rows, features = mixed.shape
        outputs: np.ndarray = self(mixed.reshape(-1, features)).reshape(records, samples, rows, -1).mean(axis=2)
        return outputs


def _logit(scores: np.ndarray) -> np.ndarray:
    if scores.min() < 0 or scores.max() > 1:
        raise AnalysisError(
            f"use_logit needs probabilities in [0, 1]; the model gives scores from {scores.min()} to {scores.max()}. "
            "Set use_logit to false."
        )
    inside = np.clip(scores, _LOGIT_MARGIN, 1 - _LOGIT_MARGIN)
    return np.asarray(np.log(inside / (1 - inside)))


def _mixed(present: np.ndarray, records: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    return np.where(present[:, :, None, :], records[:, None, None, :], baseline[None, None, :, :])


def _chunks(length: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, length)) for start in range(0, length, size))


def _coalitions(rng: np.random.Generator, records: int, features: int, samples: int) -> _Coalitions:
    """Enumerate the sizes that the samples cover, from both ends inwards; draw from the other sizes."""
    sizes = np.arange(1, features)
    mass = (features - 1) / (sizes * (features - sizes))
    mass = mass / mass.sum()
    fixed, weights, drawn_from, left = _enumerated(features, samples, mass)
    pairs = (left + 1) // 2
    if pairs and drawn_from.size:
        share = mass[drawn_from - 1]
        chosen = rng.choice(drawn_from, size=(records, pairs, 1), p=share / share.sum())
        order = rng.permuted(np.broadcast_to(np.arange(features), (records, pairs, features)), axis=-1)
        drawn = order < chosen
        weights = np.concatenate([weights, np.full(pairs, share.sum() / (2 * pairs))])
        half = np.concatenate([np.broadcast_to(fixed, (records, *fixed.shape)), drawn], axis=1)
    else:
        half = np.broadcast_to(fixed, (1, *fixed.shape))
    return _Coalitions(np.concatenate([half, ~half], axis=1), np.concatenate([weights, weights]))


def _enumerated(features: int, samples: int, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Half of the coalitions of covered sizes (the others are their complements), weights, other sizes, samples left.

    Sizes 1 and n-1 are covered from 2n samples on, further ones when drawing would reach each of their coalitions once
    on average, and all of them when the samples suffice for all.
    """
    rows: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    left = samples
    size = 1
    while size <= features // 2:
        complement = features - size
        count = comb(features, size) * (1 if size == complement else 2)
        rest = mass[size - 1 : complement].sum()
        share = mass[size - 1] + (mass[complement - 1] if size != complement else 0)
        everything = samples >= 2**features - 2
        covered = everything or (left >= count and (size == 1 or left * share / rest >= count))
        if not covered:
            break
        members = _members(features, size)
        rows.append(members)
        weights.append(np.full(len(members), share / count))
        left -= count
        size += 1
    not_covered = np.arange(size, features - size + 1)
    if not rows:
        return np.empty((0, features), dtype=bool), np.empty(0), not_covered, left
    return np.concatenate(rows), np.concatenate(weights), not_covered, left


def _members(features: int, size: int) -> np.ndarray:
    """The coalitions of a size; of the middle size, only those that hold the first feature, the others' complements."""
    middle = 2 * size == features
    chosen = (
        [(0, *others) for others in combinations(range(1, features), size - 1)]
        if middle
        else list(combinations(range(features), size))
    )
    present = np.zeros((len(chosen), features), dtype=bool)
    np.put_along_axis(present, np.array(chosen), True, axis=1)
    return present


def _solve(coalitions: _Coalitions, targets: np.ndarray, surplus: np.ndarray) -> np.ndarray:
    """Values (r, n, k) from targets (r, m, k) and surplus (r, k).

    A coalition and its complement give the same equation with opposite signs once the last feature is eliminated, so
    the two are averaged into one, which halves the system and leaves its solution as it is.
    """
    present, weights = coalitions.present, coalitions.weights
    pairs = present.shape[1] // 2
    last = present[:, :, -1:].astype(float)
    design = present[:, :pairs, :-1].astype(float) - last[:, :pairs]
    rest = targets - last * surplus[:, None, :]
    averaged = (rest[:, :pairs] - rest[:, pairs:]) / 2
    root = np.sqrt(weights[:pairs])[None, :, None]
    phi = _least_squares(design * root, averaged * root)
    return np.concatenate([phi, (surplus - phi.sum(axis=1))[:, None, :]], axis=1)


def _least_squares(design: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The minimum-norm least-squares solutions (r, n, k) of stacked systems (r or 1, p, n) and (r, p, k).

    Repeated coalitions make most systems singular. Solving the smaller Gram matrix with a small ridge, and then again
    for what is left, converges to the pseudo-inverse's solution in a tenth of its time; the few systems in which it has
    not, as their equations are nearly dependent, get the pseudo-inverse itself.
    """
    transposed = design.swapaxes(-1, -2)
    projected = transposed @ targets
    equations, unknowns = design.shape[-2:]
    if equations < unknowns:
        solution = transposed @ _refined(design @ transposed, targets)
    else:
        solution = _refined(transposed @ design, projected)
    left = np.abs(projected - transposed @ (design @ solution)).max(axis=(1, 2))
    unsolved = left > _TOLERANCE * np.abs(projected).max(axis=(1, 2))
    if unsolved.any():
        every = np.broadcast_to(design, (len(targets), equations, unknowns))
        solution[unsolved] = np.linalg.pinv(every[unsolved], rcond=1e-9) @ targets[unsolved]
    return np.asarray(solution)


def _refined(gram: np.ndarray, targets: np.ndarray) -> np.ndarray:
    size = gram.shape[-1]
    ridge = _RIDGE * np.trace(gram, axis1=-2, axis2=-1)[:, None, None] / size
    inverse = np.linalg.inv(gram + ridge * np.eye(size))
    solution = inverse @ targets
    for _ in range(_REFINEMENTS):
        solution = solution + inverse @ (targets - gram @ solution)
    return np.asarray(solution)
