"""Generated secrets for docker compose."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from stack.compose_env import compose_env
from stack.settings import PROJECT


def values(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_every_secret_is_drawn_anew_and_strong() -> None:
    first, second = values(compose_env()), values(compose_env())
    assert first.keys() == second.keys()
    for name in first.keys() - {"AIRFLOW_UID"}:
        assert first[name] != second[name]
        assert len(first[name]) >= 16
    Fernet(first["FERNET_KEY"])


def test_passwords_fit_into_addresses_as_they_are() -> None:
    made = values(compose_env())
    assert made["POSTGRES_PASSWORD"].isalnum()
    assert made["REDIS_PASSWORD"].isalnum()


def test_it_needs_no_installed_package_and_keeps_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    # -S: without site-packages; -E: without this process's PYTHONPATH.
    command = [sys.executable, "-S", "-E", str(PROJECT / "include" / "stack" / "compose_env.py"), str(file)]
    subprocess.run(command, check=True, capture_output=True)
    written = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    again = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "stays as it is" in again.stdout
    assert file.read_text() == written
