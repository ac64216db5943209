"""From Airflow's login page to the dashboard, as a person gets there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from screenshots.airflow_ui import NAVIGATION, dashboard_of, open_dashboard, sign_in
from stack.settings import USER
from tests.browser.conftest import DESKTOP, PATIENCE_MILLISECONDS
from tests.browser.site import Site


def test_an_anonymous_visitor_signs_in_and_finds_the_dashboard(browser: Browser, site: Site) -> None:
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    sign_in(page, site.url, USER, site.stack.password)
    dashboard = open_dashboard(page)
    expect(dashboard.get_by_role("heading", level=1)).to_be_visible()
    expect(dashboard.get_by_role("link", name=site.endpoint.name, exact=True).first).to_be_visible()
    context.close()


def test_links_inside_the_frame_stay_in_it(page: Page, site: Site) -> None:
    page.goto("/")
    dashboard = open_dashboard(page)
    dashboard.get_by_role("link", name=site.endpoint.name, exact=True).first.click()
    expect(dashboard.get_by_role("heading", level=1)).to_contain_text(site.endpoint.name)
    expect(page.get_by_role("link", name="Dags", exact=True)).to_be_visible()


@pytest.mark.parametrize("where", ["dag", "run", "task"])
def test_dags_runs_and_tasks_have_its_tab(page: Page, site: Site, where: str) -> None:
    run = f"/runs/{site.run}"
    path = {"dag": "", "run": run, "task": f"{run}/tasks/bias.judge"}[where]
    page.goto(f"/dags/{site.dag}{path}")
    page.get_by_role("link", name=NAVIGATION).last.click()
    dashboard = dashboard_of(page)
    expect(dashboard.get_by_role("heading", level=1)).to_contain_text(site.endpoint.name)
    if where != "dag":
        expect(dashboard.get_by_text(site.window).first).to_be_visible()
