"""What to monitor: one YAML file per endpoint, validated once, here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import jmespath
import yaml
from jmespath.exceptions import JMESPathError
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from model_monitor.config_errors import explain
from model_monitor.errors import ConfigError

PROJECT = Path(__file__).resolve().parents[2]

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=40),
    Field(description="at most 40 letters, digits and inner hyphens, such as churn"),
]
RoleArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/.+$"),
    Field(description="an IAM role's ARN, such as arn:aws:iam::123456789012:role/SageMakerRole"),
]
Bucket = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$"),
    Field(description="a bucket's name without s3://: 3 to 63 lower-case letters, digits, dots and hyphens"),
]
Prefix = Annotated[
    str,
    StringConstraints(pattern=r"^[^/\s](\S*[^/\s])?$"),
    Field(description="a key prefix without spaces and without a slash at either end, such as monitor/churn"),
]
Offset = Annotated[
    str,
    StringConstraints(pattern=r"^-P(\d+D|(\d+D)?T(\d+H|\d+M|\d+H\d+M))$", max_length=15),
    Field(description="an ISO 8601 duration back from the scheduled time, such as -PT1H or -P1D"),
]
ScheduleExpression = Annotated[
    str,
    StringConstraints(pattern=r"^cron\(0 (\*|\d{1,2}(/\d{1,2})?) \? \* \* \*\)$"),
    Field(
        description="hourly: cron(0 * ? * * *), daily at 14 UTC: cron(0 14 ? * * *), or every 6 hours from midnight: "
        "cron(0 0/6 ? * * *)"
    ),
]
InstanceType = Annotated[
    str,
    StringConstraints(pattern=r"^ml\.[a-z0-9\-]+\.[a-z0-9]+$"),
    Field(description="an instance type such as ml.m5.large"),
]
Region = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"),
    Field(description="an AWS region such as us-west-2"),
]
Scalar = StrictInt | StrictFloat | StrictStr
VALUES = "a list of numbers and texts, such as [100] or ['yes']; yes, no, on and off must be quoted"
Values = Annotated[list[Scalar], Field(min_length=1, description=VALUES)]


class Section(BaseModel):
    """A part of the YAML: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FrameworkImage(Section):
    """An image that SageMaker provides, looked up by region."""

    framework: Annotated[str, StringConstraints(pattern=r"^[a-z0-9\-]+$")]
    version: Annotated[str, Field(coerce_numbers_to_str=True)]


class Model(Section):
    """The model archive and the image that serves it."""

    archive: str
    image: FrameworkImage | Annotated[str, StringConstraints(pattern=r"^\S+/\S+$")] = Field(
        description="{framework: xgboost, version: 0.90-1}, or a full image URI such as "
        "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"
    )
    environment: dict[str, str] = {}


class DataCapture(Section):
    """What an endpoint writes down of its requests and answers."""

    enabled: bool = True
    sampling_percentage: int = Field(default=100, ge=0, le=100)
    modes: list[Literal["Input", "Output"]] = Field(default=["Input", "Output"], min_length=1)
    csv_content_types: list[str] = ["text/csv"]
    json_content_types: list[str] = ["application/json"]


def _jmespath(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        raise AssertionError(str(error)) from error
    return text


ContentType = Literal["text/csv", "application/jsonlines", "application/json"]
JsonPath = Annotated[str, StringConstraints(max_length=256), AfterValidator(_jmespath)]
PATH = "a place in JSON as JMESPath, such as instances[*].features"
Place = Annotated[StrictInt, Field(ge=0)] | JsonPath
PLACE = "a place in answers: a position in CSV, such as 0, or JMESPath in JSON, such as predictions[*].score"


class Payloads(Section):
    """What requests and answers look like. Analyses make requests by the templates, as Clarify does."""

    content_type: ContentType = "text/csv"
    accept_type: ContentType | None = None
    content_template: str | None = None
    record_template: str | None = None
    features: JsonPath | None = Field(default=None, description=PATH)
    label: Place | None = Field(default=None, description=PLACE)
    probability: Place | None = Field(default=None, description=PLACE)
    label_headers: list[Scalar] | None = None

    @property
    def answered_in(self) -> str:
        """The content type of answers."""
        return self.accept_type or self.content_type

    @model_validator(mode="after")
    def _can_be_written_and_read(self) -> Payloads:
        if self.content_type != "text/csv" and self.content_template is None:
            raise ValueError(
                f"endpoint.payloads.content_template: {self.content_type} needs one, such as "
                "'{\"features\":$features}' for JSON Lines and '{\"instances\":$records}' for JSON"
            )
        if self.content_type == "application/json" and self.record_template is None:
            raise ValueError(
                "endpoint.payloads.record_template: application/json needs one, such as '{\"features\":$features}'"
            )
        if (self.content_type == "text/csv") != (self.answered_in == "text/csv"):
            raise ValueError(
                f"endpoint.payloads.accept_type: monitors take requests in {self.content_type} only with answers in "
                f"{'text/csv' if self.content_type == 'text/csv' else 'JSON or JSON Lines'} (found {self.answered_in})"
            )
        if self.answered_in != "text/csv" and self.label is None and self.probability is None:
            raise ValueError(
                "endpoint.payloads: label or probability: say where it stands in answers, such as predictions[*].score"
            )
        return self


class Hosting(Section):
    """The endpoint's machines, payloads and data capture."""

    variant: Name = "AllTraffic"
    instance_type: InstanceType = "ml.m5.large"
    instance_count: int = Field(default=1, ge=1)
    payloads: Payloads = Payloads()
    data_capture: DataCapture = DataCapture()

    @model_validator(mode="after")
    def _captures_are_legible(self) -> Hosting:
        capture, payloads = self.data_capture, self.payloads
        listed = capture.csv_content_types if payloads.content_type == "text/csv" else capture.json_content_types
        unlisted = sorted({payloads.content_type, payloads.answered_in} - set(listed))
        if payloads.content_type != "text/csv" and unlisted:
            raise ValueError(
                f"endpoint.data_capture.json_content_types: must list {', '.join(unlisted)}; what is not listed is "
                "captured as BASE64"
            )
        return self


class DataSets(Section):
    """The files that baselines and traffic are made from."""

    validation: str
    test: str
    dataset_type: Literal["text/csv", "application/jsonlines", "application/json", "application/x-parquet"] = "text/csv"
    label: str
    features: JsonPath | None = Field(default=None, description=PATH)
    headers: list[str] | None = Field(
        default=None, min_length=2, description="all columns' names; for JSON, label last"
    )

    @property
    def is_json(self) -> bool:
        """Whether label and features are paths."""
        return self.dataset_type in ("application/json", "application/jsonlines")

    @model_validator(mode="after")
    def _columns_are_known(self) -> DataSets:
        if self.is_json and self.features is None:
            raise ValueError(f"data.features: {self.dataset_type} needs it, such as instances[*].features")
        if self.dataset_type != "text/csv" and self.headers is None:
            raise ValueError(f"data.headers: {self.dataset_type} needs them; for JSON the label's comes last")
        if self.headers is not None and not self.is_json and self.label not in self.headers:
            raise ValueError(f"data.headers: must contain the label '{self.label}'")
        return self


class Facet(Section):
    """A sensitive attribute. The listed values, or those above the threshold, are the disadvantaged group."""

    name: str
    values_or_threshold: Values | None = Field(default=None, description=VALUES)


class BiasMonitor(Section):
    """Which groups are compared, and what counts as a positive outcome."""

    facets: list[Facet] = Field(min_length=1)
    label_values_or_threshold: Values = [1]
    probability_threshold: float | None = Field(default=None, ge=0, le=1)
    group_variable: str | None = None


class ShapRows(Section):
    """Baseline rows for Kernel SHAP, each of one value per model input."""

    rows: list[list[Scalar]] = Field(min_length=1)


class ExplainabilityMonitor(Section):
    """Kernel SHAP's settings."""

    baseline: (
        Literal["test_mean", "clusters"] | Annotated[str, StringConstraints(pattern=r"^s3://[^/]+/.+$")] | ShapRows
    ) = Field(
        default="test_mean",
        description="test_mean, the s3:// address of a file in the data set's format, clusters (of the data), or "
        "rows: [[...]], one value per model input",
    )
    num_clusters: int | None = Field(default=None, ge=1, le=12)
    num_samples: int | None = Field(default=None, ge=1)
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
    instance_count: int = Field(default=1, ge=1)
    volume_size_gb: int = Field(default=30, ge=1)
    max_runtime_seconds: int = Field(default=1800, ge=1, le=86400)
    publish_cloudwatch_metrics: bool = True

    @property
    def is_hourly(self) -> bool:
        """Whether the schedule starts an execution every hour."""
        return self.cron == "cron(0 * ? * * *)"


class Traffic(Section):
    """The artificial traffic of the example's DAGs."""

    schedule: str | None = "*/10 * * * *"
    sample_invocations: int = Field(default=120, ge=0)
    requests_per_second: float = Field(default=20, gt=0)


class GroundTruth(Section):
    """Where labels come from: a function `(inference_ids, **arguments) -> {inference_id: label}`."""

    source: Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)+$")] = Field(
        description="a function's dotted path, such as model_monitor.labels.random_labels"
    )
    arguments: dict[str, Any] = {}


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
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
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
