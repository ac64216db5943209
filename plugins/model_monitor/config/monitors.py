"""The YAML's sections on monitors: their data, what they look at, and when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from model_monitor.config.types import (
    PATH,
    VALUES,
    InstanceType,
    JsonPath,
    Offset,
    Scalar,
    ScheduleExpression,
    Section,
    Values,
    repeated,
)


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
        if twice := repeated(self.headers or []):
            raise ValueError(f"data.headers: '{twice}' more than once")
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

    @property
    def group(self) -> str | None:
        """The listed values as one text; None where each of the column's values is a group."""
        return None if self.values_or_threshold is None else ",".join(map(str, self.values_or_threshold))


class BiasMonitor(Section):
    """Which groups are compared, and what counts as a positive outcome."""

    facets: list[Facet] = Field(min_length=1)
    label_values_or_threshold: Values = [1]
    probability_threshold: float | None = Field(default=None, ge=0, le=1)
    group_variable: str | None = None


class ShapRows(Section):
    """Baseline rows for Kernel SHAP, each of one value per model input."""

    rows: list[list[Scalar]] = Field(min_length=1)

    @model_validator(mode="after")
    def _are_of_one_width(self) -> ShapRows:
        if len({len(row) for row in self.rows}) > 1:
            raise ValueError("explainability.baseline.rows: every row has one value per model input")
        return self


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
    """When monitors run, on which window of data, and on what machine; `baselines` says who makes them."""

    baselines: Literal["sagemaker", "airflow"] = "sagemaker"
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
