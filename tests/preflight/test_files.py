"""Definitions against their files: what fits is fine, and each mistake is a finding that says where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import xgboost

from model_monitor.config import MonitoredEndpoint
from model_monitor.preflight.findings import Finding
from model_monitor.preflight.run import run
from tests.monitored import monitored_endpoint, write_files
from tests.running_aws import tar_gz


def found(endpoint: MonitoredEndpoint, check: str | None = None) -> list[Finding]:
    """What the checks on this machine find; those of one check, unless all are asked for."""
    return [finding for finding in run(endpoint, None) if check in (None, finding.check)]


def only(endpoint: MonitoredEndpoint, check: str) -> Finding:
    (finding,) = found(endpoint, check)
    return finding


@pytest.fixture
def own(tmp_path: Path, model_archive: bytes) -> Path:
    """Files that a test may spoil."""
    write_files(tmp_path, model_archive)
    return tmp_path


def bias(**changes: Any) -> dict[str, Any]:
    return {"bias": {"facets": [{"name": "Age", "values_or_threshold": [0]}], "probability_threshold": 0.8} | changes}


def test_a_definition_that_fits_has_nothing_but_good_findings(files: Path) -> None:
    findings = found(monitored_endpoint(files, "bucket"))
    assert {finding.level for finding in findings} == {"ok"}
    assert {finding.check for finding in findings} >= {
        *("data set", "label values", "facet", "test inputs", "SHAP baseline", "model archive"),
        *("ground truth", "schedule", "windows"),
    }


@pytest.mark.parametrize(
    ("changes", "check", "level", "what"),
    [
        ({"data": {"label": "Gone"}}, "data set", "error", "There is no column 'Gone'"),
        ({"data": {"validation": "/none.csv"}}, "data set", "error", "/none.csv"),
        (bias(label_values_or_threshold=["yes"]), "label values", "error", "'yes'"),
        (bias(label_values_or_threshold=[2]), "label values", "error", "2 never occurs"),
        (bias(facets=[{"name": "Hair"}]), "facet", "error", "no such model input"),
        (bias(facets=[{"name": "Age"}]), "facet", "error", "there is no threshold"),
        (bias(facets=[{"name": "Age", "values_or_threshold": [99]}]), "facet", "error", "nobody belongs"),
        (bias(facets=[{"name": "Age", "values_or_threshold": [98, 99]}]), "facet", "error", "98 never occurs"),
        (bias(facets=[{"name": "Age", "values_or_threshold": [1.4]}]), "facet", "warning", "all have the same label"),
        (bias(group_variable="Hair"), "group variable", "error", "no model input 'Hair'"),
        (bias(probability_threshold=1), "threshold", "warning", "on one side"),
        ({"explainability": {"baseline": {"rows": [[1, 2, 3]]}}}, "SHAP baseline", "error", "3 values"),
        ({"model": {"archive": "/none.tar.gz"}}, "model archive", "error", "/none.tar.gz"),
        ({"ground_truth": {"source": "model_monitor.labels.rnd"}}, "ground truth", "error", "random_labels"),
        ({"ground_truth": {"source": "tests.preflight.test_files.in_words"}}, "ground truth", "error", "'leaves'"),
        ({"ground_truth": {"source": "tests.preflight.test_files.none_yet"}}, "ground truth", "warning", "no label"),
        ({"ground_truth": {"source": "tests.preflight.test_files.broken"}}, "ground truth", "error", "ZeroDivision"),
        (
            {"monitoring": {"start_time_offset": "-PT1H", "end_time_offset": "-PT2H"}},
            *("schedule", "error", "is not before end_time_offset"),
        ),
        ({"monitoring": {"cron": "cron(0 6 ? * * *)"}}, "windows", "warning", "23:00:00 that no window covers"),
        ({"monitoring": {"start_time_offset": "-PT2H"}}, "windows", "warning", "share 1:00:00"),
        ({"windows": {"schedule": "0 * * * *", "end_offset": "PT1H"}}, "windows", "error", "after they are judged"),
    ],
)
def test_a_mistake_is_found(files: Path, changes: dict[str, Any], check: str, level: str, what: str) -> None:
    fitting = monitored_endpoint(files, "bucket")
    merged = {key: fitting.model_dump()[key] | value for key, value in changes.items() if key != "bias"}
    finding = only(monitored_endpoint(files, "bucket", **{**changes, **merged}), check)
    assert (finding.level, what in finding.what) == (level, True), finding


def test_alarms_watch_what_is_there(files: Path) -> None:
    facets = [{"name": "Age", "values_or_threshold": [0]}, {"name": "Visits"}]
    alarms = {
        "bias": [
            {"metric": "DPPL", "facet": "Age", "below": 0},
            {"metric": "DPPL", "facet": "Visits", "group": "never", "below": 0},
        ],
        "explainability": [{"feature": "Age", "below": 0}, {"feature": "Agee", "below": 0}],
    }
    findings = found(monitored_endpoint(files, "bucket", alarms=alarms, **bias(facets=facets)), "alarms")
    assert [(finding.level, finding.where) for finding in findings] == [
        ("ok", "alarms.bias.0"),
        ("warning", "alarms.bias.1.group"),
        ("ok", "alarms.explainability.0"),
        ("error", "alarms.explainability.1.feature"),
    ]
    assert "Age, Income, Visits, Calls" in findings[3].fix


def test_alarms_on_daily_windows_come_late(files: Path) -> None:
    daily = {"cron": "cron(0 6 ? * * *)", "start_time_offset": "-P1D"}
    alarms = {"bias": [{"metric": "DPPL", "below": 0}]}
    findings = found(monitored_endpoint(files, "bucket", alarms=alarms, monitoring=daily), "alarms")
    assert [(finding.level, finding.where) for finding in findings] == [("warning", "alarms"), ("ok", "alarms.bias.0")]


def test_one_mistake_hides_no_other(files: Path) -> None:
    endpoint = monitored_endpoint(
        files,
        "bucket",
        ground_truth={"source": "model_monitor.labels.rnd"},
        **bias(label_values_or_threshold=[2], facets=[{"name": "Hair"}, {"name": "Age"}]),
    )
    errors = [finding.check for finding in found(endpoint) if finding.level == "error"]
    assert errors == ["label values", "facet", "facet", "ground truth"]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"], ids=["none", "empty", "not text"])
def test_a_data_set_that_cannot_be_read_is_told_once(own: Path, content: bytes | None) -> None:
    (own / "validation.csv").unlink()
    if content is not None:
        (own / "validation.csv").write_bytes(content)
    findings = found(monitored_endpoint(own, "bucket"))
    (finding,) = [finding for finding in findings if finding.level != "ok"]
    assert (finding.check, finding.level) == ("data set", "error")
    assert str(own / "validation.csv") in finding.what
    left_out = [finding.check for finding in findings if "not checked" in finding.what]
    assert {"label values", "facet", "test inputs", "ground truth"} <= set(left_out)


def test_a_label_left_in_the_test_inputs_is_found_with_its_line(own: Path) -> None:
    (own / "test.csv").write_text("1,2,3,4\n1,1,2,3,4\n")
    finding = only(monitored_endpoint(own, "bucket"), "test inputs")
    assert (finding.level, "line 2 has 5 values" in finding.what, "'Left'" in finding.fix) == ("error", True, True)


@pytest.mark.parametrize(
    ("header", "what"), [("Age,Income,Visits,Calls", "'Age'"), ("0,0.1,0.2,0.3", "0.1, 0.2, 0.3: pandas")]
)
def test_a_header_left_in_the_test_inputs_is_found(own: Path, header: str, what: str) -> None:
    (own / "test.csv").write_text(f"{header}\n1,2,3,4\n")
    endpoint = monitored_endpoint(own, "bucket", explainability={"baseline": {"rows": [[0, 0, 0, 0]]}})
    finding = only(endpoint, "test inputs")
    assert (finding.level, what in finding.what) == ("warning", True)


def test_a_model_of_other_inputs_is_found_whatever_its_format(own: Path, booster: xgboost.Booster) -> None:
    for form in ("json", "ubj"):
        (own / "model.tar.gz").write_bytes(tar_gz({"xgboost-model": bytes(booster.save_raw(form))}))
        assert only(monitored_endpoint(own, "bucket"), "model archive").level == "ok"
    lines = (own / "validation.csv").read_text().splitlines()
    (own / "validation.csv").write_text(
        "\n".join(f"{line},{number if number else 'More'}" for number, line in enumerate(lines))
    )
    finding = only(monitored_endpoint(own, "bucket"), "model archive")
    assert finding.level == "error"
    assert "takes 4 inputs, and the validation data set has 5" in finding.what


def test_a_pickled_model_is_not_opened(own: Path) -> None:
    (own / "model.tar.gz").write_bytes(tar_gz({"xgboost-model": b"\x80\x04cposix\nsystem\n"}))
    finding = only(monitored_endpoint(own, "bucket"), "model archive")
    assert (finding.level, "not checked" in finding.what) == ("ok", True)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"no archive", "tar.gz"),
        (tar_gz({"model.json": b"{}"}), "it holds model.json"),
        (tar_gz({"xgboost-model": json.dumps({"learner": {}}).encode()}), "no Booster in JSON"),
        (tar_gz({"xgboost-model": b"{L\0\0"}), "no Booster in UBJSON"),
    ],
)
def test_an_archive_without_a_model_is_an_error(own: Path, content: bytes, what: str) -> None:
    (own / "model.tar.gz").write_bytes(content)
    finding = only(monitored_endpoint(own, "bucket"), "model archive")
    assert (finding.level, what in finding.what) == ("error", True), finding


def test_json_lines_are_checked_as_csv_is(own: Path) -> None:
    rows = [{"features": [age, 1.5, 2, 3], "left": int(age > 3)} for age in (1.5, 2.5, 3.5, 4.5)]
    rows += [{"features": [1.2, 1.5, 2, 3], "left": 1}, {"features": [4.2, 1.5, 2, 3], "left": 0}]
    (own / "validation.jsonl").write_text("\n".join(map(json.dumps, rows * 10)))
    (own / "test.jsonl").write_text('{"features": [1, 2, 3, 4]}\n{"features": [1, 2, 3]}\n')
    endpoint = monitored_endpoint(
        own,
        "bucket",
        data={
            "validation": str(own / "validation.jsonl"),
            "test": str(own / "test.jsonl"),
            "dataset_type": "application/jsonlines",
            "features": "features",
            "label": "left",
            "headers": ["Age", "Income", "Visits", "Calls", "Left"],
        },
        endpoint={
            "payloads": {
                "content_type": "application/jsonlines",
                "content_template": '{"features":$features}',
                "probability": "score",
            },
            "data_capture": {"json_content_types": ["application/jsonlines"]},
        },
        explainability={"baseline": {"rows": [[0, 0, 0, 0]]}},
        **bias(facets=[{"name": "Age", "values_or_threshold": [3]}]),
    )
    levels = {finding.check: finding.level for finding in found(endpoint)}
    assert levels["data set"] == levels["label values"] == levels["facet"] == levels["SHAP baseline"] == "ok"
    finding = only(endpoint, "test inputs")
    assert (finding.level, "line 2 has 3 values" in finding.what) == ("error", True)


def in_words(inference_ids: list[str]) -> dict[str, str]:
    """Labels that the data set does not have."""
    return dict.fromkeys(inference_ids, "leaves")


def none_yet(inference_ids: list[str]) -> dict[str, str]:
    """Labels that are not known yet."""
    return {}


def broken(inference_ids: list[str]) -> dict[str, str]:
    """A source with a mistake of its own."""
    return {inference_ids[0]: str(1 / 0)}
