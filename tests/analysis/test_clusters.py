"""Clusters as a SHAP baseline, against scikit-learn and examples whose clusters are known."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis.clusters import MOST_CLUSTERS, cluster_centres

ORACLE = """
import json, sys
from sklearn.cluster import KMeans

answers = []
for case in json.load(sys.stdin):
    found = KMeans(case["clusters"], n_init=10, random_state=0).fit(case["rows"])
    answers.append({"centres": found.cluster_centers_.tolist(), "inertia": found.inertia_})
json.dump(answers, sys.stdout)
"""


def blobs(centres: np.ndarray, each: int = 60, spread: float = 0.5, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = np.concatenate([centre + rng.normal(scale=spread, size=(each, len(centre))) for centre in centres])
    return pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])


def standardised(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray((frame - frame.mean()) / frame.std(ddof=0))


def ordered(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T[::-1])]


def inertia(rows: np.ndarray, centres: np.ndarray) -> float:
    return float(np.square(rows[:, None, :] - centres[None, :, :]).sum(axis=2).min(axis=1).sum())


def test_centres_are_those_of_scikit_learn(oracle_python: Path) -> None:
    rng = np.random.default_rng(3)
    frames = [
        (blobs(np.array([[0, 0], [9, 0], [0, 9], [9, 9]]), spread=1.5), 4),
        (blobs(rng.normal(scale=6, size=(5, 8))), 5),
        (pd.DataFrame(rng.normal(size=(300, 3)), columns=["x0", "x1", "x2"]), 3),
    ]
    cases = [{"rows": standardised(frame).tolist(), "clusters": clusters} for frame, clusters in frames]
    answer = subprocess.run(
        [oracle_python, "-c", ORACLE],
        input=json.dumps(cases),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    for (frame, clusters), oracle in zip(frames, json.loads(answer.stdout), strict=True):
        found = cluster_centres(frame, clusters, seed=5)
        scaled = np.asarray((found - frame.mean()) / frame.std(ddof=0))
        assert inertia(standardised(frame), scaled) == pytest.approx(oracle["inertia"], rel=0.01)
        if frame.shape[1] != 3:
            np.testing.assert_allclose(ordered(scaled), ordered(np.array(oracle["centres"])), atol=1e-6)


@pytest.mark.parametrize("groups", [1, 2, 3, 5])
def test_the_data_choose_how_many_clusters_there_are(groups: int) -> None:
    centres = np.array([[0.0, 0.0], [20, 20], [0, 20], [20, 0], [60, 60]])[:groups]
    frame = blobs(centres) if groups > 1 else pd.DataFrame({"x0": [1.5] * 20, "x1": [2.5] * 20})

    found = cluster_centres(frame, None, seed=1)

    assert len(found) == groups
    if groups > 1:
        np.testing.assert_allclose(ordered(found.to_numpy().round()), ordered(centres))


def test_one_cluster_is_the_mean() -> None:
    frame = blobs(np.array([[1.0, 2.0], [5.0, 9.0]]))
    pd.testing.assert_series_equal(cluster_centres(frame, 1).iloc[0], frame.mean(), check_names=False)


def test_a_feature_counts_by_its_spread_not_by_its_unit() -> None:
    frame = pd.DataFrame({"kind": [0.0, 1.0] * 100, "income": np.random.default_rng(1).normal(50_000, 10, 200)})
    assert sorted(cluster_centres(frame, 2, seed=1)["kind"]) == pytest.approx([0.0, 1.0])


def test_whole_numbers_stay_values_that_occur() -> None:
    frame = pd.DataFrame({"code": [1, 2, 2, 9], "price": [1.0, 2.0, 2.0, 9.0]})
    (centre,) = cluster_centres(frame, 1).itertuples(index=False)
    assert (centre.code, centre.price) == (2, 3.5)
    assert isinstance(centre.code, int)


def test_categories_are_their_commonest_value() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "plan": np.where(rng.random(100) < 0.9, np.repeat(["basic", "gold"], 50), "other"),
            "minutes": np.repeat([10.0, 90.0], 50) + rng.normal(size=100),
            "roams": np.repeat([False, True], 50),
        }
    )
    found = cluster_centres(frame, 2, seed=1).sort_values("minutes")
    assert found["plan"].tolist() == ["basic", "gold"]
    assert found["minutes"].round().tolist() == [10, 90]
    assert found["roams"].tolist() == [False, True]
    assert list(found.columns) == ["plan", "minutes", "roams"]


def test_categories_alone_make_clusters() -> None:
    frame = pd.DataFrame([["a", "x", "k"]] * 30 + [["b", "y", "l"]] * 20, columns=["one", "two", "three"])
    found = cluster_centres(frame, None, seed=1)
    assert sorted(map(tuple, found.to_numpy())) == [("a", "x", "k"), ("b", "y", "l")]


def test_missing_values_are_no_obstacle() -> None:
    frame = pd.DataFrame({"x": [0.0, np.nan, 0.0, 10.0, 10.0, np.nan], "c": ["a", "a", None, "b", "b", "b"]})
    found = cluster_centres(frame, 2, seed=1).sort_values("x")
    assert found["x"].tolist() == [0.0, 10.0]
    assert found["c"].tolist() == ["a", "b"]


def test_columns_without_values_and_huge_ones() -> None:
    frame = pd.DataFrame(
        {"none": [np.nan] * 4, "huge": [1e300, -1e300, 1e300, -1e300], "odd": [np.inf, 1.0, np.nan, 1.0]}
    )
    found = cluster_centres(frame, None, seed=1)
    assert found["none"].isna().all()
    assert sorted(found["huge"]) == [-1e300, 1e300]
    assert len(cluster_centres(frame[["none", "odd"]], 12, seed=1)) == 1


def test_there_are_no_more_clusters_than_different_rows() -> None:
    frame = pd.DataFrame({"x": [1.0, 1.0, 2.0], "y": [3.0, 3.0, 4.0]})
    assert ordered(cluster_centres(frame, 12, seed=1).to_numpy()).tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert len(cluster_centres(frame, None, seed=1)) <= 2


def test_the_same_seed_gives_the_same_centres() -> None:
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(12_000, 4)), columns=list("abcd"))
    found = [cluster_centres(frame, 8, seed=seed) for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(found[0], found[1])
    assert not found[0].equals(found[2])
    assert 1 <= len(cluster_centres(frame.head(500), None, seed=1)) <= MOST_CLUSTERS


@pytest.mark.parametrize("values", [[0.0, 1e-9, 1.0], [1.0, 0.0, 1e-12], [1e308, -1e308, 0.0, 5.0], [7.0] * 4])
@pytest.mark.parametrize("clusters", [None, 3, 12])
def test_rows_that_can_hardly_be_told_apart_share_a_cluster(values: list[float], clusters: int | None) -> None:
    found = cluster_centres(pd.DataFrame({"x": values}), clusters, seed=0)
    assert len(found) <= len(set(values))
    assert found["x"].between(min(values), max(values)).all()
    pd.testing.assert_frame_equal(found, cluster_centres(pd.DataFrame({"x": values}), clusters, seed=0))


def test_whole_numbers_with_gaps_have_whole_centres() -> None:
    found = cluster_centres(pd.DataFrame({"x": [1, None, 4, 4]}), 1)
    assert found["x"].tolist() == [4]
