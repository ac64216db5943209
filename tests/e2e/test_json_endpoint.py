"""An endpoint that is asked and answers in JSON: baselines, captures, ground truth, and both monitors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.e2e.json_people import JsonPeople, json_place
from tests.e2e.place import Place

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/python-inference:1"
FEATURES = ["Age", "Plan", "Minutes"]
PEOPLE = 120
EACH = 10

INFERENCE = """
import json
import math


def model_fn(model_dir):
    return {"no": 0.0, "yes": 1.5}


def input_fn(body, content_type):
    assert content_type == "application/json", content_type
    return [one["features"] for one in json.loads(body)["instances"]]


def predict_fn(rows, plans):
    assert all(isinstance(age, int) for age, _, _ in rows), rows
    return [1 / (1 + math.exp(3 - 0.05 * age - plans[plan] - 0.01 * minutes)) for age, plan, minutes in rows]


def output_fn(scores, accept):
    assert accept == "application/json", accept
    return json.dumps({"predictions": [{"score": one, "predicted_label": int(one > 0.5)} for one in scores]})
"""

BIAS: dict[str, Any] = {
    "headers": [*FEATURES, "Target"],
    "label": "instances[*].label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Plan", "value_or_threshold": ["yes"]}],
}
SHAP = {"num_samples": 6, "agg_method": "mean_abs", "baseline": {"instances": [{"features": [40, "no", 100.0]}]}}


def people() -> list[list[Any]]:
    rng = np.random.default_rng(1)
    return [
        [int(age), str(plan), round(float(minutes), 1)]
        for age, plan, minutes in zip(
            rng.integers(18, 80, PEOPLE), rng.choice(["no", "yes"], PEOPLE), rng.normal(0, 60, PEOPLE), strict=True
        )
    ]


def labels() -> list[int]:
    return np.random.default_rng(2).integers(0, 2, PEOPLE).tolist()


PEOPLE_IN_JSON = JsonPeople(people(), labels(), BIAS, SHAP, "predictions[*].predicted_label")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("aws")
    with json_place(folder, {"code/inference.py": INFERENCE.encode()}, Image=IMAGE) as place:
        yield place


@pytest.fixture(scope="module")
def baseline(place: Place) -> dict[str, Any]:
    """The analysis of the data set, as the baseline of both monitors: its address is under "uri"."""
    return PEOPLE_IN_JSON.baseline(place)[1]


@pytest.fixture(scope="module")
def traffic(place: Place) -> str:
    """Requests of several people each, and their labels; gives the labels' address."""
    return PEOPLE_IN_JSON.ask(place, EACH)


def test_the_baseline_adds_up(baseline: dict[str, Any]) -> None:
    assert list(baseline["explanations"]["kernel_shap"]["label0"]["global_shap_values"]) == FEATURES
    facets = baseline["pre_training_bias_metrics"]["facets"]
    assert [one["value_or_threshold"] for one in facets["Plan"]] == ["yes"]
    metrics = {one["name"]: one["value"] for one in facets["Plan"][0]["metrics"]}
    positive = {
        plan: np.mean([label for one, label in zip(people(), labels(), strict=True) if one[1] == plan])
        for plan in ("no", "yes")
    }
    assert metrics["DPL"] == pytest.approx(positive["no"] - positive["yes"])


def test_captured_json_is_judged_as_the_same_data_set_was(place: Place, baseline: dict[str, Any], traffic: str) -> None:
    analysis = PEOPLE_IN_JSON.captured_bias(place, baseline["uri"], traffic)
    for section in ("post_training_bias_metrics", "pre_training_bias_metrics"):
        assert analysis[section] == baseline[section]


@pytest.mark.usefixtures("traffic")
def test_captured_json_is_explained_as_the_same_data_set_was(place: Place, baseline: dict[str, Any]) -> None:
    analysis = PEOPLE_IN_JSON.captured_explanations(place, baseline["uri"])
    found, expected = (one["explanations"]["kernel_shap"]["label0"] for one in (analysis, baseline))
    assert found["expected_value"] == pytest.approx(expected["expected_value"])
    assert found["global_shap_values"] == pytest.approx(expected["global_shap_values"])
