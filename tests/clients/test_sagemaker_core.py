"""sagemaker-core's resource classes, whose pydantic models refuse what is not as modelled, do the whole flow."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.environment import seen_by
from tests.e2e.place import BIAS, HEADERS, csv_predictor, table
from tests.running_aws import Running, start_local_aws

SCRIPT = Path(__file__).with_name("sagemaker_core_flow.py")
PREDICTOR = csv_predictor("core")
SHAP = {
    "dataset_type": "text/csv",
    "headers": HEADERS[1:],
    "methods": {"shap": {"baseline": [[0, 0, 0, 0]], "num_samples": 50, "agg_method": "mean_abs"}},
    "predictor": PREDICTOR,
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with nothing in it yet, whose time the script moves."""
    running = start_local_aws(tmp_path_factory.mktemp("aws"), "--clock", "stepped")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def seen(aws: Running, tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> dict[str, Any]:
    """What the resource classes saw on their way from deployment to clean-up."""
    folder = tmp_path_factory.mktemp("example")
    rows = table(60)
    (folder / "model.tar.gz").write_bytes(model_archive)
    (folder / "data.csv").write_text("\n".join(rows) + "\n")
    (folder / "rows.csv").write_text("\n".join(row.partition(",")[2] for row in rows) + "\n")
    (folder / "bias.json").write_text(json.dumps(BIAS | {"predictor": PREDICTOR}))
    (folder / "shap.json").write_text(json.dumps(SHAP))
    return seen_by([sys.executable, str(SCRIPT), str(folder)], aws.url)


def test_models_and_tags(seen: dict[str, Any]) -> None:
    assert seen["model"] is True
    assert seen["tags"] == {"stage": "test"}


def test_an_endpoint_is_created_updated_and_invoked(seen: dict[str, Any]) -> None:
    assert seen["configs"] == ["core-1", "core-2"]
    assert seen["endpoints"] == ["core"]
    assert seen["endpoint_config"] == "core-2"
    assert seen["capture"] == "Started"
    assert 0 <= seen["prediction"] <= 1
    assert seen["variant"] == "AllTraffic"


def test_a_processing_job_is_waited_for(seen: dict[str, Any]) -> None:
    assert seen["jobs"] == {"core-baseline": "Completed"}


def test_definitions_schedules_and_executions(seen: dict[str, Any]) -> None:
    assert seen["definitions"] == {"bias": "core", "explain": "ml.m5.xlarge", "listed": ["core-bias", "core-explain"]}
    assert seen["before"] == 0
    assert seen["schedules"] == ["core-bias", "core-explain"]
    statuses = {name: [status for status, _ in found] for name, found in seen["executions"].items()}
    assert statuses == {"core-bias": ["CompletedWithViolations"], "core-explain": ["Completed"]}, seen["executions"]
    assert seen["last"] == "CompletedWithViolations"
    assert seen["updated"] == "cron(0 12 ? * * *)"


def test_every_schedule_has_an_alert(seen: dict[str, Any]) -> None:
    assert seen["alert"] == ["InAlert", 1, 1]
    assert seen["alert_updated"] == [2, 3]


def test_what_no_server_can_answer_to_the_content_of_2_27(seen: dict[str, Any]) -> None:
    # update() refreshes a class that has no refresh(); list_history() reads the whole answer as one item of its list.
    assert set(seen["broken"]) == {"MonitoringAlert.update", "MonitoringAlert.list_history"}
    assert "'refresh'" in seen["broken"]["MonitoringAlert.update"]
    assert "MonitoringAlertHistorySummary" in seen["broken"]["MonitoringAlert.list_history"]


def test_all_is_deleted(seen: dict[str, Any]) -> None:
    assert seen["left"] == []


def test_every_answer_was_as_the_clients_own_service_model_has_it(seen: dict[str, Any]) -> None:
    assert seen["complaints"] == []
