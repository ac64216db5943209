"""Endpoints that speak JSON: what their YAML says, and what the requests and analyses that follow from it say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from model_monitor import analysis_configs, requests, sources
from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.errors import ConfigError

CHURN = Path(__file__).parents[2] / "include" / "endpoints" / "churn.yaml"
HEADERS = ["Age", "Plan", "Target"]
JSON: dict[str, Any] = {
    "data": {
        "validation": "people.json",
        "test": "requests.jsonl",
        "dataset_type": "application/json",
        "label": "instances[*].label",
        "features": "instances[*].features",
        "headers": HEADERS,
    },
    "endpoint": {
        "payloads": {
            "content_type": "application/json",
            "content_template": '{"instances":$records}',
            "record_template": '{"features":$features}',
            "label": "predictions[*].predicted_label",
            "probability": "predictions[*].score",
        }
    },
    "explainability": {"baseline": "clusters", "num_clusters": 2},
    "bias": {"facets": [{"name": "Age", "values_or_threshold": [40]}]},
    "alarms": None,
}


def loaded(folder: Path, *changes: tuple[str, Any]) -> MonitoredEndpoint:
    """The churn example as an endpoint that speaks JSON; a change is a dotted key and its value, or None for none."""
    content = yaml.safe_load(CHURN.read_text()) | yaml.safe_load(yaml.safe_dump(JSON))
    for key, value in changes:
        *path, last = key.split(".")
        section = content
        for part in path:
            section = section[part]
        if value is None:
            del section[last]
        else:
            section[last] = value
    file = folder / "json.yaml"
    file.write_text(yaml.safe_dump(content))
    return load_endpoint(file)


def test_analyses_are_told_all_that_clarify_needs(tmp_path: Path) -> None:
    endpoint = loaded(tmp_path)
    assert sources.headers(endpoint) == HEADERS
    predictor = {
        "model_name": "m",
        "instance_type": "ml.m5.large",
        "initial_instance_count": 1,
        "accept_type": "application/json",
        "content_type": "application/json",
        "content_template": '{"instances":$records}',
        "record_template": '{"features":$features}',
        "label": "predictions[*].predicted_label",
        "probability": "predictions[*].score",
    }
    bias = analysis_configs.bias_baseline_analysis(endpoint, "m", HEADERS)
    assert bias["features"] == "instances[*].features"
    assert bias["label"] == "instances[*].label"
    assert bias["predictor"] == predictor
    explained = analysis_configs.explainability_baseline_analysis(
        endpoint, "m", HEADERS, sources.shap_baseline(endpoint)
    )
    assert explained["features"] == "instances[*].features"
    assert "baseline" not in explained["methods"]["shap"]
    monitor = analysis_configs.explainability_monitor_analysis(endpoint, "m", HEADERS, None)
    assert monitor["headers"] == ["Age", "Plan"]
    for analysis in (bias, explained, monitor, analysis_configs.bias_monitor_analysis(endpoint, HEADERS)):
        parse_analysis_config(analysis)


@pytest.mark.parametrize("kind", ["bias", "explainability"])
def test_monitors_know_where_to_look_in_captures(tmp_path: Path, kind: Any) -> None:
    definition = requests.create_job_definition(loaded(tmp_path), kind, {}, None)
    given = definition[f"Model{kind.title()}JobInput"]["EndpointInput"]
    assert given["FeaturesAttribute"] == "instances[*].features"
    assert given["InferenceAttribute"] == "predictions[*].predicted_label"
    assert given["ProbabilityAttribute"] == "predictions[*].score"


def test_traffic_is_sent_and_answered_in_json(tmp_path: Path) -> None:
    request = requests.invoke_endpoint(loaded(tmp_path), "{}", "7")
    assert (request["ContentType"], request["Accept"]) == ("application/json", "application/json")


def test_a_table_may_be_the_data_set_of_an_endpoint_that_speaks_json(tmp_path: Path) -> None:
    data = {"validation": "v.csv", "test": "t.jsonl", "label": "Target"}
    endpoint = loaded(tmp_path, ("data", data), ("endpoint.payloads.features", "instances[*].features"))
    given = requests.create_job_definition(endpoint, "bias", {}, None)["ModelBiasJobInput"]["EndpointInput"]
    assert given["FeaturesAttribute"] == "instances[*].features"
    analysis = analysis_configs.bias_baseline_analysis(endpoint, "m", HEADERS)
    assert (analysis["dataset_type"], analysis["predictor"]["content_type"]) == ("text/csv", "application/json")
    assert "features" not in analysis


def test_labels_and_scores_of_csv_stand_at_positions(tmp_path: Path) -> None:
    content = yaml.safe_load(CHURN.read_text())
    content["endpoint"]["payloads"] = {"label": 0, "probability": 1, "label_headers": ["stays", "leaves"]}
    (tmp_path / "csv.yaml").write_text(yaml.safe_dump(content))
    endpoint = load_endpoint(tmp_path / "csv.yaml")
    given = requests.create_job_definition(endpoint, "bias", {}, None)["ModelBiasJobInput"]["EndpointInput"]
    assert (given["InferenceAttribute"], given["ProbabilityAttribute"]) == ("0", "1")
    assert "FeaturesAttribute" not in given
    predictor = analysis_configs.bias_baseline_analysis(endpoint, "m", HEADERS)["predictor"]
    assert (predictor["label"], predictor["probability"], predictor["label_headers"]) == (0, 1, ["stays", "leaves"])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("data.features", None, "data.features: application/json needs it, such as instances[*].features"),
        ("data.features", "instances[*", "data.features: expected a place in JSON as JMESPath, such as instances"),
        ("data.headers", None, "data.headers: application/json needs them; for JSON the label's comes last"),
        ("data.dataset_type", "application/x-parquet", "data.headers: must contain the label 'instances[*].label'"),
        ("endpoint.payloads.content_template", None, "endpoint.payloads.content_template: application/json needs one"),
        ("endpoint.payloads.record_template", None, "endpoint.payloads.record_template: application/json needs one"),
        ("endpoint.payloads.accept_type", "text/csv", "endpoint.payloads.accept_type: monitors take requests in app"),
        ("endpoint.payloads.label_headers", [True], "endpoint.payloads.label_headers: expected a list of the classes'"),
        ("endpoint.payloads.label_headers", ["a", "a"], "endpoint.payloads.label_headers: 'a' more than once"),
        ("endpoint.payloads.label", -1, "endpoint.payloads.label: expected a place in answers: a position in CSV"),
        ("endpoint.data_capture", {"json_content_types": ["text/json"]},
         "endpoint.data_capture.json_content_types: must list application/json;"),
        ("explainability", {"baseline": "test_mean"}, "explainability.baseline: test_mean is the mean of a data.test"),
        ("explainability", {"baseline": {"rows": [[1, 2]]}, "num_clusters": 2}, "explainability.num_clusters: is for"),
        ("explainability.num_clusters", 13, "explainability.num_clusters: "),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path: Path, key: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, (key, value))
    assert any(line.startswith(f"{tmp_path / 'json.yaml'}: {said}") for line in str(error.value).splitlines()), error


def test_answers_in_json_have_a_place_for_the_label_or_the_score(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"endpoint\.payloads: label or probability: say where it stands"):
        loaded(tmp_path, ("endpoint.payloads.label", None), ("endpoint.payloads.probability", None))


def test_a_request_in_json_has_a_place_for_features(tmp_path: Path) -> None:
    data = {"validation": "v.csv", "test": "t.jsonl", "label": "Target"}
    with pytest.raises(ConfigError, match=r"endpoint\.payloads\.features: say where features stand in a request"):
        loaded(tmp_path, ("data", data))
