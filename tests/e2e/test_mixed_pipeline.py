"""A scikit-learn pipeline over words and numbers, asked in JSON: baselines and both monitors, next to exact values."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.e2e.json_people import JsonPeople, json_place
from tests.e2e.place import Place

IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
FEATURES = ["Age", "Workclass", "Education-Num", "Marital Status", "Capital Gain", "Sex"]
WORDS = ["Workclass", "Marital Status", "Sex"]
LABEL = "Income"
PEOPLE = 150
EACH = 7
EXPLAINED = 20
TYPICAL: list[Any] = [38, "Private", 10, "Married, civil", 0.0, "Male"]

INFERENCE = """
import json
import os

import joblib
import pandas as pd

NAMES = ["Age", "Workclass", "Education-Num", "Marital Status", "Capital Gain", "Sex"]


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


def input_fn(body, content_type):
    assert content_type == "application/json", content_type
    return pd.DataFrame([one["features"] for one in json.loads(body)["instances"]], columns=NAMES)


def output_fn(labels, accept):
    return json.dumps({"predictions": labels})


def predict_fn(rows, model):
    scores = model.predict_proba(rows)[:, 1]
    return [{"score": score, "predicted_label": [">50K" if score > 0.5 else "<=50K"]} for score in scores.tolist()]
"""

BIAS: dict[str, Any] = {
    "headers": [*FEATURES, LABEL],
    "label": "instances[*].label",
    "label_values_or_threshold": [">50K"],
    "facet": [{"name_or_index": "Sex", "value_or_threshold": ["Female"]}],
    "group_variable": "Workclass",
}
SHAP = {"num_samples": 500, "baseline": [TYPICAL], "save_local_shap_values": True}


def people() -> pd.DataFrame:
    """People as in census data: words with commas, quotes and accents, and a word that is missing."""
    rng = np.random.default_rng(11)
    table = pd.DataFrame(
        {
            "Age": rng.integers(17, 80, PEOPLE),
            "Workclass": rng.choice(["Private", 'Self-emp "inc"', "État", None], PEOPLE),
            "Education-Num": rng.integers(1, 17, PEOPLE),
            "Marital Status": rng.choice(["Married, civil", "Never\nmarried", "Widowed"], PEOPLE),
            "Capital Gain": rng.exponential(900, PEOPLE).round(2),
            "Sex": rng.choice(["Male", "Female"], PEOPLE),
        }
    )
    return table.astype(dict.fromkeys(WORDS, object)).where(table.notna(), None)


def incomes() -> list[str]:
    table, rng = people(), np.random.default_rng(12)
    rich = 0.04 * table["Age"] + 0.25 * table["Education-Num"] + 1.2 * (table["Sex"] == "Male") - 5
    return np.where(rich + rng.normal(0, 1, PEOPLE) > 0, ">50K", "<=50K").tolist()


def rows() -> list[list[Any]]:
    found: list[list[Any]] = people().to_numpy(dtype=object).tolist()
    return found


PEOPLE_IN_JSON = JsonPeople(rows(), incomes(), BIAS, SHAP, "predictions[*].predicted_label[0]")


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), WORDS), remainder="passthrough")
    return make_pipeline(encoder, GradientBoostingClassifier(n_estimators=20, random_state=0)).fit(people(), incomes())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pipeline: Pipeline) -> Iterator[Place]:
    model = io.BytesIO()
    joblib.dump(pipeline, model)
    archive = {"code/inference.py": INFERENCE.encode(), "model.joblib": model.getvalue()}
    environment = {"SAGEMAKER_PROGRAM": "inference.py"}
    with json_place(tmp_path_factory.mktemp("aws"), archive, Image=IMAGE, Environment=environment) as place:
        yield place


@pytest.fixture(scope="module")
def baseline(place: Place) -> dict[str, Any]:
    """The analysis of all people; its address is under "uri", each row's explanation under "local"."""
    job, analysis = PEOPLE_IN_JSON.baseline(place)
    return analysis | {"local": pd.read_csv(io.StringIO(place.output(job, "explanations_shap/out.csv")))}


@pytest.fixture(scope="module")
def traffic(place: Place) -> str:
    """Requests of several people each, and their labels; gives the labels' address."""
    return PEOPLE_IN_JSON.ask(place, EACH)


def exact_shapley(pipeline: Pipeline, row: list[Any]) -> list[float]:
    """Shapley values by their definition, over all coalitions of features; the others are as in the typical row."""
    coalitions = list(itertools.product([False, True], repeat=len(FEATURES)))
    mixed = [[new if there else old for new, old, there in zip(row, TYPICAL, one, strict=True)] for one in coalitions]
    scores = pipeline.predict_proba(pd.DataFrame(mixed, columns=FEATURES))[:, 1]
    worth = dict(zip(coalitions, scores, strict=True))
    count, values = len(FEATURES), []
    for feature in range(count):
        value = 0.0
        for one in coalitions:
            if not one[feature]:
                joined = (*one[:feature], True, *one[feature + 1 :])
                weight = math.factorial(sum(one)) * math.factorial(count - sum(one) - 1) / math.factorial(count)
                value += weight * (worth[joined] - worth[one])
        values.append(value)
    return values


def test_shapley_values_are_those_of_the_definition(baseline: dict[str, Any], pipeline: Pipeline) -> None:
    expected = [exact_shapley(pipeline, row) for row in rows()[:EXPLAINED]]
    np.testing.assert_allclose(baseline["local"].to_numpy()[:EXPLAINED], expected, atol=1e-6)
    assert list(baseline["local"].columns) == [f"{name}_label0" for name in FEATURES]
    typical = pipeline.predict_proba(pd.DataFrame([TYPICAL], columns=FEATURES))[0, 1]
    assert baseline["explanations"]["kernel_shap"]["label0"]["expected_value"] == pytest.approx(typical)


def test_bias_is_that_of_the_pipeline_itself(baseline: dict[str, Any], pipeline: Pipeline) -> None:
    female = (people()["Sex"] == "Female").to_numpy()
    for section, name, labels in (
        ("pre_training_bias_metrics", "DPL", np.array(incomes())),
        ("post_training_bias_metrics", "DPPL", pipeline.predict(people())),
    ):
        assert baseline[section]["label_value_or_threshold"] == ">50K"
        metrics = {one["name"]: one["value"] for one in baseline[section]["facets"]["Sex"][0]["metrics"]}
        positive = labels == ">50K"
        assert metrics[name] == pytest.approx(positive[~female].mean() - positive[female].mean())


def test_what_is_captured_is_judged_as_the_data_set_was(place: Place, baseline: dict[str, Any], traffic: str) -> None:
    analysis = PEOPLE_IN_JSON.captured_bias(place, baseline["uri"], traffic)
    for section in ("post_training_bias_metrics", "pre_training_bias_metrics"):
        assert analysis[section] == baseline[section]


@pytest.mark.usefixtures("traffic")
def test_what_is_captured_is_explained_as_the_data_set_was(place: Place, baseline: dict[str, Any]) -> None:
    analysis = PEOPLE_IN_JSON.captured_explanations(place, baseline["uri"])
    found, expected = (one["explanations"]["kernel_shap"]["label0"] for one in (analysis, baseline))
    assert found["global_shap_values"] == pytest.approx(expected["global_shap_values"])
