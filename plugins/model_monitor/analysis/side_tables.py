"""Facets and predicted labels that lie in files of their own, beside the data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from model_monitor.analysis.config import AnalysisConfig, SideTable
from model_monitor.analysis.config_schema import NameOrIndex
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.formats.csv_rows import csv_table
from model_monitor.errors import AnalysisError


def completed(dataset: Dataset, config: AnalysisConfig, read: Callable[[str], bytes]) -> Dataset:
    """The data set with the facets and the predicted labels of the configured files.

    Rows belong together by the join column, which both files then have, else by their order. Facets are not given to
    the model. `read` gives the content of an address.

    Raises:
        AnalysisError: naming the file, when it does not hold a row for each record, or not the column that it should.
    """
    if config.facet_table is not None:
        facets = _rows_of(dataset, config, config.facet_table, read)
        excluded = facets if dataset.excluded is None else pd.concat([dataset.excluded, facets], axis=1)
        dataset = replace(dataset, excluded=excluded, columns=(*dataset.names, *map(str, facets.columns)))
    if config.predicted_label_table is not None:
        found = _rows_of(dataset, config, config.predicted_label_table, read)
        dataset = replace(dataset, predicted=_column(found, config.predicted_label, config.predicted_label_table.uri))
    return dataset


def _rows_of(dataset: Dataset, config: AnalysisConfig, side: SideTable, read: Callable[[str], bytes]) -> pd.DataFrame:
    table = csv_table(read(side.uri), side.headers, side.uri)
    if dataset.identifiers is None:
        if len(table) != len(dataset):
            raise AnalysisError(
                f"{side.uri}: {len(table)} rows for {len(dataset)} records of the data set; to join them by a column, "
                "name it in joinsource_name_or_index"
            )
        return table
    name = str(dataset.identifiers.name)
    key = _column(table, name if name in table.columns else config.joinsource_name_or_index, side.uri)
    if key.duplicated().any():
        raise AnalysisError(
            f"{side.uri}: '{key[key.duplicated()].iloc[0]}' is more than once in the column '{key.name}'"
        )
    missing = dataset.identifiers[~dataset.identifiers.isin(key)]
    if len(missing):
        raise AnalysisError(f"{side.uri}: no row for the record '{missing.iloc[0]}', nor for {len(missing) - 1} others")
    return table.set_index(key).loc[dataset.identifiers].drop(columns=[key.name]).reset_index(drop=True)


def _column(table: pd.DataFrame, column: NameOrIndex | None, place: str) -> pd.Series:
    names = [str(name) for name in table.columns]
    if column is None and len(names) == 1:
        column = 0
    if isinstance(column, int) and 0 <= column < len(names):
        return table.iloc[:, column]
    if isinstance(column, str) and column in names:
        return table[column]
    raise AnalysisError(f"{place}: no column '{column}'; columns are {', '.join(names)}")
