"""Whether the parts of an analysis configuration fit together: methods and what they need, columns and headers."""

from __future__ import annotations

from model_monitor.analysis.config import AnalysisConfig, ShapConfig
from model_monitor.analysis.config_schema import NOT_VALID, NameOrIndex
from model_monitor.analysis.formats.json_paths import finder
from model_monitor.analysis.formats.media import CSV, JSON, JSON_LINES
from model_monitor.errors import AnalysisError

NO_LABEL_HEADER = "Headers must contain label."
NO_FACET = "Unable to locate the facet."


def check_references(config: AnalysisConfig, origin: str, tabular: bool) -> None:
    """Complain of parts that need each other, and of columns that the headers do not have.

    `tabular` says that labels are columns. Monitors' configurations name no data set, and may hold paths in JSON.

    Raises:
        AnalysisError: with Clarify's text where it has one, naming `origin`.
    """
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
