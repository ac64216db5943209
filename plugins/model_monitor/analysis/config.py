"""What to analyse, and how: the analysis configuration when it has been read and validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model_monitor.analysis.config_schema import AggMethod, NameOrIndex, Scalar


@dataclass(frozen=True)
class FacetConfig:
    """A sensitive attribute; the listed values, or those above one threshold, are the disadvantaged group."""

    name_or_index: NameOrIndex
    value_or_threshold: tuple[Scalar, ...] | None = None


BaselineRows = tuple[tuple[Scalar | None, ...], ...]
JsonRecords = tuple[dict[str, Any], ...]
ShapBaseline = BaselineRows | JsonRecords | str | None


@dataclass(frozen=True)
class ShapConfig:
    """Kernel SHAP's settings. `baseline` holds rows, JSON records or a file's address; None stands for clusters."""

    baseline: ShapBaseline = None
    num_clusters: int | None = None
    num_samples: int | None = None
    agg_method: AggMethod = "mean_abs"
    use_logit: bool = False
    save_local_shap_values: bool = False
    seed: int | None = None


@dataclass(frozen=True)
class PredictorConfig:
    """The model to ask, how requests are made of rows, and where in its answer label and probability stand."""

    model_name: str | None = None
    endpoint_name: str | None = None
    content_type: str | None = None
    accept_type: str | None = None
    label: NameOrIndex | None = None
    probability: NameOrIndex | None = None
    label_headers: tuple[NameOrIndex, ...] | None = None
    initial_instance_count: int | None = None
    instance_type: str | None = None
    content_template: str | None = None
    record_template: str | None = None
    custom_attributes: str | None = None


@dataclass(frozen=True)
class ReportConfig:
    """The report's file name, without extension, and its title."""

    name: str = "report"
    title: str = "Analysis Report"


@dataclass(frozen=True)
class SideTable:
    """A CSV file with further columns of the data set's records, and the columns' names unless it has a header row."""

    uri: str
    headers: tuple[str, ...] | None = None


@dataclass(frozen=True)
class AnalysisConfig:
    """A validated analysis configuration. Methods that are None were not asked for; "all" is spelled out."""

    dataset_type: str = "text/csv"
    headers: tuple[str, ...] | None = None
    label: NameOrIndex | None = None
    label_values_or_threshold: tuple[Scalar, ...] | None = None
    facets: tuple[FacetConfig, ...] = ()
    group_variable: NameOrIndex | None = None
    probability_threshold: float | None = None
    predicted_label: NameOrIndex | None = None
    features: str | None = None
    excluded_columns: tuple[NameOrIndex, ...] = ()
    joinsource_name_or_index: NameOrIndex | None = None
    pre_training_methods: tuple[str, ...] | None = None
    post_training_methods: tuple[str, ...] | None = None
    shap: ShapConfig | None = None
    predictor: PredictorConfig | None = None
    report: ReportConfig | None = None
    facet_table: SideTable | None = None
    predicted_label_table: SideTable | None = None
