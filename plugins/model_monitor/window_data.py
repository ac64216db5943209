"""The records of a window: which objects hold them, fetched to this machine, and why there are none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from model_monitor import names, windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.durations import duration
from model_monitor.errors import InputError
from model_monitor.hooks.s3 import StorageHook
from model_monitor.windows import Window

if TYPE_CHECKING:
    from model_monitor.analysis.merge import MergeSummary

DOWNLOADS = 8


@dataclass(frozen=True)
class Found:
    """An object of records: its address, its path below the folder of all such records, its size and its hour."""

    uri: str
    path: str
    size: int
    hour: datetime


def captures(storage: StorageHook, endpoint: MonitoredEndpoint, window: Window) -> list[Found]:
    """The capture files of every variant in the window's hours."""
    root = names.data_capture(endpoint)
    folders = [f"{endpoint.name}/{variant}" for variant in storage.folders(names.captures(endpoint))]
    return [found for folder in folders for found in _in_hours(storage, root, f"{folder}/", window.hours())]


def labels(storage: StorageHook, endpoint: MonitoredEndpoint, window: Window) -> list[Found]:
    """The ground truth collected in the window's hours and, as the service reads it, in the hour in which it ends.

    `windows.labels_until` adds the hours after it.
    """
    return list(_in_hours(storage, names.ground_truth(endpoint), "", label_hours(endpoint, window)))


def merged(storage: StorageHook, endpoint: MonitoredEndpoint, hours: Sequence[datetime]) -> list[Found]:
    """Captures of every variant merged with ground truth in these hours, which bias monitors leave; oldest first."""
    root = names.merged(endpoint)
    folders = [f"{endpoint.name}/{variant}" for variant in storage.folders(f"{root}/{endpoint.name}")]
    found = [one for folder in folders for one in _in_hours(storage, root, f"{folder}/", hours)]
    return sorted(found, key=lambda one: (one.hour, one.path))


def label_hours(endpoint: MonitoredEndpoint, window: Window) -> list[datetime]:
    """The hours in whose folders labels are looked for."""
    return list(names.hours(window.start, window.end + duration(endpoint.windows.labels_until)))


def _in_hours(storage: StorageHook, root: str, folder: str, hours: Iterable[datetime]) -> Iterator[Found]:
    for hour in hours:
        for one in storage.objects(f"{root}/{folder}{names.hour_path(hour)}/"):
            if not one.size or not one.uri.endswith(".jsonl"):
                continue
            path = one.uri.removeprefix(f"{root}/")
            if ".." in path.split("/"):
                raise InputError(f"{one.uri}: a key with '..' in it names no file here; rename or remove the object.")
            yield Found(one.uri, path, one.size, hour)


def fetch(storage: StorageHook, found: Sequence[Found], folder: Path) -> None:
    """Download objects into a folder, by their paths."""
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        list(pool.map(lambda one: storage.download(one.uri, folder / one.path), found))


def fetch_captures(storage: StorageHook, found: Sequence[Found], folder: Path, window: Window) -> None:
    """Download captures; of an hour that the window cuts, only the records inside it count.

    The lines of others are left empty, so that complaints name lines as they stand in S3.
    """
    fetch(storage, found, folder)
    for one in found:
        if not window.covers(one.hour):
            _keep_inside(folder / one.path, window)


def _keep_inside(file: Path, window: Window) -> None:
    cut = file.with_suffix(".cut")
    kept = 0
    with file.open("rb") as lines, cut.open("wb") as target:
        for line in lines:
            inside = bool(line.strip()) and _is_inside(line, window)
            kept += inside
            target.write(line if inside else b"\n")
    file.unlink()
    if kept:
        cut.rename(file)
    else:
        cut.unlink()


def _is_inside(line: bytes, window: Window) -> bool:
    """Whether a record belongs to the window; one without a legible time is left to the analysis."""
    try:
        time = datetime.fromisoformat(json.loads(line)["eventMetadata"]["inferenceTime"])
        return window.start <= time < window.end
    except (ValueError, KeyError, TypeError, RecursionError):
        return True


def why_empty(
    storage: StorageHook,
    endpoint: MonitoredEndpoint,
    window: Window,
    captured: Sequence[Found],
    labelled: Sequence[Found] | None,
    merged: MergeSummary | None = None,
) -> str:
    """What there is of a window that cannot be judged, and where; `labelled` is None where no labels are needed."""
    lines = [
        f"Nothing to judge in {window} of {endpoint.name}.",
        f"The window: due {windows.shown(window.scheduled)}, {_rule(endpoint, window)}; the service's clock says "
        f"{windows.shown(storage.time(endpoint.bucket))}.",
        _files("Captures", captured, _capture_folders(endpoint, window)),
    ]
    if labelled is not None:
        folders = [names.ground_truth(endpoint, hour) for hour in label_hours(endpoint, window)]
        lines.append(_files("Ground truth", labelled, folders))
    if merged is not None:
        lines += _ids(merged)
    elif not captured:
        lines.append(f"{endpoint.name}.traffic makes captures; is the endpoint in service, and does it capture?")
    elif labelled is None:
        lines.append("No request in these files came between the window's start and end.")
    if labelled is not None and not labelled:
        lines.append(f"{endpoint.name}.ground_truth uploads labels; labels that come later: windows.labels_until.")
    return "\n".join(lines)


def _rule(endpoint: MonitoredEndpoint, window: Window) -> str:
    if not window.regular:
        return "asked for by hand"
    own, monitoring = endpoint.windows, endpoint.monitoring
    if own.schedule is None:
        return (
            f"{monitoring.cron} with start_time_offset {monitoring.start_time_offset} and end_time_offset "
            f"{monitoring.end_time_offset}"
        )
    return f"'{own.schedule}' with start_offset {own.start_offset} and end_offset {own.end_offset}"


def _capture_folders(endpoint: MonitoredEndpoint, window: Window) -> list[str]:
    return [names.captures(endpoint, hour) for hour in window.hours()]


def _files(what: str, found: Sequence[Found], folders: Sequence[str]) -> str:
    where = folders[0] if len(folders) == 1 else f"{folders[0]} to {folders[-1].removeprefix('s3://')}"
    return f"{what}: {len(found) or 'no'} file{'' if len(found) == 1 else 's'} in {where}"


def _ids(merged: MergeSummary) -> list[str]:
    lines = [
        f"{merged.captures} captured requests, {merged.captures_without_inference_id} of them without inference id; "
        f"{merged.ground_truths} ground-truth records for {merged.ground_truth_ids} ids.",
        f"Matched: {merged.matched_captures} requests and {merged.matched_ground_truth_ids} ids; "
        f"without a counterpart: {merged.unmatched_captures} requests and {merged.unmatched_ground_truth_ids} ids.",
    ]
    if merged.captures and merged.captures_without_inference_id == merged.captures:
        lines.append("Send an inference id with each request (InferenceId of InvokeEndpoint) to join labels by.")
    return lines
