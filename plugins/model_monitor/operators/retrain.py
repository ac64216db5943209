"""Retraining: is there an occasion, train a candidate, ask a human, put it in force."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names, requests, sources, window_data, windows
from model_monitor.alerts.airflow_links import airflow_address
from model_monitor.config import MonitoredEndpoint
from model_monitor.config.retraining import Retraining
from model_monitor.durations import duration
from model_monitor.errors import InputError, ResourceConflict
from model_monitor.hooks.s3 import StorageHook
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.links import ConsoleLink, DashboardLink
from model_monitor.model_in_force import ApprovedModel, model_in_force, put_in_force
from model_monitor.operators.base import MonitorOperator, connection_of, scratch_folder
from model_monitor.retraining.notice import notice, send
from model_monitor.retraining.occasion import Judged, Settled, occasion
from model_monitor.retraining.question import question

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

MOST_VIOLATIONS_KEPT = 50
NOBODY = "nobody, in time"
HOUR = timedelta(hours=1)


class RetrainingNeededOperator(MonitorOperator):
    """Say which verdicts are a reason to retrain; skip what follows if none is.

    A run that an asset's events have started looks at what they carry; a run by hand goes on in any case.

    Args:
        endpoint: whose monitors found violations.
    """

    def execute(self, context: Context) -> list[dict[str, Any]]:
        events = [event for events in context["triggering_asset_events"].values() for event in events]
        if not events:
            self.log.info("No event started this run: somebody wants a new model")
            return []
        found = occasion(self.endpoint, [event.extra for event in events], self._settled())
        if found.why_not is not None:
            # Airflow shows the reason of a skip only in a folded part of the log.
            self.log.warning(found.why_not)
            raise AirflowSkipException(found.why_not)
        for judged in found.verdicts:
            self.log.info("%s: %d violations, report %s", judged.kind, len(judged.violations), judged.report)
        return [self._kept(judged) for judged in found.verdicts]

    def _settled(self) -> Settled:
        serving = self.hook.endpoint(self.endpoint.name)
        approved, rejected = self.model_in_force.approved, rejected_at(self.endpoint, self.storage)
        since = []
        if serving is not None:
            config = self.hook.call("describe_endpoint_config", EndpointConfigName=serving["EndpointConfigName"])
            since.append(config["CreationTime"])
            if approved is not None:
                since.append(approved.at)
        if approved is not None and rejected is not None and rejected <= approved.at:
            rejected = None
        return Settled(max(since, default=None), rejected, duration(retraining_of(self.endpoint).pause_after_rejection))

    def _kept(self, judged: Judged) -> dict[str, Any]:
        content = judged.as_dict()
        return content | {"violations": content["violations"][:MOST_VIOLATIONS_KEPT]}


class RetrainOperator(Traced, MonitorOperator):
    """Train a candidate with the endpoint's retraining function, and upload its archive where its content says.

    Skips what follows when what comes out is the model in force.

    Args:
        endpoint: whose model to train anew.
        verdicts: what RetrainingNeededOperator answered.
    """

    template_fields: Sequence[str] = aws_template_fields("verdicts")

    def __init__(self, *, verdicts: list[dict[str, Any]] | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.verdicts = verdicts
        self.read_and_written = Flow()

    def flow(self) -> Flow:
        return self.read_and_written

    def execute(self, context: Context) -> dict[str, Any]:
        from model_monitor.retraining.material import Material, retrained

        endpoint, in_force = self.endpoint, self.model_in_force
        own, (since, until) = sources.archive(endpoint), self._period()
        with scratch_folder(endpoint, "retrain-") as scratch:
            model = scratch / "in-force" / "model.tar.gz"
            self._fetch(in_force.archive, model)
            merged = window_data.merged(self.storage, endpoint, list(_hours(since, until)))
            window_data.fetch(self.storage, merged, scratch / "merged")
            self.log.info("%d files of labelled requests from %s to %s", len(merged), since, until)
            folder = scratch / "candidate"
            folder.mkdir()
            files = tuple(scratch / "merged" / one.path for one in merged)
            answer = retrained(Material(endpoint, model, files, since, until, folder))
            archive = sources.content(answer.archive)
            if archive == in_force.archive:
                why = f"What was trained is the model in force, {in_force}: there is nothing to replace it with."
                self.log.warning(why)
                raise AirflowSkipException(why)
            uri = names.model_archive(endpoint, archive)
            self.storage.upload(answer.archive, uri)
        self.read_and_written = flows.retraining(endpoint, merged, in_force.archive, archive)
        figures = [figure.as_dict() for figure in answer.figures]
        self.log.info("Candidate %s: %s", uri, json.dumps(figures, indent=2))
        return {
            "archive": archive,
            "uri": uri,
            "replaces": in_force.archive,
            "supersedes": own,
            "figures": figures,
            "remark": answer.remark,
            "files": len(merged),
            "since": windows.shown(since),
            "until": windows.shown(until),
        }

    def _period(self) -> tuple[datetime, datetime]:
        """From which hour on, and before which, labelled requests are taken: those before the last judged window's end,
        so that a second try has the same.
        """
        verdicts = [Judged.from_dict(verdict) for verdict in verdicts_of(self.verdicts)]
        last = max((judged.end for judged in verdicts), default=None) or self.storage.time(self.endpoint.bucket)
        until = last.replace(minute=0, second=0, microsecond=0)
        since = until - duration(retraining_of(self.endpoint).data_window)
        return since.replace(minute=0), until

    def _fetch(self, archive: str, file: Path) -> None:
        """The archive of the model in force: on this machine if it is the YAML's, else in S3."""
        endpoint = self.endpoint
        file.parent.mkdir(parents=True)
        if archive == sources.archive(endpoint):
            file.symlink_to(endpoint.path(endpoint.model.archive).absolute())
        else:
            self.storage.download(names.model_archive(endpoint, archive), file)


class ApproveModelOperator(ApprovalOperator):
    """Ask a human whether the candidate is to replace the model in force; wait for the answer without a worker.

    The question says why there is a candidate, compares old and new, and links to the dashboard; the channels of
    `alerts` are told that it waits. Without an answer in
    `retraining.approval_timeout`, the candidate counts as rejected: no model is ever replaced without a human. A
    rejection is kept, so that nobody is asked the same again at once, and all tasks that follow are skipped.

    Args:
        endpoint: whose model is to be replaced.
        verdicts: what RetrainingNeededOperator answered.
        candidate: what RetrainOperator answered.
    """

    template_fields: Collection[str] = ("verdicts", "candidate")
    operator_extra_links = (DashboardLink(),)
    ui_color = "#fdf0d5"

    def __init__(
        self,
        *,
        endpoint: MonitoredEndpoint,
        verdicts: list[dict[str, Any]] | XComArg,
        candidate: dict[str, Any] | XComArg,
        **kwargs: Any,
    ) -> None:
        retraining = retraining_of(endpoint)
        super().__init__(
            subject=f"Replace the model of {endpoint.name}?",
            defaults=self.REJECT,
            response_timeout=duration(retraining.approval_timeout),
            assigned_users=[{"id": user, "name": user} for user in retraining.approvers] or None,
            ignore_downstream_trigger_rules=True,
            **kwargs,
        )
        self.endpoint = endpoint
        self.verdicts = verdicts
        self.candidate = candidate

    def execute(self, context: Context) -> None:
        verdicts = [Judged.from_dict(verdict) for verdict in verdicts_of(self.verdicts)]
        candidate = candidate_of(self.candidate)
        self.body = question(self.endpoint, verdicts, candidate)
        ti = context["ti"]
        page = f"/dags/{ti.dag_id}/runs/{quote(ti.run_id)}/tasks/{ti.task_id}/required_actions"
        asked = notice(self.endpoint, verdicts, candidate, airflow_address(), page)
        told = send(self.endpoint, asked, self.log)
        self.log.info("Told that somebody is asked: %s", ", ".join(told) or "no channel")
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        candidate, storage = candidate_of(self.candidate), StorageHook(**connection_of(self.endpoint))
        user = event.get("responded_by_user")
        told = {**candidate, "answered_by": user["name"] if user else NOBODY}
        rejected = event.get("chosen_options") == [self.REJECT]
        if rejected:
            told["at"] = windows.shown(storage.time(self.endpoint.bucket))
            storage.put(names.rejected_model(self.endpoint), json.dumps(told, indent=2))
            self.log.info("Rejected by %s: %s stays in force", told["answered_by"], candidate["replaces"])
        # Ends the task here after a rejection where there are tasks to skip.
        super().execute_complete(context, event)
        if rejected:
            return told
        if not user:
            raise InputError("An approval without a human who gave it replaces no model.")
        if (now := model_in_force(self.endpoint, storage).archive) != candidate["replaces"]:
            raise ResourceConflict(
                f"The candidate was compared with the archive {candidate['replaces']}, and {now} is in force by now. "
                f"Run {self.endpoint.name}.retrain again if a new model is still wanted."
            )
        return told


class PutInForceOperator(MonitorOperator):
    """Keep that the approved model, which is in service by now, is the one in force.

    Args:
        endpoint: whose model it is.
        approved: what ApproveModelOperator answered.
    """

    template_fields: Sequence[str] = aws_template_fields("approved")
    operator_extra_links = (DashboardLink(), ConsoleLink())

    def __init__(self, *, approved: dict[str, Any] | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.approved = approved

    def execute(self, context: Context) -> str:
        answer = candidate_of(self.approved)
        approved = ApprovedModel(
            archive=answer["archive"],
            supersedes=answer["supersedes"],
            approved_by=answer["answered_by"],
            at=self.storage.time(self.endpoint.bucket),
        )
        place = put_in_force(self.endpoint, self.storage, approved)
        name = requests.model_name(self.endpoint, approved.archive)
        self.console_path = f"models/{name}"
        self.log.info("In force from now on: %s, approved by %s (%s)", name, approved.approved_by, place)
        return name


def retraining_of(endpoint: MonitoredEndpoint) -> Retraining:
    """The endpoint's section on retraining.

    Raises:
        InputError: when it has none.
    """
    if endpoint.retraining is None:
        raise InputError(f"retraining: the YAML of '{endpoint.name}' has no such section; docs/retraining.md says how.")
    return endpoint.retraining


def rejected_at(endpoint: MonitoredEndpoint, storage: StorageHook) -> datetime | None:
    """When a candidate was rejected last."""
    place = names.rejected_model(endpoint)
    content = storage.read(place)
    if content is None:
        return None
    try:
        return windows.moment(json.loads(content)["at"])
    except (ValueError, KeyError, TypeError, InputError) as error:
        raise InputError(f"{place}: does not say when a candidate was rejected: {error!r}. Delete it.") from error


def verdicts_of(given: object) -> list[dict[str, Any]]:
    """What RetrainingNeededOperator answered; nothing where its task was only marked as successful."""
    return given if isinstance(given, list) else []


def candidate_of(given: object) -> dict[str, Any]:
    """What RetrainOperator or ApproveModelOperator answered.

    Raises:
        InputError: when it answered nothing, as a task that was only marked as successful.
    """
    if not isinstance(given, dict):
        raise InputError(
            "There is no candidate: its task answered nothing. Marking a task as successful trains no model and "
            "approves none; clear it instead."
        )
    return given


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since += HOUR
