"""One monitored endpoint, and how its parts have to fit together."""

from __future__ import annotations

from pathlib import Path

from pydantic import PrivateAttr, model_validator

from model_monitor.config import alarm_checks
from model_monitor.config.alarms import Alarms
from model_monitor.config.alerts import Alerts
from model_monitor.config.hosting import Hosting, Model
from model_monitor.config.monitors import (
    BiasMonitor,
    DataSets,
    ExplainabilityMonitor,
    GroundTruth,
    Monitoring,
    Traffic,
)
from model_monitor.config.reports import Reports
from model_monitor.config.retraining import Retraining
from model_monitor.config.types import Bucket, Name, Prefix, Region, RoleArn, Section
from model_monitor.config.windows import Windows

PROJECT = Path(__file__).resolve().parents[3]


class MonitoredEndpoint(Section):
    """One endpoint and all that monitoring it needs."""

    name: Name
    description: str = ""
    owner: str = "airflow"
    aws_conn_id: str = "aws_default"
    region: Region
    role: RoleArn
    bucket: Bucket
    prefix: Prefix
    model: Model
    endpoint: Hosting = Hosting()
    data: DataSets
    bias: BiasMonitor
    explainability: ExplainabilityMonitor = ExplainabilityMonitor()
    monitoring: Monitoring = Monitoring()
    windows: Windows = Windows()
    alarms: Alarms | None = None
    alerts: Alerts = Alerts()
    retraining: Retraining | None = None
    reports: Reports = Reports()
    traffic: Traffic = Traffic()
    ground_truth: GroundTruth

    _project: Path = PrivateAttr(default=PROJECT)

    @model_validator(mode="after")
    def _parts_fit_together(self) -> MonitoredEndpoint:
        self._check_formats()
        for facet in self.bias.facets:
            if facet.name == self.data.label:
                raise ValueError(f"bias.facets: '{facet.name}' is the label; a facet is one of the model's inputs")
        if self.monitoring.is_hourly and self.monitoring.max_runtime_seconds > 1800:
            raise ValueError(
                "monitoring.max_runtime_seconds: at most 1800 for the bias monitor of an hourly schedule "
                f"(found {self.monitoring.max_runtime_seconds})"
            )
        if self.windows.model.endpoint == self.name:
            raise ValueError(
                f"windows.model.endpoint: '{self.name}' is the monitored endpoint, which would capture SHAP's requests "
                "as traffic; name another one that serves the same model without capture, or leave it out"
            )
        if self.retraining is not None and self.windows.model.endpoint is not None:
            raise ValueError(
                f"windows.model.endpoint: '{self.windows.model.endpoint}' would go on answering with the old model "
                "once retraining has replaced it; leave it out to have shadow endpoints made of the model in force, or "
                "leave retraining out"
            )
        if wrong := list(alarm_checks.problems(self)):
            raise ValueError("\n".join(wrong))
        return self

    def _check_formats(self) -> None:
        if self.explainability.baseline == "test_mean" and self.endpoint.payloads.content_type != "text/csv":
            raise ValueError(
                "explainability.baseline: test_mean is the mean of a data.test in CSV; of requests in "
                f"{self.endpoint.payloads.content_type} give rows, an s3:// address or clusters"
            )
        if self.explainability.num_clusters is not None and self.explainability.baseline != "clusters":
            raise ValueError("explainability.num_clusters: is for the baseline clusters")
        if self.endpoint.payloads.content_type != "text/csv" and self.features_in_requests is None:
            raise ValueError("endpoint.payloads.features: say where features stand in a request, such as features")

    def __str__(self) -> str:
        """The name alone: Airflow stores the arguments of mapped tasks as text, where anybody may read them."""
        return self.name

    @property
    def features_in_requests(self) -> str | None:
        """Where features stand in a request in JSON."""
        return self.endpoint.payloads.features or self.data.features

    def path(self, relative: str) -> Path:
        """A file named in the YAML; relative paths start at the project folder."""
        return self._project / relative
