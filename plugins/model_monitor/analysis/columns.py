"""What each column of a data set is: model input, label, or neither."""

from __future__ import annotations

from dataclasses import dataclass, replace

from model_monitor.analysis.config import AnalysisConfig
from model_monitor.analysis.config_checks import NO_LABEL_HEADER
from model_monitor.analysis.config_schema import NameOrIndex
from model_monitor.errors import AnalysisError

UNNAMED_LABEL = "Label"


@dataclass(frozen=True)
class Columns:
    """Names by role. `names` are all columns in their order; `inputs` are what the model is given, in order."""

    names: tuple[str, ...]
    inputs: tuple[str, ...]
    label: str | None
    predicted_label: str | None
    excluded: tuple[str, ...]
    identifier: str | None = None


def columns_of_table(config: AnalysisConfig, names: tuple[str, ...]) -> Columns:
    """The roles of a data set's columns, label included.

    Raises:
        AnalysisError: when the configuration names a column that is not there.
    """
    label = None if config.label is None else _located(config.label, names, NO_LABEL_HEADER)
    elsewhere = config.predicted_label_table is not None
    predicted = None if elsewhere else _optional(config.predicted_label, names, "predicted_label")
    join_source = _optional(config.joinsource_name_or_index, names, "joinsource_name_or_index")
    excluded = tuple(_located(column, names, "excluded_columns:") for column in config.excluded_columns)
    others = {label, predicted, join_source, *excluded}
    inputs = tuple(name for name in names if name not in others)
    return Columns(names, inputs, label, predicted, excluded, join_source)


def columns_of_captures(config: AnalysisConfig, width: int, has_label: bool, is_json: bool = False) -> Columns:
    """The roles of captured columns: the model was given `width` values; the label, if any, comes from elsewhere.

    Configured headers may name the inputs alone or the whole training table; of the latter, label, predicted label,
    excluded and join columns are no inputs. For JSON, where a label is a path, its header is the last one. A width that
    does not fit is left to the reader, who knows the line.

    Raises:
        AnalysisError: when the configuration names a column that is not there.
    """
    names = config.headers or tuple(f"column_{i}" for i in range(width + isinstance(config.label, int)))
    columns = columns_of_table(replace(config, label=None, predicted_label=None), names)
    label = config.label
    if isinstance(label, int) or (label is not None and config.headers is not None and not is_json):
        label = _located(label, names, NO_LABEL_HEADER)
    elif is_json and label not in names and width == len(columns.inputs) - 1:
        label = columns.inputs[-1]
    inputs = tuple(name for name in columns.inputs if name not in (label, config.predicted_label))
    return Columns(names, inputs, label or (UNNAMED_LABEL if has_label else None), None, ())


def _optional(column: NameOrIndex | None, names: tuple[str, ...], key: str) -> str | None:
    return None if column is None else _located(column, names, f"{key}:")


def _located(column: NameOrIndex, names: tuple[str, ...], complaint: str) -> str:
    if isinstance(column, int) and 0 <= column < len(names):
        return names[column]
    if isinstance(column, str) and column in names:
        return column
    raise AnalysisError(f"{complaint} No column '{column}'; columns are {', '.join(names)}")
