from __future__ import annotations

from pathlib import Path

import pytest

from model_monitor.config import endpoints_folder, load_endpoint, load_endpoints
from model_monitor.config.monitors import ShapRows
from model_monitor.errors import ConfigError

PROJECT = Path(__file__).parents[2]
CHURN = PROJECT / "include" / "endpoints" / "churn.yaml"


def test_the_example_says_what_the_example_is() -> None:
    churn = load_endpoint(CHURN)
    assert churn.bias.facets[0].name == "Account Length"
    assert churn.bias.facets[0].values_or_threshold == [100]
    assert churn.bias.label_values_or_threshold == [1]
    assert churn.bias.probability_threshold == 0.8
    assert churn.explainability.num_samples == 100
    assert churn.endpoint.data_capture.sampling_percentage == 100
    assert (churn.monitoring.start_time_offset, churn.monitoring.end_time_offset) == ("-PT1H", "-PT0H")
    assert churn.monitoring.max_runtime_seconds == 1800


def test_relative_paths_start_at_the_project_the_file_belongs_to(tmp_path: Path) -> None:
    own = tmp_path / "include" / "endpoints" / "own.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(CHURN.read_text())
    assert load_endpoint(own).path("data/test.csv") == tmp_path / "data" / "test.csv"
    assert load_endpoint(own).path("/data/test.csv") == Path("/data/test.csv")
    assert load_endpoint(CHURN).path("data/test.csv") == PROJECT / "data" / "test.csv"


def test_the_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert endpoints_folder() == PROJECT / "include" / "endpoints"
    monkeypatch.setenv("MODEL_MONITOR_ENDPOINTS", str(tmp_path))
    assert endpoints_folder() == tmp_path


MISTAKES = [
    ("name: churn\n", "name: churn model\n", "name: expected at most 40 letters, digits and inner hyphens"),
    ("name: churn\n", f"name: {'c' * 41}\n", "name: expected at most 40 letters"),
    ("name: churn\n", "", "name: is missing; expected at most 40 letters"),
    ("region: us-west-2", "region: Oregon", "region: expected an AWS region such as us-west-2 (found 'Oregon')"),
    ("role: arn:aws:iam::123456789012:role/", "role: ", "role: expected an IAM role's ARN, such as arn:aws:iam::"),
    ("bucket: ", "bucket: s3://", "bucket: expected a bucket's name without s3://"),
    ("prefix: ", "prefix: /", "prefix: expected a key prefix without spaces and without a slash at either end"),
    ("image: {framework: xgboost, version: 0.90-1}", "image: xgboost", "model.image: expected {framework: xgboost, "),
    ("version: 0.90-1}", "versoin: 1}", "model.image: is missing; expected {framework: xgboost, version: 0.90-1}, or"),
    ("instance_type: ml.m5.large", "instance_type: m5", "endpoint.instance_type: expected an instance type such as"),
    ("instance_count: 1", "instance_count: 0", "endpoint.instance_count: Input should be greater than or equal to 1"),
    ("modes: [Input", "modes: [input", "endpoint.data_capture.modes.0: Input should be 'Input' or 'Output'"),
    ("  label: Churn", "  labell: Churn", "data.label: is missing"),
    (
        "  label: Churn",
        "  label: Churn\n  lable: x",
        "data.lable: unknown key; did you mean 'label'?; allowed here: validation, test, dataset_type, label",
    ),
    ("dataset_type: text/csv", "dataset_type: parquet", "data.dataset_type: Input should be 'text/csv'"),
    ("owner: ml", "ownr: ml", "ownr: unknown key; did you mean 'owner'?; allowed here: name, description, owner,"),
    (
        "values_or_threshold: [100]",
        "values_or_threshold: [yes]",
        "bias.facets.0.values_or_threshold: expected a list of numbers and texts, such as [100] or ['yes']; "
        "yes, no, on and off must be quoted (found True)",
    ),
    (
        "label_values_or_threshold: [1]",
        "label_values_or_threshold: []",
        "bias.label_values_or_threshold: expected a list of numbers and texts, such as [100]",
    ),
    ("name: Account Length", "name: Churn", "bias.facets: 'Churn' is the label; a facet is one of the model's inputs"),
    (
        "probability_threshold: 0.8",
        "probability_threshold: 80",
        "bias.probability_threshold: Input should be less than",
    ),
    (
        "baseline: test_mean",
        "baseline: mean",
        "explainability.baseline: expected test_mean, the s3:// address of a file in the data set's format, "
        "clusters (of the data), or rows: [[...]], "
        "one value per model input (found 'mean')",
    ),
    (
        "  label: Churn",
        "  label: Churn\n  headers: [Churn, Day Mins, Day Mins]",
        "data.headers: 'Day Mins' more than once",
    ),
    (
        "baseline: test_mean",
        "baseline: {rows: [[1], [1, 2]]}",
        "explainability.baseline: expected test_mean, the s3://",
    ),
    ("cron: cron(0 * ? * * *)", "cron: cron(0 24 ? * * *)", "monitoring.cron: expected hourly: cron(0 * ? * * *), dai"),
    ("baseline: test_mean", "baseline: {rows: []}", "explainability.baseline: expected test_mean, the s3:// address"),
    ("agg_method: mean_abs", "agg_method: mean", "explainability.agg_method: Input should be 'mean_abs', 'median' or"),
    ("cron: cron(0 * ? * * *)", "cron: 0 * * * *", "monitoring.cron: expected hourly: cron(0 * ? * * *), daily at 14"),
    ("start_time_offset: -PT1H", "start_time_offset: 1 hour", "monitoring.start_time_offset: expected an ISO 8601"),
    (
        "max_runtime_seconds: 1800",
        "max_runtime_seconds: 3600",
        "monitoring.max_runtime_seconds: at most 1800 for the bias monitor of an hourly schedule (found 3600)",
    ),
    ("schedule: null", "schedule: weekly", "reports.schedule: expected a cron expression of five fields in UTC"),
    ("schedule: null", "schedule: null\n  days: 7", "reports.days: unknown key; allowed here: schedule"),
    (
        "source: model_monitor.labels.random_labels",
        "source: labels",
        "ground_truth.source: expected a function's dotted",
    ),
    ("traffic:\n", "traffic: fast\nx:\n", "traffic: Input should be a valid dictionary or instance of Traffic"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES)
def test_a_mistake_is_named_with_file_key_and_what_is_allowed(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    file = write(tmp_path / "churn.yaml", (right, wrong))
    with pytest.raises(ConfigError) as caught:
        load_endpoint(file)
    lines = str(caught.value).splitlines()
    assert any(line.startswith(f"{file}: {message}") for line in lines), lines


def test_every_mistake_of_a_file_is_named_once(tmp_path: Path) -> None:
    file = write(
        tmp_path / "churn.yaml",
        ("instance_count: 1", "instance_count: many"),
        ("values_or_threshold: [100]", "values_or_threshold: [yes, no]"),
        ("baseline: test_mean", "baseline: 7"),
    )
    with pytest.raises(ConfigError) as caught:
        load_endpoint(file)
    keys = [line.removeprefix(f"{file}: ").split(":")[0] for line in str(caught.value).splitlines()]
    assert keys == ["endpoint.instance_count", "bias.facets.0.values_or_threshold", "explainability.baseline"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: [", "not readable as YAML"),
        (b"\xff\xfe\xff", "not readable as YAML"),
        (b"- churn", "expected keys and values such as 'name: churn', found list"),
        (b"", "expected keys and values such as 'name: churn', found NoneType"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "churn.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_endpoint(file)


@pytest.mark.parametrize(
    ("right", "other"),
    [
        ("cron(0 * ? * * *)", "cron(0 14 ? * * *)"),
        ("cron(0 * ? * * *)", "cron(0 0/6 ? * * *)"),
        ("start_time_offset: -PT1H", "start_time_offset: -PT30M"),
        ("image: {framework: xgboost, version: 0.90-1}", "image: {framework: xgboost, version: 1.7}"),
        ("image: {framework: xgboost, version: 0.90-1}", "image: 1.dkr.ecr.us-west-2.amazonaws.com/own:1"),
        ("values_or_threshold: [100]", "values_or_threshold: ['yes', 2, 2.5]"),
        ("region: us-west-2", "region: us-gov-west-1"),
        ("baseline: test_mean", "baseline: s3://bucket/rows.csv"),
    ],
)
def test_other_values_that_are_allowed(tmp_path: Path, right: str, other: str) -> None:
    written = load_endpoint(write(tmp_path / "churn.yaml", (right, other)))
    assert written.name == "churn"
    assert written != load_endpoint(write(tmp_path / "churn.yaml"))


def test_shap_rows_keep_their_types(tmp_path: Path) -> None:
    file = write(tmp_path / "churn.yaml", ("baseline: test_mean", "baseline: {rows: [[1, 2.5, CA]]}"))
    assert load_endpoint(file).explainability.baseline == ShapRows(rows=[[1, 2.5, "CA"]])


def test_a_broken_file_stops_no_other(tmp_path: Path) -> None:
    write(tmp_path / "a-broken.yaml", ("region: us-west-2", "region: 7"))
    write(tmp_path / "churn.yaml")
    endpoints = load_endpoints(tmp_path)
    assert [endpoint.name for endpoint in endpoints] == ["churn"]
    assert [str(error).split(": ")[0] for error in endpoints.errors] == [str(tmp_path / "a-broken.yaml")]


@pytest.mark.parametrize(
    ("difference", "message"),
    [
        (("prefix: sagemaker/churn", "prefix: sagemaker/other"), "name: 'churn' is taken by"),
        (
            ("name: churn\n", "name: other\n"),
            "prefix: 's3://sagemaker-us-west-2-123456789012/sagemaker/churn-model-mon",
        ),
    ],
)
def test_no_two_endpoints_share_a_name_or_a_prefix(tmp_path: Path, difference: tuple[str, str], message: str) -> None:
    first = write(tmp_path / "first.yaml")
    second = write(tmp_path / "second.yaml", difference)
    endpoints = load_endpoints(tmp_path)
    assert len(endpoints.valid) == 1
    assert str(endpoints.errors[0]).startswith(f"{second}: {message}")
    assert str(endpoints.errors[0]).endswith(f"is taken by {first}")


def write(file: Path, *changes: tuple[str, str]) -> Path:
    """The example's YAML with some of its text changed."""
    text = CHURN.read_text()
    for right, wrong in changes:
        assert right in text
        text = text.replace(right, wrong, 1)
    file.write_text(text)
    return file
