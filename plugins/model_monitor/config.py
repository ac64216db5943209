"""What to monitor: one YAML file per endpoint, validated once, here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, ValidationError, model_validator

from model_monitor.errors import ConfigError

PROJECT = Path(__file__).resolve().parents[2]

Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,39}$")]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/.+$")]
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[^/\s].*[^/\s]$|^[^/\s]$")]
Offset = Annotated[str, StringConstraints(pattern=r"^-?P.+$", max_length=15)]
ScheduleExpression = Annotated[str, StringConstraints(pattern=r"^cron\(\S+ \S+ \S+ \S+ \S+ \S+\)$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9\-]+\.[a-z0-9]+$")]
Scalar = int | float | str


class Section(BaseModel):
    """A part of the YAML: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FrameworkImage(Section):
    """An image that SageMaker provides, looked up by region."""

    framework: str
    version: Annotated[str, Field(coerce_numbers_to_str=True)]


class Model(Section):
    """The model archive and the image that serves it."""

    archive: str
    image: FrameworkImage | Annotated[str, StringConstraints(pattern=r"^\S+/\S+$")]
    environment: dict[str, str] = {}


class DataCapture(Section):
    """What an endpoint writes down of its requests and answers."""

    enabled: bool = True
    sampling_percentage: int = Field(100, ge=0, le=100)
    modes: list[Literal["Input", "Output"]] = Field(["Input", "Output"], min_length=1)
    csv_content_types: list[str] = ["text/csv"]
    json_content_types: list[str] = ["application/json"]


class Hosting(Section):
    """The endpoint's machines and its data capture."""

    variant: Name = "AllTraffic"
    instance_type: InstanceType = "ml.m5.large"
    instance_count: int = Field(1, ge=1)
    data_capture: DataCapture = DataCapture()


class DataSets(Section):
    """The files that baselines and traffic are made from."""

    validation: str
    test: str
    dataset_type: Literal["text/csv"] = "text/csv"
    label: str


class Facet(Section):
    """A sensitive attribute. The listed values, or those above the threshold, are the disadvantaged group."""

    name: str
    values_or_threshold: list[Scalar] | None = None


class BiasMonitor(Section):
    """Which groups are compared, and what counts as a positive outcome."""

    facets: list[Facet] = Field(min_length=1)
    label_values_or_threshold: list[Scalar] = Field([1], min_length=1)
    probability_threshold: float | None = Field(None, ge=0, le=1)
    group_variable: str | None = None


class ShapRows(Section):
    """Baseline rows for Kernel SHAP, each of one value per model input."""

    rows: list[list[Scalar]] = Field(min_length=1)


class ExplainabilityMonitor(Section):
    """Kernel SHAP's settings."""

    baseline: (
        Literal["test_mean"] | Annotated[str, StringConstraints(pattern=r"^s3://[^/]+/.+$")] | ShapRows
    ) = "test_mean"
    num_samples: int | None = Field(None, ge=1)
    agg_method: Literal["mean_abs", "median", "mean_sq"] = "mean_abs"
    use_logit: bool = False
    save_local_shap_values: bool = False
    seed: int | None = None


class Monitoring(Section):
    """When monitors run, on which window of data, and on what machine."""

    cron: ScheduleExpression = "cron(0 * ? * * *)"
    start_time_offset: Offset = "-PT1H"
    end_time_offset: Offset = "-PT0H"
    instance_type: InstanceType = "ml.m5.xlarge"
    instance_count: int = Field(1, ge=1)
    volume_size_gb: int = Field(30, ge=1)
    max_runtime_seconds: int = Field(1800, ge=1, le=86400)
    publish_cloudwatch_metrics: bool = True


class Traffic(Section):
    """The artificial traffic of the example's DAGs."""

    schedule: str | None = "*/10 * * * *"
    sample_invocations: int = Field(120, ge=0)
    requests_per_second: float = Field(20, gt=0)


class GroundTruth(Section):
    """Where labels come from: a function `(inference_ids, **arguments) -> {inference_id: label}`."""

    source: Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)+$")]
    arguments: dict[str, Any] = {}


class MonitoredEndpoint(Section):
    """One endpoint and all that monitoring it needs."""

    name: Name
    description: str = ""
    owner: str = "airflow"
    aws_conn_id: str = "aws_default"
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    role: RoleArn
    bucket: Bucket
    prefix: Prefix
    model: Model
    endpoint: Hosting = Hosting()
    data: DataSets
    bias: BiasMonitor
    explainability: ExplainabilityMonitor = ExplainabilityMonitor()
    monitoring: Monitoring = Monitoring()
    traffic: Traffic = Traffic()
    ground_truth: GroundTruth

    _project: Path = PrivateAttr(default=PROJECT)

    @model_validator(mode="after")
    def _facet_is_not_label(self) -> MonitoredEndpoint:
        for facet in self.bias.facets:
            if facet.name == self.data.label:
                raise ValueError(f"bias.facets: '{facet.name}' is the label; a facet is one of the model's inputs")
        return self

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
    """Load every `*.yaml` of a folder; a broken or doubled one becomes an error and stops no other."""
    found = Endpoints()
    origins: dict[str, Path] = {}
    for file in sorted((folder or endpoints_folder()).glob("*.yaml")):
        try:
            endpoint = load_endpoint(file)
            if endpoint.name in origins:
                raise ConfigError(f"{file}: name: '{endpoint.name}' is taken by {origins[endpoint.name]}")
        except ConfigError as error:
            found.errors.append(error)
        else:
            origins[endpoint.name] = file
            found.valid.append(endpoint)
    return found


def load_endpoint(file: Path) -> MonitoredEndpoint:
    """Load one endpoint's YAML.

    Raises:
        ConfigError: naming the file, each wrong key and what is allowed there.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: expected keys and values such as 'name: churn', found {type(content).__name__}")
    try:
        endpoint = MonitoredEndpoint.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{file}: {line}" for line in _explain(error))) from error
    if file.parent.name == "endpoints" and file.parent.parent.name == "include":
        endpoint._project = file.resolve().parents[2]
    return endpoint


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"] if not re.match(r"^(literal|constrained-str|function)", str(part)))
        allowed = _allowed_keys(problem["loc"]) if problem["type"] == "extra_forbidden" else None
        message = f"unknown key; allowed here: {', '.join(allowed)}" if allowed else problem["msg"]
        given = problem.get("input")
        shown = f" (found {given!r})" if isinstance(given, str | int | float | bool | None) else ""
        yield f"{key or 'endpoint'}: {message.removeprefix('Value error, ')}{shown}"


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    section: Any = MonitoredEndpoint
    for part in location[:-1]:
        if isinstance(part, int) or part not in getattr(section, "model_fields", {}):
            candidates = [section]
        else:
            annotation = section.model_fields[part].annotation
            candidates = [annotation, *getattr(annotation, "__args__", ())]
        section = next((c for c in candidates if hasattr(c, "model_fields")), section)
    return list(section.model_fields)
