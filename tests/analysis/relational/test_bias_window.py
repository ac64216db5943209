"""Counting by an engine comes to what analysing record by record comes to, the flip test apart."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from model_monitor.analysis import merge
from model_monitor.analysis.bias import COUNTED
from model_monitor.analysis.relational.bias_window import BiasWindow
from model_monitor.analysis.relational.engines import DuckDbEngine, SparkEngine
from model_monitor.analysis.relational.row_keys import RowKeys
from model_monitor.analysis.serialise import dumps
from model_monitor.errors import AnalysisError, InputError
from tests.analysis.relational.windows import (
    EVERY_ROW,
    NO_ROW,
    WINDOWS,
    Window,
    ages,
    configured,
    drawn,
    facet,
    incomes,
    merged_files,
)

INPUT, OUTPUT = '"mode":"INPUT","data":"', '"mode":"OUTPUT","data":"'


def compared(window: BiasWindow) -> dict[str, Any]:
    """The sections without the flip test."""
    found: dict[str, Any] = json.loads(dumps(window.sections))
    for section in found.values():
        for groups in section["facets"].values():
            for group in groups:
                group["metrics"] = [metric for metric in group["metrics"] if metric["name"] != "FT"]
    return found


@pytest.mark.parametrize("name", WINDOWS)
def test_counts_come_to_what_rows_come_to(name: str, tmp_path: Path) -> None:
    window = WINDOWS[name]
    window.put(tmp_path)
    rows = window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), EVERY_ROW, "by-rows")
    counts = window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), NO_ROW, "by-counts")
    assert rows.records > 50
    assert compared(counts) == compared(rows)
    assert (counts.summary, counts.records) == (rows.summary, rows.records)
    assert [group.counts.size for groups in counts.facets.values() for group in groups] == [rows.records] * sum(
        len(groups) for groups in rows.facets.values()
    )


def test_merged_records_are_those_of_the_merge_job(tmp_path: Path) -> None:
    window = WINDOWS["texts"]
    window.put(tmp_path)
    found = window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), NO_ROW, "merged")
    assert merge.merge(tmp_path / "captures", tmp_path / "truths", tmp_path / "job") == found.summary
    assert merged_files(tmp_path / "merged") == merged_files(tmp_path / "job") != {}


def test_the_flip_test_is_left_out_of_what_was_counted_and_says_so(tmp_path: Path) -> None:
    window = Window(list(drawn(200, 26, incomes, plans=(1, 2))))
    window.put(tmp_path)
    for limit, error in ((EVERY_ROW, None), (NO_ROW, COUNTED)):
        found = window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), limit, "merged")
        (group,) = found.sections["post_training_bias_metrics"]["facets"]["Age"]
        (flip,) = [metric for metric in group["metrics"] if metric["name"] == "FT"]
        assert flip.get("error") == error
        assert (flip["value"] is None) == (error is not None)


def two_classes(requests: Any) -> Any:
    return [(rows, [[score, 1 - score] for score in scores], labels) for rows, scores, labels in requests]


@pytest.mark.parametrize("scores", [list, two_classes])
def test_keys_are_few_however_many_scores_and_quantities_there_are(tmp_path: Path, scores: Any) -> None:
    window = Window(scores(drawn(2000, 23, incomes)))
    window.put(tmp_path)
    seen: list[int] = []

    class Watched(DuckDbEngine):
        def counts(self, keys: RowKeys) -> Any:
            found = super().counts(keys)
            seen.append(len(found))
            return found

    window.analysed(tmp_path, Watched(256, tmp_path / "spill"), NO_ROW, "merged")
    assert seen == [8]


def test_what_matches_nothing_has_no_sections(tmp_path: Path) -> None:
    window = WINDOWS["texts"]
    window.put(tmp_path)
    (tmp_path / "truths/2026/11/22/09/0000.jsonl").write_text("")
    found = window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), NO_ROW, "merged")
    assert (found.records, found.sections, found.summary.captures) == (0, {}, 120)


@pytest.mark.parametrize("limit", [EVERY_ROW, NO_ROW])
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda line: "{broken", "line 3: not JSON"),
        (lambda line: line.replace('"captureData"', '"capture"'), "line 3: the record has no captureData"),
        (lambda line: line.replace(INPUT, f"{INPUT}1,"), "5 values where 4"),
        (lambda line: line.replace(OUTPUT, f"{OUTPUT}high"), "Could not convert string to float"),
    ],
)  # fmt: skip
def test_the_first_record_that_is_wrong_is_named(tmp_path: Path, change: Any, complaint: str, limit: int) -> None:
    window = Window(list(drawn(120, 24, ages(38, 44))))
    window.put(tmp_path)
    file = tmp_path / "captures/loans/Challenger/2026/11/22/09/00-00-000-a.jsonl"
    lines = file.read_text().splitlines()
    lines[2] = change(lines[2])
    file.write_text("\n".join(lines))
    with pytest.raises(InputError, match=complaint):
        window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), limit, "merged")


def test_a_facet_that_is_no_input_is_named(tmp_path: Path) -> None:
    window = Window(list(drawn(20, 25, ages(38, 44))), configured(facet=[facet(1, name="Left")]))
    window.put(tmp_path)
    with pytest.raises(AnalysisError, match="Unable to locate the facet"):
        window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), NO_ROW, "merged")


def test_a_facet_that_is_no_feature_is_named(tmp_path: Path) -> None:
    window = Window(list(drawn(300, 25, ages(38, 44))), attributes={"exclude_features_attribute": "Age"})
    window.put(tmp_path)
    for limit in (EVERY_ROW, NO_ROW):
        with pytest.raises(AnalysisError, match=r"No column 'Age' .*: Income, Plan, Visits$"):
            window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), limit, f"merged-{limit}")


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("Left", lambda row, rows, scores, labels: (rows, scores, ["x"] if row % 110 == 5 else labels)),
        ("Age", lambda row, rows, *rest: ([["x", *rows[0][1:]]] if row % 100 == 5 else rows, *rest)),
    ],
)
def test_a_text_in_one_of_a_hundred_records_is_stray_in_counts_too(tmp_path: Path, column: str, change: Any) -> None:
    window = Window([change(row, *request) for row, request in enumerate(drawn(1100, 27, ages(38, 44)))])
    window.put(tmp_path)
    for limit in (EVERY_ROW, NO_ROW):
        with pytest.raises(AnalysisError, match=f"column '{column}': found 'x'; 990 of 1000 rows hold numbers there"):
            window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), limit, f"merged-{limit}")


def test_a_text_in_many_records_of_one_kind_is_not_stray(tmp_path: Path) -> None:
    labels = [(rows, [0.9 if label[0] == 1 else 0.1], label) for rows, _, label in drawn(300, 28, lambda chance: 7)]
    requests = [(rows, scores, ["unknown"] if row % 3 == 0 and scores == [0.1] else label)
                for row, (rows, scores, label) in enumerate(labels)]  # fmt: skip
    window = Window(requests, configured(facet=[facet(5)], label_values_or_threshold=["1"]))
    window.put(tmp_path)
    rows = window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), EVERY_ROW, "by-rows")
    counts = window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), NO_ROW, "by-counts")
    assert compared(counts) == compared(rows)


def test_complaints_count_records(tmp_path: Path) -> None:
    window = Window([(rows, [0.1], label) for rows, _, label in drawn(300, 29, ages(38, 44))])
    window.put(tmp_path)
    for limit in (EVERY_ROW, NO_ROW):
        with pytest.raises(AnalysisError, match=r": 273 predictions of type int64 are .* with values 0$"):
            window.analysed(tmp_path, DuckDbEngine(256, tmp_path / "spill"), limit, f"merged-{limit}")


def test_spark_that_is_not_installed_is_told() -> None:
    with pytest.raises(InputError, match="PySpark is not installed beside Airflow here"), SparkEngine({}):
        pass


@pytest.mark.parametrize(("memory_mb", "threads"), [(256, 1), (512, 1), (1_000_000, os.cpu_count())])
def test_duckdb_has_as_many_threads_as_its_memory_allows(memory_mb: int, threads: int, tmp_path: Path) -> None:
    with DuckDbEngine(memory_mb, tmp_path / "spill") as engine:
        assert engine._connection.execute("SELECT current_setting('threads')").fetchone() == (threads,)
