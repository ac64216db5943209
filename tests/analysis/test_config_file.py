"""`analysis_config.json`: what is read from it, and what is said of a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model_monitor.analysis.config import (
    AnalysisConfig,
    FacetConfig,
    PredictorConfig,
    ReportConfig,
    ShapConfig,
)
from model_monitor.analysis.config_file import load_analysis_config, parse_analysis_config
from model_monitor.analysis.config_schema import POST_TRAINING_METRICS, PRE_TRAINING_METRICS
from model_monitor.errors import AnalysisError

HEADERS = ["Churn", "Account Length", "Day Mins"]
BIAS: dict[str, Any] = {
    "dataset_type": "text/csv",
    "headers": HEADERS,
    "label": "Churn",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Account Length", "value_or_threshold": [100]}],
    "methods": {
        "report": {"name": "report", "title": "Analysis Report"},
        "pre_training_bias": {"methods": "all"},
        "post_training_bias": {"methods": "all"},
    },
    "predictor": {
        "model_name": "churn",
        "instance_type": "ml.m5.large",
        "initial_instance_count": 1,
        "accept_type": "text/csv",
        "content_type": "text/csv",
    },
    "probability_threshold": 0.8,
}
SHAP: dict[str, Any] = {
    "headers": HEADERS[1:],
    "methods": {
        "shap": {
            "use_logit": False,
            "save_local_shap_values": False,
            "baseline": [[99.99, 7]],
            "num_samples": 100,
            "agg_method": "mean_abs",
        }
    },
    "predictor": {"model_name": "churn"},
}


def test_a_bias_baseline_as_the_sdk_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "analysis_config.json"
    file.write_text(json.dumps(BIAS))
    assert load_analysis_config(file) == AnalysisConfig(
        dataset_type="text/csv",
        headers=("Churn", "Account Length", "Day Mins"),
        label="Churn",
        label_values_or_threshold=(1,),
        facets=(FacetConfig("Account Length", (100,)),),
        probability_threshold=0.8,
        pre_training_methods=("CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD"),
        post_training_methods=(
            *("AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE"),
        ),
        predictor=PredictorConfig(
            model_name="churn",
            content_type="text/csv",
            accept_type="text/csv",
            initial_instance_count=1,
            instance_type="ml.m5.large",
        ),
        report=ReportConfig("report", "Analysis Report"),
    )


def test_an_explainability_monitor_names_no_dataset_type_and_no_label() -> None:
    config = parse_analysis_config(SHAP)
    assert config.shap == ShapConfig(baseline=((99.99, 7),), num_samples=100)
    assert config.pre_training_methods is None
    assert config.post_training_methods is None
    assert config.dataset_type == "text/csv"
    assert config.report is None


def test_a_bias_monitor_names_no_methods_and_gets_all() -> None:
    config = parse_analysis_config(
        {key: BIAS[key] for key in ("headers", "label", "label_values_or_threshold", "facet")}
    )
    assert config.pre_training_methods == PRE_TRAINING_METRICS
    assert config.post_training_methods == POST_TRAINING_METRICS


def test_chosen_metrics_keep_clarifys_order() -> None:
    config = parse_analysis_config({**BIAS, "methods": {"pre_training_bias": {"methods": ["KL", "CI"]}}})
    assert config.pre_training_methods == ("CI", "KL")
    assert config.post_training_methods is None


def test_values_keep_their_types() -> None:
    config = parse_analysis_config({**BIAS, "label_values_or_threshold": ["1", 1, 1.0, True]})
    assert [type(value) for value in config.label_values_or_threshold or ()] == [str, int, float, bool]


def test_upper_case_is_accepted_where_clarify_accepts_it() -> None:
    shap = {"shap": {"agg_method": "MEAN_SQ", "baseline": "s3://bucket/baseline.csv"}}
    config = parse_analysis_config({**SHAP, "dataset_type": "Text/CSV", "methods": shap})
    assert config.dataset_type == "text/csv"
    assert config.shap == ShapConfig(baseline="s3://bucket/baseline.csv", agg_method="mean_sq")


@pytest.mark.parametrize("content", ["{", "", "[1]", '"text"'])
def test_not_json(tmp_path: Path, content: str) -> None:
    file = tmp_path / "analysis_config.json"
    file.write_text(content)
    with pytest.raises(AnalysisError) as error:
        load_analysis_config(file)
    assert str(error.value).startswith("Unable to load analysis configuration as JSON.")
    assert str(file) in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"no_such_key": 1}, "no_such_key: unknown field"),
        ({"headers": "Churn"}, "headers: Input should be a valid list"),
        ({"dataset_type": "text/xml"}, "dataset_type: Input should be 'text/csv'"),
        ({"probability_threshold": "0.8"}, "probability_threshold: Input should be a valid number"),
        ({"facet": [{"name": "Account Length"}]}, "facet.0.name_or_index: Field required"),
        (
            {"methods": {"pre_training_bias": {"methods": ["XX"]}}},
            "unknown metric XX; metrics are 'all' or a list of CDDL",
        ),
        (
            {"methods": {"shap": {"num_samples": 0}}},
            "methods.shap.num_samples: Input should be greater than or equal to 1",
        ),
        ({"methods": {"shap": {"baseline": [[1, 2], [1]]}}}, "expected one or more rows of equal length"),
        (
            {"methods": {"shap": {"baseline": [[1]], "seed": -1}}},
            "methods.shap.seed: Input should be greater than or equal",
        ),
        ({"methods": {"pre_training_bias": {"methods": []}}}, "unknown metric (none); metrics are 'all' or a list of"),
        ({"methods": {"report": {"name": "../../evil"}}}, "methods.report.name: String should match pattern"),
        ({"methods": {"report": {"name": ""}}}, "methods.report.name: String should match pattern"),
        ({"probability_threshold": float("nan")}, "probability_threshold: Input should be a finite number"),
        ({"label_values_or_threshold": [float("inf")]}, "label_values_or_threshold.0: Input should be a finite number"),
        ({"label_values_or_threshold": [10**400]}, "label_values_or_threshold.0: Input should be less than"),
        ({"predictor": {"label": -1}}, "predictor.label: Input should be greater than or equal to 0"),
        ({"predictor": {"label_headers": ["no", "no"]}}, "predictor.label_headers: no, no: one more than once"),
        ({"methods": {"report": {"name": "report"}}}, "methods: nothing to do"),
        ({"facet": []}, "facet: bias metrics need at least one facet"),
        ({"label_values_or_threshold": []}, "label_values_or_threshold: bias metrics need the positive labels"),
        ({"headers": ["Churn", "Account Length", "Churn"]}, "headers: Churn more than once"),
        ({"group_variable": "Region"}, "group_variable: no column 'Region'"),
        ({"excluded_columns": [7]}, "excluded_columns: no column '7'"),
    ],
)
def test_a_mistake_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AnalysisError) as error:
        parse_analysis_config({**BIAS, **changes}, origin="analysis_config.json")
    assert str(error.value).startswith("Analysis configuration schema validation error.")
    assert said in str(error.value)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(AnalysisError, match=r"headers: .*; one: unknown field; two: unknown field"):
        parse_analysis_config({**BIAS, "headers": 1, "one": 1, "two": 2})


def test_a_label_that_is_no_header() -> None:
    with pytest.raises(AnalysisError, match=r"^Headers must contain label\. Label 'Churned' is not there; .*Account"):
        parse_analysis_config({**BIAS, "label": "Churned"})


@pytest.mark.parametrize("facet", ["Length", 3, -1])
def test_a_facet_that_is_no_header(facet: str | int) -> None:
    with pytest.raises(AnalysisError, match=r"^Unable to locate the facet\. Facet '.+' is not there"):
        parse_analysis_config({**BIAS, "facet": [{"name_or_index": facet}]})


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"methods": {"pdp": {"grid_resolution": 10}, **BIAS["methods"]}}, "methods.pdp"),
        ({"segment_config": [{"name_or_index": 0, "segments": [["a"]]}]}, "segment_config"),
        ({"predictor": {"model_name": "m", "target_model": "m.tar.gz"}}, "predictor.target_model"),
    ],
)
def test_what_this_engine_does_not_do_is_refused_rather_than_ignored(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(AnalysisError, match=f"{key} is not supported here"):
        parse_analysis_config({**BIAS, **changes})


@pytest.mark.parametrize("baseline", [[{"features": [1, 2]}], {"features": [1, 2]}])
def test_a_baseline_may_be_json_records(baseline: Any) -> None:
    config = parse_analysis_config({**SHAP, "methods": {"shap": {"baseline": baseline}}})
    assert config.shap is not None
    assert config.shap.baseline == ({"features": [1, 2]},)


def test_a_baseline_is_either_rows_or_records() -> None:
    with pytest.raises(AnalysisError, match="expected rows of values, JSON records or the address of a file"):
        parse_analysis_config({**SHAP, "methods": {"shap": {"baseline": [{"features": [1]}, [1]]}}})


def test_a_baseline_is_given_or_made_of_clusters() -> None:
    with pytest.raises(AnalysisError, match="baseline and num_clusters cannot be provided together"):
        parse_analysis_config({**SHAP, "methods": {"shap": {"baseline": [[1]], "num_clusters": 2}}})
    with pytest.raises(AnalysisError, match=r"methods.shap.num_clusters: .* less than or equal to 12"):
        parse_analysis_config({**SHAP, "methods": {"shap": {"num_clusters": 13}}})


@pytest.mark.parametrize(
    ("dataset_type", "predictor", "content_type", "accept_type"),
    [
        ("application/jsonlines", {}, "application/jsonlines", "application/jsonlines"),
        ("application/jsonlines", {"content_type": "text/csv"}, "text/csv", "text/csv"),
        ("text/csv", {"accept_type": "application/json"}, "text/csv", "application/json"),
        ("application/x-parquet", {}, None, None),
    ],
)
def test_models_are_asked_in_the_data_sets_format_and_answer_in_that_of_requests(
    dataset_type: str, predictor: dict[str, str], content_type: str | None, accept_type: str | None
) -> None:
    config = {**SHAP, "dataset_type": dataset_type, "predictor": {"model_name": "m", **predictor}}
    asked = parse_analysis_config(config).predictor
    assert asked is not None
    assert (asked.content_type, asked.accept_type) == (content_type, accept_type)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features": "instances[*"}, "features: 'instances[*' is not JMESPath"),
        ({"label": 0}, "label: expected JMESPath for application/json, got 0"),
    ],
)
def test_places_in_json_are_paths(changes: dict[str, Any], said: str) -> None:
    config = {**BIAS, "dataset_type": "application/json", "features": "[*].features", "label": "[*].label"}
    with pytest.raises(AnalysisError) as error:
        parse_analysis_config({**config, **changes})
    assert said in str(error.value)
