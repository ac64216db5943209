"""Rows to the bodies of requests: CSV, or JSON by the configuration's templates.

Source of the templates: developer guide, "Endpoint requests for tabular data".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.formats.csv_rows import csv_line
from model_monitor.analysis.formats.media import CSV, JSON, JSON_LINES
from model_monitor.errors import AnalysisError

_PLACEHOLDER = re.compile(r'\$(feature_names|features_kvp|features|records|record)\b|"\$\{([^}]*)\}"')
_LARGEST_EXACT = 2.0**53


@dataclass(frozen=True)
class RequestFormat:
    """How records become bodies: each is written as bytes, and a body is some of them in an envelope."""

    content_type: str
    record: Callable[[np.ndarray], list[bytes]]
    before: bytes = b""
    between: bytes = b"\n"
    after: bytes = b""
    most_records: int | None = None

    def body(self, records: Sequence[bytes]) -> bytes:
        """A request for those records."""
        return self.before + self.between.join(records) + self.after

    @property
    def envelope(self) -> int:
        """How many bytes of a body are no records'."""
        return len(self.before) + len(self.after)


def request_format(
    content_type: str,
    content_template: str | None = None,
    record_template: str | None = None,
    names: Sequence[str] = (),
    whole: Sequence[bool] = (),
) -> RequestFormat:
    """The format of requests of a content type.

    `names` are the features' headers; columns that are `whole` have no decimals where they can do without.

    Raises:
        AnalysisError: for a template that is missing, or has not the placeholders that it needs.
    """
    if content_type == CSV:
        return RequestFormat(CSV, lambda rows: [",".join(row).encode() for row in _cells(rows, _csv_cell, whole)])
    if content_template is None:
        raise AnalysisError(_template_error("content_template", f"{content_type} needs one", '{"features":$features}'))
    if content_type == JSON_LINES:
        write = _record_writer(" ".join(content_template.split("\n")), "content_template", names)
        _check_json("content_template", write(["0"] * len(names)))
        return RequestFormat(JSON_LINES, lambda rows: list(map(write, _cells(rows, _json_cell, whole))))
    if record_template is None:
        raise AnalysisError(_template_error("record_template", f"{JSON} needs one", '{"features":$features}'))
    write = _record_writer(record_template, "record_template", names)
    before, after, one = _envelope(content_template, names)
    record = write(["0"] * len(names))
    _check_json("record_template", record)
    _check_json("content_template", before + record + after)
    return RequestFormat(
        JSON,
        lambda rows: list(map(write, _cells(rows, _json_cell, whole))),
        before,
        b",",
        after,
        most_records=1 if one else None,
    )


def _check_json(key: str, filled_in: bytes) -> None:
    try:
        json.loads(filled_in)
    except ValueError as error:
        text = filled_in.decode()
        raise AnalysisError(
            _template_error(key, f"JSON when features are filled in, found {text}: {error}", '{"features":$features}')
        ) from error


def _envelope(template: str, names: Sequence[str]) -> tuple[bytes, bytes, bool]:
    """What stands before and after the records, and whether there is just one."""
    found = [match for match in _PLACEHOLDER.finditer(template) if match[1] in ("record", "records")]
    if len(found) != 1:
        raise AnalysisError(
            _template_error(
                "content_template", f"one $record or $records, found {len(found)}", '{"instances":$records}'
            )
        )
    before, after = template[: found[0].start()], template[found[0].end() :]
    many = found[0][1] == "records"
    headers = json.dumps(list(names))
    before, after = before.replace("$feature_names", headers), after.replace("$feature_names", headers)
    return f"{before}{'[' * many}".encode(), f"{']' * many}{after}".encode(), not many


def _record_writer(template: str, key: str, names: Sequence[str]) -> Callable[[Sequence[str]], bytes]:
    """A function from a record's cells, as JSON, to the record."""
    pieces: list[Callable[[Sequence[str]], str]] = []
    kinds = set()
    end = 0
    for match in _PLACEHOLDER.finditer(template):
        pieces.append(_literal(template[end : match.start()]))
        kinds.add(match[1] or "name")
        pieces.append(_piece(match, key, names))
        end = match.end()
    pieces.append(_literal(template[end:]))
    if not kinds & {"features", "features_kvp", "name"}:
        raise AnalysisError(_template_error(key, "a placeholder for features", '{"features":$features}'))
    return lambda cells: "".join([piece(cells) for piece in pieces]).encode()


def _piece(match: re.Match[str], key: str, names: Sequence[str]) -> Callable[[Sequence[str]], str]:
    kind, name = match.groups()
    if kind == "features":
        return lambda cells: f"[{','.join(cells)}]"
    if kind == "feature_names":
        return _literal(json.dumps(list(names)))
    if kind == "features_kvp":
        keys = [f"{json.dumps(name)}:" for name in names]
        return lambda cells: f"{{{','.join(map(str.__add__, keys, cells))}}}"
    if kind is not None:
        raise AnalysisError(_template_error(key, f"no ${kind}", '{"features":$features}'))
    if name not in names:
        raise AnalysisError(_template_error(key, f"the names of features, found '{name}'", f'"${{{names[0]}}}"'))
    position = list(names).index(name)
    return lambda cells: cells[position]


def _literal(text: str) -> Callable[[Sequence[str]], str]:
    return lambda cells: text


def _template_error(key: str, expected: str, example: str) -> str:
    return (
        f"Analysis configuration schema validation error. predictor.{key}: expected {expected}; for example {example}"
    )


def _csv_cell(value: Any) -> str:
    if isinstance(value, int | float):
        return repr(value)
    return "" if value is None else csv_line([value])


def _json_cell(value: Any) -> str:
    return json.dumps(value)


def _cells(rows: np.ndarray, text_of: Callable[[Any], str], whole: Sequence[bool]) -> list[list[str]]:
    """Each cell's text, made once for all occurrences of a value, of which synthetic rows have many."""
    alone = text_of is _csv_cell and rows.shape[1] == 1
    missing = '""' if alone else text_of(None)
    if rows.dtype.kind in "fiu":
        codes, different = pd.factorize(rows.ravel())
        values = different.tolist()
        shape = codes.reshape(rows.shape)
        found = np.array([*map(text_of, values), missing], dtype=object)[shape]
        if any(whole) and rows.dtype.kind == "f":
            columns = np.flatnonzero(whole)
            found[:, columns] = np.array([*map(text_of, map(_shortest, values)), missing], dtype=object)[
                shape[:, columns]
            ]
    else:
        found = np.empty(rows.shape, dtype=object)
        for column in range(rows.shape[1]):
            codes, different = pd.factorize(rows[:, column])
            plain = [_plain(value) for value in different]
            if column < len(whole) and whole[column]:
                plain = [_shortest(value) if isinstance(value, float) else value for value in plain]
            texts = list(map(text_of, plain))
            found[:, column] = np.array([*texts, missing], dtype=object)[codes]
    texts_of_rows: list[list[str]] = found.tolist()
    return texts_of_rows


def _shortest(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) <= _LARGEST_EXACT else value


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
