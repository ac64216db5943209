"""Airflow's database, its auth manager, the application mounted as Airflow mounts it, and endpoints with a past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.api_fastapi import app as airflow_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models import import_all_models
from airflow.models.base import Base
from fastapi import FastAPI
from fastapi.testclient import TestClient

from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses, asking, job_log
from model_monitor.dashboard.app import application
from tests.dashboard.past import NOW, Past, usual_past
from tests.monitored import monitored_endpoint

Visitor = Callable[..., TestClient]
MANAGER = "tests.dashboard.auth.OwnDags"


@pytest.fixture(scope="package")
def database() -> None:
    """Airflow's tables, in the database of the tests' own AIRFLOW_HOME."""
    from airflow import settings

    import_all_models()
    Base.metadata.create_all(settings.engine)


@pytest.fixture
def auth_manager(database: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Airflow's simple auth manager; users named in it may read only their own DAGs."""
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", MANAGER)
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(tmp_path / "passwords.json"))
    monkeypatch.setenv(
        "AIRFLOW__API_AUTH__JWT_SECRET", "a secret of the tests' own, long enough for SHA-512 as well 0123"
    )
    airflow_app.purge_cached_app()
    yield airflow_app.init_auth_manager()
    airflow_app.purge_cached_app()


@pytest.fixture
def endpoint(tmp_path: Path) -> MonitoredEndpoint:
    """An endpoint whose past is `usual_past`."""
    return monitored_endpoint(tmp_path, "bucket", "small", description="Says who leaves <soon>")


@pytest.fixture
def past(endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Past]:
    """What the histories of endpoints say, by name; the endpoints' files are written."""
    folder = tmp_path / "endpoints"
    folder.mkdir()
    content = endpoint.model_dump(mode="json", exclude_unset=True)
    for name, prefix in ((endpoint.name, endpoint.prefix), ("other", "other")):
        text = yaml.safe_dump(content | {"name": name, "prefix": prefix})
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("MODEL_MONITOR_ENDPOINTS", str(folder))
    known = {endpoint.name: usual_past(), "other": Past()}
    known[endpoint.name].endpoint = endpoint
    monkeypatch.setattr(asking, "history_of", lambda asked: known[asked.name])
    monkeypatch.setattr(job_log, "logs_of", lambda asked: known[asked.name])
    return known


@pytest.fixture
def visit(auth_manager: Any, past: dict[str, Past]) -> Iterator[Visitor]:
    """A browser of a user's, or of nobody's."""
    outer = FastAPI()
    outer.mount(addresses.PREFIX, application())
    clients: list[TestClient] = []

    def visitor(name: str | None = "admin", role: str = "VIEWER") -> TestClient:
        client = TestClient(outer, raise_server_exceptions=False, follow_redirects=False)
        if name is not None:
            token = auth_manager.generate_jwt(SimpleAuthManagerUser(username=name, role=role))
            client.cookies.set("_token", token)
        clients.append(client)
        return client

    yield visitor
    for client in clients:
        client.close()


WINDOW = f"{NOW - timedelta(hours=1):%Y/%m/%d/%H}"
"""The newest window of `usual_past`."""
