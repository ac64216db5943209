"""`analysis_config.json`: what to analyse, and how.

Keys, defaults and error texts are Clarify's (developer guide: "Analysis Configuration Files" and "Troubleshoot
SageMaker Clarify Processing Jobs"). A key that Clarify knows and this engine does not is refused, never ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from model_monitor.analysis.config_schema import (
    POST_TRAINING_METRICS,
    PRE_TRAINING_METRICS,
    UNSUPPORTED,
    AggMethod,
    ConfigSchema,
    NameOrIndex,
    PredictorSchema,
    Scalar,
    ShapSchema,
    explain,
)
from model_monitor.analysis.formats.json_paths import finder
from model_monitor.analysis.formats.media import CSV, JSON, JSON_LINES, OF_ENDPOINTS, PARQUET
from model_monitor.errors import AnalysisError

NOT_JSON = "Unable to load analysis configuration as JSON."
NOT_VALID = "Analysis configuration schema validation error."
NO_LABEL_HEADER = "Headers must contain label."
NO_FACET = "Unable to locate the facet."


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


def load_analysis_config(path: Path) -> AnalysisConfig:
    """Load and validate an `analysis_config.json`.

    Without `methods` (as the SDK's `BiasAnalysisConfig` writes it for bias monitors) all bias metrics are asked for.

    Raises:
        AnalysisError: with Clarify's text, then the file, each wrong key and what is allowed.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{NOT_JSON} {path}: {error}") from error
    if not isinstance(content, dict):
        raise AnalysisError(f"{NOT_JSON} {path}: expected an object, found {type(content).__name__}")
    return parse_analysis_config(content, origin=str(path))


def parse_analysis_config(content: dict[str, Any], origin: str = "analysis configuration") -> AnalysisConfig:
    """Validate the content of an `analysis_config.json`; `origin` is named in errors.

    Raises:
        AnalysisError: as `load_analysis_config`.
    """
    try:
        raw = ConfigSchema.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(explain(problem) for problem in error.errors())
        raise AnalysisError(f"{NOT_VALID} {origin}: {problems}") from error
    _refuse_unsupported(content, origin)
    config = _config_of(raw)
    _check_references(config, origin, tabular=raw.dataset_type in (CSV, PARQUET))
    return config


def _refuse_unsupported(content: dict[str, Any], origin: str) -> None:
    for keys in UNSUPPORTED:
        value: Any = content
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value:
            raise AnalysisError(f"{origin}: {'.'.join(keys)} is not supported here; remove it to run the rest")


def _config_of(raw: ConfigSchema) -> AnalysisConfig:
    methods = raw.methods
    if methods is None and raw.facet:
        pre, post = PRE_TRAINING_METRICS, POST_TRAINING_METRICS
    else:
        pre = methods.pre_training_bias.methods if methods and methods.pre_training_bias else None  # type: ignore[assignment]
        post = methods.post_training_bias.methods if methods and methods.post_training_bias else None  # type: ignore[assignment]
    return AnalysisConfig(
        dataset_type=raw.dataset_type or CSV,
        headers=_tuple(raw.headers),
        label=raw.label,
        label_values_or_threshold=_tuple(raw.label_values_or_threshold),
        facets=tuple(FacetConfig(f.name_or_index, _tuple(f.value_or_threshold)) for f in raw.facet),
        group_variable=raw.group_variable,
        probability_threshold=None if raw.probability_threshold is None else float(raw.probability_threshold),
        predicted_label=raw.predicted_label,
        features=raw.features,
        excluded_columns=tuple(raw.excluded_columns),
        joinsource_name_or_index=raw.joinsource_name_or_index,
        pre_training_methods=pre,
        post_training_methods=post,
        shap=_shap_of(methods.shap) if methods and methods.shap else None,
        predictor=_predictor_of(raw.predictor, raw.dataset_type or CSV) if raw.predictor else None,
        report=ReportConfig(methods.report.name, methods.report.title) if methods and methods.report else None,
        facet_table=_side_table(raw.facet_dataset_uri, raw.facet_headers),
        predicted_label_table=_side_table(raw.predicted_label_dataset_uri, raw.predicted_label_headers),
    )


def _side_table(uri: str | None, headers: list[str] | None) -> SideTable | None:
    return None if uri is None else SideTable(uri, _tuple(headers))


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return tuple(values) if values else None


def _shap_of(raw: ShapSchema) -> ShapConfig:
    return ShapConfig(
        baseline=_baseline_of(raw.baseline),
        num_clusters=raw.num_clusters,
        num_samples=raw.num_samples,
        agg_method=raw.agg_method,
        use_logit=raw.use_logit,
        save_local_shap_values=raw.save_local_shap_values,
        seed=raw.seed,
    )


def _baseline_of(raw: Any) -> ShapBaseline:
    if raw is None or isinstance(raw, str):
        return raw
    if isinstance(raw, dict):
        return (raw,)
    if all(isinstance(row, list) for row in raw):
        return tuple(tuple(row) for row in raw)
    if all(isinstance(row, dict) for row in raw):
        return tuple(raw)
    raise AnalysisError("methods.shap.baseline: expected rows of values, JSON records or the address of a file")


def _predictor_of(raw: PredictorSchema, dataset_type: str) -> PredictorConfig:
    content_type = raw.content_type or (dataset_type if dataset_type in OF_ENDPOINTS else None)
    headers = [raw.label_headers] if isinstance(raw.label_headers, str) else raw.label_headers
    if headers and len(set(map(str, headers))) < len(headers):
        raise AnalysisError(f"{NOT_VALID} predictor.label_headers: {', '.join(map(str, headers))}: one more than once")
    return PredictorConfig(
        model_name=raw.model_name,
        endpoint_name=raw.endpoint_name,
        content_type=content_type,
        accept_type=raw.accept_type or content_type,
        content_template=raw.content_template,
        record_template=raw.record_template,
        custom_attributes=raw.custom_attributes,
        label=raw.label,
        probability=raw.probability,
        label_headers=_tuple(headers),
        initial_instance_count=raw.initial_instance_count,
        instance_type=raw.instance_type,
    )


def _check_references(config: AnalysisConfig, origin: str, tabular: bool) -> None:
    """`tabular` says that labels are columns. Monitors' configurations name no data set, and may hold paths in JSON."""
    if config.shap is not None:
        _check_shap(config.shap, origin)
    asked_for_bias = config.pre_training_methods is not None or config.post_training_methods is not None
    if not asked_for_bias and config.shap is None:
        raise AnalysisError(
            f"{NOT_VALID} {origin}: methods: nothing to do; expected pre_training_bias, post_training_bias or shap"
        )
    if asked_for_bias and not config.facets:
        raise AnalysisError(f"{NOT_VALID} {origin}: facet: bias metrics need at least one facet")
    if asked_for_bias and not config.label_values_or_threshold:
        raise AnalysisError(f"{NOT_VALID} {origin}: label_values_or_threshold: bias metrics need the positive labels")
    if config.dataset_type in (JSON, JSON_LINES):
        _check_paths(config, origin)
    if config.dataset_type != CSV and (config.facet_table or config.predicted_label_table):
        raise AnalysisError(
            f"{NOT_VALID} {origin}: facet_dataset_uri and predicted_label_dataset_uri are for data sets of type "
            f"text/csv; this one is {config.dataset_type}"
        )
    if config.headers is None:
        return
    shown = f"{origin}: headers are {', '.join(config.headers)}"
    doubled = sorted({name for name in config.headers if config.headers.count(name) > 1})
    if doubled:
        raise AnalysisError(f"{NOT_VALID} {origin}: headers: {', '.join(doubled)} more than once")
    if tabular and config.label is not None and not _is_in(config.label, config.headers):
        raise AnalysisError(f"{NO_LABEL_HEADER} Label '{config.label}' is not there; {shown}")
    for facet in config.facets:
        if config.facet_table is None and not _is_in(facet.name_or_index, config.headers):
            raise AnalysisError(f"{NO_FACET} Facet '{facet.name_or_index}' is not there; {shown}")
    others: dict[str, list[NameOrIndex | None]] = {
        "group_variable": [config.group_variable],
        "predicted_label": [config.predicted_label if tabular and config.predicted_label_table is None else None],
        "joinsource_name_or_index": [config.joinsource_name_or_index],
        "excluded_columns": list(config.excluded_columns),
    }
    for key, columns in others.items():
        for column in columns:
            if column is not None and not _is_in(column, config.headers):
                raise AnalysisError(f"{NOT_VALID} {key}: no column '{column}'; {shown}")


def _check_paths(config: AnalysisConfig, origin: str) -> None:
    for key in ("features", "label", "predicted_label"):
        path = getattr(config, key)
        if isinstance(path, int):
            raise AnalysisError(f"{NOT_VALID} {origin}: {key}: expected JMESPath for {config.dataset_type}, got {path}")
        if path is not None:
            try:
                finder(path)
            except AnalysisError as error:
                raise AnalysisError(f"{NOT_VALID} {origin}: {key}: {error}") from error


def _check_shap(shap: ShapConfig, origin: str) -> None:
    rows = shap.baseline
    if rows is not None and shap.num_clusters is not None:
        raise AnalysisError(
            f"{NOT_VALID} {origin}: methods.shap: baseline and num_clusters cannot be provided together; num_clusters "
            "is for a baseline made of the data set's clusters"
        )
    if isinstance(rows, tuple) and (not rows or len({len(row) for row in rows if isinstance(row, tuple)}) > 1):
        raise AnalysisError(f"{NOT_VALID} {origin}: methods.shap.baseline: expected one or more rows of equal length")


def _is_in(column: NameOrIndex, headers: tuple[str, ...]) -> bool:
    return 0 <= column < len(headers) if isinstance(column, int) else column in headers
