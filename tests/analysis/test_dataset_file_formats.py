"""The same table as CSV, JSON Lines, JSON and Parquet, and what is said of files that do not hold it."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_monitor.analysis.config import AnalysisConfig
from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.dataset_files import read_dataset
from model_monitor.errors import AnalysisError

HEADERS = ["Age", "Income", "Plan", "Target"]
ROWS: list[list[Any]] = [[39, 2174.5, "no"], [50, 0.25, "yes"], [38, 17.0, "no"]]
LABELS = [0, 1, 0]
NESTED = {
    "features": "data.features.values",
    "label": "data.label",
    "headers": HEADERS,
    "dataset_type": "application/jsonlines",
}
DOCUMENT = {
    "features": "instances[*].features",
    "label": "instances[*].label",
    "headers": HEADERS,
    "dataset_type": "application/json",
}


def configured(*changes: dict[str, Any], **more: Any) -> AnalysisConfig:
    config: dict[str, Any] = {
        "headers": HEADERS,
        "label": "Target",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Age", "value_or_threshold": [40]}],
        "methods": {"pre_training_bias": {"methods": "all"}},
    }
    for change in (*changes, more):
        config |= change
    return parse_analysis_config({key: value for key, value in config.items() if value is not None})


def nested(rows: list[list[Any]], labels: list[Any]) -> str:
    records = [{"data": {"features": {"values": row}, "label": label}} for row, label in zip(rows, labels, strict=True)]
    return "\n".join(map(json.dumps, records)) + "\n"


def document(rows: list[list[Any]], labels: list[Any]) -> str:
    return json.dumps({"instances": [{"features": r, "label": one} for r, one in zip(rows, labels, strict=True)]})


def written(folder: Path, text: str, name: str = "data") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def parquet(folder: Path, columns: dict[str, Any], name: str = "data.parquet") -> Path:
    pq.write_table(pa.table(columns), folder / name)
    return folder / name


def columns_of(rows: list[list[Any]], labels: list[Any]) -> dict[str, Any]:
    return dict(zip(HEADERS, [*map(list, zip(*rows, strict=True)), labels], strict=True))


def complaint(*arguments: Any) -> str:
    with pytest.raises(AnalysisError) as error:
        read_dataset(*arguments)
    return str(error.value)


def same(found: Dataset) -> None:
    expected = pd.DataFrame(ROWS, columns=HEADERS[:-1])
    pd.testing.assert_frame_equal(found.features, expected, check_dtype=True)
    assert found.label is not None
    assert (found.label.name, found.label.dtype, found.label.tolist()) == ("Target", np.int64, LABELS)


def test_csv_json_lines_json_and_parquet_hold_the_same_table(tmp_path: Path) -> None:
    lines = [",".join(map(str, [*row, label])) for row, label in zip(ROWS, LABELS, strict=True)]
    same(read_dataset([written(tmp_path, "\n".join(lines), "a.csv")], configured()))
    same(read_dataset([written(tmp_path, nested(ROWS, LABELS))], configured(NESTED)))
    same(read_dataset([written(tmp_path, document(ROWS, LABELS))], configured(DOCUMENT)))
    same(read_dataset([parquet(tmp_path, columns_of(ROWS, LABELS))], configured(dataset_type="application/x-parquet")))


def test_several_files_make_one_table(tmp_path: Path) -> None:
    parts = [slice(0, 1), slice(1, 3)]
    lines = [written(tmp_path, nested(ROWS[p], LABELS[p]), f"{i}.jsonl") for i, p in enumerate(parts)]
    documents = [written(tmp_path, document(ROWS[p], LABELS[p]), f"{i}.json") for i, p in enumerate(parts)]
    tables = [parquet(tmp_path, columns_of(ROWS[p], LABELS[p]), f"part-{i}.parquet") for i, p in enumerate(parts)]
    same(read_dataset(lines, configured(NESTED)))
    same(read_dataset(documents, configured(DOCUMENT)))
    left_by_spark = written(tmp_path, "not data", "_metadata")
    same(read_dataset([left_by_spark, *tables], configured(dataset_type="application/x-parquet")))


class TestJson:
    def test_the_predicted_labels_header_is_the_last_one(self, tmp_path: Path) -> None:
        text = "\n".join(json.dumps({"x": row, "y": 1, "said": index}) for index, row in enumerate(ROWS))
        config = configured(
            dataset_type="application/jsonlines",
            features="x",
            label="y",
            predicted_label="said",
            headers=[*HEADERS, "Predicted"],
            excluded_columns=["Plan"],
        )
        dataset = read_dataset([written(tmp_path, text)], config)
        assert list(dataset.features.columns) == ["Age", "Income"]
        assert dataset.excluded is not None
        assert dataset.excluded["Plan"].tolist() == ["no", "yes", "no"]
        assert dataset.predicted is not None
        assert (dataset.predicted.name, dataset.predicted.tolist()) == ("Predicted", [0, 1, 2])

    def test_columns_by_index_and_without_headers(self, tmp_path: Path) -> None:
        config = configured(
            DOCUMENT, headers=None, facet=[{"name_or_index": 0, "value_or_threshold": [40]}], excluded_columns=[2]
        )
        dataset = read_dataset([written(tmp_path, document(ROWS, LABELS))], config)
        assert dataset.names == ("column_0", "column_1", "column_2", "column_3")
        assert list(dataset.features.columns) == ["column_0", "column_1"]
        assert dataset.label is not None
        assert dataset.label.name == "column_3"
        found = dataset.column(2)
        assert found is not None
        assert found.tolist() == ["no", "yes", "no"]

    def test_objects_with_a_key_per_feature(self, tmp_path: Path) -> None:
        text = "\n".join(json.dumps(dict(zip(HEADERS, [*row, 1], strict=True))) for row in ROWS)
        config = configured(dataset_type="application/jsonlines", features="[Age, Income, Plan]", label="Target")
        dataset = read_dataset([written(tmp_path, text)], config)
        assert dataset.features.to_numpy().tolist() == ROWS

    def test_values_keep_their_json_types(self, tmp_path: Path) -> None:
        rows = [["0012", True, None, 1], ["98101", False, 2, 2.5], ["7", True, 3, None]]
        config = configured(DOCUMENT, headers=["zip", "flag", "n", "x", "Target"], facet=[{"name_or_index": "flag"}])
        features = read_dataset([written(tmp_path, document(rows, LABELS))], config).features
        assert features["zip"].tolist() == ["0012", "98101", "7"]
        assert features["flag"].dtype == bool
        assert features["n"].isna().tolist() == [True, False, False]
        assert features["x"].dtype == float

    def test_missing_and_huge_values(self, tmp_path: Path) -> None:
        rows = [[None, 10**30, None], [None, None, "a"], [None, 5, "b"]]
        features = read_dataset([written(tmp_path, document(rows, LABELS))], configured(DOCUMENT)).features
        assert features["Age"].dtype == float
        assert features["Income"].tolist()[::2] == [1e30, 5.0]
        assert features["Plan"].isna().tolist() == [True, False, False]

    def test_no_label_is_needed_for_shap(self, tmp_path: Path) -> None:
        config = configured(
            DOCUMENT, label=None, headers=HEADERS[:-1], facet=None, methods={"shap": {"baseline": [[1, 2, "no"]]}}
        )
        dataset = read_dataset([written(tmp_path, document(ROWS, LABELS))], config)
        assert dataset.label is None
        assert list(dataset.features.columns) == HEADERS[:-1]

    @pytest.mark.parametrize(
        ("text", "changes", "said"),
        [
            (nested(ROWS, LABELS), {"features": None}, "Data must contain features. Say with 'features' (JMESPath)"),
            (nested(ROWS, LABELS), {"features": "data.x"}, "data, line 1: nothing at 'data.x'; its keys are data"),
            (nested(ROWS, LABELS), {"label": "data"}, "finds objects"),
            (nested(ROWS, LABELS), {"headers": HEADERS[1:], "facet": [{"name_or_index": 0}]},
             "Headers in config do not match with the number of columns in the dataset."),
            (nested([*ROWS, [1, 2]], [*LABELS, 1]), {}, "data, line 4: 3 columns where 4 are expected"),
            (nested(ROWS, LABELS) + "\n{", {}, "data, line 5: not JSON"),
            (nested(ROWS, [0, None, 1]), {}, "data, line 2: nothing at 'data.label'"),
            (nested([[1, [2], 3]], [1]), {}, "should be a list of values, or of such lists"),
            (nested([[1, "many", "no"], *[[i, i, "no"] for i in range(9)]], [1] * 10), {},
             "Could not convert string to float."),
            ("\n", {}, "no records"),
        ],
    )  # fmt: skip
    def test_json_lines_that_are_no_table(self, tmp_path: Path, text: str, changes: dict[str, Any], said: str) -> None:
        assert said in complaint([written(tmp_path, text)], configured(NESTED, changes))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (nested(ROWS, LABELS), "not one JSON document"),
            ('{"instances":[]}', "'instances[*].features' should be a list of values"),
            ('{"instances":[{"features":[1,2,"a"],"label":1},{"features":[1,2,"a"]}]}', "finds 1 labels for 2 rows"),
            ('{"instances":[{"features":[1,2,"a"],"label":1},{"features":[1,2],"label":0}]}',
             "data, record 2: 3 columns where 4 are expected"),
        ],
    )  # fmt: skip
    def test_json_that_is_no_table(self, tmp_path: Path, text: str, said: str) -> None:
        assert said in complaint([written(tmp_path, text)], configured(DOCUMENT))


class TestParquet:
    CONFIG = {"dataset_type": "application/x-parquet"}

    def test_names_come_from_the_file_or_from_headers(self, tmp_path: Path) -> None:
        file = parquet(tmp_path, columns_of(ROWS, LABELS))
        assert read_dataset([file], configured(self.CONFIG, headers=None)).names == tuple(HEADERS)
        renamed = ["age", "income", "plan", "Target"]
        config = configured(self.CONFIG, headers=renamed, facet=[{"name_or_index": "age"}])
        assert read_dataset([file], config).names == tuple(renamed)

    def test_columns_of_every_plain_type(self, tmp_path: Path) -> None:
        columns = {
            "small": pa.array([1, None, 3], pa.int8()),
            "flag": pa.array([True, False, True]),
            "price": pa.array([Decimal("1.25"), Decimal("2.50"), None], pa.decimal128(5, 2)),
            "colour": pa.array(["red", "green", "red"]).dictionary_encode(),
            "day": pa.array([datetime.date(2026, 11, day) for day in (1, 2, 3)]),
            "Target": pa.array(LABELS, pa.uint8()),
        }
        config = configured(self.CONFIG, headers=None, facet=[{"name_or_index": "colour"}])
        dataset = read_dataset([parquet(tmp_path, columns)], config)
        assert dataset.features["small"].isna().tolist() == [False, True, False]
        assert dataset.features["flag"].tolist() == [True, False, True]
        assert dataset.features["price"].tolist()[:2] == [1.25, 2.5]
        assert dataset.features["colour"].tolist() == ["red", "green", "red"]
        assert dataset.features["day"].tolist() == ["2026-11-01", "2026-11-02", "2026-11-03"]
        assert dataset.label is not None
        assert dataset.label.tolist() == LABELS

    def test_an_index_that_pandas_wrote_is_a_column_as_any(self, tmp_path: Path) -> None:
        frame = pd.DataFrame(columns_of(ROWS, LABELS)).set_index("Age")
        frame.to_parquet(tmp_path / "data.parquet")
        config = configured(self.CONFIG, headers=None)
        assert set(read_dataset([tmp_path / "data.parquet"], config).names) == set(HEADERS)

    def test_what_is_said_of_wrong_files(self, tmp_path: Path) -> None:
        text = written(tmp_path, "a,b", "text")
        assert f"{text}: not a Parquet file" in complaint([text], configured(self.CONFIG))
        lists = parquet(tmp_path, {"Age": [[1], [2]], "Target": [0, 1]})
        assert "column 'Age': list<" in complaint([lists], configured(self.CONFIG, headers=None))
        one, two = (parquet(tmp_path, {"Age": [1], name: [0]}, f"{name}.parquet") for name in ("Target", "Label"))
        assert f"{two}: columns are Age, Label; those of {one} are Age, Target" in complaint(
            [one, two], configured(self.CONFIG, headers=None)
        )
        assert "no rows" in complaint([parquet(tmp_path, {"Age": []})], configured(self.CONFIG, headers=None))
        missing = parquet(tmp_path, columns_of(ROWS, [0, None, 1]))
        said = complaint([missing], configured(self.CONFIG))
        assert said.startswith(f"{missing}, row 2, column 'Target': no value")
        swapped = ["Income", "Age", "Plan", "Target"]
        assert "give the headers in the file's order" in complaint(
            [parquet(tmp_path, columns_of(ROWS, LABELS))], configured(self.CONFIG, headers=swapped)
        )
