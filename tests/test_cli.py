"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from model_monitor import names
from model_monitor.cli import main
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.status import Status, statuses, table
from tests.monitored import monitored_endpoint
from tests.running_aws import Running, make_bucket

PROJECT = Path(__file__).resolve().parents[1]


def write(folder: Path, endpoint: MonitoredEndpoint, **changes: object) -> Path:
    """The endpoint's YAML, with a section of it changed."""
    file = folder / f"{endpoint.name}.yaml"
    file.write_text(yaml.safe_dump({**endpoint.model_dump(mode="json", exclude_none=True), **changes}))
    return file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of endpoints."""
    monkeypatch.setenv("MODEL_MONITOR_ENDPOINTS", str(tmp_path))
    return tmp_path


def test_a_written_definition_is_the_endpoint_again(folder: Path, files: Path) -> None:
    endpoint = monitored_endpoint(files, "bucket")
    assert load_endpoint(write(folder, endpoint)) == endpoint


def test_check_tells_every_finding_and_its_fix(
    folder: Path, files: Path, aws: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = monitored_endpoint(files, make_bucket(aws))
    assert main(["check", str(write(folder, endpoint))]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{endpoint.name}, ")
    assert "warning  captures" in said
    assert f"-> Run `{endpoint.name}.deploy`" in said
    assert "\n0 errors, " in said


def test_check_goes_on_after_an_error_and_a_broken_file(
    folder: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = write(folder, monitored_endpoint(files, "bucket", "wrong", bias={"facets": [{"name": "Hair"}]}))
    broken = write(folder, monitored_endpoint(files, "bucket", "broken"), nmae="oops")
    fine = write(folder, monitored_endpoint(files, "bucket", "fine"))
    assert main(["check", "--offline", str(broken), str(wrong), str(fine)]) == 1
    said = capsys.readouterr().out
    assert "broken.yaml: nmae: unknown key" in said
    assert "bias.facets: Hair: no such model input" in said
    assert said.index("fine, ") > said.index("wrong, ") > said.index("nmae")
    assert "\n2 errors, 0 warnings, " in said


@pytest.mark.parametrize("arguments", [[], ["check"], ["check", "none.yaml"], ["start"]])
def test_unusable_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m model_monitor" in capsys.readouterr().err


def test_an_endpoint_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "nobody"]) == 2
    assert "No endpoint nobody" in capsys.readouterr().err


def test_status_lists_broken_files_and_shows_the_others(
    folder: Path, files: Path, aws: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, monitored_endpoint(files, make_bucket(aws), "fine"))
    write(folder, monitored_endpoint(files, "bucket", "broken"), nmae="oops")
    assert main(["status"]) == 1
    said = capsys.readouterr()
    assert "broken.yaml: nmae: unknown key" in said.err
    assert [line.split()[0] for line in said.out.splitlines()[2:]] == ["fine"]


def test_nothing_but_the_answer_is_on_stdout(folder: Path, files: Path, aws: Running) -> None:
    write(folder, monitored_endpoint(files, make_bucket(aws), "fine"))
    environment = os.environ | {"PYTHONPATH": f"{PROJECT / 'plugins'}{os.pathsep}{PROJECT / 'include'}"}
    environment.pop("AIRFLOW__CORE__UNIT_TEST_MODE")
    command = [sys.executable, "-m", "model_monitor", "status", "fine"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    header, _, line = ran.stdout.splitlines()
    assert header.split()[0] == "endpoint"
    assert "fine.traffic" in line


def put(aws: Running, uri: str, text: str = "{}") -> None:
    bucket, key = names.split_s3(uri)
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())


def test_status_of_an_endpoint_that_has_everything(aws: Running, endpoint: MonitoredEndpoint) -> None:
    captures = f"{names.captures(endpoint)}/AllTraffic"
    for file in ("2026/11/21/23/a", "2026/11/22/09/a", "2026/11/22/10/a", "2026/11/22/10/b"):
        put(aws, f"{captures}/{file}.jsonl")
    put(aws, f"{names.ground_truth(endpoint)}/2026/11/22/10/0000.jsonl")
    for kind in names.KINDS:
        put(aws, names.baseline_constraints(endpoint, kind))
        put(aws, f"{names.report_folder(endpoint, kind, '2026/11/22/11')}/analysis.json")
    violations = f"{names.report_folder(endpoint, 'bias', '2026/11/22/11')}/constraint_violations.json"
    put(aws, violations, json.dumps({"violations": [{}, {}]}))
    (status,) = statuses([endpoint])
    assert status == Status(
        name=endpoint.name,
        traffic="2026/11/22/10",
        files=2,
        labels="2026/11/22/10",
        baselines=["bias", "explainability"],
        verdicts={"bias": "2026/11/22/11: 2 violations", "explainability": "2026/11/22/11: ok"},
        missing=[],
    )


@pytest.mark.parametrize("spoilt", ["{", "[]", '{"violations": 2}'])
def test_a_verdict_that_cannot_be_read_is_told_beside_the_others(
    aws: Running, endpoint: MonitoredEndpoint, spoilt: str
) -> None:
    for kind in names.KINDS:
        put(aws, f"{names.report_folder(endpoint, kind, '2026/11/22/11')}/analysis.json")
    put(aws, f"{names.report_folder(endpoint, 'bias', '2026/11/22/11')}/constraint_violations.json", spoilt)
    (status,) = statuses([endpoint])
    assert status.verdicts == {
        "bias": "2026/11/22/11: constraint_violations.json cannot be read",
        "explainability": "2026/11/22/11: ok",
    }


def test_status_names_the_dag_that_makes_what_is_missing(aws: Running, endpoint: MonitoredEndpoint) -> None:
    (status,) = statuses([endpoint])
    name = endpoint.name
    assert status.missing == [
        f"no traffic: {name}.deploy, {name}.traffic",
        f"no labels: {name}.ground_truth",
        f"no baseline: {name}.deploy",
        f"no bias verdict: {name}.windows or {name}.monitor",
        f"no explainability verdict: {name}.windows or {name}.monitor",
    ]


def test_an_account_that_cannot_be_read_spoils_its_own_line_only(
    aws: Running, endpoint: MonitoredEndpoint, files: Path
) -> None:
    found = statuses([monitored_endpoint(files, "no-such-bucket", "absent"), endpoint])
    assert [status.name for status in found] == ["absent", endpoint.name]
    (missing,) = found[0].missing
    assert missing.startswith("s3://no-such-bucket: ")
    assert "absent.preflight" in missing
    assert table(found).splitlines()[2].endswith("absent.preflight says more")
