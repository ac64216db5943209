"""Whole jobs in a container's file system, with a function as the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis import merge
from model_monitor.errors import ModelError
from tests.analysis.job_container import CONSTRAINTS, Container, environment

FEATURES = ["Account Length", "Day Mins", "CustServ Calls", "Plan"]
WEIGHTS = np.array([0.005, 0.02, 0.5, 2.0])
CUSTOMERS = 300
HOUR = "churn/AllTraffic/2026/11/22/10"


def customers() -> np.ndarray:
    rng = np.random.default_rng(1)
    columns = (
        rng.integers(1, 243, CUSTOMERS), rng.normal(180, 54, CUSTOMERS).round(1), rng.integers(0, 9, CUSTOMERS),
        rng.integers(0, 2, CUSTOMERS),
    )  # fmt: skip
    return np.column_stack(columns).astype(float)


def score(rows: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(rows @ WEIGHTS - 7))))


def model(body: bytes, content_type: str, accept: str) -> bytes:
    """A logistic model that answers as SageMaker's XGBoost does: all scores in one line."""
    try:
        rows = np.array([[float(value) for value in line.split(",")] for line in body.decode().splitlines()])
    except ValueError as error:
        raise ModelError(f"400 {error}") from error
    if rows.shape[1] != len(FEATURES):
        raise ModelError(f"400 Feature size {rows.shape[1]}, the model takes {len(FEATURES)}")
    return ",".join(map(repr, score(rows).tolist())).encode()


def observed() -> np.ndarray:
    return (score(customers()) > np.random.default_rng(2).random(CUSTOMERS)).astype(int)


PREDICTOR = {
    "model_name": "churn-0123456789ab", "instance_type": "ml.m5.large", "initial_instance_count": 1,
    "accept_type": "text/csv", "content_type": "text/csv",
}  # fmt: skip
REPORT = {"name": "report", "title": "Analysis Report"}
SHAP = {
    "use_logit": False, "save_local_shap_values": False, "baseline": [[100.0, 180.0, 1.5, 0.5]], "num_samples": 100,
    "agg_method": "mean_abs",
}  # fmt: skip
BIAS_CONFIG: dict[str, Any] = {
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Account Length", "value_or_threshold": [100]}],
    "headers": ["Churn", *FEATURES],
    "label": "Churn",
}
BIAS_BASELINE = BIAS_CONFIG | {
    "dataset_type": "text/csv",
    "methods": {"report": REPORT, "pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}},
    "predictor": PREDICTOR,
    "probability_threshold": 0.8,
}
SHAP_BASELINE: dict[str, Any] = {
    "dataset_type": "text/csv",
    "headers": ["Churn", *FEATURES],
    "label": "Churn",
    "predictor": PREDICTOR,
    "methods": {"report": REPORT, "shap": SHAP},
}
SHAP_CONFIG: dict[str, Any] = {"methods": {"shap": SHAP}, "predictor": PREDICTOR, "headers": FEATURES}


def table(header: bool = True, cell: Callable[[int, int, str], str] = lambda row, column, text: text) -> list[str]:
    """The validation data set: label first; `cell` may change what stands at (record, column)."""
    rows = [
        ",".join(
            cell(row, column, text) for column, text in enumerate([str(label), *(f"{value:g}" for value in values)])
        )
        for row, (label, values) in enumerate(zip(observed(), customers(), strict=True))
    ]
    return [",".join(["Churn", *FEATURES]), *rows] if header else rows


def captured(rows: range, inference_ids: bool = True) -> str:
    lines, everyone = [], customers()
    for row in rows:
        values = everyone[row % CUSTOMERS]
        sides = [
            ("endpointInput", "INPUT", "text/csv", ",".join(f"{value:g}" for value in values)),
            ("endpointOutput", "OUTPUT", "text/csv; charset=utf-8", repr(float(score(values[None])[0]))),
        ]
        data = {
            name: {"observedContentType": kind, "mode": mode, "data": text, "encoding": "CSV"}
            for name, mode, kind, text in sides
        }
        ids = {"eventId": f"event-{row}"} | ({"inferenceId": str(row)} if inference_ids else {})
        record = {
            "captureData": data,
            "eventMetadata": ids | {"inferenceTime": "2026-11-22T10:00:00Z"},
            "eventVersion": "0",
        }
        lines.append(json.dumps(record))
    return "".join(f"{line}\n" for line in lines)


def labelled(rows: range, positive_rate: float) -> str:
    rng = np.random.default_rng(3)
    lines = [
        {
            "groundTruthData": {"data": str(int(rng.random() < positive_rate)), "encoding": "CSV"},
            "eventMetadata": {"eventId": str(row)},
            "eventVersion": "0",
        }
        for row in rows
    ]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


WITH_BASELINE = {"baseline_constraints": CONSTRAINTS, "probability_threshold_attribute": "0.8"}


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


@pytest.fixture
def bias_monitor(container: Container, tmp_path: Path) -> Container:
    """A bias monitor's container: captures merged with ground truth that does not know the model, and a baseline."""
    baseline = Container(tmp_path / "baseline")
    baseline.configure(BIAS_BASELINE)
    baseline.give(*table())
    assert baseline.run({}, model) == 0
    merging = Container(tmp_path / "merge")
    merging.put(f"/captures/{HOUR}/00-00-000-a.jsonl", captured(range(CUSTOMERS)))
    merging.put("/truth/2026/11/22/10/0000.jsonl", labelled(range(CUSTOMERS), 0.7))
    paths = {"dataset_source": "/captures", "ground_truth_source": "/truth", "output_path": "/merged"}
    assert merge.run(merging.root, paths) == 0
    (merged,) = (merging.root / "merged").rglob("*.jsonl")
    container.put(f"/opt/ml/processing/input/endpoint/{HOUR}/{merged.name}", merged.read_text())
    container.put(CONSTRAINTS, (baseline.output / "analysis.json").read_text())
    container.configure(BIAS_CONFIG)
    return container


@pytest.fixture
def explainability_monitor(container: Container, tmp_path: Path) -> Container:
    baseline = Container(tmp_path / "baseline")
    baseline.configure(SHAP_BASELINE)
    baseline.give(*table())
    assert baseline.run({}, model) == 0
    container.put(
        f"/opt/ml/processing/input/endpoint/{HOUR}/00-00-000-a.jsonl", captured(range(50), inference_ids=False)
    )
    container.put(CONSTRAINTS, (baseline.output / "analysis.json").read_text())
    container.configure(SHAP_CONFIG)
    return container


def test_a_bias_baseline(container: Container) -> None:
    container.configure(BIAS_BASELINE)
    container.give(*table())

    assert container.run({}, model) == 0

    assert container.message == "Completed: SageMaker XAI Analyzer ran successfully"
    assert container.files() == ["analysis.json", "report.html"]
    analysis = container.analysis()
    assert list(analysis) == ["version", "post_training_bias_metrics", "pre_training_bias_metrics"]
    (entry,) = analysis["post_training_bias_metrics"]["facets"]["Account Length"]
    long_standing = customers()[:, 0] > 100
    accepted = score(customers()) > 0.8
    values = {metric["name"]: metric["value"] for metric in entry["metrics"]}
    assert values["DPPL"] == pytest.approx(accepted[~long_standing].mean() - accepted[long_standing].mean())
    assert values["AD"] == pytest.approx(
        (accepted == observed())[~long_standing].mean() - (accepted == observed())[long_standing].mean()
    )


def test_an_explainability_baseline(container: Container, caplog: pytest.LogCaptureFixture) -> None:
    container.configure(SHAP_BASELINE)
    container.give(*table())

    assert container.run({}, model) == 0

    assert container.files() == ["analysis.json", "explanations_shap/baseline.csv", "report.html"]
    explained = container.analysis()["explanations"]["kernel_shap"]["label0"]
    assert list(explained["global_shap_values"]) == FEATURES
    assert explained["expected_value"] == pytest.approx(float(score(np.array(SHAP["baseline"]))[0]))


def test_local_values_add_up_to_the_scores(container: Container) -> None:
    container.configure(SHAP_BASELINE | {"methods": {"shap": SHAP | {"save_local_shap_values": True}}})
    container.give(*table())

    assert container.run({}, model) == 0

    assert container.files() == [
        "analysis.json", "explanations_shap/baseline.csv", "explanations_shap/out.csv", "report.html"
    ]  # fmt: skip
    local = pd.read_csv(container.output / "explanations_shap/out.csv")
    assert list(local.columns) == [f"{feature}_label0" for feature in FEATURES]
    expected = container.analysis()["explanations"]["kernel_shap"]["label0"]["expected_value"]
    np.testing.assert_allclose(local.sum(axis=1) + expected, score(customers()), atol=1e-12)
    baseline = pd.read_csv(container.output / "explanations_shap/baseline.csv")
    assert baseline.to_numpy().tolist() == SHAP["baseline"]


def test_one_job_can_do_both(container: Container, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    container.configure(BIAS_BASELINE | {"methods": BIAS_BASELINE["methods"] | {"shap": SHAP}})
    container.give(*table(header=False))

    assert container.run({}, model) == 0

    sections = ["version", "post_training_bias_metrics", "pre_training_bias_metrics", "explanations"]
    assert list(container.analysis()) == sections
    assert (container.output / "analysis.json").read_text().startswith('{\n    "version": "1.0",\n    "post_')
    assert caplog.messages[0] == "Starting SageMaker Clarify Processing job"
    assert "We assume a prediction above 0.800 indicates 1 and below or equal indicates 0." in caplog.messages
    assert caplog.messages[-1] == "exit_message: Completed: SageMaker XAI Analyzer ran successfully"


def test_several_baseline_rows_and_a_baseline_in_a_file(container: Container) -> None:
    rows = customers()[:3]
    container.give(*table())
    container.configure(SHAP_BASELINE | {"methods": {"shap": SHAP | {"baseline": rows.tolist()}}})
    assert container.run({}, model) == 0
    from_rows = container.analysis()

    container.configure(SHAP_BASELINE | {"methods": {"shap": SHAP | {"baseline": "s3://bucket/baseline.csv"}}})
    text = "\n".join(",".join(map(str, row)) for row in rows)
    assert container.run({}, model, fetch={"s3://bucket/baseline.csv": text.encode()}.__getitem__) == 0

    explained = from_rows["explanations"]["kernel_shap"]["label0"]
    assert explained["expected_value"] == pytest.approx(float(score(rows).mean()))
    again = container.analysis()["explanations"]["kernel_shap"]["label0"]
    assert again["expected_value"] == pytest.approx(explained["expected_value"])
    assert again["global_shap_values"] == pytest.approx(explained["global_shap_values"])


def test_a_bias_monitor_finds_violations(bias_monitor: Container) -> None:
    assert bias_monitor.run(environment("MODEL_BIAS", **WITH_BASELINE), invoke=None) == 0

    document = json.loads((bias_monitor.output / "constraint_violations.json").read_text())
    count = len(document["violations"])
    assert bias_monitor.message == f"CompletedWithViolations: Job completed successfully with {count} violations."
    assert bias_monitor.files() == ["analysis.json", "constraint_violations.json", "report.html"]
    assert {violation["facet"] for violation in document["violations"]} == {"Account Length"}
    assert {violation["facet_value"] for violation in document["violations"]} == {"(100, 242]"}
    html = (bias_monitor.output / "report.html").read_text()
    assert f"<strong>{count} violation" in html
    assert "2026-11-22T10:00:00Z – 2026-11-22T11:00:00Z" in html


def test_a_bias_monitor_publishes_metrics(bias_monitor: Container) -> None:
    assert bias_monitor.run(environment("MODEL_BIAS", **WITH_BASELINE), invoke=None) == 0

    names = {line["MetricData"][0]["MetricName"] for line in bias_monitor.metrics()}
    assert {"bias_metric_CI", "bias_metric_DPPL", "bias_metric_FT"} <= names
    assert {line["MetricData"][0]["Timestamp"] for line in bias_monitor.metrics()} == {"2026-11-22T10:00:00Z"}


def test_metrics_are_not_published_when_disabled(bias_monitor: Container) -> None:
    settings = environment("MODEL_BIAS", **WITH_BASELINE, publish_cloudwatch_metrics="Disabled")

    assert bias_monitor.run(settings, invoke=None) == 0

    assert not (bias_monitor.root / "opt/ml/output/metrics").exists()


def test_metrics_need_a_schedule(bias_monitor: Container) -> None:
    settings = environment("MODEL_BIAS", **WITH_BASELINE)
    del settings["sagemaker_monitoring_schedule_name"]

    assert bias_monitor.run(settings, invoke=None) == 1

    assert "CloudWatch publishing is available only for jobs from MonitoringSchedules." in bias_monitor.message


def test_the_same_as_the_baseline_is_no_violation(bias_monitor: Container) -> None:
    settings = environment("MODEL_BIAS", **WITH_BASELINE)
    assert bias_monitor.run(settings, invoke=None) == 0
    (bias_monitor.output / "constraint_violations.json").unlink()
    bias_monitor.put(CONSTRAINTS, (bias_monitor.output / "analysis.json").read_text())

    assert bias_monitor.run(settings, invoke=None) == 0

    assert bias_monitor.message == "Completed: Job completed successfully with no violations."
    assert bias_monitor.files() == ["analysis.json", "report.html"]


def test_without_a_baseline_nothing_is_violated(bias_monitor: Container) -> None:
    assert bias_monitor.run(environment("MODEL_BIAS", probability_threshold_attribute="0.8"), invoke=None) == 0

    assert bias_monitor.message == "Completed: Job completed successfully with no violations."
    assert "Not compared with a baseline" in (bias_monitor.output / "report.html").read_text()


def test_the_threshold_decides_who_is_accepted(bias_monitor: Container) -> None:
    def difference_in_proportions(threshold: str) -> float:
        settings = environment("MODEL_BIAS", probability_threshold_attribute=threshold)
        assert bias_monitor.run(settings, invoke=None) == 0
        (entry,) = bias_monitor.analysis()["post_training_bias_metrics"]["facets"]["Account Length"]
        return float(next(metric["value"] for metric in entry["metrics"] if metric["name"] == "DPPL"))

    long_standing = customers()[:, 0] > 100
    for threshold in ("0.3", "0.8"):
        accepted = score(customers()) > float(threshold)
        expected = accepted[~long_standing].mean() - accepted[long_standing].mean()
        assert difference_in_proportions(threshold) == pytest.approx(expected)


def test_an_explainability_monitor_without_drift(explainability_monitor: Container) -> None:
    settings = environment("MODEL_EXPLAINABILITY", baseline_constraints=CONSTRAINTS)

    assert explainability_monitor.run(settings, model) == 0

    assert explainability_monitor.message == "Completed: Job completed successfully with no violations."
    assert explainability_monitor.files() == ["analysis.json", "explanations_shap/baseline.csv", "report.html"]
    names = [line["MetricData"][0]["MetricName"] for line in explainability_monitor.metrics()]
    assert names == [*(f"feature_{feature}" for feature in FEATURES), "ExpectedValue"]


def test_an_explainability_monitor_with_drift(explainability_monitor: Container) -> None:
    def other_model(body: bytes, content_type: str, accept: str) -> bytes:
        rows = np.array([[float(value) for value in line.split(",")] for line in body.decode().splitlines()])
        return "\n".join(map(repr, (rows[:, 0] / 250).tolist())).encode()

    settings = environment("MODEL_EXPLAINABILITY", baseline_constraints=CONSTRAINTS)

    assert explainability_monitor.run(settings, other_model) == 0

    assert explainability_monitor.message == "CompletedWithViolations: Job completed successfully with 1 violations."
    (violation,) = json.loads((explainability_monitor.output / "constraint_violations.json").read_text())["violations"]
    assert (violation["label"], violation["metric_name"]) == ("label0", "shap")
    assert violation["description"].startswith("Feature attribution drift 0.")
    assert violation["description"].endswith(" exceeds threshold 0.9")


def at(row: int, column: int, text: str) -> Callable[[int, int, str], str]:
    return lambda found_row, found_column, old: text if (found_row, found_column) == (row, column) else old


@pytest.mark.parametrize(
    ("config", "rows", "message"),
    [
        ("{", table(), "Unable to load analysis configuration as JSON."),
        (BIAS_BASELINE | {"labels": "Churn"}, table(), "Analysis configuration schema validation error."),
        (BIAS_BASELINE | {"label": "Chrun"}, table(), "Headers must contain label."),
        (BIAS_BASELINE | {"headers": ["Churn", *FEATURES[:-1]]}, table(header=False),
         "Headers in config do not match with the number of columns in the dataset."),
        (BIAS_BASELINE, [*table()[:5], "1,2,3"],
         "Headers in config do not match with the number of columns in the dataset."),
        (BIAS_BASELINE, table(cell=at(4, 2, "many")), "Could not convert string to float."),
        (BIAS_BASELINE | {"facet": [{"name_or_index": "Age", "value_or_threshold": [40]}]}, table(),
         "Unable to locate the facet."),
        (BIAS_BASELINE | {"probability_threshold": 1.0}, table(),
         "No Label values are present in the predicted Label Column,"
         "Positive Predicted Index Series contains all False values"),
        (SHAP_BASELINE | {"methods": {"shap": SHAP | {"baseline": [[1, 2]]}}}, table(),
         "SHAP baseline rows have 2 values, and records have 4 features."),
        (SHAP_BASELINE | {"methods": {"shap": SHAP | {"baseline": "s3://bucket/key.csv"}}}, table(),
         "s3://bucket/key.csv: S3 cannot be read here."),
        ({key: value for key, value in SHAP_BASELINE.items() if key != "predictor"}, table(),
         "The analysis must ask a model"),
    ],
)  # fmt: skip
def test_the_customers_mistakes(container: Container, config: Any, rows: list[str], message: str) -> None:
    container.configure(config)
    container.give(*rows)

    assert container.run({}, model) == 1

    assert container.message.startswith(f"Customer Error: {message}")
    assert str(container.root) not in container.message
    assert not container.output.exists()


def test_a_bad_cell_is_named_by_file_line_and_column(container: Container) -> None:
    container.configure(BIAS_BASELINE)
    container.give(*table(cell=at(4, 2, "many")))

    assert container.run({}, model) == 1

    assert "/opt/ml/processing/input/data/validation.csv, line 6" in container.message
    assert "Day Mins" in container.message
    assert "'many'" in container.message


def test_a_model_that_refuses_a_row_is_quoted(container: Container) -> None:
    def refusing(body: bytes, content_type: str, accept: str) -> bytes:
        if b"242" in body:
            raise ModelError("400 no customer is that old")
        return model(body, content_type, accept)

    container.configure(BIAS_BASELINE)
    container.give(*table())

    assert container.run({}, refusing) == 1

    assert "400 no customer is that old The row: 242," in container.message


def test_a_monitors_data_that_is_not_there(container: Container) -> None:
    container.configure(BIAS_CONFIG)

    assert container.run(environment("MODEL_BIAS"), invoke=None) == 1

    assert container.message.startswith("Customer Error: Job inputs had no data")


def test_a_captured_line_that_is_not_json_is_named(explainability_monitor: Container) -> None:
    file = f"/opt/ml/processing/input/endpoint/{HOUR}/00-00-000-a.jsonl"
    explainability_monitor.put(file, captured(range(2)) + "{not json\n")

    assert explainability_monitor.run(environment("MODEL_EXPLAINABILITY"), model) == 1

    assert f"{file}, line 3" in explainability_monitor.message


def test_a_baseline_that_cannot_be_read(bias_monitor: Container) -> None:
    bias_monitor.put(CONSTRAINTS, "no constraints")

    assert bias_monitor.run(environment("MODEL_BIAS", **WITH_BASELINE), invoke=None) == 1

    assert bias_monitor.message.startswith(f"Customer Error: Baseline constraints {CONSTRAINTS} cannot be read as JSON")


def test_a_baseline_of_another_kind_does_not_pass_every_window(
    bias_monitor: Container, explainability_monitor: Container
) -> None:
    explained = (explainability_monitor.root / CONSTRAINTS.lstrip("/")).read_text()
    bias_monitor.configure(BIAS_CONFIG)
    bias_monitor.put(CONSTRAINTS, explained)
    folder = bias_monitor.root / f"opt/ml/processing/input/endpoint/{HOUR}"
    (folder / "00-00-000-a.jsonl").unlink()

    assert bias_monitor.run(environment("MODEL_BIAS", **WITH_BASELINE), invoke=None) == 1

    assert "Baseline constraints hold none of the metrics of facet Account Length" in bias_monitor.message


def regression(threshold: float) -> dict[str, Any]:
    """A bias configuration for a model of which nothing says that it predicts a probability."""
    config = {key: value for key, value in BIAS_BASELINE.items() if key != "probability_threshold"}
    return config | {"label_values_or_threshold": [threshold]}


def minutes(body: bytes, content_type: str, accept: str) -> bytes:
    """A model that predicts a quantity, two above the first feature."""
    return "\n".join(str(float(line.split(b",")[0]) + 2) for line in body.splitlines()).encode()


def test_a_model_that_predicts_a_quantity_is_compared_with_the_labels_threshold(container: Container) -> None:
    values = customers()
    observed_minutes = values[:, 0] + 0.5
    container.configure(regression(120.0))
    container.give(*(f"{y:g},{','.join(map(str, row))}" for y, row in zip(observed_minutes, values, strict=True)))

    assert container.run({}, minutes) == 0, container.message

    section = container.analysis()["post_training_bias_metrics"]
    assert section["label_value_or_threshold"] == f"(120.0, {observed_minutes.max()}]"
    (group,) = section["facets"]["Account Length"]
    found = {metric["name"]: metric["value"] for metric in group["metrics"]}
    disadvantaged = values[:, 0] > 100
    predicted, label = values[:, 0] + 2 > 120, observed_minutes > 120
    accuracy = [(predicted == label)[side].mean() for side in (~disadvantaged, disadvantaged)]
    assert found["DPPL"] == pytest.approx(predicted[~disadvantaged].mean() - predicted[disadvantaged].mean())
    assert found["AD"] == pytest.approx(accuracy[0] - accuracy[1])


def test_a_probability_threshold_and_a_quantity_exclude_each_other(container: Container) -> None:
    container.configure(regression(120.0) | {"probability_threshold": 0.5})
    container.give(*(f"{row[0] + 0.5:g},{','.join(map(str, row))}" for row in customers()))

    assert container.run({}, minutes) == 1

    assert "Predicted Label Column series datatype is not the same as Label Column series" in container.message
    assert "leave probability_threshold out" in container.message


def test_a_captured_quantity_is_compared_with_the_labels_threshold(container: Container) -> None:
    lines = []
    for row in customers():
        sides = {"endpointInput": ",".join(map(str, row)), "endpointOutput": str(row[0] + 2)}
        lines.append(
            {
                "captureData": {name: {"data": text, "encoding": "CSV"} for name, text in sides.items()},
                "groundTruthData": {"data": str(row[0] + 0.5), "encoding": "CSV"},
                "eventMetadata": {"eventId": "1"},
            }
        )
    container.put(f"/opt/ml/processing/input/endpoint/{HOUR}/a.jsonl", "\n".join(map(json.dumps, lines)))
    container.configure(BIAS_CONFIG | {"label_values_or_threshold": [120]})

    assert container.run(environment("MODEL_BIAS"), invoke=None) == 0, container.message

    section = container.analysis()["post_training_bias_metrics"]
    assert section["label_value_or_threshold"].startswith("(120.0, ")


def test_an_answer_that_is_not_text_is_the_models(container: Container) -> None:
    container.configure(BIAS_BASELINE)
    container.give(*table())

    assert container.run({}, lambda body, content_type, accept: b"\xff\xfe") == 1

    assert "Model error on row 1: The model's answer is not UTF-8" in container.message


@pytest.mark.parametrize("threshold", ["nan", "inf", "high"])
def test_a_threshold_that_is_no_number(bias_monitor: Container, threshold: str) -> None:
    settings = environment("MODEL_BIAS", probability_threshold_attribute=threshold)

    assert bias_monitor.run(settings, invoke=None) == 1

    assert f"probability_threshold_attribute is '{threshold}'; expected a number" in bias_monitor.message


def test_our_own_errors_are_told_apart(container: Container, caplog: pytest.LogCaptureFixture) -> None:
    def broken(body: bytes, content_type: str, accept: str) -> bytes:
        raise ZeroDivisionError("ours")

    container.configure(SHAP_BASELINE)
    container.give(*table())

    assert container.run({}, broken) == 2

    assert "ZeroDivisionError: ours" in caplog.text
