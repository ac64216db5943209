"""Windows judged by Airflow's tasks, beside the managed monitors of the same hour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from model_monitor import names, windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import EmptyWindow, InputError, NoBaseline, ViolationsFound
from model_monitor.hooks.cloudwatch import CloudWatchHook
from model_monitor.hooks.s3 import StorageHook
from model_monitor.names import KINDS
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from model_monitor.operators.schedule import CreateJobDefinitionOperator, CreateScheduleOperator
from model_monitor.operators.teardown import DeleteMonitorOperator
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.operators.window import WindowOperator
from model_monitor.operators.window_bias import JudgeBiasOperator
from model_monitor.sensors.captures import CapturesSensor
from tests.monitored import Run, context, run_task
from tests.running_aws import Running
from tests.window_runs import judge_bias, judge_explainability, scheduled_run, skipped

HOUR = timedelta(hours=1)


def configured(endpoint: MonitoredEndpoint, **sections: dict[str, Any]) -> MonitoredEndpoint:
    """The endpoint with some keys of its YAML changed."""
    content = endpoint.model_dump()
    return MonitoredEndpoint.model_validate(content | {key: content[key] | own for key, own in sections.items()})


@dataclass
class Judged:
    """An hour that both managed monitors have judged: what they left in S3."""

    endpoint: MonitoredEndpoint
    due: datetime
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def managed(deployed: MonitoredEndpoint, aws: Running) -> Judged:
    """An hour of traffic and labels, judged by the managed service; SHAP draws by a seed."""
    endpoint = configured(deployed, explainability={"seed": 7})
    run_task(BaselineOperator(task_id="baseline", endpoint=endpoint, kind="explainability"))
    due = windows.latest(endpoint, aws.now()).scheduled + HOUR
    aws.advance((due - aws.now()).total_seconds() + 60)
    traffic = run_task(SendTrafficOperator(task_id="send", endpoint=endpoint))
    run_task(CapturesSensor(task_id="captures", endpoint=endpoint, traffic=traffic))
    run_task(UploadGroundTruthOperator(task_id="labels", endpoint=endpoint))
    for kind in KINDS:
        about: dict[str, Any] = {"endpoint": endpoint, "kind": kind}
        run_task(CreateJobDefinitionOperator(task_id="define", **about))
        run_task(CreateScheduleOperator(task_id="create", **about))
    due += HOUR
    aws.advance((due - aws.now()).total_seconds() + 1, settle=True)
    for kind in KINDS:
        run_task(DeleteMonitorOperator(task_id="delete", endpoint=endpoint, kind=kind))
    return Judged(endpoint, due, reports(endpoint))


def reports(endpoint: MonitoredEndpoint) -> dict[str, bytes]:
    """Everything below the endpoint's reports."""
    storage = StorageHook(region_name=endpoint.region)
    root = names.reports(endpoint)
    return {uri.removeprefix(f"{root}/"): storage.read(uri) or b"" for uri in storage.list(f"{root}/")}


def folder(judged: Judged, kind: str) -> dict[str, bytes]:
    prefix = f"{judged.endpoint.name}/{judged.endpoint.name}-{kind}/{judged.due:%Y/%m/%d/%H}/"
    return {key.removeprefix(prefix): body for key, body in judged.files.items() if key.startswith(prefix)}


@pytest.fixture
def anew(managed: Judged) -> Judged:
    """The same hour, nothing of it judged yet."""
    storage = StorageHook(region_name=managed.endpoint.region)
    for uri in storage.list(f"{names.reports(managed.endpoint)}/"):
        storage.delete(uri)
    return managed


def after(judged: Judged) -> Judged:
    return Judged(judged.endpoint, judged.due, reports(judged.endpoint))


def test_bias_is_what_the_managed_monitor_found_byte_for_byte(anew: Judged) -> None:
    assert {"analysis.json", "constraint_violations.json", "report.html"} == set(folder(anew, "bias"))
    verdict = judge_bias(anew.endpoint, scheduled_run(anew.endpoint, anew.due))
    assert folder(after(anew), "bias") == folder(anew, "bias")
    hour = f"merge/{anew.endpoint.name}/AllTraffic/{anew.due - HOUR:%Y/%m/%d/%H}/"
    merged = {key: body for key, body in anew.files.items() if key.startswith(hour)}
    assert merged
    assert {key: body for key, body in after(anew).files.items() if key.startswith("merge/")} == merged
    assert verdict["status"] == "CompletedWithViolations"
    assert verdict["violations"]
    assert verdict["files"] == ["analysis.json", "constraint_violations.json", "report.html"]


def test_explainability_is_what_the_managed_monitor_found_byte_for_byte(anew: Judged, aws: Running) -> None:
    verdict = judge_explainability(anew.endpoint, scheduled_run(anew.endpoint, anew.due))
    assert folder(after(anew), "explain") == folder(anew, "explain")
    assert (verdict["status"], verdict["violations"]) == ("Completed", [])
    shadows = aws.client("sagemaker").list_endpoints(NameContains=names.shadow_prefix(anew.endpoint))
    assert shadows["Endpoints"] == []
    left = StorageHook(region_name="us-west-2").list(names.s3(anew.endpoint, "windows"))
    assert left == []


def test_the_same_window_again_writes_nothing_and_publishes_nothing(anew: Judged, aws: Running) -> None:
    given = scheduled_run(anew.endpoint, anew.due)
    first = judge_bias(anew.endpoint, given)
    before, published = stored(anew.endpoint), samples(aws, anew)
    aws.advance(60)
    assert judge_bias(anew.endpoint, given) == first
    assert stored(anew.endpoint) == before
    assert samples(aws, anew) == published > 0


def stored(endpoint: MonitoredEndpoint) -> dict[str, Any]:
    found = StorageHook(region_name=endpoint.region).call(
        "list_objects_v2", Bucket=endpoint.bucket, Prefix=f"{endpoint.prefix}/reports/"
    )
    return {item["Key"]: (item["ETag"], item["LastModified"]) for item in found["Contents"]}


def samples(aws: Running, judged: Judged) -> float:
    """How often the window's class imbalance was published, by the managed monitor and by us."""
    dimensions = {
        "Endpoint": judged.endpoint.name,
        "MonitoringSchedule": f"{judged.endpoint.name}-bias",
        "BiasStage": "Pre-training",
        "Label": "Left",
        "LabelValue": "1",
        "Facet": "Age",
    }
    metrics = aws.client("cloudwatch").list_metrics(
        Namespace="aws/sagemaker/Endpoints/bias-metrics",
        MetricName="bias_metric_CI",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
    )["Metrics"]
    found = [
        aws.client("cloudwatch").get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Dimensions=metric["Dimensions"],
            StartTime=judged.due - 2 * HOUR,
            EndTime=judged.due + HOUR,
            Period=3600,
            Statistics=["SampleCount"],
        )["Datapoints"]
        for metric in metrics
    ]
    return sum(point["SampleCount"] for points in found for point in points)


def test_labels_that_come_late_count_when_the_window_is_judged_again(anew: Judged) -> None:
    given = scheduled_run(anew.endpoint, anew.due)
    storage = StorageHook(region_name="us-west-2")
    moment = anew.due - timedelta(seconds=1)
    before = judge_bias(anew.endpoint, given, compare="none")
    late = storage.read(names.ground_truth_file(anew.endpoint, anew.due - HOUR)) or b""
    uri = storage.put(names.ground_truth_file(anew.endpoint, moment), late.replace(b'"data": "1"', b'"data": "0"', 5))
    try:
        after_all = judge_bias(anew.endpoint, given, compare="none")
    finally:
        storage.delete(uri)
    assert before["report"] == after_all["report"]
    key = f"{anew.endpoint.name}/{anew.endpoint.name}-bias/{anew.due:%Y/%m/%d/%H}/analysis.json"
    assert reports(anew.endpoint)[key] != folder(anew, "bias")["analysis.json"]


def test_a_window_by_hand_has_a_report_of_its_own(anew: Judged, aws: Running) -> None:
    start, end = anew.due - timedelta(minutes=59, seconds=30), anew.due
    asked = WindowOperator(task_id="window", endpoint=anew.endpoint, start=start.isoformat(), end=end.isoformat())
    window = run_task(asked)
    verdict = run_task(JudgeBiasOperator(task_id="judge", endpoint=anew.endpoint, window=window))
    assert verdict["report"].endswith(f"{anew.due:%Y/%m/%d/%H}-00-00-from-{start:%Y%m%dT%H%M%S}")
    assert verdict["violations"]
    assert [key for key in reports(anew.endpoint) if key.startswith("merge/")] == []


def test_a_run_without_data_interval_judges_the_last_window_by_the_service_s_clock(anew: Judged, aws: Running) -> None:
    window = run_task(WindowOperator(task_id="window", endpoint=anew.endpoint), context(run=Run("manual")))
    assert window == windows.latest(anew.endpoint, aws.now()).as_dict()


def test_one_moment_alone_makes_no_window(endpoint: MonitoredEndpoint) -> None:
    with pytest.raises(InputError, match="give both, or none"):
        run_task(WindowOperator(task_id="window", endpoint=endpoint, start="2026-11-22T09:00:00Z"))


def test_comparing_with_nothing_measures(anew: Judged) -> None:
    verdict = judge_bias(anew.endpoint, scheduled_run(anew.endpoint, anew.due), compare="none")
    assert (verdict["status"], verdict["violations"]) == ("Completed", [])


def test_comparing_with_another_analysis(anew: Judged) -> None:
    storage = StorageHook(region_name="us-west-2")
    uri = storage.put(names.s3(anew.endpoint, "other", "analysis.json"), folder(anew, "bias")["analysis.json"])
    verdict = judge_bias(anew.endpoint, scheduled_run(anew.endpoint, anew.due), compare=uri)
    assert (verdict["status"], verdict["violations"]) == ("Completed", [])
    with pytest.raises(NoBaseline, match=f"There are no constraints at {uri}.missing. Run .*deploy"):
        judge_bias(anew.endpoint, scheduled_run(anew.endpoint, anew.due), compare=f"{uri}.missing")


def test_failing_on_violations_leaves_the_report_and_the_verdict(anew: Judged) -> None:
    given = scheduled_run(anew.endpoint, anew.due)
    with pytest.raises(ViolationsFound, match=f"violations in {anew.endpoint.name}-bias, report s3://"):
        judge_bias(anew.endpoint, given, fail_on_violations=True)
    assert given["ti"].pushed["return_value"]["violations"]
    assert folder(after(anew), "bias") == folder(anew, "bias")


def test_an_empty_window_is_skipped_or_fails_with_what_was_found(anew: Judged) -> None:
    given = scheduled_run(anew.endpoint, anew.due - 10 * HOUR)
    for judge in (judge_bias, judge_explainability):
        assert "Captures: no files in s3://" in skipped(judge, anew.endpoint, given)
        with pytest.raises(EmptyWindow, match="Nothing to judge in"):
            judge(configured(anew.endpoint, windows={"when_empty": "fail"}), given)


@pytest.mark.parametrize("baseline", ["test_mean", "clusters"])
def test_files_whose_requests_all_came_outside_the_window_are_told(anew: Judged, baseline: str) -> None:
    endpoint = configured(anew.endpoint, explainability={"baseline": baseline})
    start, end = (anew.due - timedelta(minutes=minutes) for minutes in (20, 10))
    window = windows.asked_for(endpoint, start.isoformat(), end.isoformat())
    why = skipped(judge_explainability, endpoint, context("manual__outside"), window, compare="none")
    assert "Captures: 1 file in s3://" in why
    assert "No request in these files came between the window's start and end." in why


def test_requests_without_inference_ids_are_told(deployed: MonitoredEndpoint, aws: Running) -> None:
    due = windows.latest(deployed, aws.now()).scheduled + HOUR
    aws.advance((due - aws.now()).total_seconds() + 60)
    traffic = run_task(SendTrafficOperator(task_id="send", endpoint=deployed, count=3, inference_ids=False))
    run_task(CapturesSensor(task_id="captures", endpoint=deployed, traffic=traffic))
    run_task(UploadGroundTruthOperator(task_id="labels", endpoint=deployed))
    why = skipped(judge_bias, deployed, scheduled_run(deployed, due + HOUR))
    assert "3 captured requests, 3 of them without inference id" in why
    assert "Send an inference id with each request" in why


def test_complaints_name_what_lies_in_s3(deployed: MonitoredEndpoint, aws: Running) -> None:
    due = windows.latest(deployed, aws.now()).scheduled + HOUR
    aws.advance((due - aws.now()).total_seconds() + 60)
    run_task(SendTrafficOperator(task_id="send", endpoint=deployed, count=3))
    run_task(UploadGroundTruthOperator(task_id="labels", endpoint=deployed))
    broken = StorageHook(region_name="us-west-2").put(
        f"{names.captures(deployed, due)}/59-00-000-broken.jsonl", "\n{broken\n"
    )
    try:
        with pytest.raises(InputError, match=f"{broken}, line 2: not JSON"):
            judge_bias(deployed, scheduled_run(deployed, due + HOUR))
    finally:
        StorageHook(region_name="us-west-2").delete(broken)


def test_metrics_that_could_not_be_published_are_published_by_the_next_try(
    anew: Judged, aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = scheduled_run(anew.endpoint, anew.due)

    def broken(*_: Any) -> int:
        raise ConnectionError("reset by peer")

    with monkeypatch.context() as patch:
        patch.setattr(CloudWatchHook, "publish", broken)
        with pytest.raises(ConnectionError):
            judge_bias(anew.endpoint, given)
    before = samples(aws, anew)
    judge_bias(anew.endpoint, given)
    assert samples(aws, anew) > before


def test_a_scratch_folder_that_is_missing_is_named(anew: Judged) -> None:
    elsewhere = configured(anew.endpoint, windows={"scratch": "/nowhere/at/all"})
    with pytest.raises(InputError, match=r"windows.scratch of .* /nowhere/at/all, cannot be written to"):
        judge_bias(elsewhere, scheduled_run(anew.endpoint, anew.due))


def test_what_is_no_window_is_refused(anew: Judged) -> None:
    with pytest.raises(InputError, match="'yesterday' is no window"):
        run_task(JudgeBiasOperator(task_id="judge", endpoint=anew.endpoint, window="yesterday"))


def test_the_interval_rule_waits_for_enough_windows(anew: Judged) -> None:
    """Red at the second of two violating windows: the one before, judged by the same rule, counts."""
    rule = {"verdict": {"rule": "interval", "violating_windows": 2, "of_windows": 3}}
    sure = configured(anew.endpoint, windows=rule)
    storage = StorageHook(region_name="us-west-2")
    alone = judge_bias(sure, scheduled_run(sure, anew.due))
    assert (alone["status"], alone["violations"]) == ("Completed", [])
    assert alone["files"] == ["analysis.json", "report.html", "uncertainty.json"]
    assert folder(after(anew), "bias")["analysis.json"] == folder(anew, "bias")["analysis.json"]
    own = json.loads(storage.read(f"{alone['report']}/uncertainty.json") or b"")
    assert own["violations"]
    assert own["persistence"]["red"] is False
    earlier = names.report_folder(sure, "bias", windows.scheduled_at(sure, anew.due - HOUR).name)
    storage.put(f"{earlier}/uncertainty.json", json.dumps(own))
    both = judge_bias(sure, scheduled_run(sure, anew.due))
    assert both["status"] == "CompletedWithViolations"
    assert [row["metric"] for row in both["violations"]] == [row["metric_name"] for row in own["violations"]]
    assert "constraint_violations.json" in both["files"]


def test_the_interval_rule_for_attributions(anew: Judged) -> None:
    sure = configured(anew.endpoint, windows={"verdict": {"rule": "interval"}})
    verdict = judge_explainability(sure, scheduled_run(sure, anew.due))
    assert (verdict["status"], verdict["violations"]) == ("Completed", [])
    content = StorageHook(region_name="us-west-2").read(f"{verdict['report']}/uncertainty.json")
    (label,) = json.loads(content or b"")["ndcg"]
    assert label["low"] <= label["value"] <= label["high"] <= 1
