"""Retraining's function, and the model in force, before anything depends on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_monitor import names, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.hooks.s3 import StorageHook
from model_monitor.model_in_force import ApprovedModel, put_in_force
from model_monitor.preflight.account import Account
from model_monitor.preflight.findings import Finding
from model_monitor.preflight.run import run
from model_monitor.windows import moment
from tests.monitored import monitored_endpoint
from tests.running_aws import Running


def offline(files: Path, **section: object) -> Finding:
    endpoint = monitored_endpoint(files, "bucket", retraining=section or None)
    (finding,) = run(endpoint, None, ["retraining"])
    return finding


def test_no_retraining_is_fine(files: Path) -> None:
    assert offline(files).what == "none configured"


def test_a_function_that_takes_its_arguments_is_fine(files: Path) -> None:
    finding = offline(files, function="demo.retrain.retrain", arguments={"training": "training.csv"})
    assert (finding.level, finding.where) == ("ok", "demo.retrain.retrain")


@pytest.mark.parametrize(
    ("function", "arguments", "complaint"),
    [
        ("demo.retrain.train_again", {}, "has no function 'train_again'"),
        ("demo.retrain.retrain", {"share": 1}, "retraining.arguments: demo.retrain.retrain"),
    ],
)
def test_a_function_that_cannot_be_called_is_an_error(
    files: Path, function: str, arguments: dict[str, object], complaint: str
) -> None:
    finding = offline(files, function=function, arguments=arguments)
    assert finding.level == "error"
    assert complaint in finding.what


def in_force(endpoint: MonitoredEndpoint) -> Finding:
    _, finding = run(endpoint, Account.of(endpoint), ["retraining"])
    assert finding.check == "model in force"
    return finding


def test_the_model_in_force_is_told(aws: Running, endpoint: MonitoredEndpoint) -> None:
    assert in_force(endpoint).what == "the YAML's archive"
    approved = ApprovedModel("0123456789ab", sources.archive(endpoint), "ann", moment("2026-11-22T10:00:00Z"))
    put_in_force(endpoint, StorageHook(), approved)
    missing = in_force(endpoint)
    assert (missing.level, missing.where) == ("error", names.model_archive(endpoint, "0123456789ab"))
    assert "retraining/approved.json" in missing.fix
    StorageHook().put(missing.where, "archive")
    assert in_force(endpoint).what.endswith("approved by ann at 2026-11-22T10:00:00+00:00")


def test_a_changed_archive_is_told(aws: Running, endpoint: MonitoredEndpoint) -> None:
    put_in_force(endpoint, StorageHook(), ApprovedModel("1", "another", "ann", moment("2026-11-22T10:00:00Z")))
    assert in_force(endpoint).what == "the YAML's archive, which has changed since a retrained model was approved"
