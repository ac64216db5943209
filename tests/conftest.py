"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def oracle_python() -> Path:
    """The Python of the oracles' own environment, which holds what cannot be installed beside Airflow."""
    python = Path(os.environ.get("MODEL_MONITOR_ORACLE") or PROJECT / ".venv-oracle" / "bin" / "python")
    if not python.exists():
        pytest.fail(
            f"No oracle environment at {python}. `make test` makes it from requirements-oracle.txt; "
            "MODEL_MONITOR_ORACLE names another one's python.",
            pytrace=False,
        )
    return python
