"""Captures joined with ground truth."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from model_monitor.analysis.merge import MergeSummary, merge, run
from model_monitor.errors import InputError

HOUR = "churn/AllTraffic/2026/11/22/10"


def capture(event_id: str, inference_id: str | None = None, data: str = "132,25", **metadata: Any) -> dict[str, Any]:
    ids = {"eventId": event_id} | ({"inferenceId": inference_id} if inference_id is not None else {})
    return {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": "CSV"
            },
            "endpointOutput": {
                "observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT", "data": "0.01", "encoding": "CSV"
            },
        },
        "eventMetadata": ids | {"inferenceTime": "2026-11-22T10:21:48Z"} | metadata,
        "eventVersion": "0",
    }  # fmt: skip


def truth(event_id: str, data: str = "1", encoding: str = "CSV") -> dict[str, Any]:
    return {
        "groundTruthData": {"data": data, "encoding": encoding},
        "eventMetadata": {"eventId": event_id},
        "eventVersion": "0",
    }


class Folders:
    """A merge job's folders."""

    def __init__(self, root: Path) -> None:
        self.dataset, self.ground_truth, self.output = root / "input_data", root / "groundtruth", root / "output"
        self.dataset.mkdir()
        self.ground_truth.mkdir()

    def captured(self, *records: dict[str, Any] | str, file: str = f"{HOUR}/20-48-871-a.jsonl") -> None:
        _write(self.dataset / file, records)

    def labelled(self, *records: dict[str, Any] | str, file: str = "2026/11/22/10/0000.jsonl") -> None:
        _write(self.ground_truth / file, records)

    def merge(self) -> MergeSummary:
        return merge(self.dataset, self.ground_truth, self.output)

    def merged(self, folder: str = HOUR) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines(folder)]

    def lines(self, folder: str = HOUR) -> list[str]:
        return [line for file in sorted((self.output / folder).glob("*")) for line in file.read_text().splitlines()]

    def labels(self, folder: str = HOUR) -> list[tuple[str, str]]:
        return [(r["eventMetadata"]["eventId"], r["groundTruthData"]["data"]) for r in self.merged(folder)]


def _write(file: Path, records: tuple[dict[str, Any] | str, ...]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [record if isinstance(record, str) else json.dumps(record, separators=(",", ":")) for record in records]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_a_merged_record_reads_as_published(folders: Folders) -> None:
    folders.captured(capture("f5ba0e1c", "0"))
    folders.labelled(truth("0"))

    summary = folders.merge()

    assert folders.lines() == [
        '{"eventVersion":"0","groundTruthData":{"data":"1","encoding":"CSV"},"captureData":{"endpointInput":{"data":"132,25",'
        '"encoding":"CSV","mode":"INPUT","observedContentType":"text/csv"},"endpointOutput":{"data":"0.01","encoding":"CSV",'
        '"mode":"OUTPUT","observedContentType":"text/csv; charset=utf-8"}},"eventMetadata":{"eventId":"f5ba0e1c",'
        '"inferenceId":"0","inferenceTime":"2026-11-22T10:21:48Z"}}'
    ]
    assert summary == MergeSummary(1, 0, 1, 1, 1, 1)


def test_files_lie_in_the_folder_of_the_captures_hour_under_sparks_name(folders: Folders) -> None:
    folders.captured(capture("a", "0"), file=f"{HOUR}/59-00-000-x.jsonl")
    folders.captured(capture("b", "0"), capture("c", "0"), file=f"{HOUR[:-2]}11/00-01-000-y.jsonl")
    folders.labelled(truth("0"), file="2026/11/22/11/0000.jsonl")

    folders.merge()

    files = [str(file.relative_to(folders.output)) for file in sorted(folders.output.rglob("*.jsonl"))]
    assert len(files) == 2
    assert re.fullmatch(HOUR + r"/part-00000-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.c000\.jsonl", files[0])
    assert folders.labels() == [("a", "1")]
    assert folders.labels(f"{HOUR[:-2]}11") == [("b", "1"), ("c", "1")]


def test_the_inference_id_is_the_key_and_the_event_id_where_there_is_none(folders: Folders) -> None:
    folders.captured(capture("a", "1"), capture("b"), capture("1", "z"), capture("c"))
    folders.labelled(truth("1", "by inference id"), truth("b", "by event id"))

    summary = folders.merge()

    assert folders.labels() == [("a", "by inference id"), ("b", "by event id")]
    assert summary.captures_without_inference_id == 2
    assert (summary.matched_captures, summary.unmatched_captures) == (2, 2)


def test_every_capture_of_a_repeated_id_is_kept_in_order(folders: Folders) -> None:
    folders.captured(*(capture(f"event {i}", str(i % 3)) for i in range(10)))
    folders.labelled(truth("0"), truth("2"), truth("77"))

    summary = folders.merge()

    assert [event for event, _ in folders.labels()] == [f"event {i}" for i in range(10) if i % 3 != 1]
    assert summary == MergeSummary(
        captures=10, captures_without_inference_id=0, ground_truths=3, ground_truth_ids=3, matched_captures=7,
        matched_ground_truth_ids=2,
    )  # fmt: skip
    assert summary.unmatched_ground_truth_ids == 1


def test_of_several_labels_for_one_id_the_last_in_the_last_file_wins(folders: Folders) -> None:
    folders.captured(capture("a", "0"), capture("b", "1"))
    folders.labelled(truth("0", "late"), file="2026/11/22/11/0000.jsonl")
    folders.labelled(truth("0", "early"), truth("1", "first"), truth("1", "second"), file="2026/11/22/10/0000.jsonl")

    summary = folders.merge()

    assert folders.labels() == [("a", "late"), ("b", "second")]
    assert (summary.ground_truths, summary.ground_truth_ids) == (4, 2)


def test_data_is_kept_as_it_is(folders: Folders) -> None:
    odd = 'zwölf,"a, b"\n{"x": null}\t\\'
    folders.captured(capture("a", "0", odd, customAttributes=["trace=1"], invocationSource="ShadowExperiment"))
    folders.labelled(truth("0", '{"label": 0}', "JSON"))

    folders.merge()

    (record,) = folders.merged()
    assert record["captureData"]["endpointInput"]["data"] == odd
    assert record["groundTruthData"] == {"data": '{"label": 0}', "encoding": "JSON"}
    assert record["eventMetadata"]["customAttributes"] == ["trace=1"]
    assert record["eventMetadata"]["invocationSource"] == "ShadowExperiment"


def test_what_a_capture_lacks_the_merged_record_lacks(folders: Folders) -> None:
    only_input = capture("a")
    del only_input["captureData"]["endpointOutput"]
    folders.captured(only_input)
    folders.labelled(truth("a"))

    folders.merge()

    (record,) = folders.merged()
    assert list(record["captureData"]) == ["endpointInput"]
    assert list(record["eventMetadata"]) == ["eventId", "inferenceTime"]


def test_merging_an_hour_again_replaces_its_file(folders: Folders) -> None:
    folders.captured(capture("a", "0"), capture("b", "1"))
    folders.labelled(truth("0"))
    folders.merge()
    folders.labelled(truth("1"), file="2026/11/22/11/0000.jsonl")

    folders.merge()

    assert folders.labels() == [("a", "1"), ("b", "1")]


@pytest.mark.parametrize(("captured", "labelled"), [(False, False), (True, False), (False, True), (True, True)])
def test_nothing_in_common_leaves_no_file_and_says_what_there_was(
    folders: Folders, captured: bool, labelled: bool
) -> None:
    if captured:
        folders.captured(capture("a"))
    if labelled:
        folders.labelled(truth("0"))

    summary = folders.merge()

    assert list(folders.output.rglob("*.jsonl")) == []
    assert (summary.captures, summary.ground_truths, summary.matched_captures) == (int(captured), int(labelled), 0)


def test_the_summary_explains_an_empty_window(folders: Folders) -> None:
    folders.captured(capture("a"), capture("b"))
    folders.labelled(truth("0"), truth("0"))

    assert str(folders.merge()) == (
        "0 of 2 captures matched (2 captures have no inference id); "
        "0 of 1 ground-truth ids matched (2 ground-truth records)"
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("hello", r"0001\.jsonl, line 3: not JSON .*: hello"),
        ('{"groundTruthData": {"data": "1"', r"0001\.jsonl, line 3: not JSON"),
        ('["1"]', r"0001\.jsonl, line 3: the record has no groundTruthData and no eventMetadata"),
        ('{"eventMetadata": {"eventId": "1"}}', r"0001\.jsonl, line 3: the record has no groundTruthData"),
        (json.dumps(truth("1", None)), r"0001\.jsonl, line 3: the record has no groundTruthData\.data"),  # type: ignore[arg-type]
        (json.dumps(truth(None)), r"0001\.jsonl, line 3: the record has no eventMetadata\.eventId"),  # type: ignore[arg-type]
    ],
)
def test_a_broken_ground_truth_line_is_named(folders: Folders, line: str, complaint: str) -> None:
    folders.captured(capture("a", "0"))
    folders.labelled(truth("0"), file="2026/11/22/10/0000.jsonl")
    folders.labelled(truth("1"), truth("2"), line, truth("3"), file="2026/11/22/10/0001.jsonl")

    with pytest.raises(InputError, match=complaint):
        folders.merge()


@pytest.mark.parametrize("line", ["hello", "{}"])
def test_a_broken_capture_line_is_named(folders: Folders, line: str) -> None:
    folders.captured(capture("a", "0"), line)
    folders.labelled(truth("0"))

    with pytest.raises(InputError, match=r"20-48-871-a\.jsonl, line 2: "):
        folders.merge()


ENVIRONMENT = {
    "dataset_source": "/opt/ml/processing/input_data",
    "ground_truth_source": "/opt/ml/processing/groundtruth",
    "output_path": "/opt/ml/processing/output",
}


def test_the_job_reads_and_writes_a_containers_folders(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    processing = tmp_path / "opt/ml/processing"
    processing.mkdir(parents=True)
    folders = Folders(processing)
    folders.captured(capture("a", "0"), capture("b"))
    folders.labelled(truth("0"))

    assert run(tmp_path, ENVIRONMENT) == 0

    assert folders.labels() == [("a", "1")]
    assert not (tmp_path / "opt/ml/output/message").exists()
    assert "1 of 2 captures matched (1 captures have no inference id)" in caplog.text


def test_the_job_says_which_setting_it_lacks(tmp_path: Path) -> None:
    assert run(tmp_path, {"dataset_source": "/captures"}) == 1

    message = (tmp_path / "opt/ml/output/message").read_text()
    assert message.startswith("Customer Error: The job's environment has no ground_truth_source, output_path")


def test_the_job_fails_with_the_broken_line_as_the_container_sees_it(tmp_path: Path) -> None:
    processing = tmp_path / "opt/ml/processing"
    processing.mkdir(parents=True)
    folders = Folders(processing)
    folders.captured(capture("a", "0"))
    folders.labelled("label=1")

    assert run(tmp_path, ENVIRONMENT) == 1

    assert (tmp_path / "opt/ml/output/message").read_text().startswith(
        "Customer Error: /opt/ml/processing/groundtruth/2026/11/22/10/0000.jsonl, line 1: not JSON"
    )  # fmt: skip


def test_want_of_memory_is_not_the_datas_fault(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: object) -> None:
        duckdb.connect(config={"memory_limit": "1MB", "max_temp_directory_size": "0MB"}).execute(
            "SELECT count(DISTINCT md5(range::VARCHAR)) FROM range(500000)"
        )

    monkeypatch.setattr("model_monitor.analysis.merge._merge", too_much)
    with pytest.raises(MemoryError, match="The merge needs more memory"):
        folders.merge()
