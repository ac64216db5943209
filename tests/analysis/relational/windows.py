"""Windows of captures and ground truth in every format, and what an engine makes of them."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.analysis.formats.csv_rows import csv_line
from model_monitor.analysis.relational.bias_window import BiasWindow, bias_window
from model_monitor.analysis.relational.engines import Engine

HOURS = ("loans/AllTraffic/2026/11/22/09", "loans/Challenger/2026/11/22/09", "loans/AllTraffic/2026/11/22/10")
HEADERS = ["Left", "Age", "Income", "Plan", "Visits"]
BIAS: dict[str, Any] = {
    "headers": HEADERS,
    "label": "Left",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Age", "value_or_threshold": [40]}],
    "probability_threshold": 0.5,
}

EVERY_ROW, NO_ROW = 10**9, 0
"""`flip_test_records` for which all are analysed record by record, or none."""

Row = list[Any]


@dataclass
class Window:
    """Requests, each of some rows with their scores and labels, and how they are to be analysed."""

    requests: list[tuple[list[Row], list[Any], list[Any]]]
    config: dict[str, Any] = field(default_factory=lambda: dict(BIAS))
    attributes: dict[str, str | None] = field(default_factory=dict)
    threshold: float | None = None
    write: Callable[[list[Row], list[Any], list[Any]], tuple[dict[str, Any], dict[str, Any]]] = field(
        default_factory=lambda: as_csv
    )

    def put(self, root: Path) -> None:
        """Write the files; some requests have no label, some labels no request, one label comes twice."""
        captures: dict[str, list[dict[str, Any]]] = {}
        truths: list[dict[str, Any]] = []
        for number, (rows, scores, labels) in enumerate(self.requests):
            sides, truth = self.write(rows, scores, labels)
            metadata = {"eventId": f"event-{number}", "inferenceTime": "2026-11-22T09:00:00Z"}
            if number % 7:
                metadata["inferenceId"] = str(number)
            capture = {"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}
            captures.setdefault(HOURS[number % len(HOURS)], []).append(capture)
            key = metadata.get("inferenceId", metadata["eventId"])
            if number % 11 != 3:
                truths.append(_truth(truth, key))
        truths += [_truth({"data": "1", "encoding": "CSV"}, "nobody's")]
        for hour, records in captures.items():
            for half in range(2):
                _write(root / "captures" / hour / f"0{half}-00-000-a.jsonl", records[half::2])
        _write(root / "truths/2026/11/22/09/0000.jsonl", [_truth({"data": "9", "encoding": "CSV"}, "1"), *truths])

    def analysed(self, root: Path, engine: Engine, flip_test_records: int, merged: str) -> BiasWindow:
        """What the engine makes of the window that `put` wrote."""
        config = parse_analysis_config(self.config)
        places = (root / "captures", root / "truths", root / merged)
        with engine:
            return bias_window(*places, config, self.attributes, self.threshold, engine, flip_test_records)


def merged_files(folder: Path) -> dict[str, bytes]:
    """Merged records by their files' names."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.jsonl"))}


def _truth(data: dict[str, Any], key: str) -> dict[str, Any]:
    return {"groundTruthData": data, "eventMetadata": {"eventId": key}, "eventVersion": "0"}


def _write(file: Path, records: list[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in records]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _side(mode: str, data: str, encoding: str = "CSV", content_type: str = "text/csv") -> dict[str, Any]:
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def _sides(given: str, answered: str, **how: str) -> dict[str, Any]:
    return {"endpointInput": _side("INPUT", given, **how), "endpointOutput": _side("OUTPUT", answered, **how)}


def _csv(rows: list[Row]) -> str:
    return "\n".join(map(csv_line, rows))


def as_csv(rows: list[Row], scores: list[Any], labels: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Requests and answers in CSV."""
    answers = "\n".join(",".join(map(str, score)) if isinstance(score, list) else str(score) for score in scores)
    return _sides(_csv(rows), answers), {"data": "\n".join(map(str, labels)), "encoding": "CSV"}


def as_base64(rows: list[Row], scores: list[Any], labels: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """CSV whose content type was not listed."""
    plain, truth = as_csv(rows, scores, labels)
    for side in plain.values():
        side |= {"data": base64.b64encode(side["data"].encode()).decode(), "encoding": "BASE64"}
    return plain, truth


def as_json(rows: list[Row], scores: list[Any], labels: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Requests and answers in JSON, with labels in CSV."""
    given = json.dumps({"instances": [{"features": row} for row in rows]}, ensure_ascii=False)
    answered = json.dumps({"predictions": [{"score": score, "label": int(score > 0.5)} for score in scores]})
    how = {"encoding": "JSON", "content_type": "application/json"}
    return _sides(given, answered, **how), {"data": "\n".join(map(str, labels)), "encoding": "CSV"}


def drawn(
    count: int, seed: int, age: Callable[[random.Random], Any], rows: int = 1, plans: Sequence[Any] = ("a", "b")
) -> Iterator[Any]:
    """Requests of some rows."""
    chance = random.Random(seed)
    for _ in range(count):
        inputs = [
            [age(chance), round(chance.gauss(3, 1), 3), chance.choice(plans), chance.randrange(5)] for _ in range(rows)
        ]
        yield inputs, [round(chance.random(), 4) for _ in inputs], [chance.randrange(2) for _ in inputs]


JSON_PLACES = {
    "features_attribute": "instances[*].features",
    "probability_attribute": "predictions[*].score",
}


def configured(**changes: Any) -> dict[str, Any]:
    return {**BIAS, **changes}


NO_THRESHOLD = {key: value for key, value in BIAS.items() if key != "probability_threshold"}


def facet(*values: Any, name: str = "Age") -> dict[str, Any]:
    return {"name_or_index": name, **({"value_or_threshold": list(values)} if values else {})}


def ages(low: int, high: int) -> Any:
    return lambda chance: chance.randrange(low, high)


def incomes(chance: Any) -> float:
    return round(chance.uniform(0, 80), 6)


WINDOWS = {
    "few whole numbers are categories": Window(list(drawn(300, 1, ages(38, 44)))),
    "many whole numbers are a quantity": Window(list(drawn(100, 2, ages(0, 90)))),
    "numbers with decimals": Window(list(drawn(200, 3, incomes))),
    "decimals and whole numbers, the threshold among them": Window(
        list(drawn(200, 4, lambda chance: chance.choice([40, 40.0, 39.5, 41, 77.125, "4e1", 12])))
    ),
    "missing values": Window(list(drawn(200, 5, lambda chance: chance.choice([38, 44, ""])))),
    "texts": Window(
        list(drawn(120, 6, lambda chance: chance.choice(["old", "young", 'a "b", c', "ünï☃"]))),
        configured(facet=[facet("old")]),
    ),
    "texts and numbers": Window(
        list(drawn(200, 7, lambda chance: chance.choice(["old", 40, 40.5, "young"]))), configured(facet=[facet(40.5)])
    ),
    "every value is a group": Window(
        list(drawn(120, 8, lambda chance: chance.choice(["old", "young", "none"]))), configured(facet=[facet()])
    ),
    "two facets and a group variable": Window(
        list(drawn(300, 9, incomes)),
        configured(facet=[facet(40), facet("a", name="Plan"), facet(2.5, name="Income")], group_variable="Visits"),
    ),
    "a facet that is the group variable too": Window(
        list(drawn(300, 10, ages(38, 44))), configured(group_variable="Age")
    ),
    "one facet asked about twice": Window(list(drawn(300, 11, incomes)), configured(facet=[facet(40), facet(20.5)])),
    "several listed values": Window(list(drawn(200, 12, ages(38, 44))), configured(facet=[facet(40, 41)])),
    "several rows in a request": Window(list(drawn(60, 13, ages(38, 44), rows=4))),
    "captured as BASE64": Window(list(drawn(100, 14, ages(38, 44))), write=as_base64),
    "a threshold of the monitor": Window(list(drawn(200, 15, ages(38, 44))), threshold=0.8),
    "no threshold": Window(
        list(drawn(200, 16, ages(38, 44))), NO_THRESHOLD
    ),
    "scores of two classes": Window(
        [(rows, [[s, 1 - s] for s in scores], labels) for rows, scores, labels in drawn(200, 17, ages(38, 44))]
    ),
    "labels in the place of scores": Window(
        [(rows, [int(s > 0.4) for s in scores], labels) for rows, scores, labels in drawn(300, 18, ages(38, 44))],
        attributes={"inference_attribute": "0"},
    ),
    "scores in the place of labels": Window(
        list(drawn(300, 19, ages(38, 44))), attributes={"inference_attribute": "0"}
    ),
    "labels that are a quantity": Window(
        [(rows, scores, [score * 1.5 for score in scores]) for rows, scores, _ in drawn(300, 20, ages(38, 44))],
        NO_THRESHOLD | {"label_values_or_threshold": [0.4]},
    ),
    "JSON": Window(list(drawn(200, 21, incomes, rows=2)), attributes=dict(JSON_PLACES), write=as_json),
    "JSON with labels and scores": Window(
        list(drawn(300, 22, lambda chance: chance.choice([38, 44, "007", None]))),
        configured(facet=[facet("007")]),
        attributes={**JSON_PLACES, "inference_attribute": "predictions[*].label"},
        write=as_json,
    ),
}  # fmt: skip
