"""Nobody sees anything without signing in, and nobody an endpoint whose DAGs they may not read."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute

from model_monitor.dashboard import addresses
from model_monitor.dashboard.app import application
from tests.dashboard.conftest import WINDOW, Visitor

SMALL = [
    addresses.endpoint("small"),
    addresses.baseline("small", "bias"),
    addresses.baseline_file("small", "bias"),
    addresses.execution("small", "bias", WINDOW),
    addresses.execution_file("small", "bias", WINDOW),
    addresses.execution_file("small", "bias", WINDOW, "analysis.json"),
    addresses.job_log("small", "bias", WINDOW),
    addresses.range_report("small", "bias", "2026-11-22T00:00Z", "2026-11-22T12:00Z"),
]
"""Every page and file of an endpoint."""


def paths() -> list[str]:
    """An address for each of the application's routes."""
    year, month, day, hour = WINDOW.split("/")
    known = {"name": "small", "kind": "bias", "year": year, "month": month, "day": day, "hour": hour}
    known |= {"dag_id": "small.windows", "run_id": "manual__1", "task_id": "bias.judge", "file": "report.html"}
    found = []
    for route in application().routes:
        assert isinstance(route, APIRoute), route
        found.append(re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: known.get(match[1], "app.js"), route.path))
    return found


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_anonymous_requests_to_every_route_are_refused(visit: Visitor, method: str) -> None:
    nobody = visit(None)
    for path in [*paths(), "/no/such/page", "/static/no-such-file.js", "/docs", "/openapi.json"]:
        answer = nobody.request(method, f"{addresses.PREFIX}{path}")
        assert answer.status_code == 401, (path, answer.text)
        assert "bucket" not in answer.text


def test_a_visitor_is_led_to_airflows_login_page_and_back(visit: Visitor) -> None:
    said = visit(None).get(addresses.endpoint("small")).text
    assert "/auth/login?next=" in said
    assert "small" in said.partition("next=")[2]


def test_forged_tokens_are_none(visit: Visitor) -> None:
    nobody = visit(None)
    for token in ("nonsense", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGUiOiJBRE1JTiJ9."):
        nobody.cookies.set("_token", token)
        assert nobody.get(addresses.overview()).status_code in (401, 403)


def test_tokens_of_api_clients_count_as_much_as_cookies(visit: Visitor) -> None:
    token = visit("anna").cookies["_token"]
    answer = visit(None).get(addresses.overview(), headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_an_ordinary_viewer_sees_all_pages(visit: Visitor) -> None:
    viewer = visit("anna", "VIEWER")
    for address in [addresses.overview(), *SMALL]:
        answer = viewer.get(address)
        assert answer.status_code == 200, (address, answer.text)


def test_an_endpoint_is_hidden_from_those_who_may_not_read_its_dags(visit: Visitor) -> None:
    stranger = visit("only-other")
    listed = stranger.get(addresses.overview()).text
    assert 'data-endpoint="other"' in listed
    assert "small" not in listed
    for address in SMALL:
        assert stranger.get(address).status_code == 404, address


def test_whether_an_endpoint_exists_is_not_told_to_those_who_may_not_see_it(visit: Visitor) -> None:
    stranger = visit("only-other")
    hidden, missing = (stranger.get(addresses.endpoint(name)) for name in ("small", "minor"))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace("small", "minor") == missing.text


@pytest.mark.parametrize("dag_id", ["small.windows", "example", "no-such"])
def test_airflows_pages_of_other_peoples_dags_show_nothing(visit: Visitor, dag_id: str) -> None:
    stranger = visit("only-other")
    for address in (
        addresses.of_dag(dag_id),
        addresses.of_run(dag_id, "manual__1"),
        addresses.of_task_instance(dag_id, "manual__1", "bias.judge"),
    ):
        answer = stranger.get(address)
        assert answer.status_code == 200
        assert "Nothing to show" in answer.text


def test_files_that_cannot_be_loaded_are_told_of_to_those_who_may_read_import_errors(
    visit: Visitor, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    (tmp_path / "endpoints" / "broken.yaml").write_text("name: [", encoding="utf-8")
    assert "broken.yaml" in visit("anna").get(addresses.overview()).text
    assert "broken.yaml" not in visit("only-small").get(addresses.overview()).text
