"""Where the stack keeps its state, its secrets, and the environment that its programs run in."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
USER = "admin"
CONNECTION = "AIRFLOW_CONN_AWS_DEFAULT"


@dataclass(frozen=True)
class Folders:
    """All state lies below one folder, `.local` unless told otherwise."""

    root: Path = PROJECT / ".local"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / "airflow"

    @property
    def airflow_db(self) -> Path:
        """Airflow's database."""
        return self.airflow / "airflow.db"

    @property
    def aws(self) -> Path:
        """The embedded AWS: its database, buckets and jobs."""
        return self.root / "aws"

    @property
    def logs(self) -> Path:
        """One log per program."""
        return self.root / "logs"

    @property
    def task_logs(self) -> Path:
        """Airflow's task logs."""
        return self.airflow / "logs"

    @property
    def reports(self) -> Path:
        """Copies of the monitors' reports, to be opened in a browser."""
        return self.root / "reports"

    @property
    def state(self) -> Path:
        """What is running: addresses and process ids."""
        return self.root / "stack.json"


@dataclass(frozen=True)
class Secrets:
    """Generated on the first start, kept in a file that only its owner can read."""

    fernet_key: str
    jwt_secret: str
    api_secret_key: str
    password: str

    @classmethod
    def load(cls, file: Path) -> Secrets:
        """Read the secrets, or make them if there are none yet."""
        if file.exists():
            return cls(**json.loads(file.read_text()))
        made = cls(
            fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            jwt_secret=secrets.token_urlsafe(48),
            api_secret_key=secrets.token_urlsafe(48),
            password=secrets.token_urlsafe(12),
        )
        write_private(file, json.dumps(made.__dict__, indent=2))
        return made


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)


def aws_connection(aws_url: str) -> str:
    """The Airflow connection that points at the embedded AWS, as AIRFLOW_CONN_AWS_DEFAULT wants it."""
    return json.dumps(
        {
            "conn_type": "aws",
            "login": "embedded",
            "password": "embedded",
            "extra": {"endpoint_url": aws_url, "region_name": "us-west-2"},
        }
    )


def database(file: Path) -> dict[str, str]:
    """The setting that makes an SQLite file Airflow's database."""
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{file}"}


def environment(
    folders: Folders, keys: Secrets, *, ui_port: int, aws_url: str | None, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of Airflow's programs.

    Nothing of the caller's own Airflow is taken over but connections and variables. With the embedded AWS
    (`aws_url`), nothing of the caller's AWS settings and no AWS connection is taken over either.
    """
    ours = {
        "AIRFLOW_HOME": str(folders.airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": keys.fernet_key,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{ui_port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folders.airflow / "passwords.json"),
        # The default asks DNS for a full name, which can take seconds on a machine without one.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        **database(folders.airflow_db),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(ui_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": f"http://{HOST}:{ui_port}",
        "AIRFLOW__API__SECRET_KEY": keys.api_secret_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": keys.jwt_secret,
        "AIRFLOW__API_AUTH__JWT_ISSUER": "model-monitor",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folders.task_logs),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(folders.logs / "dag-parsing"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "NO_COLOR": "1",
        "PYTHONPATH": os.pathsep.join([str(PROJECT / "include"), str(PROJECT / "plugins")]),
        "PYTHONUNBUFFERED": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
        "NO_PROXY": _local_too(inherited.get("NO_PROXY") or inherited.get("no_proxy", "")),
        "no_proxy": _local_too(inherited.get("NO_PROXY") or inherited.get("no_proxy", "")),
    }
    if aws_url is not None:
        ours |= {CONNECTION: aws_connection(aws_url), "AWS_EC2_METADATA_DISABLED": "true"}
    return {name: value for name, value in inherited.items() if _taken_over(name, embedded=aws_url is not None)} | ours


def _taken_over(name: str, *, embedded: bool) -> bool:
    if name.startswith("AIRFLOW"):
        return name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_"))
    return not (embedded and name.startswith("AWS_"))


def _local_too(no_proxy: str) -> str:
    return ",".join(filter(None, [no_proxy, HOST, "localhost"]))
