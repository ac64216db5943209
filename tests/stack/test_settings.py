"""The environment that Airflow's programs get: safe on a laptop, and not mixed with the caller's own."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from stack.settings import Folders, Secrets, environment


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def made(folders: Folders, aws_url: str | None = "http://127.0.0.1:5566", **inherited: str) -> dict[str, str]:
    keys = Secrets.load(folders.airflow / "secrets.json")
    return environment(folders, keys, ui_port=8080, aws_url=aws_url, inherited=inherited)


def test_secrets_are_random_usable_kept_and_private(folders: Folders, tmp_path: Path) -> None:
    file = folders.airflow / "secrets.json"
    keys = Secrets.load(file)
    assert Secrets.load(file) == keys
    assert Secrets.load(tmp_path / "other.json") != keys
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    Fernet(keys.fernet_key)


def test_everything_listens_and_calls_on_this_machine_only(folders: Folders) -> None:
    settings = made(folders)
    assert settings["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert settings["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8080/execution/"
    assert "127.0.0.1" in made(folders, NO_PROXY="example.org")["NO_PROXY"].split(",")


def test_parallelism_is_capped_and_no_examples_are_loaded(folders: Folders) -> None:
    settings = made(folders)
    assert int(settings["AIRFLOW__CORE__PARALLELISM"]) <= 8
    assert settings["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"


def test_the_connection_points_at_the_embedded_aws(folders: Folders) -> None:
    connection = json.loads(made(folders)["AIRFLOW_CONN_AWS_DEFAULT"])
    assert connection["conn_type"] == "aws"
    assert connection["extra"]["endpoint_url"] == "http://127.0.0.1:5566"


def test_with_the_embedded_aws_no_credentials_of_the_caller_are_used(folders: Folders) -> None:
    settings = made(folders, AWS_PROFILE="production", AIRFLOW_CONN_AWS_DEFAULT="aws://AKIA:secret@/")
    assert "AWS_PROFILE" not in settings
    assert "AKIA" not in settings["AIRFLOW_CONN_AWS_DEFAULT"]


def test_without_it_the_callers_connection_and_credentials_are_used(folders: Folders) -> None:
    settings = made(folders, None, AWS_PROFILE="production", AIRFLOW_CONN_AWS_DEFAULT="aws://?region_name=eu-west-1")
    assert settings["AWS_PROFILE"] == "production"
    assert settings["AIRFLOW_CONN_AWS_DEFAULT"] == "aws://?region_name=eu-west-1"


def test_the_callers_own_airflow_settings_stay_out(folders: Folders) -> None:
    settings = made(folders, AIRFLOW_HOME="/home/me/airflow", AIRFLOW__CORE__EXECUTOR="CeleryExecutor", LANG="C.UTF-8")
    assert settings["AIRFLOW_HOME"] == str(folders.airflow)
    assert settings["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert settings["LANG"] == "C.UTF-8"
