"""Retraining's steps on a real local_aws: the occasion, the candidate, the answer, the model in force."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped, TaskAwaitingInput

from model_monitor import names, requests, sources, windows
from model_monitor.alerts.letter import Letter
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import ConfigError, InputError, ResourceConflict
from model_monitor.hooks.s3 import StorageHook
from model_monitor.model_in_force import ApprovedModel, model_in_force, put_in_force
from model_monitor.operators import retrain as operators
from model_monitor.operators.endpoint import CreateEndpointConfigOperator, CreateModelOperator, DeployEndpointOperator
from model_monitor.operators.retrain import (
    ApproveModelOperator,
    PutInForceOperator,
    RetrainingNeededOperator,
    RetrainOperator,
)
from model_monitor.operators.storage import UploadFilesOperator
from model_monitor.retraining import notice
from model_monitor.retraining.material import Figure, Material, Retrained
from tests.lineage.events import event_of
from tests.monitored import context, monitored_endpoint, run_task, write_files
from tests.running_aws import Running, make_bucket, tar_gz

RETRAINING = {"function": "own_retraining.train", "data_window": "PT3H", "pause_after_rejection": "PT2H"}
VIOLATION = {"metric": "DPPL", "facet": "Age", "facet_value": "0", "value": 0.4, "baseline": 0.1}
HOUR = timedelta(hours=1)


@dataclass
class Event:
    """The part of an asset's event that tasks read."""

    extra: dict[str, Any]


@pytest.fixture
def shop(aws: Running, tmp_path: Path, model_archive: bytes) -> MonitoredEndpoint:
    """An endpoint whose files are the test's own."""
    write_files(tmp_path / "data", model_archive)
    return monitored_endpoint(tmp_path / "data", make_bucket(aws), retraining=RETRAINING)


@pytest.fixture
def serving(shop: MonitoredEndpoint) -> MonitoredEndpoint:
    """That endpoint in service."""
    for step in (UploadFilesOperator, CreateModelOperator, CreateEndpointConfigOperator, DeployEndpointOperator):
        run_task(step(task_id=step.__name__, endpoint=shop))
    return shop


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, booster: Any) -> list[Material]:
    """What the retraining function was given; it answers a model that differs from the fixture's."""
    found: list[Material] = []
    content = tar_gz({"xgboost-model": bytes(booster.save_raw("ubj"))})

    def train(material: Material) -> Retrained:
        found.append(material)
        archive = material.folder / "model.tar.gz"
        archive.write_bytes(content)
        return Retrained(archive, [Figure("AUC", 0.8, 0.9, "higher")], "from a test")

    use(monkeypatch, train)
    return found


def use(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]) -> None:
    """Let the YAML's function be this one."""
    module = types.ModuleType("own_retraining")
    module.train = function  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_retraining", module)


def needed(endpoint: MonitoredEndpoint, *extras: dict[str, Any]) -> Any:
    events = {"asset": [Event(extra) for extra in extras]} if extras else {}
    task = RetrainingNeededOperator(task_id="needed", endpoint=endpoint)
    return run_task(task, context() | {"triggering_asset_events": events})


def verdict(endpoint: MonitoredEndpoint, due: Any, violations: int = 1) -> dict[str, Any]:
    return {
        "endpoint": endpoint.name,
        "kind": "bias",
        "scheduled": windows.shown(due),
        "report": names.report_folder(endpoint, "bias", names.hour_path(due)),
        "violations": [{"metric": "DPPL", "facet": "Age", "facet_value": "0", "value": 0.4, "baseline": 0.1}]
        * violations,
    }


def test_a_run_by_hand_goes_on(shop: MonitoredEndpoint) -> None:
    assert needed(shop) == []


def test_violations_of_the_model_in_service_go_on(serving: MonitoredEndpoint, aws: Running) -> None:
    due = aws.now() + 3 * HOUR
    (found,) = needed(serving, verdict(serving, due, violations=70))
    assert (found["kind"], found["end"]) == ("bias", windows.shown(due))
    assert len(found["violations"]) == operators.MOST_VIOLATIONS_KEPT


def test_windows_of_before_the_endpoint_s_model_are_settled(serving: MonitoredEndpoint, aws: Running) -> None:
    with pytest.raises(AirflowSkipException, match="The model in service is newer"):
        needed(serving, verdict(serving, aws.now() - HOUR))


def test_windows_of_before_an_approval_are_settled(serving: MonitoredEndpoint, aws: Running) -> None:
    approved = ApprovedModel("0123456789ab", sources.archive(serving), "ann", aws.now() + 5 * HOUR)
    put_in_force(serving, StorageHook(), approved)
    with pytest.raises(AirflowSkipException, match="The model in service is newer"):
        needed(serving, verdict(serving, aws.now() + 5 * HOUR))
    assert needed(serving, verdict(serving, aws.now() + 7 * HOUR))


def test_after_a_rejection_there_is_a_pause(shop: MonitoredEndpoint, aws: Running) -> None:
    StorageHook().put(names.rejected_model(shop), json.dumps({"at": windows.shown(aws.now())}))
    with pytest.raises(AirflowSkipException, match=r"retraining\.pause_after_rejection"):
        needed(shop, verdict(shop, aws.now() + 2 * HOUR))
    assert needed(shop, verdict(shop, aws.now() + 4 * HOUR))


def test_an_approval_ends_the_pause(serving: MonitoredEndpoint, aws: Running) -> None:
    StorageHook().put(names.rejected_model(serving), json.dumps({"at": windows.shown(aws.now())}))
    approved = ApprovedModel("0123456789ab", sources.archive(serving), "ann", aws.now() + timedelta(minutes=1))
    put_in_force(serving, StorageHook(), approved)
    assert needed(serving, verdict(serving, aws.now() + timedelta(hours=1, minutes=2)))


def test_a_rejection_that_cannot_be_read_is_named(shop: MonitoredEndpoint, aws: Running) -> None:
    StorageHook().put(names.rejected_model(shop), "{}")
    with pytest.raises(InputError, match=r"retraining/rejected.json: does not say when"):
        needed(shop, verdict(shop, aws.now()))


def retrain(endpoint: MonitoredEndpoint, verdicts: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return dict(run_task(RetrainOperator(task_id="retrain", endpoint=endpoint, verdicts=verdicts or [])))


def test_a_candidate_is_trained_on_labelled_requests_of_before_the_window_s_end(
    shop: MonitoredEndpoint, given: list[Material], aws: Running
) -> None:
    end = aws.now().replace(minute=0, second=0, microsecond=0)
    hours = [end - number * HOUR for number in (4, 3, 2, 1, 0)]
    for hour in hours:
        place = f"{names.merged(shop)}/{shop.name}/AllTraffic/{names.hour_path(hour)}/part.jsonl"
        StorageHook().put(place, json.dumps({"hour": hour.hour}))
    judged = {"kind": "bias", "start": windows.shown(end - HOUR), "end": windows.shown(end), "report": ""}
    answer = retrain(shop, [judged | {"violations": []}])

    (material,) = given
    assert [path.parent.name for path in material.merged] == [f"{hour:%H}" for hour in hours[1:4]]
    assert (material.since, material.until) == (end - 3 * HOUR, end)
    own = sources.archive(shop)
    assert (answer["replaces"], answer["supersedes"], answer["files"]) == (own, own, 3)
    assert answer["figures"] == [{"name": "AUC", "old": 0.8, "new": 0.9, "better": "higher"}]
    assert answer["uri"] == names.model_archive(shop, answer["archive"])
    assert StorageHook().read(answer["uri"])
    assert not material.folder.exists()
    assert retrain(shop, [judged | {"violations": []}]) == answer


def test_lineage_says_what_a_candidate_comes_of(
    shop: MonitoredEndpoint, given: list[Material], aws: Running, tmp_path: Path
) -> None:
    hour = names.hour_path(aws.now() - HOUR)
    StorageHook().put(f"{names.merged(shop)}/{shop.name}/AllTraffic/{hour}/part.jsonl", "{}")
    task = RetrainOperator(task_id="retrain", endpoint=shop, verdicts=[])
    answer = run_task(task)
    event = event_of(task, tmp_path)
    requests, validation, model = event["inputs"]
    assert requests["name"] == f"monitors/reports/merge/{shop.name}"
    assert requests["inputFacets"]["inputStatistics"]["fileCount"] == 1
    assert f"s3://{validation['namespace'].removeprefix('s3://')}/{validation['name']}" == sources.validation_uri(shop)
    assert model["name"] == names.model_archive(shop, answer["replaces"]).removeprefix(f"s3://{shop.bucket}/")
    assert [f"{one['namespace']}/{one['name']}" for one in event["outputs"]] == [answer["uri"]]


def test_the_model_to_compare_with_is_the_one_in_force(
    shop: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch, aws: Running
) -> None:
    seen = []

    def train(material: Material) -> Retrained:
        seen.append(material.model.read_bytes())
        archive = material.folder / "model.tar.gz"
        archive.write_bytes(b"candidate")
        return Retrained(archive)

    use(monkeypatch, train)
    put_in_force(shop, StorageHook(), ApprovedModel("0123456789ab", sources.archive(shop), "ann", aws.now()))
    StorageHook().put(names.model_archive(shop, "0123456789ab"), "approved")
    answer = retrain(shop)
    assert seen == [b"approved"]
    assert (answer["replaces"], answer["supersedes"]) == ("0123456789ab", sources.archive(shop))


def test_the_same_model_again_is_no_candidate(shop: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda material: Retrained(material.model))
    with pytest.raises(AirflowSkipException, match="the model in force"):
        retrain(shop)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (None, "answered NoneType; expected a model_monitor.retraining.material.Retrained"),
        (Retrained(Path("/nowhere/model.tar.gz")), "archive /nowhere/model.tar.gz, and there is no such file"),
        (Retrained(Path(__file__), [Figure("AUC", 0.5, float("nan"))]), "answered nan as 'AUC'"),
    ],
)
def test_an_answer_that_is_no_candidate_is_refused(
    shop: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch, answer: Any, complaint: str
) -> None:
    use(monkeypatch, lambda material: answer)
    with pytest.raises(InputError, match=complaint):
        retrain(shop)


def test_arguments_that_the_function_does_not_take_are_named(
    shop: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, lambda material, share: None)
    with pytest.raises(ConfigError, match=r"retraining.arguments: own_retraining.train\(material, share\) cannot be"):
        retrain(shop)


def approval(endpoint: MonitoredEndpoint, candidate: Any) -> ApproveModelOperator:
    """The task, with one after it."""
    with DAG(dag_id="retrain", schedule=None):
        task = ApproveModelOperator(task_id="approve", endpoint=endpoint, verdicts=[], candidate=candidate)
        task >> EmptyOperator(task_id="replace")
    return task


def answered(task: ApproveModelOperator, choice: str, user: str | None = "ann") -> Any:
    event = {
        "chosen_options": [choice],
        "params_input": {},
        "responded_at": windows.moment("2026-11-22T10:00:00Z"),
        "responded_by_user": None if user is None else {"id": user, "name": user},
        "timedout": user is None,
    }
    given = context()
    given["ti"].map_index = -1
    return task.execute_complete(given | {"task": task}, event)


@pytest.fixture
def candidate(shop: MonitoredEndpoint, given: list[Material]) -> dict[str, Any]:
    return retrain(shop)


def unreachable(letter: Letter) -> None:
    raise ConnectionError("no route to the pager")


def test_the_question_is_told_of_put_and_waited_for(
    shop: MonitoredEndpoint, candidate: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **given: asked.update(given))
    task = approval(shop, candidate)
    letters: list[Letter] = []
    monkeypatch.setattr(notice, "channels", lambda _: {"pager": unreachable, "sns": letters.append})
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/team")
    instance = types.SimpleNamespace(id="1", dag_id="shop.retrain", run_id="manual__1+00:00", task_id="approve")
    with pytest.raises(TaskAwaitingInput) as waiting:
        task.execute(context() | {"task_instance": instance, "ti": instance})
    (letter,) = letters
    page = "https://airflow.example/team/dags/shop.retrain/runs/manual__1%2B00%3A00/tasks/approve/required_actions"
    assert letter.links[0] == ("Answer", page)
    assert [finding.title for finding in letter.findings] == ["AUC"]
    assert waiting.value.timeout == timedelta(days=3)
    assert (asked["options"], asked["defaults"]) == (["Approve", "Reject"], ["Reject"])
    assert asked["subject"] == f"Replace the model of {shop.name}?"
    assert r"| AUC | 0\.8000 | 0\.9000 | better |" in asked["body"]


def test_an_approved_candidate_comes_into_force(shop: MonitoredEndpoint, candidate: dict[str, Any]) -> None:
    told = answered(approval(shop, candidate), "Approve")
    assert told == candidate | {"answered_by": "ann"}
    name = run_task(PutInForceOperator(task_id="put", endpoint=shop, approved=told))
    found = model_in_force(shop, StorageHook())
    assert (found.name, found.archive) == (name, candidate["archive"])
    assert found.approved is not None
    assert found.approved.approved_by == "ann"


@pytest.mark.parametrize(("user", "by"), [("ann", "ann"), (None, "nobody, in time")])
def test_a_rejected_candidate_is_kept_and_ends_the_run(
    shop: MonitoredEndpoint, candidate: dict[str, Any], aws: Running, user: str | None, by: str
) -> None:
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        answered(approval(shop, candidate), "Reject", user)
    assert skipped.value.tasks == ["replace"]
    kept = json.loads(StorageHook().read(names.rejected_model(shop)) or b"")
    assert (kept["archive"], kept["answered_by"]) == (candidate["archive"], by)
    assert operators.rejected_at(shop, StorageHook()) is not None
    assert model_in_force(shop, StorageHook()).approved is None


def test_an_approval_by_nobody_replaces_nothing(shop: MonitoredEndpoint, candidate: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="without a human"):
        answered(approval(shop, candidate), "Approve", user=None)


def test_an_approval_after_the_yaml_s_archive_has_changed_replaces_nothing(
    shop: MonitoredEndpoint, candidate: dict[str, Any]
) -> None:
    shop.path(shop.model.archive).write_bytes(b"another archive")
    with pytest.raises(ResourceConflict, match="is in force by now"):
        answered(approval(shop, candidate), "Approve")


def test_a_task_that_was_only_marked_as_successful_approves_nothing(shop: MonitoredEndpoint) -> None:
    with pytest.raises(InputError, match="Marking a task as successful trains no model and approves none"):
        run_task(PutInForceOperator(task_id="put", endpoint=shop, approved=None))
    with pytest.raises(InputError, match="There is no candidate"):
        approval(shop, None).execute(context())


def test_without_the_section_there_is_nothing_to_do(endpoint: MonitoredEndpoint) -> None:
    with pytest.raises(InputError, match=r"retraining: the YAML of .* has no such section"):
        retrain(endpoint)


def test_a_candidate_gets_its_own_model_and_configuration(shop: MonitoredEndpoint, candidate: dict[str, Any]) -> None:
    about = {"endpoint": shop, "candidate": candidate}
    name = run_task(CreateModelOperator(task_id="model", **about))
    assert name == requests.model_name(shop, candidate["archive"])
    config = run_task(CreateEndpointConfigOperator(task_id="config", **about))
    described = CreateModelOperator(task_id="hook", endpoint=shop).hook.call(
        "describe_endpoint_config", EndpointConfigName=config
    )
    assert described["ProductionVariants"][0]["ModelName"] == name
