"""The expressions on the tables "captures" and "truths", the same for every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from model_monitor.analysis.merge_queries import CAPTURES, TRUTHS, matched, merged_record
from model_monitor.analysis.relational.row_keys import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

POSITION_DIGITS = 19

_ODD_IN_ROWS, _ODD_IN_LABELS, _ODD_IN_OUTPUTS = r'["\r\n\t]', r'[\s",\[\]]', r'[\s"\[\]]'


def counted(
    keys_of: Callable[[Any, Any], Any], columns: int, usual_comes_apart: bool, without_nulls: Callable[[Any], Any]
) -> ir.Table:
    """How many rows each key has: "key", "records", "first" to order keys by their first row, "number_i" and "text_i".

    `keys_of` is the engine's function from merged records to their rows' keys, as `row_keys.RowKeys` has them.
    """
    pairs = matched(CAPTURES, TRUTHS)
    usual = _usual(pairs) if usual_comes_apart else ibis.literal("")
    record = ibis.ifelse(usual == "", without_nulls(merged_record(pairs)), "null")
    rows = pairs.select("position", row=keys_of(record, usual).unnest())
    parts = rows.row.split(SEPARATOR)
    texts = {f"text_{column}": parts[1 + column] for column in range(columns)}
    row_number = ibis.coalesce(parts[1 + columns], "")
    keyed = rows.select(
        key=parts[0],
        place=rows.position.cast("string").lpad(POSITION_DIGITS, "0").concat(row_number),
        **texts,
        **{f"number_{column}": texts[f"text_{column}"].try_cast("float64") for column in range(columns)},
    )
    greatest: dict[str, Any] = {}
    for column in range(columns):
        greatest[f"text_{column}"] = keyed[f"text_{column}"].argmax(keyed[f"number_{column}"])
    return keyed.group_by("key").aggregate(records=keyed.count(), first=keyed.place.min(), **greatest)


def _usual(pairs: ir.Table) -> ir.StringValue:
    """Row, label and output of a usual record; empty for the others."""
    sides = (pairs.captureData["endpointInput"], pairs.truth, pairs.captureData["endpointOutput"])
    row, label, output = (ibis.coalesce(side["data"], "") for side in sides)
    is_usual = (
        *(ibis.coalesce(side["encoding"], "") == "CSV" for side in sides),
        *(text != "" for text in (row, label, output)),
        ~row.re_search(_ODD_IN_ROWS),
        ~label.re_search(_ODD_IN_LABELS),
        ~output.re_search(_ODD_IN_OUTPUTS),
        pairs.eventMetadata["invocationSource"].isnull(),
    )
    text = row.concat(SEPARATOR, label, SEPARATOR, output)
    usual: ir.StringValue = ibis.ifelse(ibis.and_(*is_usual), text, "")
    return usual
