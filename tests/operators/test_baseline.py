from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model_monitor import names, requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import JobFailed
from model_monitor.hooks.s3 import StorageHook
from model_monitor.hooks.sagemaker import SageMakerHook
from model_monitor.operators.baseline import BaselineOperator, find_baseline
from model_monitor.operators.endpoint import CreateModelOperator
from model_monitor.operators.storage import UploadFilesOperator
from model_monitor.waiting import Wait
from tests.monitored import FEATURES, monitored_endpoint, run_task, write_files
from tests.running_aws import Running, make_bucket


def baseline(endpoint: MonitoredEndpoint, kind: Any = "bias", **options: Any) -> Any:
    return run_task(BaselineOperator(task_id=kind, endpoint=endpoint, kind=kind, **options))


def test_bias_constraints_are_suggested_and_shown(deployed: MonitoredEndpoint) -> None:
    answer = baseline(deployed)
    assert answer["constraints"] == f"s3://{deployed.bucket}/monitors/baselining/model_bias/analysis.json"
    (metrics,) = answer["metrics"].values()
    assert {"DPPL", "DI", "CI", "DPL"} <= set(metrics)


def test_explainability_constraints_are_suggested_and_shown(deployed: MonitoredEndpoint) -> None:
    answer = baseline(deployed, "explainability")
    assert {item["feature"] for item in answer["top_features"]["label0"]} == set(FEATURES)
    assert answer["top_features"]["label0"][0]["feature"] == "Age"
    assert len(json.dumps(answer)) < 2000


def test_what_a_first_try_made_is_taken_not_made_again(deployed: MonitoredEndpoint, aws: Running) -> None:
    first, second = baseline(deployed)["job"], baseline(deployed)["job"]
    assert first == second
    jobs = aws.client("sagemaker").list_processing_jobs(NameContains=f"{deployed.name}-bias-baseline")
    assert [job["ProcessingJobName"] for job in jobs["ProcessingJobSummaries"]].count(first) == 1


def test_deferring_answers_the_same(deployed: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaselineOperator, "patience", 0.0)
    assert baseline(deployed, deferrable=True) == baseline(deployed)


def test_links_lead_to_the_baseline_and_its_report(deployed: MonitoredEndpoint) -> None:
    task = BaselineOperator(task_id="bias", endpoint=deployed, kind="bias")
    run_task(task)
    assert {link.name: link.get_link(task, ti_key=None) for link in task.operator_extra_links} == {
        "Dashboard": f"model-monitor/endpoints/{deployed.name}/bias/baseline",
        "Report": f"model-monitor/endpoints/{deployed.name}/bias/baseline/files/report.html",
        "SageMaker console": "",
        "S3 console": "",
    }


@pytest.fixture
def prepared(aws: Running, tmp_path: Path, model_archive: bytes) -> MonitoredEndpoint:
    """An endpoint with a model, on files that the test may change."""
    write_files(tmp_path, model_archive)
    endpoint = monitored_endpoint(tmp_path, make_bucket(aws))
    for step in (UploadFilesOperator, CreateModelOperator):
        run_task(step(task_id="step", endpoint=endpoint))
    return endpoint


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("1,0,0,0", "Headers in config do not match with the number of columns in the dataset."),
        ("1,0,0,0,many", "Could not convert string to float."),
    ],
)
def test_a_failed_job_says_why_with_clarify_s_words(
    prepared: MonitoredEndpoint, tmp_path: Path, row: str, complaint: str
) -> None:
    with (tmp_path / "validation.csv").open("a") as file:
        file.write(f"{row}\n")
    run_task(UploadFilesOperator(task_id="upload", endpoint=prepared))
    with pytest.raises(JobFailed, match=f"ended as Failed - ClientError: .*{complaint}.*/aws/sagemaker/ProcessingJobs"):
        baseline(prepared)


def test_a_facet_that_is_no_column_is_named(prepared: MonitoredEndpoint) -> None:
    facet = prepared.bias.facets[0].model_copy(update={"name": "Shoe Size"})
    odd = prepared.model_copy(update={"bias": prepared.bias.model_copy(update={"facets": [facet]})})
    with pytest.raises(JobFailed, match="Unable to locate the facet"):
        baseline(odd)


def test_after_a_failure_the_next_attempt_is_a_new_job(prepared: MonitoredEndpoint) -> None:
    model = requests.model_name(prepared, sources.archive(prepared))
    StorageHook().delete(sources.validation_uri(prepared))
    with pytest.raises(JobFailed):
        baseline(prepared)
    assert find_baseline(SageMakerHook(), prepared, "bias", model) is None
    run_task(UploadFilesOperator(task_id="upload", endpoint=prepared))
    answer = baseline(prepared)
    assert find_baseline(SageMakerHook(), prepared, "bias", model) == answer["job"]


def test_a_result_that_another_job_has_overwritten_is_made_anew(prepared: MonitoredEndpoint) -> None:
    first = baseline(prepared)["job"]
    stricter = prepared.model_copy(update={"bias": prepared.bias.model_copy(update={"probability_threshold": 0.5})})
    baseline(stricter)
    again = baseline(prepared)["job"]
    assert again != first
    config = StorageHook().read(names.baseline_analysis_config(prepared, "bias"))
    assert json.loads(config or b"")["probability_threshold"] == 0.8


def test_constraints_that_others_replace_are_kept_by_their_time(prepared: MonitoredEndpoint, aws: Running) -> None:
    storage, constraints = StorageHook(), names.baseline_constraints(prepared, "bias")
    earlier = names.earlier_baselines(prepared, "bias")
    facet = prepared.bias.facets[0].model_copy(update={"values_or_threshold": [1]})
    other = prepared.model_copy(update={"bias": prepared.bias.model_copy(update={"facets": [facet]})})
    replaced = []
    for endpoint in (prepared, other, prepared):
        baseline(endpoint)
        replaced.append((f"{earlier}/{aws.now():%Y-%m-%dT%H:%M:%SZ}.json", storage.read(constraints)))
        aws.advance(5)
    baseline(prepared)
    assert [(uri, storage.read(uri)) for uri in storage.list(f"{earlier}/")] == replaced[:2]
    assert replaced[0][1] != replaced[1][1]


def test_killing_the_task_stops_its_job(slow_to_judge: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    task = BaselineOperator(task_id="bias", endpoint=slow_to_judge, kind="bias")
    monkeypatch.setattr(Wait, "poll", lambda *_, **__: task.on_kill() or pytest.fail("the task was killed"))
    with pytest.raises(pytest.fail.Exception):
        run_task(task)
    monkeypatch.undo()
    finished = Wait.until("ProcessingJobFinished", {"ProcessingJobName": task.job}, interval=0.2, timeout=60)
    assert finished.poll(task.hook.conn).response["ProcessingJobStatus"] == "Stopped"
