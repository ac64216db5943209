"""The endpoint's data files against each other and against what the definition says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from model_monitor import sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.config.monitors import Facet
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok, warning

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from model_monitor.analysis.dataset import Dataset
    from model_monitor.preflight.account import Account

_NUMBERED_TWIN = re.compile(r"(?P<name>.+)\.(?P<number>\d+)")
SHOWN = 8


def check_data_set(definition: Definition) -> Iterator[Finding]:
    """The columns that the headers name, and the label among them, in every row."""
    where = definition.endpoint.path(definition.endpoint.data.validation)
    shape = f"{len(definition.validation)} rows, {len(definition.inputs)} model inputs"
    yield ok("data set", where, f"{shape}, label '{definition.label.name}'")


def check_label_values(definition: Definition) -> Iterator[Finding]:
    """The positive values or the threshold against the labels of the validation data set."""
    label, values = definition.label, tuple(definition.endpoint.bias.label_values_or_threshold)
    where = "bias.label_values_or_threshold"
    if missing := int(label.isna().sum()):
        yield error("label values", where, f"{missing} rows have no label", "Leave those rows out of data.validation.")
        return
    absent = _absent(label, values)
    if absent:
        yield error("label values", where, f"{absent} never occurs; labels are {_listed(label)}", _LIST_WHAT_OCCURS)
        return
    count = int(_members(label, values).sum())
    if count in (0, len(label)):
        what = f"{'no' if not count else 'every'} label is positive; labels are {_listed(label)}"
        yield error("label values", where, what, "Choose values or a threshold that leave some labels on either side.")
        return
    yield ok("label values", where, f"{count} of {len(label)} labels are positive")


def check_facets(definition: Definition) -> Iterator[Finding]:
    """Each facet's column, and its values or threshold, against the validation data set; both labels in both groups."""
    bias = definition.endpoint.bias
    positive = _members(definition.label, tuple(bias.label_values_or_threshold))
    for facet in bias.facets:
        yield _facet(definition.validation, facet, positive)


def check_group_variable(definition: Definition) -> Iterator[Finding]:
    """The group variable's column."""
    name = definition.endpoint.bias.group_variable
    if name is None:
        return
    column = (data := definition.validation).column(name)
    if column is None:
        what = f"no model input '{name}'; they are {', '.join(data.table.columns)}"
        yield error("group variable", "bias.group_variable", what, "Name one of these columns.")
    elif column.nunique() < 2:
        what = f"'{name}' has one value in all rows, so it makes no subgroups"
        yield warning("group variable", "bias.group_variable", what, "Name a column that divides the rows.")
    else:
        yield ok("group variable", "bias.group_variable", f"'{name}' makes {column.nunique()} subgroups")


def check_test_inputs(definition: Definition) -> Iterator[Finding]:
    """The rows that are sent as traffic against the model's inputs, which have no label and no header."""
    endpoint, inputs = definition.endpoint, definition.inputs
    file = endpoint.path(endpoint.data.test)
    rows = sources.traffic_rows(file)
    for line, row in enumerate(rows, start=1):
        for values in _sent(endpoint, row, f"{file}, line {line}"):
            if len(values) != len(inputs):
                what = f"line {line} has {len(values)} values, the model {len(inputs)} inputs"
                more = f" The label '{endpoint.data.label}' is none of them." if len(values) == len(inputs) + 1 else ""
                yield error("test inputs", file, what, f"Write one value for each of {', '.join(inputs)}.{more}")
                return
    header = _header_left_in(endpoint, rows[0], definition.validation.features)
    if header:
        yield warning("test inputs", file, header, "Write the file without its header row; it is sent as a request.")
        return
    yield ok("test inputs", file, f"{len(rows)} requests of {len(inputs)} values each")


def check_shap_baseline(definition: Definition) -> Iterator[Finding]:
    """The baseline's rows against the model's inputs; an address in S3 is left to `check_stored_shap_baseline`."""
    where, baseline = "explainability.baseline", sources.shap_baseline(definition.endpoint)
    if isinstance(baseline, str):
        return
    if baseline is None:
        rows, wanted = len(definition.validation), definition.endpoint.explainability.num_clusters or 1
        if rows < wanted:
            what = f"{wanted} clusters of {rows} rows"
            yield error("SHAP baseline", where, what, "Ask for fewer with explainability.num_clusters.")
        else:
            yield ok("SHAP baseline", where, "clusters of the validation data set")
        return
    yield _baseline_shape(definition, tuple(map(tuple, baseline)), lambda _: b"")


def check_stored_shap_baseline(definition: Definition, account: Account) -> Iterator[Finding]:
    """A baseline that lies in S3 against the model's inputs."""
    baseline = definition.endpoint.explainability.baseline
    if not isinstance(baseline, str) or not baseline.startswith("s3://"):
        return
    content = account.storage.read(baseline)
    if content is None:
        yield error(
            "SHAP baseline", "explainability.baseline", f"there is no {baseline}", "Upload it, or name another."
        )
        return
    yield _baseline_shape(definition, baseline, lambda _: content)


def check_threshold(definition: Definition) -> Iterator[Finding]:
    """The probability threshold against what a probability can be."""
    threshold = definition.endpoint.bias.probability_threshold
    if threshold in (0, 1):
        what = f"{threshold:g} leaves (nearly) all predictions on one side"
        yield warning(
            "threshold", "bias.probability_threshold", what, "Choose one between the scores of both outcomes."
        )


_LIST_WHAT_OCCURS = "List values as the data set writes them; a number and a text in quotes are two things."


def _facet(data: Dataset, facet: Facet, positive: np.ndarray) -> Finding:
    from model_monitor.analysis.grouping import Kind, kind_of

    where = f"bias.facets: {facet.name}"
    values = None if facet.values_or_threshold is None else tuple(facet.values_or_threshold)
    column = data.column(facet.name)
    if column is None:
        what = f"no such model input; they are {', '.join(data.table.columns)}"
        return error("facet", where, what, "Name one of these columns.")
    if values is None:
        if kind_of(column, values) is Kind.CONTINUOUS:
            what = f"the column is a quantity, with {column.nunique()} different values, and there is no threshold"
            return error("facet", where, what, "Give values_or_threshold: [the threshold].")
        return ok("facet", where, f"each of {_listed(column)} against the others")
    absent = _absent(column, values)
    if absent:
        return error("facet", where, f"{absent} never occurs; values are {_listed(column)}", _LIST_WHAT_OCCURS)
    members = _members(column, values)
    count = int(members.sum())
    if count in (0, len(members)):
        what = f"{'nobody' if not count else 'everybody'} belongs to {list(values)}; values are {_listed(column)}"
        return error("facet", where, what, "Choose values or a threshold that leave somebody on either side.")
    for group, name in ((members, "in"), (~members, "outside")):
        if positive[group].all() or not positive[group].any():
            what = f"the {int(group.sum())} rows {name} {list(values)} all have the same label"
            return warning("facet", where, what, "Metrics that divide by a label's count are null; use more rows.")
    return ok("facet", where, f"{count} of {len(members)} rows belong to {list(values)}")


def _members(column: pd.Series[Any], values: tuple[Any, ...]) -> np.ndarray:
    from model_monitor.analysis.grouping import Kind, above, equal_to, kind_of

    group = above if kind_of(column, values) is Kind.CONTINUOUS else equal_to
    return group(column, values).members


def _absent(column: pd.Series[Any], values: tuple[Any, ...]) -> str:
    """The first listed value that a category never has."""
    from model_monitor.analysis.grouping import Kind, kind_of

    if kind_of(column, values) is Kind.CONTINUOUS:
        return ""
    return next((repr(value) for value in values if not _members(column, (value,)).any()), "")


def _listed(column: pd.Series[Any]) -> str:
    different = column.dropna().unique().tolist()
    if len(different) > SHOWN:
        return f"{', '.join(map(repr, different[:SHOWN]))} and {len(different) - SHOWN} more"
    return ", ".join(map(repr, different))


def _sent(endpoint: MonitoredEndpoint, row: str, place: str) -> list[Sequence[Any]]:
    """The rows of model inputs in a request."""
    from model_monitor.analysis.formats.csv_rows import cells_of
    from model_monitor.analysis.payloads import Where, input_rows

    if endpoint.endpoint.payloads.content_type == "text/csv":
        return list(cells_of(row, place))
    part = {"data": row, "encoding": "JSON"}
    return list(input_rows(part, Where(features=endpoint.features_in_requests), place))


def _header_left_in(endpoint: MonitoredEndpoint, first: str, features: pd.DataFrame) -> str:
    """What gives a header row away: names, or numbers that pandas has numbered on their way through a header."""
    import pandas as pd

    if endpoint.endpoint.payloads.content_type != "text/csv":
        return ""
    ((*cells,),) = _sent(endpoint, first, "line 1")
    for name, cell in zip(features.columns, cells, strict=True):
        if pd.api.types.is_numeric_dtype(features[name].dtype) and not _is_number(cell):
            return f"line 1 has '{cell}' where '{name}' is a number elsewhere"
    twins = [cell for place, cell in enumerate(cells) if _is_numbered(cell, cells[:place])]
    if len(twins) > 2:
        return f"line 1 has {', '.join(twins[:3])}: pandas numbers the repeated names of a header so"
    return ""


def _is_numbered(cell: str, before: Sequence[str]) -> bool:
    """Whether pandas made this name for a column whose name stands before it `number` times."""
    found = _NUMBERED_TWIN.fullmatch(cell)
    if found is None or found["name"] not in before:
        return False
    return int(found["number"]) == 1 or f"{found['name']}.{int(found['number']) - 1}" in before


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.strip() == ""
    return True


def _baseline_shape(definition: Definition, baseline: Any, read: Any) -> Finding:
    from model_monitor.analysis.config import ShapConfig
    from model_monitor.analysis.shap_baseline import baseline_rows

    data, features = definition.endpoint.data, definition.validation.features
    rows = baseline_rows(ShapConfig(baseline=baseline), features, data.features, data.dataset_type, read)
    return ok("SHAP baseline", "explainability.baseline", f"{len(rows)} rows of {len(rows.columns)} values")
