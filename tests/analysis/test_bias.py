"""The bias sections of `analysis.json`, and what stops them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis.bias import bias_report
from model_monitor.analysis.config import AnalysisConfig
from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.analysis.dataset import Dataset
from model_monitor.errors import AnalysisError


def configured(**changes: Any) -> AnalysisConfig:
    content = {
        "label": "Churn",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Account Length", "value_or_threshold": [100]}],
        "methods": {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}},
    }
    return parse_analysis_config({**content, **changes})


def customers(n: int = 200, longest: float = 225) -> tuple[Dataset, pd.Series]:
    random = np.random.default_rng(7)
    lengths = random.integers(1, int(longest), n)
    lengths[0] = longest
    features = pd.DataFrame(
        {
            "Account Length": lengths,
            "Day Mins": random.normal(180, 54, n),
            "Plan": random.choice(["no", "yes"], n),
            "Region": random.integers(0, 3, n),
        }
    )
    label = pd.Series(random.integers(0, 2, n), name="Churn")
    return Dataset(features=features, label=label), pd.Series(random.integers(0, 2, n))


def values(report: dict[str, Any], section: str, facet: str, place: int = 0) -> dict[str, Any]:
    return {metric["name"]: metric["value"] for metric in report[section]["facets"][facet][place]["metrics"]}


def test_the_published_layout() -> None:
    dataset, predicted = customers()
    report = bias_report(dataset, configured(), predicted)
    assert list(report) == ["post_training_bias_metrics", "pre_training_bias_metrics"]
    post = report["post_training_bias_metrics"]
    assert list(post) == ["label", "facets", "label_value_or_threshold"]
    assert (post["label"], post["label_value_or_threshold"]) == ("Churn", "1")
    [group] = post["facets"]["Account Length"]
    assert list(group) == ["value_or_threshold", "metrics"]
    assert group["value_or_threshold"] == "(100, 225]"
    assert [metric["name"] for metric in group["metrics"]] == [
        *("AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE")
    ]
    assert list(group["metrics"][0]) == ["name", "description", "value"]
    assert group["metrics"][1] == {
        "name": "CDDPL",
        "description": "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
        "value": None,
        "error": "Group variable is empty or not provided",
    }


def test_only_what_was_asked_for() -> None:
    dataset, _ = customers()
    report = bias_report(dataset, configured(methods={"pre_training_bias": {"methods": ["CI"]}}), None)
    lengths = dataset.features["Account Length"]
    expected = ((lengths <= 100).sum() - (lengths > 100).sum()) / len(lengths)
    assert list(report) == ["pre_training_bias_metrics"]
    assert values(report, "pre_training_bias_metrics", "Account Length") == {"CI": pytest.approx(expected)}


def test_a_threshold_belongs_to_the_advantaged() -> None:
    features = pd.DataFrame({"Account Length": [99, 100, 101, 102, 103]})
    dataset = Dataset(features=features, label=pd.Series([0, 1, 0, 1, 1.0], name="Churn"))
    report = bias_report(dataset, configured(methods={"pre_training_bias": {"methods": ["CI"]}}), None)
    assert values(report, "pre_training_bias_metrics", "Account Length")["CI"] == pytest.approx((2 - 3) / 5)


@pytest.mark.parametrize(
    ("longest", "threshold", "shown"),
    [(225, 100, "(100, 225]"), (225, 100.0, "(100.0, 225.0]"), (225, "100", "(100.0, 225.0]"), (80, 100, "(80, 100]")],
)
def test_an_interval_is_printed_as_its_numbers_are(longest: int, threshold: Any, shown: str) -> None:
    dataset, predicted = customers(longest=longest)
    facet = [{"name_or_index": "Account Length", "value_or_threshold": [threshold]}]
    report = bias_report(dataset, configured(facet=facet), predicted)
    assert report["post_training_bias_metrics"]["facets"]["Account Length"][0]["value_or_threshold"] == shown


def test_fractions_make_both_ends_fractions() -> None:
    dataset, predicted = customers()
    dataset.features["Day Mins"] = np.linspace(1, 2279, len(dataset))
    facet = [{"name_or_index": "Day Mins", "value_or_threshold": [100]}]
    report = bias_report(dataset, configured(facet=facet), predicted)
    assert report["post_training_bias_metrics"]["facets"]["Day Mins"][0]["value_or_threshold"] == "(100.0, 2279.0]"


def test_several_facets_of_every_kind() -> None:
    dataset, predicted = customers()
    facets = [
        {"name_or_index": "Account Length", "value_or_threshold": [100]},
        {"name_or_index": 3, "value_or_threshold": ["yes"]},
        {"name_or_index": "Region", "value_or_threshold": [0, 2]},
        {"name_or_index": "Region"},
    ]
    report = bias_report(dataset, configured(facet=facets), predicted)["pre_training_bias_metrics"]["facets"]
    assert {name: [group["value_or_threshold"] for group in groups] for name, groups in report.items()} == {
        "Account Length": ["(100, 225]"],
        "Plan": ["yes"],
        "Region": ["0,2", *map(str, dataset.features["Region"].unique())],
    }


def test_a_group_variable_gives_the_conditional_disparities() -> None:
    dataset, predicted = customers()
    report = bias_report(dataset, configured(group_variable="Region"), predicted)
    assert isinstance(values(report, "post_training_bias_metrics", "Account Length")["CDDPL"], float)
    assert isinstance(values(report, "pre_training_bias_metrics", "Account Length")["CDDL"], float)


def test_an_excluded_column_can_be_a_facet() -> None:
    dataset, predicted = customers()
    hidden = Dataset(
        features=dataset.features.drop(columns=["Plan"]),
        label=dataset.label,
        excluded=dataset.features[["Plan"]],
    )
    facet = [{"name_or_index": "Plan", "value_or_threshold": ["yes"]}]
    found = bias_report(hidden, configured(facet=facet), predicted)
    assert found == bias_report(dataset, configured(facet=facet), predicted)
    assert isinstance(values(found, "post_training_bias_metrics", "Plan")["FT"], float)


def test_text_among_the_features_costs_the_flip_test_only() -> None:
    dataset, predicted = customers()
    found = values(bias_report(dataset, configured(), predicted), "post_training_bias_metrics", "Account Length")
    assert [name for name, value in found.items() if value is None] == ["CDDPL", "FT"]


def test_a_group_that_nobody_is_in_has_errors_for_values() -> None:
    dataset, predicted = customers()
    facet = [{"name_or_index": "Plan", "value_or_threshold": ["perhaps"]}]
    report = bias_report(dataset, configured(facet=facet), predicted)
    [group] = report["post_training_bias_metrics"]["facets"]["Plan"]
    errors = {metric["name"]: metric.get("error") for metric in group["metrics"]}
    assert errors["AD"] == "Facet set is empty"
    assert errors["DCA"] == "DCO: Facet set is empty"
    assert errors["GE"] is None


def test_labels_and_predictions_by_threshold_share_one_scale() -> None:
    dataset, _ = customers()
    amounts = Dataset(features=dataset.features, label=pd.Series(np.linspace(0, 200, 200), name="Amount"))
    predicted = pd.Series(np.linspace(100, 300, 200))
    report = bias_report(amounts, configured(label_values_or_threshold=[150]), predicted)
    assert report["post_training_bias_metrics"]["label_value_or_threshold"] == "(150.0, 200.0]"
    over = (predicted > 150).to_numpy(), (dataset.features["Account Length"] > 100).to_numpy()
    expected = (over[0] & ~over[1]).sum() / (~over[1]).sum() - (over[0] & over[1]).sum() / over[1].sum()
    assert values(report, "post_training_bias_metrics", "Account Length")["DPPL"] == pytest.approx(expected)


def test_words_as_labels() -> None:
    dataset, predicted = customers()
    named = Dataset(
        features=dataset.features, label=pd.Series(np.where(dataset.label, "True.", "False."), name="Churn")
    )
    words = pd.Series(np.where(predicted, "True.", "False."))
    found = bias_report(named, configured(label_values_or_threshold=["True."]), words)
    expected = bias_report(dataset, configured(), predicted)
    assert found["post_training_bias_metrics"]["facets"] == expected["post_training_bias_metrics"]["facets"]


def test_predictions_that_came_with_the_data() -> None:
    dataset, predicted = customers()
    given = Dataset(features=dataset.features, label=dataset.label, predicted=predicted)
    assert bias_report(given, configured(), None) == bias_report(dataset, configured(), predicted)


def test_no_positive_prediction_ends_the_job() -> None:
    dataset, predicted = customers()
    with pytest.raises(AnalysisError) as error:
        bias_report(dataset, configured(), predicted * 0)
    assert str(error.value).startswith(
        "No Label values are present in the predicted Label Column,"
        "Positive Predicted Index Series contains all False values: 200 predictions"
    )


def test_a_small_window_is_told_how_many_rows_it_takes() -> None:
    """Of 30 whole-number labels, two different ones are more than 5 %, so Clarify takes them as a quantity."""
    dataset, predicted = customers(n=30)
    with pytest.raises(
        AnalysisError, match=r"taken as continuous.*2 different labels count as categories from 41 rows on"
    ):
        bias_report(dataset, configured(), predicted)
    dataset, predicted = customers(n=41)
    assert bias_report(dataset, configured(), predicted)


def test_predictions_of_another_type_end_the_job() -> None:
    dataset, predicted = customers()
    with pytest.raises(
        AnalysisError, match=r"^Predicted Label Column series datatype is not the same as Label Column series"
    ):
        bias_report(dataset, configured(), predicted.astype(float))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"facet": [{"name_or_index": "Age", "value_or_threshold": [40]}]},
            "Unable to locate the facet. No column 'Age'",
        ),
        ({"facet": [{"name_or_index": 0, "value_or_threshold": [40]}]}, "Unable to locate the facet. No column '0'"),
        ({"facet": [{"name_or_index": "Day Mins"}]}, "Threshold values must be provided for continuous features"),
        (
            {"facet": [{"name_or_index": "Day Mins", "value_or_threshold": ["many"]}]},
            "Facet/label value provided must be a single numeric threshold for continuous data",
        ),
        ({"label_values_or_threshold": ["yes"]}, "'label' has not positive elements"),
    ],
)
def test_what_does_not_fit_the_data_ends_the_job(changes: dict[str, Any], message: str) -> None:
    dataset, predicted = customers()
    with pytest.raises(AnalysisError) as error:
        bias_report(dataset, configured(**changes), predicted)
    assert str(error.value).startswith(message)


def test_bias_needs_a_label() -> None:
    dataset, predicted = customers()
    with pytest.raises(AnalysisError, match="need a label"):
        bias_report(Dataset(features=dataset.features), configured(), predicted)


def test_the_label_is_no_facet_and_no_group_variable() -> None:
    dataset, predicted = customers()
    for changes in ({"facet": [{"name_or_index": "Churn", "value_or_threshold": [1]}]}, {"group_variable": "Churn"}):
        with pytest.raises(
            AnalysisError, match="No column 'Churn' among those that can be a facet or a group variable"
        ):
            bias_report(dataset, configured(**changes), predicted)


def test_rows_without_a_facets_value_count_as_the_other_group_and_are_told(caplog: pytest.LogCaptureFixture) -> None:
    dataset, predicted = customers()
    dataset.features["Account Length"] = dataset.features["Account Length"].astype(float)
    dataset.features.loc[:4, "Account Length"] = np.nan
    found = values(bias_report(dataset, configured(), predicted), "pre_training_bias_metrics", "Account Length")
    members = (dataset.features["Account Length"] > 100).sum()
    assert found["CI"] == pytest.approx((200 - 2 * members) / 200)
    assert "Facet Account Length: 5 rows have no value and count as the other group" in caplog.text
