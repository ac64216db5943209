"""What to monitor: one YAML file per endpoint, validated once, here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import PrivateAttr, ValidationError, model_validator

from model_monitor import alarm_checks
from model_monitor.config_alarms import Alarms
from model_monitor.config_alerts import Alerts
from model_monitor.config_errors import explain
from model_monitor.config_hosting import Hosting, Model
from model_monitor.config_monitors import (
    BiasMonitor,
    DataSets,
    ExplainabilityMonitor,
    GroundTruth,
    Monitoring,
    Traffic,
)
from model_monitor.config_reports import Reports
from model_monitor.config_retraining import Retraining
from model_monitor.config_types import Bucket, Name, Prefix, Region, RoleArn, Section
from model_monitor.config_windows import Windows
from model_monitor.errors import ConfigError

PROJECT = Path(__file__).resolve().parents[2]
# Every DAG file reads all endpoints' files each time it is parsed; libyaml reads ten times as fast as Python does.
YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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


@dataclass(frozen=True)
class Endpoints:
    """Every endpoint that could be loaded, and an error for every file that could not."""

    valid: list[MonitoredEndpoint] = field(default_factory=list)
    errors: list[ConfigError] = field(default_factory=list)

    def __iter__(self) -> Iterator[MonitoredEndpoint]:
        return iter(self.valid)


def endpoints_folder() -> Path:
    """Where the YAML files are: `MODEL_MONITOR_ENDPOINTS`, or `include/endpoints`."""
    return Path(os.environ.get("MODEL_MONITOR_ENDPOINTS") or PROJECT / "include" / "endpoints")


def load_endpoints(folder: Path | None = None) -> Endpoints:
    """Load every `*.yaml` of a folder; one that is broken, or takes another's name or prefix, becomes an error."""
    found = Endpoints()
    taken: dict[str, Path] = {}
    for file in sorted((folder or endpoints_folder()).glob("*.yaml")):
        try:
            endpoint = load_endpoint(file)
            place = f"s3://{endpoint.bucket}/{endpoint.prefix}"
            for key, value in (("name", endpoint.name), ("prefix", place)):
                if value in taken:
                    raise ConfigError(f"{file}: {key}: '{value}' is taken by {taken[value]}")
        except ConfigError as error:
            found.errors.append(error)
        else:
            taken |= {endpoint.name: file, place: file}
            found.valid.append(endpoint)
    return found


def load_endpoint(file: Path) -> MonitoredEndpoint:
    """Load one endpoint's YAML.

    Raises:
        ConfigError: naming the file, each wrong key and what is allowed there.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), YAML)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: expected keys and values such as 'name: churn', found {type(content).__name__}")
    try:
        endpoint = MonitoredEndpoint.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{file}: {line}" for line in explain(error, MonitoredEndpoint))) from error
    if file.parent.name == "endpoints" and file.parent.parent.name == "include":
        endpoint._project = file.resolve().parents[2]
    return endpoint
