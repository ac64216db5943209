from __future__ import annotations

from pathlib import Path

import pytest

from model_monitor import requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from tests.monitored import FEATURES, monitored_endpoint, write_files


@pytest.fixture
def endpoint(tmp_path: Path) -> MonitoredEndpoint:
    write_files(tmp_path, b"archive")
    return monitored_endpoint(tmp_path, "bucket", name="small")


def job_name(endpoint: MonitoredEndpoint, model: str = "model", attempt: int = 1) -> str:
    return str(sources.baselining_job(endpoint, "bias", model, attempt)["ProcessingJobName"])


def test_a_changed_archive_means_another_model(endpoint: MonitoredEndpoint, tmp_path: Path) -> None:
    before = requests.model_name(endpoint, sources.archive(endpoint))
    assert requests.model_name(endpoint, sources.archive(endpoint)) == before
    (tmp_path / "model.tar.gz").write_bytes(b"other archive")
    assert requests.model_name(endpoint, sources.archive(endpoint)) != before


def test_changed_data_mean_another_address_and_another_job(endpoint: MonitoredEndpoint, tmp_path: Path) -> None:
    address, job = sources.validation_uri(endpoint), job_name(endpoint)
    with (tmp_path / "validation.csv").open("a") as file:
        file.write("1,1,1,1,1\n")
    assert sources.validation_uri(endpoint) != address
    assert job_name(endpoint) != job


def test_the_next_attempt_has_another_name(endpoint: MonitoredEndpoint) -> None:
    assert job_name(endpoint, attempt=1) != job_name(endpoint, attempt=2)


def test_another_model_means_another_job(endpoint: MonitoredEndpoint) -> None:
    assert job_name(endpoint, "model-1") != job_name(endpoint, "model-2")


def test_headers_are_the_first_line(endpoint: MonitoredEndpoint) -> None:
    assert sources.headers(endpoint) == ["Left", *FEATURES]


def test_a_missing_label_column_is_named(endpoint: MonitoredEndpoint, tmp_path: Path) -> None:
    (tmp_path / "validation.csv").write_text("Age,Income\n1,2\n")
    with pytest.raises(
        InputError, match=r"validation.csv: line 1: Headers must contain label. There is no column 'Left'"
    ):
        sources.headers(endpoint)


def test_the_shap_baseline_is_the_mean_of_each_column(endpoint: MonitoredEndpoint, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("1,10,0,0\n3,20,1,0\n")
    assert sources.shap_baseline(endpoint) == [[2.0, 15.0, 0.5, 0.0]]


def test_a_file_that_is_no_text_is_named(endpoint: MonitoredEndpoint, tmp_path: Path) -> None:
    for name in ("validation.csv", "test.csv"):
        (tmp_path / name).write_bytes(b"1,2\n\xff\xfe")
    with pytest.raises(InputError, match=r"validation.csv: byte 5 is not UTF-8"):
        sources.headers(endpoint)
    with pytest.raises(InputError, match=r"test.csv: byte 5 is not UTF-8"):
        sources.traffic_rows(tmp_path / "test.csv")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("1,2\n3,x\n", "test.csv: line 2: column 2: 'x' is not a number"),
        ("1,2\n3\n", "test.csv: line 2: 1 columns, where line 1 has 2"),
        ("\n", "test.csv: no rows"),
    ],
)
def test_rows_without_a_mean_are_named(
    endpoint: MonitoredEndpoint, tmp_path: Path, content: str, complaint: str
) -> None:
    (tmp_path / "test.csv").write_text(content)
    with pytest.raises(InputError, match=complaint):
        sources.shap_baseline(endpoint)


def test_configured_rows_or_an_address_are_taken_as_they_are(tmp_path: Path) -> None:
    rows = monitored_endpoint(tmp_path, "bucket", explainability={"baseline": {"rows": [[1, 2, 3, 4]]}})
    address = monitored_endpoint(tmp_path, "bucket", explainability={"baseline": "s3://b/baseline.csv"})
    assert sources.shap_baseline(rows) == [[1, 2, 3, 4]]
    assert sources.shap_baseline(address) == "s3://b/baseline.csv"


def test_a_file_that_is_not_there_is_named(endpoint: MonitoredEndpoint, tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").unlink()
    with pytest.raises(InputError, match=r"model\.tar\.gz: cannot be read: No such file"):
        sources.archive(endpoint)
