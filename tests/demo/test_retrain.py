"""The example's retraining: it learns what has changed, and its figures are of rows that it has not seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demo.data import CUSTOMERS, customers, write
from demo.retrain import is_held_out, retrain
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.errors import InputError
from model_monitor.retraining.material import Material
from model_monitor.windows import moment

PROJECT = Path(__file__).resolve().parents[2]
SINCE, UNTIL = moment("2026-11-21T10:00:00Z"), moment("2026-11-22T10:00:00Z")


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> MonitoredEndpoint:
    """The example, with its files in a project of the test's own."""
    project = tmp_path_factory.mktemp("project")
    write(project / ".local" / "demo")
    (project / "include" / "endpoints").mkdir(parents=True)
    file = project / "include" / "endpoints" / "churn.yaml"
    file.write_text((PROJECT / "include" / "endpoints" / "churn.yaml").read_text())
    return load_endpoint(file)


def merged(folder: Path, rows: pd.DataFrame) -> tuple[Path, ...]:
    """A file of merged records with these customers, label first, a request each."""
    file = folder / "part.jsonl"
    with file.open("w", encoding="utf-8") as target:
        for row in rows.astype(str).to_numpy().tolist():
            record = {
                "captureData": {
                    "endpointInput": {"data": ",".join(row[1:]), "encoding": "CSV", "mode": "INPUT"},
                    "endpointOutput": {"data": "0.5", "encoding": "CSV", "mode": "OUTPUT"},
                },
                "groundTruthData": {"data": row[0], "encoding": "CSV"},
                "eventMetadata": {"eventId": "1"},
                "eventVersion": "0",
            }
            target.write(json.dumps(record) + "\n")
    return (file,)


def material(churn: MonitoredEndpoint, folder: Path, files: tuple[Path, ...]) -> Material:
    (folder / "own").mkdir(exist_ok=True)
    return Material(churn, churn.path(churn.model.archive), files, SINCE, UNTIL, folder / "own")


def changed() -> pd.DataFrame:
    """Customers of another seed, of whom those who call at length stay, unlike all before."""
    rows = customers(seed=7, count=CUSTOMERS)
    rows.loc[rows["Day Mins"] > 220, "Churn"] = 0
    return rows


def test_it_learns_what_has_changed(churn: MonitoredEndpoint, tmp_path: Path) -> None:
    training = str(churn.path(".local/demo/training-dataset-with-header.csv"))
    answer = retrain(material(churn, tmp_path, merged(tmp_path, changed())), training)
    figures = {figure.name.partition(",")[0] + figure.name[-8:]: figure for figure in answer.figures}
    assert len(figures) == 4
    recent = figures["Area under the ROC curverequests"]
    assert recent.old is not None
    assert recent.new is not None
    assert recent.new > recent.old
    assert "labelled requests were trained on" in answer.remark
    first = answer.archive.read_bytes()
    again = retrain(material(churn, tmp_path, merged(tmp_path, changed())), training)
    assert again.archive.read_bytes() == first


def test_equal_rows_are_on_the_same_side() -> None:
    rows = changed().astype(float)
    held_out = is_held_out(rows, 0.2)
    assert held_out.mean() == pytest.approx(0.2, abs=0.03)
    assert np.array_equal(held_out, is_held_out(pd.concat([rows.tail(10), rows]), 0.2)[10:])


def test_without_labelled_requests_there_is_nothing_to_learn(churn: MonitoredEndpoint, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No labelled requests of churn from 2026-11-21"):
        retrain(material(churn, tmp_path, ()), "training.csv")


def test_rows_of_one_label_have_no_figures(churn: MonitoredEndpoint, tmp_path: Path) -> None:
    training = str(churn.path(".local/demo/training-dataset-with-header.csv"))
    rows = changed()
    answer = retrain(material(churn, tmp_path, merged(tmp_path, rows[rows["Churn"] == 0])), training)
    values = [(figure.old, figure.new) for figure in answer.figures if "recent" in figure.name]
    assert values == [(None, None)] * 2
