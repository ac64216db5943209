"""The merge: our time against joining the same files with pandas, and against `json.loads` of each line alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks.timing import Comparison, best
from model_monitor.analysis.merge import merge

HOUR = "churn/AllTraffic/2026/11/22/10"


def write(root: Path, captures: int, ids: int) -> None:
    """Captures of about 0.7 kB in one-minute files, and ground truth for every id."""
    data = "128," + ",".join(f"{value / 7:.2f}" for value in range(17)) + ",0" * 51
    hour, truth = root / "captures" / HOUR, root / "truth/2026/11/22/10"
    hour.mkdir(parents=True)
    truth.mkdir(parents=True)
    for minute in range(60):
        with (hour / f"{minute:02}-00-000-a.jsonl").open("w") as file:
            for number in range(minute, captures, 60):
                sides = {
                    "endpointInput": {
                        "observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": "CSV"
                    },
                    "endpointOutput": {
                        "observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT",
                        "data": "0.01076381653547287", "encoding": "CSV",
                    },
                }  # fmt: skip
                metadata = {
                    "eventId": f"0f3a7c52-98ab-4c1e-8d0e-{number:012}", "inferenceId": str(number % ids),
                    "inferenceTime": "2026-11-22T10:00:00Z",
                }  # fmt: skip
                record = {"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
    with (truth / "0000.jsonl").open("w") as file:
        for number in range(ids):
            label = {"groundTruthData": {"data": str(number % 2), "encoding": "CSV"}}
            file.write(json.dumps(label | {"eventMetadata": {"eventId": str(number)}, "eventVersion": "0"}) + "\n")


def with_engine(root: Path) -> None:
    merge(root / "captures", root / "truth", root / "merged")


def with_pandas(root: Path) -> None:
    captures = pd.concat(
        [pd.read_json(file, lines=True, dtype=False) for file in sorted((root / "captures").rglob("*.jsonl"))]
    )
    captures["key"] = [metadata.get("inferenceId") or metadata["eventId"] for metadata in captures["eventMetadata"]]
    truth = pd.read_json(root / "truth/2026/11/22/10/0000.jsonl", lines=True, dtype=False)
    truth["key"] = [metadata["eventId"] for metadata in truth["eventMetadata"]]
    truth = truth.drop_duplicates("key", keep="last")[["key", "groundTruthData"]]
    merged = captures.merge(truth, on="key").drop(columns="key")
    merged.to_json(root / "pandas.jsonl", orient="records", lines=True)


def with_loads_alone(root: Path) -> None:
    for path in sorted((root / "captures").rglob("*.jsonl")):
        with path.open() as file:
            for line in file:
                json.loads(line)


def comparisons() -> Iterator[Comparison]:
    """A slow hour, a busy one, a very busy one."""
    for captures in (3_000, 30_000, 300_000):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write(root, captures, ids=captures // 10)
            own = best(lambda: with_engine(root))  # noqa: B023 - called at once
            for peer, work in (("pandas", with_pandas), ("json.loads of the captures alone", with_loads_alone)):
                yield Comparison(f"merge, {captures:,} captures", own, peer, best(lambda: work(root)))  # noqa: B023
