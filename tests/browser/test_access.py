"""Nobody who has not signed in gets anything from the dashboard."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute, Mount

from model_monitor.dashboard import addresses
from model_monitor_plugin import ModelMonitorPlugin
from tests.browser.site import Site

PATIENCE_SECONDS = 30


def routes(found: list[BaseRoute], prefix: str = "") -> list[str]:
    """The paths of all routes of an app, whether the app answers them itself or what is mounted in it does."""
    paths: list[str] = []
    for route in found:
        path = f"{prefix}{getattr(route, 'path', '')}"
        paths += routes(route.routes or [], path) or [f"{path}/app.js"] if isinstance(route, Mount) else [path]
    return paths


def filled_in(path: str, site: Site) -> str:
    """A path with values that exist in the place of its parameters."""
    window = site.windows("bias", "analysis.json")[-1]
    year, month, day, hour = window.split("/")
    known = {"name": site.endpoint.name, "kind": "bias", "year": year, "month": month, "day": day, "hour": hour}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: known.get(match[1], "report.html"), path)


def ask(site: Site, method: str, path: str, **more: Any) -> httpx.Response:
    """An answer to somebody who has not signed in."""
    return httpx.request(method, f"{site.url}{path}", trust_env=False, timeout=PATIENCE_SECONDS, **more)


def test_every_route_refuses_anonymous_requests(site: Site) -> None:
    (mounted,) = [app for app in ModelMonitorPlugin.fastapi_apps if app["url_prefix"] == addresses.PREFIX]
    paths = {filled_in(path, site) for path in routes(mounted["app"].routes)}
    assert len(paths) > 6
    paths |= {"/", "/no/such/page", "/static/no-such-file.js", "/docs", "/redoc", "/openapi.json"}
    for path in sorted(paths):
        for method in ("GET", "HEAD", "POST"):
            answer = httpx.request(
                method, f"{site.url}{addresses.PREFIX}{path}", trust_env=False, timeout=PATIENCE_SECONDS
            )
            refused = {HTTPStatus.UNAUTHORIZED} if method == "GET" else {401, 404, 405}
            assert answer.status_code in refused, (method, path, answer.status_code)
            assert site.endpoint.bucket not in answer.text


@pytest.mark.parametrize("cookie", ["", "nonsense", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGUiOiJhZG1pbiJ9."])
def test_a_forged_token_is_none(site: Site, cookie: str) -> None:
    answer = httpx.get(
        f"{site.url}{addresses.overview()}", cookies={"_token": cookie}, trust_env=False, timeout=PATIENCE_SECONDS
    )
    assert answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
