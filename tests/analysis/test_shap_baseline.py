"""The rows that SHAP compares with: given, in a file of any format, or clusters."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pytest

from model_monitor.analysis.config import ShapConfig
from model_monitor.analysis.shap_baseline import baseline_rows
from model_monitor.errors import AnalysisError

FEATURES = pd.DataFrame({"Age": [39, 50, 38], "Income": [2174.5, 0.25, 17.0], "Plan": ["no", "yes", "no"]})
ROWS = [[40, 1.5, "no"], [20, 2.5, "yes"]]
LINES = [{"features": row} for row in ROWS]
DOCUMENT = {"instances": LINES}


def nothing(address: str) -> bytes:
    raise AssertionError(f"{address} was read")


def rows(baseline: Any, path: str | None = None, content: bytes | None = None, dataset_type: str = "text/csv") -> Any:
    read = nothing if content is None else lambda address: content
    return baseline_rows(ShapConfig(baseline=baseline), FEATURES, path, dataset_type, read)


def table() -> bytes:
    file = io.BytesIO()
    pd.DataFrame(ROWS, columns=["a", "b", "c"]).to_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("baseline", "path", "content", "dataset_type"),
    [
        (tuple(map(tuple, ROWS)), None, None, "text/csv"),
        (tuple(LINES), "features", None, "application/jsonlines"),
        (tuple(LINES), "[*].features", None, "application/json"),
        ("s3://b/rows.json", "[*].features", json.dumps(LINES).encode(), "application/json"),
        ((DOCUMENT,), "instances[*].features", None, "application/json"),
        ("s3://b/rows.csv", None, b"40,1.5,no\n20,2.5,yes\n", "text/csv"),
        ("s3://b/rows", None, b"\xef\xbb\xbfAge,Income,Plan\r\n40,1.5,no\r\n\r\n20,2.5,yes", "text/csv"),
        ("s3://b/rows.csv", None, b"Plan,Age,Income\nno,40,1.5\nyes,20,2.5\n", "text/csv"),
        ("s3://b/rows.jsonl", "features", "\n".join(map(json.dumps, LINES)).encode(), "text/csv"),
        ("s3://b/rows", "features", "\n".join(map(json.dumps, LINES)).encode(), "application/jsonlines"),
        ("s3://b/rows.json", "instances[*].features", json.dumps(DOCUMENT).encode(), "text/csv"),
        ("s3://b/rows.json", None, json.dumps(ROWS).encode(), "application/json"),
        ("s3://b/rows.parquet", None, table(), "application/json"),
    ],
)
def test_the_same_rows_in_every_format(
    baseline: Any, path: str | None, content: bytes | None, dataset_type: str
) -> None:
    found = rows(baseline, path, content, dataset_type)
    assert list(found.columns) == list(FEATURES.columns)
    assert found.to_numpy().tolist() == ROWS
    assert found["Age"].dtype.kind == "i"


def test_without_one_the_data_sets_clusters_are_the_baseline() -> None:
    found = baseline_rows(ShapConfig(num_clusters=2, seed=1), FEATURES, None, "text/csv", nothing)
    assert list(found.columns) == list(FEATURES.columns)
    assert len(found) == 2
    assert set(found["Plan"]) <= {"no", "yes"}


@pytest.mark.parametrize(
    ("baseline", "path", "content", "said"),
    [
        (((40, 1.5),), None, None, "SHAP baseline rows have 2 values, and records have 3 features"),
        (((40, 1.5, "no", 1),), None, None, "Give one value for each of the model's inputs, and none for the label"),
        (tuple(LINES), None, None, "is JSON; say where its features are with 'features'"),
        (tuple(LINES), "values", None, "SHAP baseline, record 1: nothing at 'values'"),
        ("s3://b/x.csv", None, b"1,2,a\n3,4\n", "SHAP baseline s3://b/x.csv, line 2: 2 columns where 3 are expected"),
        (
            "s3://b/x.csv",
            None,
            b"age,income,plan\n40,1.5,no\n",
            "feature 'Age': found 'age' where records have numbers",
        ),
        ("s3://b/x.csv", None, b"\n", "SHAP baseline s3://b/x.csv: no rows"),
        ("s3://b/x.csv", None, b"\xff", "SHAP baseline s3://b/x.csv: not UTF-8"),
        ("s3://b/x.json", "features", b"{", "SHAP baseline s3://b/x.json: data is not JSON"),
        ("s3://b/x.json", "features", b"5", "SHAP baseline, record 1: nothing at 'features'"),
        ("s3://b/x.json", None, b"[[1, 2, []]]", "is JSON; say where its features are"),
        ("s3://b/x.parquet", None, b"PAR", "SHAP baseline s3://b/x.parquet: not a Parquet file"),
    ],
)
def test_a_baseline_that_is_none(baseline: Any, path: str | None, content: bytes | None, said: str) -> None:
    with pytest.raises(AnalysisError) as error:
        rows(baseline, path, content)
    assert said in str(error.value)
