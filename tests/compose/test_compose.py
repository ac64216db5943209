"""docker-compose.yaml is a valid Compose file, holds every setting that the code needs, and no secret.

`compose_spec.json` is the Compose Specification's own schema (Apache License 2.0), as in docker-compose 1.29.2.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stack.compose_env import compose_env
from stack.settings import PROJECT, Folders, Secrets, environment

TEXT = (PROJECT / "docker-compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
AIRFLOW = [name for name in SERVICES if name.startswith("airflow-")]

# Settings of the single-machine stack that mean nothing, or something else, with Celery, Postgres and containers.
ONLY_ON_ONE_MACHINE = {
    "AIRFLOW_HOME",  # the image's own
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__PLUGINS_FOLDER",
    "AIRFLOW__CORE__PARALLELISM",  # of LocalExecutor; here it is Celery's concurrency
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__CORE__HOSTNAME_CALLABLE",
    "AIRFLOW__API__HOST",
    "AIRFLOW__API__PORT",
    "AIRFLOW__API__WORKERS",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
    "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY",
    "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG",
}


def test_it_is_valid() -> None:
    schema = json.loads(Path(__file__).with_name("compose_spec.json").read_text())
    jsonschema.Draft201909Validator(schema).validate(COMPOSE)


def test_every_part_is_there() -> None:
    assert set(SERVICES) == {
        "postgres",
        "redis",
        "local-aws",
        "airflow-init",
        "airflow-apiserver",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-worker",
        "airflow-triggerer",
    }


@pytest.mark.parametrize("service", AIRFLOW)
def test_airflow_services_have_every_setting_of_the_stack(service: str, tmp_path: Path) -> None:
    keys = Secrets.load(tmp_path / "secrets.json")
    stack = environment(Folders(tmp_path), keys, ui_port=8080, aws_url="http://127.0.0.1:5566", inherited={})
    needed = {name for name in stack if name.startswith("AIRFLOW")} - ONLY_ON_ONE_MACHINE
    assert needed <= SERVICES[service]["environment"].keys()


@pytest.mark.parametrize("service", [*AIRFLOW, "local-aws"])
def test_code_is_mounted_where_python_looks_for_it(service: str) -> None:
    targets = {mount.split(":")[1]: mount.split(":")[0] for mount in SERVICES[service]["volumes"]}
    for folder in SERVICES[service]["environment"]["PYTHONPATH"].split(":"):
        assert targets[folder] == f"./{folder.removeprefix('/opt/airflow/')}"
    if service != "local-aws":
        assert targets["/opt/airflow/dags"] == "./dags"
        assert targets["/opt/airflow/.local/demo"] == "./.local/demo"


def test_all_components_share_the_keys_they_must_share() -> None:
    for setting in ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY"):
        assert len({SERVICES[service]["environment"][setting] for service in AIRFLOW}) == 1


def test_required_variables_are_the_generated_ones_and_have_no_default() -> None:
    variables = re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", TEXT)
    generated = {line.partition("=")[0] for line in compose_env().splitlines()}
    required = {name for name, rest in variables if rest.startswith(":?")}
    assert required == generated
    assert {name for name, rest in variables if not rest.startswith(":?")} == {"AIRFLOW_CONN_AWS_DEFAULT"}


def test_no_secret_is_written_down() -> None:
    secret = re.compile(r"(PASSWORD|SECRET|_KEY|AUTH)$")
    for name, service in SERVICES.items():
        for setting, value in (service.get("environment") or {}).items():
            if secret.search(setting):
                assert str(value).startswith("${"), f"{name}: {setting}"


def test_only_the_api_server_is_reachable_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"airflow-apiserver": ["127.0.0.1:8080:8080"]}


def test_the_embedded_aws_lives_on_the_private_network_with_a_volume() -> None:
    assert COMPOSE["networks"]["private"] == {"internal": True}
    for service in ("local-aws", "postgres", "redis"):
        assert SERVICES[service]["networks"] == ["private"]
    assert "local-aws-data:/var/lib/local-aws" in SERVICES["local-aws"]["volumes"]
    assert "local-aws-data" in COMPOSE["volumes"]
    for service in AIRFLOW:
        if service != "airflow-init":
            assert "private" in SERVICES[service]["networks"]


def test_the_default_connection_is_the_embedded_aws() -> None:
    from airflow.sdk.definitions.connection import Connection

    value = SERVICES["airflow-worker"]["environment"]["AIRFLOW_CONN_AWS_DEFAULT"]
    default = re.fullmatch(r"\$\{AIRFLOW_CONN_AWS_DEFAULT:-(.*)\}", value)
    assert default is not None
    connection = Connection.from_uri(default.group(1), conn_id="aws_default")
    assert connection.extra_dejson["endpoint_url"] == "http://local-aws:5566"


def test_the_image_is_pinned_to_the_airflow_that_is_tested() -> None:
    base = re.search(r"^FROM apache/airflow:([\d.]+)-python3\.11$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert base is not None
    assert f"\napache-airflow=={base.group(1)}\n" in (PROJECT / "requirements.txt").read_text()
    assert all(
        service["image"] == "model-monitor" for name, service in SERVICES.items() if name in {*AIRFLOW, "local-aws"}
    )
