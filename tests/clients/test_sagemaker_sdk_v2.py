"""SageMaker's own SDK v2 does the whole flow against the embedded service and cannot tell the difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo import data
from tests.clients.environment import seen_by
from tests.running_aws import Running, start_local_aws

SCRIPT = Path(__file__).with_name("sagemaker_sdk_v2_flow.py")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with nothing in it yet, whose time the script moves."""
    running = start_local_aws(tmp_path_factory.mktemp("aws"), "--clock", "stepped")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def seen(aws: Running, oracle_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK saw on its way from deployment to clean-up."""
    example = tmp_path_factory.mktemp("example")
    data.write(example)
    return seen_by([str(oracle_python), str(SCRIPT), aws.url, str(example)], aws.url)


def test_the_endpoint_answers_with_a_probability(seen: dict[str, Any]) -> None:
    assert 0 <= seen["first_prediction"] <= 1


def test_baselining_suggests_constraints_for_both_monitors(seen: dict[str, Any]) -> None:
    metrics = seen["bias_constraints"]["post_training_bias_metrics"]["facets"]["Account Length"][0]["metrics"]
    assert [metric["name"] for metric in metrics] == sorted(metric["name"] for metric in metrics)
    assert len(metrics) == 13
    shap = seen["explainability_constraints"]["explanations"]["kernel_shap"]["label0"]
    assert len(shap["global_shap_values"]) == 69


def test_nothing_runs_before_the_hour(seen: dict[str, Any]) -> None:
    assert seen["before_the_hour"] is False


def test_the_bias_monitor_reports_violations(seen: dict[str, Any]) -> None:
    assert seen["bias"]["status"] == "CompletedWithViolations", seen["bias"]
    assert "constraint_violations.json" in seen["bias"]["files"]
    assert {violation["facet"] for violation in seen["bias"]["violations"]} == {"Account Length"}


def test_the_explainability_monitor_completes_without_a_violations_file(seen: dict[str, Any]) -> None:
    assert seen["explainability"]["status"] == "Completed", seen["explainability"]
    assert seen["explainability"]["files"] == ["analysis.json", "explanations_shap/baseline.csv", "report.html"]
    assert seen["explainability"]["violations"] is None


def test_the_latest_violations_are_those_of_the_execution(seen: dict[str, Any]) -> None:
    assert seen["bias"]["latest"] == sorted(violation["metric_name"] for violation in seen["bias"]["violations"])
    assert seen["explainability"]["latest"] is None


def test_the_schedules_alert_is_raised_and_can_be_made_patient(seen: dict[str, Any]) -> None:
    assert seen["alerts"] == {"status": "InAlert", "rule": [1, 1], "history": ["InAlert"], "updated": [2, 3]}


def test_a_monitor_can_run_once_and_now(seen: dict[str, Any]) -> None:
    assert seen["once"]["status"] == "CompletedWithViolations", seen["once"]


def test_a_schedule_is_updated_stopped_and_started(seen: dict[str, Any]) -> None:
    assert seen["updates"] == {
        "expression": "cron(0 12 ? * * *)",
        "new_definition": True,
        "instance_type": "ml.m5.2xlarge",
        "seconds": 900,
        "stopped": "Stopped",
        "started": "Scheduled",
    }


def test_data_capture_is_switched_off_on_and_over(seen: dict[str, Any]) -> None:
    off, on, half = seen["capture"]
    assert off[0] in (None, "Stopped")
    assert on[0] == "Started"
    assert half == ["Started", 50, "/half"]


def test_the_monitors_of_the_endpoint_are_found_and_everything_is_deleted(seen: dict[str, Any]) -> None:
    assert seen["monitors"] == ["ModelBiasMonitor", "ModelBiasMonitor", "ModelExplainabilityMonitor"]
    assert seen["left"] == []


def test_every_answer_was_as_the_clients_own_service_model_has_it(seen: dict[str, Any]) -> None:
    assert seen["complaints"] == []
