"""A fleet: two hundred endpoints load within Airflow's limits, and a broken one is alone with it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag

PROJECT = Path(__file__).resolve().parents[2]
CHURN = (PROJECT / "include" / "endpoints" / "churn.yaml").read_text()
DAG_FILES = sorted(file for file in (PROJECT / "dags").glob("*.py") if file.stem != "endpoint_errors")
SIZE = 200


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of definitions; one of them is broken."""
    folder = tmp_path_factory.mktemp("fleet")
    for number in range(SIZE):
        own = CHURN.replace("name: churn", f"name: fleet-{number}").replace("churn-model-monitor", f"fleet-{number}")
        (folder / f"fleet-{number}.yaml").write_text(own)
    (folder / "broken.yaml").write_text(CHURN.replace("region: us-west-2", "regoin: us-west-2"))
    return folder


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.stem)
def test_every_file_loads_the_fleet_in_a_fraction_of_the_time_allowed(
    fleet: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_MONITOR_ENDPOINTS", str(fleet))
    began = time.perf_counter()
    bag = DagBag(str(file), known_pools=None)
    took = time.perf_counter() - began
    assert bag.import_errors == {}
    assert set(bag.dags) == {f"fleet-{number}.{file.stem}" for number in range(SIZE)}
    assert took < conf.getfloat("core", "dagbag_import_timeout") / 2


def test_the_broken_one_is_told_alone(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_MONITOR_ENDPOINTS", str(fleet))
    bag = DagBag(str(PROJECT / "dags" / "endpoint_errors.py"), known_pools=None)
    ((_, error),) = bag.import_errors.items()
    assert "broken.yaml: regoin: unknown key; did you mean 'region'?" in error
    assert "fleet-" not in error
