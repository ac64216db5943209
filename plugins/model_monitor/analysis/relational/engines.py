"""Who computes: DuckDB in this process, or a Spark session."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import duckdb
import ibis
import pandas as pd
import pyarrow as pa

from model_monitor.analysis import merge
from model_monitor.analysis.merge_queries import (
    CAPTURE,
    CAPTURES,
    COUNT_TRUTHS,
    GROUND_TRUTH,
    PLACE,
    TRUTHS,
    paired,
    to_json,
    truth_counts,
    without_nulls,
)
from model_monitor.analysis.relational.expressions import counted
from model_monitor.analysis.relational.row_keys import RowKeys
from model_monitor.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Failures = tuple[type[Exception], ...]

_SIGNATURE = (("string", "string"), "array<string>")

ROWS_OF_A_FILE = 40
"""Positions count 2^40 records in each file."""

MEMORY_OF_A_THREAD = 512
"""Megabytes. Threads share the limit, and each keeps blocks that it cannot put on disk: two of them do not join
and sort 400,000 captures in 512 MB, one does so as fast."""


class Engine(ABC):
    """A context in which captures and ground truth are joined and counted."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def too_little_memory(self, error: Exception) -> str | None:
        """What to do about an error if it says that there is too little memory."""
        return None

    @property
    @abstractmethod
    def failures(self) -> Failures:
        """What the engine raises for files that it cannot read."""

    @abstractmethod
    def load(self, captured: list[Path], labelled: list[Path]) -> None:
        """Give it the files, which are in order."""

    @abstractmethod
    def truths(self) -> merge.TruthCounts:
        """What `COUNT_TRUTHS` answers."""

    @abstractmethod
    def pairs(self) -> Iterator[merge.Pair]:
        """What `PAIR` answers, without holding all of it."""

    @abstractmethod
    def counts(self, keys: RowKeys) -> pd.DataFrame:
        """How many rows there are of each key; see `expressions.counted`."""


class DuckDbEngine(Engine):
    """DuckDB, which keeps to `memory_mb` and writes to `folder` what is more."""

    def __init__(self, memory_mb: int, folder: Path) -> None:
        super().__init__()
        self._config: dict[str, Any] = {
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str(folder),
            "threads": max(1, min(os.cpu_count() or 1, memory_mb // MEMORY_OF_A_THREAD)),
            "python_enable_replacements": False,
        }
        self._folder = folder

    def __enter__(self) -> DuckDbEngine:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._connection = self._stack.enter_context(duckdb.connect(config=self._config))
        return self

    @property
    def failures(self) -> Failures:
        return (duckdb.Error,)

    def too_little_memory(self, error: Exception) -> str | None:
        is_so = isinstance(error, duckdb.OutOfMemoryException)
        return f"DuckDB needs more than {self._config['memory_limit']}; raise windows.memory_mb" if is_so else None

    def load(self, captured: list[Path], labelled: list[Path]) -> None:
        merge.load(self._connection, captured, labelled)

    def truths(self) -> merge.TruthCounts:
        (counts,) = self._connection.execute(COUNT_TRUTHS).fetchall()
        return counts

    def pairs(self) -> Iterator[merge.Pair]:
        return merge.pairs(self._connection)

    def counts(self, keys: RowKeys) -> pd.DataFrame:
        backend = ibis.duckdb.from_connection(self._connection)

        def keys_of_rows(records: Any, usual: Any) -> Any:
            found = list(map(keys, records.to_pylist(), usual.to_pylist()))
            return pa.array(found, pa.list_(pa.string()))

        keys_of = ibis.udf.scalar.pyarrow(keys_of_rows, signature=_SIGNATURE)
        counts: pd.DataFrame = backend.to_pyarrow(
            counted(keys_of, len(keys.columns), keys.usual_comes_apart, without_nulls)
        ).to_pandas()
        return counts


class SparkEngine(Engine):
    """A Spark session with these settings, which all executors' machines read the window's files by."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__()
        self._settings = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false", **settings}

    def __enter__(self) -> SparkEngine:
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise InputError(
                "windows.engine is pyspark, and PySpark is not installed beside Airflow here. Install it "
                "(pip install 'ibis-framework[pyspark]'; it needs Java 17), or choose duckdb."
            ) from error
        # Workers are this Python, which has the engine, unless the environment names another one.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.appName("model-monitor")
        for name, value in self._settings.items():
            builder = builder.config(name, value)
        self._session: SparkSession = builder.getOrCreate()
        self._stack.callback(self._session.stop)
        self._backend = ibis.pyspark.connect(self._session)
        return self

    @property
    def failures(self) -> Failures:
        from pyspark.errors import PySparkException

        return (PySparkException,)

    def load(self, captured: list[Path], labelled: list[Path]) -> None:
        self._read(captured, CAPTURE).createOrReplaceTempView("captures")
        self._read(labelled, GROUND_TRUTH).createOrReplaceTempView("truths")

    def truths(self) -> merge.TruthCounts:
        (row,) = self._session.sql(self._sql(truth_counts(TRUTHS))).collect()
        return row["records"], row["ids"], row["broken"]

    def pairs(self) -> Iterator[merge.Pair]:
        expression = paired(CAPTURES, TRUTHS, to_json).order_by("position")
        for row in self._session.sql(self._sql(expression)).toLocalIterator():
            yield tuple(row)

    def counts(self, keys: RowKeys) -> pd.DataFrame:
        # One by one: here Spark would hand single values to a function on arrays as well.
        def keys_of_rows(record: str, usual: str) -> list[str]:
            return keys(record, usual)

        keys_of = ibis.udf.scalar.python(keys_of_rows, signature=_SIGNATURE)
        expression = counted(keys_of, len(keys.columns), keys.usual_comes_apart, to_json)
        counts: pd.DataFrame = self._backend.to_pyarrow(expression).to_pandas()
        return counts

    def _sql(self, expression: Any) -> str:
        return str(self._backend.compile(expression))

    def _read(self, files: list[Path], columns: dict[str, str]) -> DataFrame:
        """Records with their file and position, counted as DuckDB counts them: by the files' order, then by line."""
        from ibis.backends.pyspark.datatypes import PySparkSchema
        from ibis.backends.sql.datatypes import DuckDBType
        from pyspark.sql import Window, functions

        types = {name: DuckDBType.from_string(kind) for name, kind in columns.items()}
        schema = PySparkSchema.from_ibis(ibis.schema(types))
        records = self._session.read.schema(schema).json([str(file) for file in files])
        records = records.select(
            "*",
            functions.col("_metadata.file_path").alias("path"),
            functions.col("_metadata.file_block_start").alias("block"),
            functions.monotonically_increasing_id().alias("id"),
        )
        ranks = {str(file): rank for rank, file in enumerate(files)}
        known = [
            (row["path"], name, ranks[name])
            for row in records.select("path").distinct().collect()
            for name in [unquote(urlsplit(row["path"]).path)]
        ]
        places = self._session.createDataFrame(known, "path string, filename string, rank bigint")
        line = functions.row_number().over(Window.partitionBy("path").orderBy("block", "id")) - 1
        numbered = records.withColumn("line", line).join(functions.broadcast(places), "path")
        position = functions.shiftleft("rank", ROWS_OF_A_FILE) + functions.col("line")
        return numbered.withColumn("position", position).select(*columns, *PLACE)
