"""Spark comes to the same files and the same counts as DuckDB."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from model_monitor.analysis.relational.engines import DuckDbEngine
from model_monitor.analysis.serialise import dumps
from tests.analysis.relational.windows import NO_ROW, WINDOWS, merged_files

ROOT = Path(__file__).resolve().parents[3]
CHOSEN = (
    "texts",
    "missing values",
    "every value is a group",
    "two facets and a group variable",
    "several rows in a request",
    "JSON with labels and scores",
)


@pytest.fixture(scope="module")
def analysed(spark_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some windows, analysed by Spark in its own environment."""
    folder = tmp_path_factory.mktemp("spark")
    for name in CHOSEN:
        WINDOWS[name].put(folder / name)
    script = Path(__file__).with_name("in_spark.py")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "plugins")}
    ran = subprocess.run([spark_python, script, folder], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.mark.parametrize("name", CHOSEN)
def test_equal_counts_and_equal_files(analysed: Path, name: str) -> None:
    folder = analysed / name
    by_spark = json.loads((folder / "spark.json").read_text())
    found = WINDOWS[name].analysed(folder, DuckDbEngine(256, folder / "spill"), NO_ROW, "duckdb")
    assert by_spark == {"summary": asdict(found.summary), "records": found.records, "sections": dumps(found.sections)}
    assert merged_files(folder / "spark") == merged_files(folder / "duckdb") != {}
