"""What the endpoint has captured so far, and its labels: can both be read, and do they meet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from itertools import islice

from model_monitor import names, requests
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from model_monitor.newest import newest_folder
from model_monitor.preflight.account import Account
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok, warning
from model_monitor.preflight.ground_truth import ASKED, answers
from model_monitor.records import Capture, Payload, parse_capture

MOST_RECORDS = 500


def check_captures(definition: Definition, account: Account) -> Iterator[Finding]:
    """The newest file of captures: its records as an analysis reads them, against the model's inputs."""
    endpoint = definition.endpoint
    captures, file = newest_captures(endpoint, account)
    if not captures:
        yield _nothing_captured(endpoint)
        return
    width = len(definition.inputs)
    scores = []
    for number, capture in enumerate(captures, start=1):
        rows, answered = _read(endpoint, capture, f"{file}, record {number}")
        for row in rows:
            if len(row) != width:
                what = f"record {number} has {len(row)} values, the validation data set {width} model inputs"
                yield error("captures", file, what, "Send the model's inputs alone, in the data set's order.")
                return
        scores += answered
    yield ok("captures", file, f"{len(captures)} records of {width} values each, with their answers")
    yield from _ids(endpoint, captures, file)
    yield from _threshold(endpoint, scores, file)


def check_labels(definition: Definition, account: Account) -> Iterator[Finding]:
    """The newest captures' inference ids against the labels collected for their hour, and the next."""
    endpoint = definition.endpoint
    root = names.ground_truth(endpoint)
    captures, file = newest_captures(endpoint, account)
    ids = {capture.inference_id for capture in captures if capture.inference_id is not None}
    if not ids:
        yield ok("labels", root, "not checked, because no inference id was captured that they could be about")
        return
    if newest_folder(account.storage, root, account.storage.time(endpoint.bucket)) is None:
        yield warning("labels", root, "no labels yet, so bias cannot be judged", f"Run `{endpoint.name}.ground_truth`.")
        yield from answers(definition, sorted(ids)[:ASKED])
        return
    hour = max(capture.inference_time for capture in captures)
    folders = [names.ground_truth(endpoint, one) for one in (hour, hour + timedelta(hours=1))]
    files = [uri for folder in folders for uri in account.storage.list(f"{folder}/") if uri.endswith(".jsonl")]
    labelled = {inference_id for uri in files for inference_id in _labelled(account, uri)}
    if not labelled:
        what = f"no labels in {folders[0]}, the hour of the newest captures, or the next"
        yield warning("labels", root, what, f"Is `{endpoint.name}.ground_truth` switched on? Later labels may come.")
    elif ids & labelled:
        yield ok("labels", files[-1], f"{len(ids & labelled)} of {len(ids)} inference ids of {file} have a label")
    else:
        what = (
            f"none of {len(ids)} inference ids such as {min(ids)!r} in {file} is among {len(labelled)} such as "
            f"{min(labelled)!r}"
        )
        yield error("labels", files[-1], what, "Label by the InferenceId that the request was sent with.")


def newest_captures(endpoint: MonitoredEndpoint, account: Account) -> tuple[list[Capture], str]:
    """The first records of the newest file of captures, and its address."""
    storage = account.storage
    root = f"{names.captures(endpoint)}/{endpoint.endpoint.variant}"
    if not storage.bucket_exists(endpoint.bucket):
        return [], root
    folder = newest_folder(storage, root, storage.time(endpoint.bucket))
    files = [] if folder is None else [uri for uri in storage.list(f"{root}/{folder}/") if uri.endswith(".jsonl")]
    if not files:
        return [], root
    lines = islice(_lines(account, files[-1]), MOST_RECORDS)
    return [parse_capture(line, f"{files[-1]}:{number}") for number, line in lines], files[-1]


def _nothing_captured(endpoint: MonitoredEndpoint) -> Finding:
    where = names.captures(endpoint)
    if not endpoint.endpoint.data_capture.enabled:
        what = "no captures, and endpoint.data_capture.enabled is false"
        return error("captures", where, what, "Switch data capture on: monitors analyse what is captured.")
    fix = f"Run `{endpoint.name}.deploy`, and send traffic, as `{endpoint.name}.traffic` does."
    return warning("captures", where, "no captures yet, so nothing can be judged", fix)


def _read(endpoint: MonitoredEndpoint, capture: Capture, place: str) -> tuple[list[Sequence[object]], list[str]]:
    """The rows of a request, and the first score of each row's answer."""
    from model_monitor.analysis.formats.csv_rows import cells_of
    from model_monitor.analysis.payloads import Where, answer, check_encodings, input_rows

    if capture.input is None or capture.output is None:
        raise InputError(f"{place}: endpointInput or endpointOutput is missing; set data_capture.modes to both")
    attributes = requests.places(endpoint)
    where = Where(
        attributes.get("FeaturesAttribute"),
        attributes.get("InferenceAttribute"),
        attributes.get("ProbabilityAttribute"),
    )
    given, answered = _part(capture.input), _part(capture.output)
    check_encodings(given, answered, place)
    rows: list[Sequence[object]] = [
        next(iter(cells_of(row, place))) if isinstance(row, str) else row for row in input_rows(given, where, place)
    ]
    scores = answer(answered, where, len(rows), place).scores
    return rows, [values[0] for values in scores if len(values) == 1]


def _part(payload: Payload) -> dict[str, str]:
    part = {key: value for key, value in asdict(payload).items() if key != "content_type"}
    return part if payload.content_type is None else part | {"observedContentType": payload.content_type}


def _ids(endpoint: MonitoredEndpoint, captures: Sequence[Capture], file: str) -> Iterator[Finding]:
    without = sum(capture.inference_id is None for capture in captures)
    if without:
        what = f"{without} of {len(captures)} records have no inference id, so no label can be joined"
        yield warning("inference ids", file, what, "Send an InferenceId with each request.")
    else:
        yield ok("inference ids", file, f"all {len(captures)} records have one")


def _threshold(endpoint: MonitoredEndpoint, scores: Sequence[str], file: str) -> Iterator[Finding]:
    """The probability threshold against the scores seen."""
    try:
        numbers = [float(score) for score in scores]
    except ValueError:
        return
    if not numbers:
        return
    threshold = endpoint.bias.probability_threshold
    above = sum(number > (0.5 if threshold is None else threshold) for number in numbers)
    shown = f"{len(numbers)} scores between {min(numbers):.4g} and {max(numbers):.4g}, {above} of them above it"
    if above in (0, len(numbers)):
        fix = "If more captures look the same, choose a threshold between the scores of both outcomes."
        yield warning("threshold", "bias.probability_threshold", f"{shown}, in {file}", fix)
    else:
        yield ok("threshold", "bias.probability_threshold", f"{shown}, in {file}")


def _labelled(account: Account, uri: str) -> Iterator[str]:
    """The inference ids of a ground-truth file."""
    for number, line in _lines(account, uri):
        try:
            record = json.loads(line)
            inference_id, _ = record["eventMetadata"]["eventId"], record["groundTruthData"]["data"]
        except (ValueError, KeyError, TypeError) as problem:
            raise InputError(
                f"{uri}, line {number}: expected groundTruthData.data and eventMetadata.eventId ({problem!r}). "
                "Write ground truth with model_monitor.records."
            ) from problem
        yield str(inference_id)


def _lines(account: Account, uri: str) -> Iterator[tuple[int, str]]:
    """The lines of a JSON Lines file that hold something, each with its number."""
    try:
        content = (account.storage.read(uri) or b"").decode("utf-8")
    except UnicodeDecodeError as problem:
        raise InputError(
            f"{uri}: byte {problem.start + 1} is not UTF-8. It is no JSON Lines file; remove it."
        ) from problem
    return ((number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip())
