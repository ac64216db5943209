"""The merge's queries, compiled once for all that this process and those forked from it merge.

They ask the tables "captures" and "truths": records with the columns named here, and the file and the position of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
from ibis.backends.duckdb import Backend
from ibis.backends.sql.datatypes import DuckDBType

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    WithoutNulls = Callable[[ir.StructValue], ir.StringValue]

_SIDE = "STRUCT(data VARCHAR, encoding VARCHAR, mode VARCHAR, observedContentType VARCHAR)"
CAPTURE = {
    "captureData": f"STRUCT(endpointInput {_SIDE}, endpointOutput {_SIDE}, batchTransformOutput {_SIDE})",
    "eventMetadata": "STRUCT(eventId VARCHAR, inferenceId VARCHAR, inferenceTime VARCHAR, "
    "customAttributes VARCHAR[], invocationSource VARCHAR)",
    "eventVersion": "VARCHAR",
}
GROUND_TRUTH = {
    "groundTruthData": "STRUCT(data VARCHAR, encoding VARCHAR)",
    "eventMetadata": "STRUCT(eventId VARCHAR)",
}
PLACE = {"filename": "VARCHAR", "position": "BIGINT"}


def _table(name: str, columns: dict[str, str]) -> ir.Table:
    return ibis.table({column: DuckDBType.from_string(kind) for column, kind in {**columns, **PLACE}.items()}, name)


def truth_counts(truths: ir.Table) -> ir.Table:
    """How many records and different ids there are, and how many records lack data or id."""
    data, event_id = truths.groundTruthData["data"], truths.eventMetadata["eventId"]
    return truths.aggregate(
        records=truths.count(), ids=event_id.nunique(), broken=truths.count(where=data.isnull() | event_id.isnull())
    )


def joined(captures: ir.Table, truths: ir.Table) -> ir.Table:
    """Each capture with the latest ground truth of its id, "truth" and "truth_position", which are null without any."""
    metadata = captures.eventMetadata
    inference_id = metadata["inferenceId"].nullif("")
    captures = captures.mutate(key=ibis.coalesce(inference_id, metadata["eventId"]), has_id=inference_id.notnull())
    latest = truths.group_by(key=truths.eventMetadata["eventId"]).aggregate(
        truth=truths.groundTruthData.argmax(truths.position), truth_position=truths.position.max()
    )
    return captures.left_join(latest, "key")


def matched(captures: ir.Table, truths: ir.Table) -> ir.Table:
    """The captures that have ground truth."""
    pairs = joined(captures, truths)
    return pairs.filter(pairs.truth_position.notnull())


def merged_record(pairs: ir.Table) -> ir.StructValue:
    """Capture and ground truth in one record."""
    members = {
        "eventVersion": ibis.coalesce(pairs.eventVersion, "0"),
        "groundTruthData": pairs.truth,
        "captureData": pairs.captureData,
        "eventMetadata": pairs.eventMetadata,
    }
    record: ir.StructValue = ibis.struct(members)
    return record


def paired(captures: ir.Table, truths: ir.Table, without_nulls: WithoutNulls) -> ir.Table:
    """One row for each capture: its file, its merged record as JSON or null, the ground truth's position.

    `without_nulls` is the engine's function from a struct to JSON.
    """
    pairs = joined(captures, truths)
    return pairs.select(
        "filename",
        "has_id",
        "truth_position",
        broken=pairs.captureData.isnull(),
        record=ibis.ifelse(pairs.truth_position.notnull(), without_nulls(merged_record(pairs)), ibis.null("string")),
        position=pairs.position,
    )


def to_json(value: ir.StructValue) -> ir.StringValue:
    """A struct as JSON, by the engine's own function of that name."""

    @ibis.udf.scalar.builtin(name="to_json", signature=((value.type(),), "string"))
    def to_json(value):  # type: ignore[no-untyped-def]
        ...

    written: ir.StringValue = to_json(value)
    return written


def without_nulls(value: ir.StructValue) -> ir.StringValue:
    """DuckDB's JSON without the nulls that it writes for members that are missing."""

    @ibis.udf.scalar.builtin(name="json_merge_patch", signature=(("string", "string"), "string"))
    def json_merge_patch(value, patch):  # type: ignore[no-untyped-def]
        ...

    merged: ir.StringValue = json_merge_patch("{}", to_json(value))
    return merged


CAPTURES, TRUTHS = _table("captures", CAPTURE), _table("truths", GROUND_TRUTH)

COUNT_TRUTHS = Backend().compile(truth_counts(TRUTHS))
"""Ground-truth records, different ids among them, and records without data or id."""

PAIR = Backend().compile(paired(CAPTURES, TRUTHS, without_nulls).order_by("position"))
"""For each capture, in order: its file, whether it has an inference id, the ground truth's position, whether it lacks
its data, its merged record as JSON or null, its position."""
