"""The model of the YAML's archive, or the one that was approved in its place, on a real S3."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from model_monitor import names, requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from model_monitor.hooks.s3 import StorageHook
from model_monitor.model_in_force import ApprovedModel, approved_model, model_in_force, put_in_force
from tests.monitored import monitored_endpoint, write_files
from tests.running_aws import Running, make_bucket

APPROVED = "0123456789ab"


@pytest.fixture
def endpoint(aws: Running, tmp_path: Path, model_archive: bytes) -> MonitoredEndpoint:
    """An endpoint whose files are the test's own."""
    write_files(tmp_path, model_archive)
    return monitored_endpoint(tmp_path, make_bucket(aws))


@pytest.fixture
def approved(endpoint: MonitoredEndpoint) -> ApprovedModel:
    """A model that was approved in the place of the YAML's archive."""
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    given = ApprovedModel(APPROVED, sources.archive(endpoint), "ann", moment)
    put_in_force(endpoint, StorageHook(), given)
    return given


def test_without_approval_the_yaml_s_archive_is_in_force(endpoint: MonitoredEndpoint) -> None:
    found = model_in_force(endpoint, StorageHook())
    own = sources.archive(endpoint)
    assert (found.archive, found.name, found.approved) == (own, requests.model_name(endpoint, own), None)
    assert str(found).endswith("of the YAML's archive")


def test_an_approved_model_is_in_force(endpoint: MonitoredEndpoint, approved: ApprovedModel) -> None:
    found = model_in_force(endpoint, StorageHook())
    assert (found.archive, found.name) == (APPROVED, requests.model_name(endpoint, APPROVED))
    assert found.approved == approved
    assert "approved by ann at 2026-11-22T10:00:00+00:00" in str(found)


def test_a_changed_archive_in_the_yaml_wins(
    endpoint: MonitoredEndpoint, approved: ApprovedModel, tmp_path: Path
) -> None:
    before = (tmp_path / "model.tar.gz").read_bytes()
    (tmp_path / "model.tar.gz").write_bytes(b"another archive")
    assert model_in_force(endpoint, StorageHook()).archive == sources.archive(endpoint)
    (tmp_path / "model.tar.gz").write_bytes(before)
    assert model_in_force(endpoint, StorageHook()).archive == APPROVED


def test_the_model_approved_last_is_in_force(endpoint: MonitoredEndpoint, approved: ApprovedModel) -> None:
    put_in_force(endpoint, StorageHook(), replace(approved, archive="ba9876543210"))
    assert model_in_force(endpoint, StorageHook()).archive == "ba9876543210"


@pytest.mark.parametrize(
    "spoilt", ["{", "[]", "{}", '{"archive": "1", "supersedes": "2", "approved_by": "a", "at": 3}']
)
def test_an_approval_that_cannot_be_read_is_named(endpoint: MonitoredEndpoint, spoilt: str) -> None:
    StorageHook().put(names.approved_model(endpoint), spoilt)
    with pytest.raises(InputError, match=r"retraining/approved.json: does not say which model was approved"):
        approved_model(endpoint, StorageHook())
