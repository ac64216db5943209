"""What OpenLineage is told of tasks that run on a real local_aws."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.utils.state import TaskInstanceState

from model_monitor import names, requests, windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import ViolationsFound
from model_monitor.names import KINDS
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.endpoint import DeployEndpointOperator
from model_monitor.operators.engine_baseline import EngineBaselineOperator
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from model_monitor.operators.range_report import ReportRangeOperator
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.storage import UploadFilesOperator
from model_monitor.operators.teardown import DeleteMonitorOperator
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.operators.verdict import VerdictOperator
from model_monitor.operators.window_bias import JudgeBiasOperator
from model_monitor.sensors.executions import ExecutionFinishedSensor, ExecutionStartedSensor
from model_monitor.waiting import Wait
from model_monitor.windows import Window
from tests.lineage.events import data_set, event_of, names_of
from tests.monitored import FEATURES, context, run_task
from tests.running_aws import Running

ACCOUNT = "arn:aws:sagemaker:us-west-2:123456789012"
PROJECT = Path(__file__).resolve().parents[2]


def tags_of(event: dict[str, Any]) -> dict[str, str]:
    """Our tags of a run; the client adds its own."""
    tags = event["run"]["facets"]["tags"]["tags"]
    return {tag["key"]: tag["value"] for tag in tags if tag["source"] == "model_monitor"}


def test_files_become_objects_and_an_archive_becomes_an_endpoint(deployed: MonitoredEndpoint, tmp_path: Path) -> None:
    upload = UploadFilesOperator(task_id="upload", endpoint=deployed)
    run_task(upload)
    uploaded = event_of(upload, tmp_path)
    assert names_of(uploaded, "inputs") == [f"file {deployed.model.archive}", f"file {deployed.data.validation}"]
    archive, validation = names_of(uploaded, "outputs")
    assert archive.startswith(f"s3://{deployed.bucket} monitors/model/")
    assert validation.startswith(f"s3://{deployed.bucket} monitors/baselining/data/")

    deploy = DeployEndpointOperator(task_id="deploy", endpoint=deployed)
    run_task(deploy)
    event = event_of(deploy, tmp_path)
    assert names_of(event, "inputs") == [archive]
    assert names_of(event, "outputs") == [f"{ACCOUNT} endpoint/{deployed.name}"]
    assert event["outputs"][0]["facets"]["datasetType"]["datasetType"] == "MODEL"


def test_traffic_and_labels(deployed: MonitoredEndpoint, tmp_path: Path) -> None:
    send = SendTrafficOperator(task_id="send", endpoint=deployed, count=7)
    run_task(send)
    event = event_of(send, tmp_path)
    assert names_of(event, "inputs") == [f"file {deployed.data.test}", f"{ACCOUNT} endpoint/{deployed.name}"]
    assert event["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"] == 7
    assert names_of(event, "outputs") == [f"s3://{deployed.bucket} monitors/datacapture/{deployed.name}"]

    labels = UploadGroundTruthOperator(task_id="labels", endpoint=deployed, inference_ids=["0", "1", "2"])
    files = run_task(labels)
    event = event_of(labels, tmp_path)
    (written,) = event["outputs"]
    assert names_of(event, "outputs") == [f"s3://{deployed.bucket} monitors/ground_truth"]
    assert written["outputFacets"]["subset"]["outputCondition"] == {"locations": files, "type": "location"}
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 3 * len(files)


def test_what_has_not_happened_is_not_told(endpoint: MonitoredEndpoint, tmp_path: Path) -> None:
    send = SendTrafficOperator(task_id="send", endpoint=endpoint)
    with pytest.raises(Exception, match="is not in service"):
        run_task(send)
    event = event_of(send, tmp_path, TaskInstanceState.FAILED)
    assert (event["inputs"], event["outputs"]) == ([], [])


def test_a_baseline_comes_of_its_data_set_and_its_model(deployed: MonitoredEndpoint, tmp_path: Path) -> None:
    task = BaselineOperator(task_id="bias", endpoint=deployed, kind="bias")
    job = run_task(task)["job"]
    event = event_of(task, tmp_path)
    data = data_set(event, "inputs", "validation-dataset-with-header.csv")
    assert [field["name"] for field in data["facets"]["schema"]["fields"]] == ["Left", *FEATURES]
    assert data_set(event, "inputs", "model.tar.gz")["facets"]["datasetType"]["datasetType"] == "MODEL"
    assert names_of(event, "outputs") == [f"s3://{deployed.bucket} monitors/baselining/model_bias"]
    assert event["run"]["facets"]["externalQuery"]["externalQueryId"] == f"{ACCOUNT}:processing-job/{job}"
    assert tags_of(event) == {"endpoint": deployed.name, "monitor": "bias"}

    resumed = BaselineOperator(task_id="bias", endpoint=deployed, kind="bias")
    wait = Wait.until("ProcessingJobFinished", requests.by_name("processing_job", job), timeout=60)
    resumed.execute_complete(context(), {"state": "success", "reason": ""}, asdict(wait))
    again = event_of(resumed, tmp_path)
    assert (again["inputs"], again["outputs"]) == (event["inputs"], event["outputs"])


def test_a_baseline_of_the_engine_comes_of_the_same(deployed: MonitoredEndpoint, tmp_path: Path) -> None:
    job = BaselineOperator(task_id="job", endpoint=deployed, kind="bias")
    run_task(job)
    own = EngineBaselineOperator(task_id="own", endpoint=deployed, kind="bias", model_endpoint=deployed.name)
    run_task(own)
    managed, made = event_of(job, tmp_path), event_of(own, tmp_path)
    assert (made["inputs"], made["outputs"]) == (managed["inputs"], managed["outputs"])


@pytest.fixture
def executed(captured: MonitoredEndpoint) -> Iterator[MonitoredEndpoint]:
    """One finished execution of each monitor."""
    for kind in KINDS:
        about: dict[str, Any] = {"endpoint": captured, "kind": kind}
        run_task(CreateJobDefinitionOperator(task_id="define", schedule="now", **about))
        run_task(CreateScheduleOperator(task_id="create", schedule="now", **about), context("manual__lineage"))
        execution = run_task(ExecutionStartedSensor(task_id="started", **about))
        run_task(ExecutionFinishedSensor(task_id="finished", execution=execution, **about))
    yield captured
    for kind in KINDS:
        run_task(DeleteMonitorOperator(task_id="delete", endpoint=captured, kind=kind))


def test_verdicts_tell_what_the_managed_monitors_read_and_which_constraints_hold(
    executed: MonitoredEndpoint, tmp_path: Path
) -> None:
    root = f"s3://{executed.bucket} monitors"
    judge = VerdictOperator(task_id="verdict", endpoint=executed, kind="bias", fail_on_violations=True)
    with pytest.raises(ViolationsFound):
        run_task(judge)
    event = event_of(judge, tmp_path, TaskInstanceState.FAILED)
    assert names_of(event, "inputs") == [
        f"{root}/datacapture/{executed.name}",
        f"{root}/ground_truth",
        f"{root}/baselining/model_bias",
    ]
    assert names_of(event, "outputs") == [
        f"{root}/reports/merge/{executed.name}",
        f"{root}/reports/{executed.name}/{executed.name}-bias",
    ]
    captures = event["inputs"][0]["inputFacets"]
    parts = captures["subset"]["inputCondition"]["locations"]
    assert parts
    assert all(part.startswith(f"s3://{executed.bucket}/monitors/datacapture/{executed.name}/All") for part in parts)
    verdict = tags_of(event)
    checks = captures["dataQualityAssertions"]["assertions"]
    failed = [check for check in checks if not check["success"]]
    assert 0 < len(failed) < len(checks)
    assert verdict["violations"] == str(len(failed))
    assert verdict["status"] == "CompletedWithViolations"
    assert event["outputs"][1]["outputFacets"]["subset"]["outputCondition"]["locations"] == [verdict["report"]]
    assert event["outputs"][1]["outputFacets"]["outputStatistics"]["fileCount"] == 3
    assert {check["column"] for check in checks} == {"Age"}
    assert failed[0]["description"].startswith(f"Metric value {failed[0]['actual']} doesn't meet the baseline")
    assert event["run"]["facets"]["externalQuery"]["externalQueryId"].startswith(f"{ACCOUNT}:processing-job/model-bias")

    judge = VerdictOperator(task_id="verdict", endpoint=executed, kind="explainability")
    ndcg = run_task(judge)["ndcg"]["label0"]
    event = event_of(judge, tmp_path)
    assert names_of(event, "inputs") == [
        f"{root}/datacapture/{executed.name}",
        f"{root}/baselining/model_explainability",
    ]
    assert event["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"] == [
        {
            "assertion": "feature_attribution_drift_check",
            "name": "NDCG of label0",
            "success": True,
            "expected": "at least 0.9",
            "actual": repr(ndcg),
            "params": {},
        }
    ]


def last_hour(endpoint: MonitoredEndpoint, aws: Running) -> Window:
    """The hour that the server's clock shows, as a window that was asked for."""
    start = aws.now().replace(minute=0, second=0, microsecond=0)
    return windows.asked_for(endpoint, windows.shown(start), windows.shown(start + timedelta(hours=1)))


@pytest.mark.parametrize("compare", ["baseline", "none"])
def test_a_window_tells_what_it_read_and_what_it_kept(
    captured: MonitoredEndpoint, aws: Running, tmp_path: Path, compare: str
) -> None:
    window = last_hour(captured, aws)
    judge = JudgeBiasOperator(task_id="judge", endpoint=captured, window=window.as_dict(), compare=compare)
    run_task(judge)
    event = event_of(judge, tmp_path)
    captures = data_set(event, "inputs", f"datacapture/{captured.name}")
    assert captures["inputFacets"]["subset"]["inputCondition"]["locations"] == [
        names.captures(captured, window.start),
    ]
    assert captures["inputFacets"]["inputStatistics"]["rowCount"] > 0
    assert captures["inputFacets"]["inputStatistics"]["size"] > 0
    assert [field["name"] for field in captures["facets"]["schema"]["fields"]] == list(FEATURES)
    assert data_set(event, "inputs", "ground_truth")["inputFacets"]["inputStatistics"]["rowCount"] > 0
    merged = data_set(event, "outputs", f"merge/{captured.name}")
    assert merged["outputFacets"]["subset"]["outputCondition"]["locations"] == [
        names.captures(captured, window.start).replace("/datacapture/", "/reports/merge/"),
    ]
    baselines = [name for name in names_of(event, "inputs") if "baselining" in name]
    if compare == "none":
        assert baselines == []
        assert "dataQualityAssertions" not in captures["inputFacets"]
    else:
        assert baselines == [f"s3://{captured.bucket} monitors/baselining/model_bias"]
        assert captures["inputFacets"]["dataQualityAssertions"]["assertions"]


def test_a_report_on_a_range_comes_of_the_monitor_s_reports(endpoint: MonitoredEndpoint, tmp_path: Path) -> None:
    task = ReportRangeOperator(task_id="report", endpoint=endpoint, kind="bias", moments=None)
    task.report = names.s3(endpoint, "ranges", "report.html")
    event = event_of(task, tmp_path)
    assert names_of(event, "inputs") == [
        f"s3://{endpoint.bucket} monitors/reports/{endpoint.name}/{endpoint.name}-bias"
    ]
    assert names_of(event, "outputs") == [f"s3://{endpoint.bucket} monitors/ranges/report.html"]
    assert tags_of(event)["report"] == task.report


def test_tasks_run_where_airflow_has_no_openlineage(endpoint: MonitoredEndpoint) -> None:
    script = f"""
import importlib.abc, pkgutil, sys
import airflow  # asks every installed provider what it is

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "openlineage" or name.startswith("airflow.providers.openlineage."):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import model_monitor.operators, model_monitor.sensors
for package in (model_monitor.operators, model_monitor.sensors):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        __import__(module.name)
from model_monitor.config import MonitoredEndpoint
from model_monitor.operators.storage import UploadFilesOperator
endpoint = MonitoredEndpoint.model_validate_json({endpoint.model_dump_json()!r})
task = UploadFilesOperator(task_id="upload", endpoint=endpoint)
print(sorted(task.execute({{}})), len(task.flow().outputs), "openlineage" in sys.modules)
"""
    paths = os.pathsep.join(str(PROJECT / folder) for folder in ("plugins", "include"))
    environment = os.environ | {"PYTHONPATH": paths}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1:] == ["['archive', 'validation'] 2 False"], ran.stderr
