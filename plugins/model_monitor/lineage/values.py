"""What went into a task and what came out of it, as plain values: nothing here needs OpenLineage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Check:
    """A constraint of a baseline, tested on a window's records; `column` is the facet that it is about."""

    kind: str
    name: str
    success: bool
    expected: str
    actual: str
    column: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Data:
    """A data set, and what of it a task touched.

    Args:
        uri: an s3:// address, of an object or of all that lies below it; an ARN; or the path of a local file.
        type: OpenLineage's type of data set.
        parts: the addresses that were touched, where that is not all of it.
        columns: the names of its columns, where they are known.
        rows: how many records were touched; None where nobody counted.
        files: how many objects were touched.
        size: their bytes.
        checks: what was tested on it.
    """

    uri: str
    type: Literal["FILE", "MODEL"] = "FILE"
    parts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: int | None = None
    files: int | None = None
    size: int | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Flow:
    """From inputs to outputs, with `tags` about the run; `job` is the ARN of the job that did the work, if one did."""

    inputs: tuple[Data, ...] = ()
    outputs: tuple[Data, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    job: str | None = None


def identity(uri: str) -> tuple[str, str]:
    """A data set's namespace and name.

    Source: OpenLineage, "Naming"; ARNs are divided as it divides those of Glue's tables.
    """
    if uri.startswith("s3://"):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return f"s3://{bucket}", key
    if uri.startswith("arn:"):
        namespace, _, resource = uri.rpartition(":")
        return namespace, resource
    return "file", uri
