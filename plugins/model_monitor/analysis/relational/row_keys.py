"""A merged record's rows as keys: rows of one key are alike to every bias metric that counts.

A key holds the cells of the columns that facets and groups are made of, the observed label and the prediction. Three
things are made coarser, so that keys are few however many records there are: a score is only its side of the
probability threshold, several scores are only which of them is the highest, and a number with decimals in a facet with
one threshold is only its side of it, for such a facet is a quantity. The greatest number of each side goes along, as
reports print it.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from model_monitor.analysis.captured import Collected, is_shadow
from model_monitor.analysis.formats.rows import WRONG_WIDTH
from model_monitor.analysis.payloads import Where
from model_monitor.errors import AnalysisError

BROKEN = "!"
SEPARATOR = "\t"
ABOVE, BELOW = (">",), ("<=",)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+")
_NOWHERE = (Path(), 0)
_KEPT = 65_536


@dataclass(frozen=True)
class RowKeys:
    """`(record, usual) -> keys of its rows`. A record that is wrong has the one key "!" and what is wrong.

    The usual record, which is one row in CSV throughout without quotes, comes as `usual`: its row, label and output,
    with tabs between. All others come as JSON, and `usual` is empty.

    A key is followed by a number and its text for each column, which are empty unless the cell was made coarser, and by
    the row's number in its record.

    Args:
        where: where things stand in records.
        width: how many inputs a row has.
        columns: positions of the inputs that count.
        thresholds: the one threshold of each column, if it has one.
        cut: the probability threshold by which a single score counts; None keeps it.
    """

    where: Where
    width: int
    columns: tuple[int, ...]
    thresholds: tuple[float | None, ...]
    cut: float | None

    def __call__(self, record: str, usual: str) -> list[str]:
        try:
            if usual:
                row, label, output = usual.split(SEPARATOR)
                return [self._key(row.split(","), True, label, output.split(","), None, 0)]
            content = json.loads(record)
            return [] if is_shadow(content) else list(self._keys(content))
        except (AnalysisError, ValueError, RecursionError) as error:
            return [f"{BROKEN}{error}"]

    @property
    def usual_comes_apart(self) -> bool:
        """Whether usual records may be told from the others: the output is scores, whatever stands there."""
        return self.where.inference is None and self.where.probability is None

    def _keys(self, record: dict[str, Any]) -> Iterator[str]:
        found = Collected()
        found.add(record, self.where, *_NOWHERE)
        for number, row in enumerate(found.inputs):
            cells = next(csv.reader([row])) if isinstance(row, str) else row
            predicted = found.predicted[number] if found.predicted else None
            yield self._key(cells, isinstance(row, str), found.labels[number], found.scores[number], predicted, number)

    def _key(
        self, cells: list[Any], is_csv: bool, label: str, scores: list[str], predicted: str | None, number: int
    ) -> str:
        if len(cells) != self.width:
            raise AnalysisError(f"{WRONG_WIDTH} {len(cells)} values where {self.width} are expected")
        coarse = [self._coarse(cells[column], limit) for column, limit in zip(self.columns, self.thresholds)]
        counting = tuple(cell for cell, _ in coarse)
        # Equal texts are equal keys; of JSON's values, 1, 1.0 and true are equal and are not.
        text = (_text_of_csv if is_csv else _text)(is_csv, counting, label, self._score(scores), predicted)
        return SEPARATOR.join([text, *(text for _, text in coarse), f"{number:06}"])

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
        if len(scores) == 1:
            return tuple(scores) if self.cut is None else _finite(scores[0]) > self.cut
        values = [_finite(score) for score in scores]
        highest = values.index(max(values))
        return tuple("1" if position == highest else "0" for position in range(len(values)))


def _finite(score: str) -> float:
    value = float(score)
    if not math.isfinite(value):
        raise ValueError(f"the output {score} is not finite")
    return value


def _text(*key: Any) -> str:
    return json.dumps(key, separators=(",", ":"))


_text_of_csv = lru_cache(_KEPT)(_text)
