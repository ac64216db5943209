"""A merged record's rows as keys: rows of one key are alike to every bias metric that counts.

A key holds the cells of the columns that facets and groups are made of, the observed label and the prediction. Two
things are made coarser, so that keys are few however many records there are: a score is only its side of the
probability threshold, and a number with decimals in a facet with one threshold only its side of it, for such a facet is
a quantity. The greatest number of each side goes along, as reports print it.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_monitor.analysis.captured import Collected, is_shadow
from model_monitor.analysis.formats.rows import WRONG_WIDTH
from model_monitor.analysis.payloads import Where
from model_monitor.errors import AnalysisError

BROKEN = "!"
SEPARATOR = "\t"
ABOVE, BELOW = [">"], ["<="]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+")
_NOWHERE = (Path(), 0)


@dataclass(frozen=True)
class RowKeys:
    """`record -> keys of its rows`. A record that is wrong has the one key "!" and what is wrong.

    A key is followed by a number and its text for each column, which are empty unless the cell was made coarser, and by
    the row's number in its record.

    Args:
        where: where things stand in records.
        width: how many inputs a row has.
        columns: positions of the inputs that count.
        thresholds: the one threshold of each column, if it has one.
        cut: the probability threshold by which a single score counts; None keeps scores.
    """

    where: Where
    width: int
    columns: tuple[int, ...]
    thresholds: tuple[float | None, ...]
    cut: float | None

    def __call__(self, record: str) -> list[str]:
        try:
            content = json.loads(record)
            return [] if is_shadow(content) else list(self._keys(content))
        except (AnalysisError, ValueError, RecursionError) as error:
            return [f"{BROKEN}{error}"]

    def _keys(self, record: dict[str, Any]) -> Iterator[str]:
        found = Collected()
        found.add(record, self.where, *_NOWHERE)
        for number, row in enumerate(found.inputs):
            cells = _cells(row) if isinstance(row, str) else row
            if len(cells) != self.width:
                raise AnalysisError(f"{WRONG_WIDTH} {len(cells)} values where {self.width} are expected")
            coarse = [self._coarse(cells[column], limit) for column, limit in zip(self.columns, self.thresholds)]
            key = [
                int(isinstance(row, str)),
                [cell for cell, _ in coarse],
                found.labels[number],
                self._score(found.scores[number]),
                found.predicted[number] if found.predicted else None,
            ]
            parts = [json.dumps(key, separators=(",", ":")), *(text for _, text in coarse), f"{number:06}"]
            yield SEPARATOR.join(parts)

    def _coarse(self, cell: Any, limit: float | None) -> tuple[Any, str]:
        """The cell as it counts, and the number that it was, if it was made coarser."""
        text = cell if isinstance(cell, str) else repr(cell) if isinstance(cell, float) else ""
        if limit is None or _WHOLE.fullmatch(text) or not _NUMBER.fullmatch(text):
            return cell, ""
        value = float(text)
        if value == limit or not math.isfinite(value):
            return cell, ""
        return (ABOVE if value > limit else BELOW), text

    def _score(self, scores: list[str]) -> Any:
        if self.cut is None or len(scores) != 1:
            return scores
        value = float(scores[0])
        if not math.isfinite(value):
            raise ValueError(f"the output {scores[0]} is not finite")
        return value > self.cut


def _cells(row: str) -> list[str]:
    return next(csv.reader([row])) if '"' in row else row.split(",")
