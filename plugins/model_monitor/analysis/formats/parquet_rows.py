"""Parquet files to rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from model_monitor.analysis.formats.rows import WRONG_WIDTH, Origin, Rows, joined_origin
from model_monitor.errors import AnalysisError


@dataclass(frozen=True)
class ParquetRows(Rows):
    """Rows of columns that have a type already."""

    frame: pd.DataFrame

    def columns(self, names: list[str]) -> pd.DataFrame:
        return self.frame.set_axis(names, axis=1)


def read_parquet_files(paths: Sequence[Path]) -> tuple[ParquetRows, list[str]]:
    """The rows of files with the same columns, and those columns' names.

    Files whose names start with "_" or "." are what Spark leaves beside its data, and are passed over.

    Raises:
        AnalysisError: naming the file, and the column that is not a plain value.
    """
    files = [path for path in paths if path.name[0] not in "._"]
    if not files:
        raise AnalysisError("The dataset has no Parquet files")
    frames = [read_parquet(path, str(path)) for path in files]
    names = list(frames[0].columns)
    for path, frame in zip(files, frames, strict=True):
        if list(frame.columns) != names:
            raise AnalysisError(
                f"{WRONG_WIDTH} {path}: columns are {', '.join(frame.columns)}; those of {files[0]} are "
                f"{', '.join(names)}"
            )
    sizes = [len(frame) for frame in frames]
    origin = joined_origin(sizes, [_origin_in(path) for path in files])
    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return ParquetRows(np.full(len(frame), len(names)), origin, frame), names


def _origin_in(path: Path) -> Origin:
    return lambda row: f"{path}, row {row + 1}"


def read_parquet(file: Path | BinaryIO, place: str) -> pd.DataFrame:
    """A Parquet file's columns of numbers, Booleans and text; dates are text.

    Raises:
        AnalysisError: naming `place`, and the column that holds anything else.
    """
    try:
        table = pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise AnalysisError(f"{place}: not a Parquet file: {error}") from error
    plain = table.cast(pa.schema([_plain(field, place) for field in table.schema]))
    frame: pd.DataFrame = plain.to_pandas(ignore_metadata=True)
    return frame


def _plain(field: pa.Field, place: str) -> pa.Field:
    """The field with its type as analyses know it: numbers, Booleans and text."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return pa.field(field.name, kind)
    if pa.types.is_decimal(kind):
        return pa.field(field.name, pa.float64())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise AnalysisError(f"{place}, column '{field.name}': {field.type}; expected numbers, Booleans or text")
    return pa.field(field.name, pa.string())
