"""What follows a verdict: people are told, and the asset that stands for violations is updated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names
from model_monitor.alerts.delivery import not_told_of, tell
from model_monitor.alerts.outcome import Outcome
from model_monitor.errors import InputError
from model_monitor.failures import failed_verdict
from model_monitor.links import LinksToExecution
from model_monitor.names import Kind
from model_monitor.operators.base import MonitorOperator
from model_monitor.windows import Window, moment, shown

if TYPE_CHECKING:
    from airflow.sdk import Context

MOST_VIOLATIONS = 50


class AfterVerdictOperator(LinksToExecution, MonitorOperator):
    """What the operators that act on a verdict have in common.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        verdict: what VerdictOperator, JudgeBiasOperator or JudgeExplainabilityOperator answered.
    """

    template_fields: Sequence[str] = aws_template_fields("verdict")

    def __init__(self, *, kind: Kind, verdict: dict[str, Any] | str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.verdict = verdict


class AlertOperator(AfterVerdictOperator):
    """Tell the channels of the endpoint's YAML what they have to be told of a verdict.

    Which windows are worth a message, and what was told before, decides `model_monitor.alerts.decision`. A channel that
    does not take its message fails the task; another try tells only those that were not told.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        verdict: as for AfterVerdictOperator.
        window: what WindowOperator answered. When there is no verdict because tasks of this one's group have failed,
            that window is told of as one that could not be judged.
    """

    template_fields: Sequence[str] = aws_template_fields("verdict", "window")

    def __init__(self, *, window: dict[str, Any] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.window = window

    def execute(self, context: Context) -> list[str]:
        verdict = self.verdict if isinstance(self.verdict, dict) else self._without_verdict(context)
        self.link_to(verdict["report"])
        return tell(self.endpoint, self.kind, verdict, self.storage, context, self.log)

    def _without_verdict(self, context: Context) -> dict[str, Any]:
        failed = ", ".join(self._failed(context))
        if not failed or not isinstance(self.window, dict):
            raise AirflowSkipException("There is no verdict.")
        window = Window.from_dict(self.window)
        ti = context["ti"]
        verdict = failed_verdict(
            self.endpoint,
            self.kind,
            window.scheduled,
            "Failed",
            f"{failed} failed in the run {ti.run_id} of {ti.dag_id}; its log says why.",
            names.report_folder(self.endpoint, self.kind, window.name),
        )
        return {**verdict, "window": self.window}

    def _failed(self, context: Context) -> Iterator[str]:
        """The tasks of this one's group that have failed, with their mapped ones."""
        ti, group = context["ti"], self.task_group
        if group is None or group.group_id is None:
            return
        states = ti.get_task_states(dag_id=ti.dag_id, task_group_id=group.group_id, run_ids=[ti.run_id])
        for task, state in sorted(states.get(ti.run_id, {}).items()):
            if state == "failed":
                yield task


class ViolationsOperator(AfterVerdictOperator):
    """Update the asset `model-monitor://<endpoint>/<monitor>/violations` when a verdict has violations.

    Skipped when it has none. A window updates the asset once, and again only if it is judged again with other
    violations; windows before the last one that updated it never do. The event's `extra` is the verdict in brief.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        verdict: as for AfterVerdictOperator.
    """

    def __init__(self, **kwargs: Any) -> None:
        endpoint, kind = kwargs["endpoint"], kwargs["kind"]
        asset = Asset(names.violations_asset(endpoint, kind))
        # The last event is asked for by way of the inlet: Airflow itself knows which windows updated the asset.
        super().__init__(inlets=[asset], outlets=[asset], **kwargs)
        self.asset = asset

    def execute(self, context: Context) -> dict[str, Any]:
        verdict = self.verdict
        if not isinstance(verdict, dict):
            raise AirflowSkipException("There is no verdict.")
        self.link_to(verdict["report"])
        if not verdict["violations"]:
            raise AirflowSkipException("There are no violations.")
        if why := not_told_of(verdict, context):
            raise AirflowSkipException(why)
        outcome = Outcome.of(verdict)
        for event in context["inlet_events"][self.asset].ascending(False).limit(1):
            last, keys = _window_of(event)
            if last > outcome.scheduled:
                raise AirflowSkipException(f"{self.asset.uri} is about a later window already, due {last}.")
            if (last, keys) == (outcome.scheduled, list(outcome.violations)):
                raise AirflowSkipException(f"{self.asset.uri} is about this window already.")
        told = {
            **{key: verdict[key] for key in ("endpoint", "kind", "schedule", "status", "report")},
            "scheduled": outcome.scheduled,
            "violations": verdict["violations"][:MOST_VIOLATIONS],
            "keys": list(outcome.violations),
        }
        context["outlet_events"][self.asset].extra = told
        self.log.info(
            "%s: %d violations in the window due %s", self.asset.uri, len(outcome.violations), outcome.scheduled
        )
        return told


def _window_of(event: Any) -> tuple[str, Any]:
    """The window that an event of the asset is about, and its violations; one that somebody made by hand can be about
    none, which comes before all others.
    """
    extra = event.extra if isinstance(event.extra, dict) else {}
    try:
        return shown(moment(extra.get("scheduled", ""))), extra.get("keys")
    except (InputError, TypeError):
        return "", None
