"""`analysis_config.json` to the configuration of an analysis.

Keys, defaults and error texts are Clarify's (developer guide: "Analysis Configuration Files" and "Troubleshoot
SageMaker Clarify Processing Jobs"). A key that Clarify knows and this engine does not is refused, never ignored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from model_monitor.analysis.config import (
    AnalysisConfig,
    FacetConfig,
    PredictorConfig,
    ReportConfig,
    ShapBaseline,
    ShapConfig,
    SideTable,
)
from model_monitor.analysis.config_checks import check_references
from model_monitor.analysis.config_schema import (
    NOT_VALID,
    POST_TRAINING_METRICS,
    PRE_TRAINING_METRICS,
    UNSUPPORTED,
    ConfigSchema,
    PredictorSchema,
    ShapSchema,
    explain,
)
from model_monitor.analysis.formats.media import CSV, OF_ENDPOINTS, PARQUET
from model_monitor.errors import AnalysisError

NOT_JSON = "Unable to load analysis configuration as JSON."


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
    check_references(config, origin, tabular=raw.dataset_type in (CSV, PARQUET))
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
