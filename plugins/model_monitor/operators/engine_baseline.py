"""Baselining without a processing job: this project's engine on the validation data set, in the task itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names, sources
from model_monitor.dashboard import addresses
from model_monitor.earlier_baselines import keep_replaced
from model_monitor.errors import InputError, JobFailed
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.links import DashboardLink, FolderLink, ReportLink
from model_monitor.model_calls import predictor_of
from model_monitor.names import Kind
from model_monitor.operators.base import MonitorOperator, scratch_folder
from model_monitor.results import summarise

if TYPE_CHECKING:
    from airflow.sdk import Context


class EngineBaselineOperator(Traced, MonitorOperator):
    """Make the baseline of one monitor with the engine, and show the constraints that it suggests.

    It leaves what Clarify's job leaves, in the same place. The same model, data and settings have the same result,
    which is taken when it is there.

    Args:
        endpoint: what to baseline.
        kind: `bias` or `explainability`.
        model_endpoint: the endpoint that answers the analysis' requests, as CreateShadowEndpointOperator answered.
    """

    template_fields: Sequence[str] = aws_template_fields("model_endpoint")
    operator_extra_links = (DashboardLink(), ReportLink(), FolderLink())

    def __init__(self, *, kind: Kind, model_endpoint: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.model_endpoint = model_endpoint
        self.dataset = ""

    @property
    def dashboard_url(self) -> str:
        """The baseline's page in the dashboard."""
        return addresses.baseline(self.endpoint.name, self.kind)

    def flow(self) -> Flow:
        if not self.dataset:
            return Flow()
        return flows.baseline(
            self.endpoint, self.kind, self.dataset, sources.headers(self.endpoint), self.model_in_force.archive
        )

    def execute(self, context: Context) -> dict[str, Any]:
        endpoint = self.endpoint
        analysis = sources.baseline_analysis(endpoint, self.kind, self.model_in_force.name)
        config = json.dumps(analysis | {"dataset_uri": sources.validation_uri(endpoint)})
        constraints = names.baseline_constraints(endpoint, self.kind)
        if self._is_there(config):
            self.log.info("The baseline of this model, data set and settings is there: taking it")
        else:
            self._make(analysis, config)
        content = self.storage.read(constraints)
        if content is None:
            raise JobFailed(f"{constraints} is gone; it was there a moment ago. Clear this task to make it anew.")
        self.dataset = json.loads(config)["dataset_uri"]
        summary = summarise(json.loads(content))
        self.log.info("Suggested constraints, %s:\n%s", constraints, summary.text)
        self.report_url = addresses.baseline_file(endpoint.name, self.kind)
        self.s3_folder = names.baseline_output(endpoint, self.kind)
        return {"job": None, "constraints": constraints, **summary.values}

    def _is_there(self, config: str) -> bool:
        kept = self.storage.read(names.baseline_analysis_config(self.endpoint, self.kind))
        return kept == config.encode() and bool(
            self.storage.list(names.baseline_constraints(self.endpoint, self.kind), limit=1)
        )

    def _make(self, analysis: dict[str, Any], config: str) -> None:
        from model_monitor.analysis.container import CONFIG, DATA, OUTPUT, below
        from model_monitor.analysis.job import make_baseline

        endpoint = self.endpoint
        with scratch_folder(endpoint, "baseline-") as root:
            below(root, CONFIG).parent.mkdir(parents=True)
            below(root, CONFIG).write_text(json.dumps(analysis), encoding="utf-8")
            source = endpoint.path(endpoint.data.validation).absolute()
            data = below(root, DATA) / source.name
            data.parent.mkdir(parents=True)
            data.symlink_to(source)
            model = predictor_of(endpoint, self.model_endpoint, **self._hook_parameters)
            try:
                make_baseline(root, model, self._fetch)
            except InputError as error:
                told = str(error).replace(str(data), str(source)).replace(f"{root}/", "/")
                raise JobFailed(f"The {self.kind} baseline of {endpoint.name} could not be made: {told}") from error
            keep_replaced(self.storage, endpoint, self.kind)
            # Where the configuration lies, the result is complete and its own: it goes first and comes last.
            kept = names.baseline_analysis_config(endpoint, self.kind)
            self.storage.delete(kept)
            self.storage.replace(names.baseline_output(endpoint, self.kind), below(root, OUTPUT))
            self.storage.put(kept, config)

    def _fetch(self, uri: str) -> bytes:
        content = self.storage.read(uri)
        if content is None:
            raise InputError(f"{uri}, which the analysis configuration names: there is no such object")
        return content
