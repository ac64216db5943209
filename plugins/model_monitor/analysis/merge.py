"""Captures joined with ground truth: the merge job of SageMaker's bias and quality monitors.

A capture is matched by its inference id, or by its event id where it has none; captures without ground truth and ground
truth without captures are dropped. Every capture of a repeated id is kept. Of several ground-truth records with one id
the last wins: the last line of the last file in the order of names, which start with the time of upload.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

import duckdb

from model_monitor.analysis.container import below, exit_code, files_below
from model_monitor.analysis.merge_queries import CAPTURE, COUNT_TRUTHS, GROUND_TRUTH, PAIR, PLACE
from model_monitor.errors import InputError

log = logging.getLogger(__name__)

Pair = tuple[str, bool, int, bool, str | None, int]
"""A row that `PAIR` answers."""
TruthCounts = tuple[int, int, int]
"""What `COUNT_TRUTHS` answers."""
_ROWS_AT_ONCE = 20_000
_SETTINGS = ("dataset_source", "ground_truth_source", "output_path")
_NAMESPACE = uuid.UUID("6f1c3c7e-0d0c-5b42-9a44-2f7a4f1f6a10")


class BadRecords(Exception):
    """Some record lacks what it needs; the engine does not say which one."""


@dataclass(frozen=True)
class MergeSummary:
    """What a merge found, counted in records."""

    captures: int = 0
    captures_without_inference_id: int = 0
    ground_truths: int = 0
    ground_truth_ids: int = 0
    matched_captures: int = 0
    matched_ground_truth_ids: int = 0

    @property
    def unmatched_captures(self) -> int:
        """Captures whose id has no ground truth."""
        return self.captures - self.matched_captures

    @property
    def unmatched_ground_truth_ids(self) -> int:
        """Ground-truth ids that no capture has."""
        return self.ground_truth_ids - self.matched_ground_truth_ids

    def __str__(self) -> str:
        return (
            f"{self.matched_captures} of {self.captures} captures matched "
            f"({self.captures_without_inference_id} captures have no inference id); "
            f"{self.matched_ground_truth_ids} of {self.ground_truth_ids} ground-truth ids matched "
            f"({self.ground_truths} ground-truth records)"
        )

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        counts = {field.name: getattr(self, field.name) for field in fields(self)}
        return counts | {
            "unmatched_captures": self.unmatched_captures,
            "unmatched_ground_truth_ids": self.unmatched_ground_truth_ids,
        }


def run(root: Path, environment: Mapping[str, str]) -> int:
    """The merge job in a container's file system under `root`: 0 done, 1 the customer's error, 2 our own.

    Reads `dataset_source` and `ground_truth_source` and writes below `output_path`, as the environment gives them.
    """

    def work() -> None:
        missing = [key for key in _SETTINGS if key not in environment]
        if missing:
            raise InputError(f"The job's environment has no {', '.join(missing)}; merge jobs need it.")
        summary = merge(*(below(root, environment[key]) for key in _SETTINGS))
        log.info("Merge: %s", summary)
        log.info("Merge summary: %s", json.dumps(summary.as_dict()))

    return exit_code(root, work)


def merge(dataset: Path, ground_truth: Path, output: Path) -> MergeSummary:
    """Merge the captures below `dataset` with the ground truth below `ground_truth`.

    The merged records of each folder of captures, such as `churn/AllTraffic/2026/11/22/10`, go into one file in the
    folder of that name below `output`; merging the folder again replaces that file. No record matched, no file.

    Raises:
        InputError: naming file and line of the first record that is not JSON or lacks what it needs.
        MemoryError: there is too little of it.
    """
    captured, labelled = files_below(dataset, "*.jsonl"), files_below(ground_truth, "*.jsonl")
    try:
        return _merge(captured, labelled, dataset, output)
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(f"The merge needs more memory: {error}") from error
    except (duckdb.Error, BadRecords) as error:
        refuse_bad_records(captured, labelled)
        raise InputError(
            f"Captures in {dataset} and ground truth in {ground_truth} cannot be merged: {error}"
        ) from error


def _merge(captured: list[Path], labelled: list[Path], dataset: Path, output: Path) -> MergeSummary:
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        load(connection, captured, labelled)
        (counts,) = connection.execute(COUNT_TRUTHS).fetchall()
        return write_merged(pairs(connection), counts, dataset, output)


def load(connection: duckdb.DuckDBPyConnection, captured: list[Path], labelled: list[Path]) -> None:
    """Give a connection the tables that the queries ask."""
    # A table, so that positions are the same in all queries; captures are read as they are needed.
    _read(connection, labelled, GROUND_TRUTH).create("truths")
    _read(connection, captured, CAPTURE).create_view("captures")


def write_merged(rows: Iterable[Pair], truths: TruthCounts, dataset: Path, output: Path) -> MergeSummary:
    """Write the merged records of captures below `dataset` to files below `output`, as `merge` does.

    Args:
        rows: what `PAIR` answers.
        truths: what `COUNT_TRUTHS` answers.

    Raises:
        BadRecords: when a capture or ground truth lacks what it needs.
    """
    ground_truths, ids, broken = truths
    if broken:
        raise BadRecords
    return replace(_write(rows, dataset, output), ground_truths=ground_truths, ground_truth_ids=ids)


def pairs(connection: duckdb.DuckDBPyConnection) -> Iterator[Pair]:
    """What `PAIR` answers, without holding all of it."""
    rows = connection.execute(PAIR)
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        yield from some


def _read(connection: duckdb.DuckDBPyConnection, files: list[Path], columns: dict[str, str]) -> duckdb.DuckDBPyRelation:
    """The records of files, with file and position of each."""
    if not files:
        nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in {**columns, **PLACE}.items())
        return connection.sql(f"SELECT {nothing} LIMIT 0")
    paths: Any = [str(file) for file in files]  # Its signature knows one file alone.
    records = connection.read_json(paths, columns=columns, format="newline_delimited", filename=True)
    return records.project("*, row_number() OVER () - 1 AS position")


def _write(rows: Iterable[Pair], dataset: Path, output: Path) -> MergeSummary:
    captures = without_id = matched = 0
    folder_of = cache(os.path.dirname)
    truths_used: set[int] = set()
    for folder, members in groupby(rows, key=lambda row: folder_of(row[0])):
        with ExitStack() as files:
            target: TextIO | None = None
            for _, has_id, truth, broken, record, _ in members:
                captures += 1
                without_id += not has_id
                if broken:
                    raise BadRecords
                if record is not None:
                    matched += 1
                    truths_used.add(truth)
                    if target is None:
                        target = files.enter_context(_part(output / Path(folder).relative_to(dataset)))
                    target.write(f"{record}\n")
    return MergeSummary(captures, without_id, 0, 0, matched, len(truths_used))


def _part(folder: Path) -> TextIO:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"part-00000-{uuid.uuid5(_NAMESPACE, '/'.join(folder.parts[-6:]))}.c000.jsonl"
    return (folder / name).open("w", encoding="utf-8")


def refuse_bad_records(captured: list[Path], labelled: list[Path]) -> None:
    """Complain of the first record that is not JSON or lacks what it needs, if there is one.

    Raises:
        InputError: naming file and line.
    """
    _refuse_bad_records(captured, ("captureData",))
    _refuse_bad_records(labelled, ("groundTruthData", "eventMetadata"))


def _refuse_bad_records(files: list[Path], needed: tuple[str, ...]) -> None:
    for file in files:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    _refuse_bad_record(file, number, line, needed)


def _refuse_bad_record(file: Path, number: int, line: bytes, needed: tuple[str, ...]) -> None:
    try:
        record = json.loads(line)
    except ValueError as error:
        shown = line[:100].decode("utf-8", errors="replace").strip()
        raise InputError(f"{file}, line {number}: not JSON ({error}): {shown}") from error
    missing = [key for key in needed if not (isinstance(record, dict) and isinstance(record.get(key), dict))]
    if "groundTruthData" in needed and not missing:
        missing += ["groundTruthData.data"] if record["groundTruthData"].get("data") is None else []
        missing += ["eventMetadata.eventId"] if record["eventMetadata"].get("eventId") is None else []
    if missing:
        raise InputError(f"{file}, line {number}: the record has no {' and no '.join(missing)}")
