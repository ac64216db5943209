"""The expressions on the tables "captures" and "truths", the same for every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from model_monitor.analysis.merge_queries import CAPTURES, TRUTHS, paired
from model_monitor.analysis.relational.row_keys import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

POSITION_DIGITS = 19


def counted(keys_of: Callable[[Any], Any], columns: int, without_nulls: Callable[[Any], Any]) -> ir.Table:
    """How many rows each key has: "key", "records", "first" to order keys by their first row, "number_i" and "text_i".

    `keys_of` is the engine's function from merged records to their rows' keys, as `row_keys.RowKeys` has them.
    """
    pairs = paired(CAPTURES, TRUTHS, without_nulls)
    matched = pairs.filter(pairs.record.notnull())
    rows = matched.select("position", row=keys_of(matched.record).unnest())
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
