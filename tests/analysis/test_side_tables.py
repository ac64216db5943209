"""Facets and predicted labels in files beside the data set, as the SDK's DataConfig configures them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.dataset_files import read_dataset
from model_monitor.analysis.side_tables import completed
from model_monitor.errors import AnalysisError
from tests.analysis.job_container import Container

CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "headers": ["id", "Income", "Target"],
    "label": "Target",
    "joinsource_name_or_index": "id",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Sex", "value_or_threshold": [0]}],
    "facet_dataset_uri": "s3://b/facets.csv",
    "facet_headers": ["id", "Sex"],
    "predicted_label_dataset_uri": "s3://b/said.csv",
    "predicted_label_headers": ["id", "said"],
    "predicted_label": "said",
    "methods": {"pre_training_bias": {"methods": ["CI"]}, "post_training_bias": {"methods": ["DPPL", "AD"]}},
}
DATA = "a,10,1\nb,20,0\nc,30,1\nd,40,0\n"
FILES = {
    "s3://b/facets.csv": b"id,Sex\nd,1\nc,0\nb,0\na,1\ne,1\n",
    "s3://b/said.csv": b"c,1\na,1\nb,0\nd,1\n",
}


def read(folder: Path, data: str = DATA, files: dict[str, bytes] = FILES, **changes: Any) -> Dataset:
    (folder / "data.csv").write_text(data)
    config = parse_analysis_config({k: v for k, v in (CONFIG | changes).items() if v is not None})
    return completed(read_dataset([folder / "data.csv"], config), config, files.__getitem__)


def test_rows_belong_together_by_the_join_column(tmp_path: Path) -> None:
    dataset = read(tmp_path)
    assert list(dataset.features.columns) == ["Income"]
    sexes = dataset.column("Sex")
    assert sexes is not None
    assert sexes.tolist() == [1, 0, 0, 1]
    assert dataset.predicted is not None
    assert dataset.predicted.tolist() == [1, 0, 1, 1]


def test_without_a_join_column_rows_belong_together_by_their_order(tmp_path: Path) -> None:
    dataset = read(
        tmp_path,
        "10,1\n20,0\n",
        {"s3://b/facets.csv": b"Sex\n1\n0\n", "s3://b/said.csv": b"1\n0\n"},
        headers=["Income", "Target"],
        joinsource_name_or_index=None,
        facet_headers=None,
        predicted_label_headers=["said"],
        predicted_label=None,
    )
    sexes = dataset.column("Sex")
    assert sexes is not None
    assert sexes.tolist() == [1, 0]
    assert dataset.predicted is not None
    assert dataset.predicted.tolist() == [1, 0]


def test_the_join_column_by_index(tmp_path: Path) -> None:
    named = {"facet_headers": ["key", "Sex"], "predicted_label_headers": ["key", "said"]}
    dataset = read(tmp_path, files=FILES | {"s3://b/facets.csv": b"d,1\nc,0\nb,0\na,1\n"},
                   joinsource_name_or_index=0, **named)  # fmt: skip
    assert dataset.predicted is not None
    assert dataset.predicted.tolist() == [1, 0, 1, 1]


def test_a_whole_job(tmp_path: Path) -> None:
    container = Container(tmp_path)
    words = {"label_values_or_threshold": ["yes"], "facet": [{"name_or_index": "Sex", "value_or_threshold": ["f"]}]}
    container.configure(CONFIG | words)
    container.give("a,10,yes", "b,20,no", "c,30,yes", "d,40,no")
    files = {"s3://b/facets.csv": b"a,m\nb,f\nc,f\nd,m\n", "s3://b/said.csv": b"d,yes\nc,yes\nb,no\na,yes\n"}
    assert container.run({}, None, fetch=files.__getitem__) == 0, container.message
    analysis = container.analysis()
    (post,) = analysis["post_training_bias_metrics"]["facets"]["Sex"]
    # Both men are predicted positive, one rightly; one of two women is, and both predictions are right.
    assert {one["name"]: one["value"] for one in post["metrics"]} == {"DPPL": 0.5, "AD": -0.5}


@pytest.mark.parametrize(
    ("files", "changes", "said"),
    [
        ({"s3://b/said.csv": b"a,1\nb,0\nc,1\n"}, {}, "s3://b/said.csv: no row for the record 'd', nor for 0 others"),
        ({"s3://b/said.csv": b"a,1\na,0\nb,1\n"}, {}, "s3://b/said.csv: 'a' is more than once in the column 'id'"),
        ({}, {"predicted_label": "says"}, "s3://b/said.csv: no column 'says'; columns are said"),
        ({}, {"joinsource_name_or_index": None, "headers": ["x", "Income", "Target"]},
         "s3://b/facets.csv: 5 rows for 4 records of the data set; to join them by a column"),
        ({"s3://b/said.csv": b"a,1\nb\n"}, {}, "s3://b/said.csv, line 2: 1 columns where 2 are expected"),
        ({}, {"dataset_type": "application/x-parquet"}, "are for data sets of type text/csv; this one is appl"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit(tmp_path: Path, files: dict[str, bytes], changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AnalysisError) as error:
        read(tmp_path, files=FILES | files, **changes)
    assert said in str(error.value)
