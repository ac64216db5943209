"""Fixtures for the tests in a real browser. They share one week, one Airflow and one browser; each has its own page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from screenshots.airflow_ui import sign_in
from screenshots.chromium import NoBrowser, chromium, executable, required
from stack.settings import USER
from tests.browser.pages import DESKTOP
from tests.browser.site import Site, running_site
from tests.browser.watching import Watch

PATIENCE_MILLISECONDS = 30_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    try:
        executable()
    except NoBrowser as error:
        (pytest.fail if required() else pytest.skip)(str(error))
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A week of the example, and the hostile endpoint, behind a running Airflow."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="package")
def signed_in(browser: Browser, site: Site) -> Any:
    """The cookies of a user who has signed in."""
    context = browser.new_context(viewport=DESKTOP)
    sign_in(context.new_page(), site.url, USER, site.stack.password)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def context(browser: Browser, site: Site, signed_in: Any, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser of the user's, with nothing left in it from other tests."""
    opened = browser.new_context(base_url=site.url, storage_state=signed_in, viewport=DESKTOP, accept_downloads=True)
    opened.set_default_timeout(PATIENCE_MILLISECONDS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which nothing may go wrong: no error or warning on its console, no request in vain, no dialog."""
    opened = context.new_page()
    watch = Watch(opened)
    yield opened
    assert watch.problems == []
