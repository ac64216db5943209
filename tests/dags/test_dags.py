"""The DAGs as Airflow loads them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, CronDataIntervalTimetable, RetryAction
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization
from botocore.exceptions import ClientError

from model_monitor.errors import AccessDenied, JobFailed, Unreachable, WaitTimeout
from model_monitor.preflight.run import SUBJECTS

PROJECT = Path(__file__).resolve().parents[2]
DAGS = PROJECT / "dags"
CHURN = PROJECT / "include" / "endpoints" / "churn.yaml"
KINDS = ("deploy", "monitor", "traffic", "ground_truth", "teardown", "preflight")
KINDS += ("windows", "watch", "retrain", "report")

Load = Callable[[], DagBag]
MONITORS = ("bias", "explainability")


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads the DAGs of the endpoints in a folder of the test's own."""
    monkeypatch.setenv("MODEL_MONITOR_ENDPOINTS", str(tmp_path))
    (tmp_path / "churn.yaml").write_text(CHURN.read_text())
    return lambda: DagBag(str(DAGS), known_pools=None)


@pytest.fixture
def dags(load: Load) -> dict[str, DAG]:
    bag = load()
    assert bag.import_errors == {}
    return dict(bag.dags)


def edges(dag: DAG) -> set[tuple[str, str]]:
    return {(task.task_id, below) for task in dag.tasks for below in task.downstream_task_ids}


def after_verdict(task_id: str) -> list[tuple[str, str]]:
    """What acts on the verdict of a task."""
    acting = ("alert", "violations", "alarms")
    return [(task_id, "done"), *((task_id, name) for name in acting), *((name, "done") for name in acting)]


def test_each_endpoint_has_a_dag_of_each_kind(load: Load, tmp_path: Path) -> None:
    fraud = (
        CHURN.read_text().replace("name: churn", "name: fraud").replace("churn-model-monitor", "fraud-model-monitor")
    )
    (tmp_path / "fraud.yaml").write_text(fraud)
    bag = load()
    assert set(bag.dags) == {f"{name}.{kind}" for name in ("churn", "fraud") for kind in KINDS}


def test_a_broken_endpoint_is_an_import_error_and_stops_no_other(load: Load, tmp_path: Path) -> None:
    (tmp_path / "fraud.yaml").write_text(CHURN.read_text().replace("name: churn", "name: fraud\nnmae: oops"))
    (tmp_path / "spam.yaml").write_text("- not an endpoint\n")
    bag = load()
    assert set(bag.dags) == {f"churn.{kind}" for kind in KINDS}
    ((file, error),) = bag.import_errors.items()
    assert file.endswith("endpoint_errors.py")
    assert "fraud.yaml: nmae: unknown key" in error
    assert "spam.yaml" in error


@pytest.mark.parametrize("kind", KINDS)
def test_every_dag_says_what_it_is(dags: dict[str, DAG], kind: str) -> None:
    dag = dags[f"churn.{kind}"]
    assert "churn" in (dag.doc_md or "")
    assert "churn" in (dag.description or "")
    assert {"model-monitor", "churn", kind} <= set(dag.tags)
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert {task.owner for task in dag.tasks} == {"ml-platform"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_dag_survives_serialization(dags: dict[str, DAG], kind: str) -> None:
    dag = dags[f"churn.{kind}"]
    serialized = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert set(serialized.task_ids) == set(dag.task_ids)


@pytest.mark.parametrize("kind", KINDS)
def test_the_scheduler_s_copy_carries_no_configuration(dags: dict[str, DAG], kind: str) -> None:
    assert "service-role/SageMakerRole" not in str(DagSerialization.to_dict(dags[f"churn.{kind}"]))


def test_deploy_goes_from_the_bucket_to_both_baselines(dags: dict[str, DAG]) -> None:
    dag = dags["churn.deploy"]
    assert edges(dag) == {
        ("prepare.check_bucket", "prepare.upload_files"),
        ("prepare.upload_files", "endpoint.create_model"),
        ("endpoint.create_model", "endpoint.create_endpoint_config"),
        ("endpoint.create_endpoint_config", "endpoint.deploy_endpoint"),
        ("endpoint.deploy_endpoint", "try_out.send_sample"),
        ("try_out.send_sample", "try_out.show_captures"),
        ("try_out.show_captures", "baselines.bias"),
        ("try_out.show_captures", "baselines.explainability"),
    }
    # Asking for no sample invocations skips them and their captures, and nothing else.
    assert {dag.get_task(f"baselines.{kind}").trigger_rule for kind in ("bias", "explainability")} == {"none_failed"}


def test_monitor_does_the_same_for_both_monitors_side_by_side(dags: dict[str, DAG]) -> None:
    assert edges(dags["churn.monitor"]) == {
        (f"{kind}.{above}", f"{kind}.{below}")
        for kind in ("bias", "explainability")
        for above, below in (
            ("create_job_definition", "create_schedule"),
            ("create_schedule", "create_alarms"),
            ("create_schedule", "execution_started"),
            ("execution_started", "stop_schedule"),
            ("execution_started", "execution_finished"),
            ("execution_finished", "verdict"),
            *after_verdict("verdict"),
        )
    }


@pytest.mark.parametrize(("kind", "verdict"), [("monitor", "verdict"), ("windows", "judge"), ("watch", "verdict")])
@pytest.mark.parametrize("monitor", MONITORS)
def test_people_are_told_whatever_became_of_a_verdict_and_hide_nothing(
    dags: dict[str, DAG], kind: str, verdict: str, monitor: str
) -> None:
    dag = dags[f"churn.{kind}"]
    for task_id in ("alert", "violations", "alarms"):
        task = dag.get_task(f"{monitor}.{task_id}")
        assert (task.trigger_rule, task.max_active_tis_per_dag) == ("none_skipped", 1)
    # The run's state is that of its last tasks: this one has failed when any task before it has.
    done = dag.get_task(f"{monitor}.done")
    assert (done.downstream_task_ids, done.trigger_rule) == (set(), "none_failed_min_one_success")
    assert dag.get_task(f"{monitor}.{verdict}").task_id in done.upstream_task_ids


def test_violations_update_the_asset_of_their_monitor(dags: dict[str, DAG]) -> None:
    for dag in (dags["churn.monitor"], dags["churn.windows"], dags["churn.watch"]):
        for monitor in MONITORS:
            (asset,) = dag.get_task(f"{monitor}.violations").outlets
            assert asset.uri == f"model-monitor://churn/{monitor}/violations"


def test_watch_looks_first_and_gives_a_verdict_where_there_is_news(dags: dict[str, DAG]) -> None:
    dag = dags["churn.watch"]
    assert edges(dag) == {
        *(("look", f"{kind}.verdict") for kind in MONITORS),
        *((f"{kind}.{above}", f"{kind}.{below}") for kind in MONITORS for above, below in after_verdict("verdict")),
    }
    assert dag.get_task("look").branches == {kind: f"{kind}.verdict" for kind in MONITORS}
    assert dag.timetable.expression == "*/10 * * * *"


def test_teardown_takes_things_down_in_the_order_that_works(dags: dict[str, DAG]) -> None:
    assert edges(dags["churn.teardown"]) == {
        ("monitors.delete_bias", "monitors.delete_bias_alarms"),
        ("monitors.delete_explainability", "monitors.delete_explainability_alarms"),
        ("monitors.delete_bias_alarms", "endpoint.delete_endpoint"),
        ("monitors.delete_explainability_alarms", "endpoint.delete_endpoint"),
        ("endpoint.delete_endpoint", "endpoint.delete_shadow_endpoints"),
        ("endpoint.delete_shadow_endpoints", "endpoint.delete_endpoint_configs"),
        ("endpoint.delete_endpoint_configs", "endpoint.delete_models"),
    }


def test_without_alarms_there_is_no_task_for_them(load: Load, tmp_path: Path) -> None:
    content = yaml.safe_load(CHURN.read_text())
    content.pop("alarms")
    (tmp_path / "churn.yaml").write_text(yaml.safe_dump(content))
    dags = load().dags
    assert [task.task_id for dag in dags.values() for task in dag.tasks if "alarms" in task.task_id] == []


def test_preflight_tests_every_subject_whatever_another_finds(dags: dict[str, DAG]) -> None:
    dag = dags["churn.preflight"]
    assert set(dag.task_ids) == {*SUBJECTS, "test_alerts"}
    assert edges(dag) == set()


def test_test_messages_are_sent_once_and_only_when_asked_for(dags: dict[str, DAG]) -> None:
    dag = dags["churn.preflight"]
    assert dag.params.dump() == {"test_alerts": False}
    assert dag.get_task("test_alerts").retries == 0


def test_windows_clean_up_after_every_shard_and_verdict(dags: dict[str, DAG]) -> None:
    dag = dags["churn.windows"]
    assert edges(dag) == {
        ("window", "bias.judge"),
        ("window", "explainability.plan"),
        ("explainability.plan", "explainability.shadow_endpoint"),
        ("explainability.plan", "explainability.explain"),
        ("explainability.shadow_endpoint", "explainability.explain"),
        ("explainability.shadow_endpoint", "explainability.clean_up"),
        ("explainability.explain", "explainability.judge"),
        ("explainability.judge", "explainability.clean_up"),
        *((f"{kind}.{above}", f"{kind}.{below}") for kind in MONITORS for above, below in after_verdict("judge")),
    }
    assert dag.get_task("explainability.clean_up").is_teardown


def test_report_has_a_report_for_each_monitor_on_one_range(dags: dict[str, DAG]) -> None:
    dag = dags["churn.report"]
    assert edges(dag) == {("range", "bias"), ("range", "explainability")}
    assert dag.schedule is None


def test_a_report_with_a_schedule_recurs_and_is_switched_on_by_hand(load: Load, tmp_path: Path) -> None:
    content = yaml.safe_load(CHURN.read_text()) | {"reports": {"schedule": "0 6 * * 1"}}
    (tmp_path / "churn.yaml").write_text(yaml.safe_dump(content))
    dag = load().dags["churn.report"]
    assert dag.timetable == CronDataIntervalTimetable("0 6 * * 1", timezone="UTC")
    assert dag.is_paused_upon_creation
    assert "`0 6 * * 1`" in (dag.doc_md or "")


def test_a_model_is_replaced_only_after_the_approval_and_before_its_baselines(dags: dict[str, DAG]) -> None:
    dag = dags["churn.retrain"]
    assert edges(dag) == {
        ("needed", "retrain"),
        ("needed", "approve"),
        ("retrain", "register"),
        ("retrain", "approve"),
        ("register", "approve"),
        ("approve", "replace.create_endpoint_config"),
        ("approve", "replace.deploy_endpoint"),
        ("approve", "replace.put_in_force"),
        ("replace.create_endpoint_config", "replace.deploy_endpoint"),
        ("replace.deploy_endpoint", "replace.put_in_force"),
        ("replace.put_in_force", "replace.upload_files"),
        *(("replace.upload_files", f"baselines.{kind}") for kind in MONITORS),
        *((f"baselines.{above}", f"monitors.{below}") for above in MONITORS for below in MONITORS),
    }
    assert {task.trigger_rule for task in dag.tasks} == {"all_success"}


def test_nobody_s_silence_approves_a_model(dags: dict[str, DAG]) -> None:
    approve = dags["churn.retrain"].get_task("approve")
    assert (approve.defaults, approve.response_timeout) == (["Reject"], timedelta(days=3))


def test_retraining_waits_for_either_monitor_s_violations(dags: dict[str, DAG]) -> None:
    condition = dags["churn.retrain"].timetable.asset_condition
    assert type(condition).__name__ == "AssetAny"
    found = {asset.uri for asset in condition.objects}
    assert found == {f"model-monitor://churn/{kind}/violations" for kind in MONITORS}


def test_without_the_section_there_is_no_retraining(load: Load, tmp_path: Path) -> None:
    content = yaml.safe_load(CHURN.read_text())
    content.pop("retraining")
    (tmp_path / "churn.yaml").write_text(yaml.safe_dump(content))
    bag = load()
    assert (bag.import_errors, "churn.retrain" in bag.dags) == ({}, False)


def test_what_waits_defers(dags: dict[str, DAG]) -> None:
    waiting = {
        "churn.deploy": ["endpoint.deploy_endpoint", "try_out.show_captures", "baselines.bias"],
        "churn.monitor": ["bias.execution_started", "bias.execution_finished"],
        "churn.teardown": ["monitors.delete_bias", "endpoint.delete_endpoint"],
        "churn.windows": ["explainability.shadow_endpoint"],
        "churn.retrain": ["replace.deploy_endpoint", "baselines.bias"],
    }
    for dag_id, task_ids in waiting.items():
        assert all(dags[dag_id].get_task(task_id).deferrable for task_id in task_ids)


def test_ground_truth_has_hourly_data_intervals(dags: dict[str, DAG]) -> None:
    timetable = dags["churn.ground_truth"].timetable
    assert (type(timetable).__name__, timetable.expression) == ("CronDataIntervalTimetable", "0 * * * *")


def test_traffic_recurs_as_configured_and_skips_without_endpoint(dags: dict[str, DAG]) -> None:
    dag = dags["churn.traffic"]
    assert dag.timetable.expression == "*/10 * * * *"
    assert dag.get_task("send_traffic").skip_unless_in_service is True


@pytest.mark.parametrize(
    ("kind", "given", "allowed"),
    [
        ("monitor", {"schedule": "now"}, True),
        ("monitor", {"schedule": "daily"}, False),
        ("monitor", {"stop_after_first_execution": True, "fail_on_violations": True, "compare": "none"}, True),
        ("monitor", {"fail_on_violations": "perhaps"}, False),
        ("deploy", {"sample_invocations": 0}, True),
        ("deploy", {"sample_invocations": -1}, False),
        ("traffic", {"count": None}, True),
        ("traffic", {"requests_per_second": 0}, False),
        ("report", {"start": "2026-11-20T06:00:00Z", "end": "2026-11-27T06:00:00Z"}, True),
        ("report", {"start": "last week"}, False),
    ],
)
def test_forms_take_what_makes_sense(dags: dict[str, DAG], kind: str, given: dict[str, Any], allowed: bool) -> None:
    params = dags[f"churn.{kind}"].params
    if not allowed:
        with pytest.raises(ParamValidationError):
            params.update(given)
        return
    params.update(given)
    assert params.dump().items() >= given.items()


def test_nothing_fails_on_violations_unless_asked(dags: dict[str, DAG]) -> None:
    defaults = dags["churn.monitor"].params.dump()
    assert defaults == {
        "schedule": "hourly",
        "stop_after_first_execution": False,
        "fail_on_violations": False,
        "compare": "baseline",
    }


def answer(status: int, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "CreateModel")


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (AccessDenied("no permission"), RetryAction.FAIL),
        (JobFailed("no such column"), RetryAction.FAIL),
        (WaitTimeout("took too long"), RetryAction.DEFAULT),
        (Unreachable("http://127.0.0.1:5566 does not answer"), RetryAction.DEFAULT),
        (ConnectionError("reset by peer"), RetryAction.DEFAULT),
        (answer(400, "ValidationException"), RetryAction.FAIL),
        (answer(400, "ThrottlingException"), RetryAction.DEFAULT),
        (answer(500, "InternalFailure"), RetryAction.DEFAULT),
    ],
)
def test_what_a_human_has_to_mend_is_not_tried_again(dags: dict[str, DAG], error: Exception, action: Any) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            assert task.retry_policy.evaluate(error, 1, 2).action == action


def test_parsing_imports_nothing_heavy() -> None:
    script = """
import runpy, sys
from pathlib import Path
for file in sorted(Path("dags").glob("*.py")):
    runpy.run_path(str(file))
heavy = {"pandas", "numpy", "sagemaker", "duckdb", "ibis", "matplotlib", "xgboost", "scipy", "sklearn", "aiobotocore"}
print(sorted(heavy & set(sys.modules)))
"""
    environment = os.environ | {"PYTHONPATH": f"{PROJECT / 'plugins'}{os.pathsep}{PROJECT / 'include'}"}
    ran = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "[]"


def test_what_is_started_by_hand_just_runs_and_what_recurs_is_switched_on_by_hand(dags: dict[str, DAG]) -> None:
    paused = {dag_id for dag_id, dag in dags.items() if dag.is_paused_upon_creation}
    assert {dag_id.partition(".")[2] for dag_id in paused} == {"traffic", "ground_truth", "windows", "watch", "retrain"}
