"""From Airflow's login page to the dashboard, as a person gets there."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from screenshots.airflow_ui import TAB, dashboard_of, open_dashboard, sign_in
from stack.settings import USER
from tests.browser.conftest import PATIENCE_MILLISECONDS
from tests.browser.pages import DESKTOP
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
    dashboard = tab_of(page, f"/dags/{site.dag}{path}")
    expect(dashboard.get_by_role("heading", level=1)).to_contain_text(site.endpoint.name)
    if where != "dag":
        expect(dashboard.get_by_text(site.window).first).to_be_visible()


@pytest.mark.parametrize(("link", "place"), [("Run", ""), ("Log", "/tasks/bias.judge")])
def test_links_to_run_and_log_lead_out_of_the_frame(page: Page, site: Site, link: str, place: str) -> None:
    run = f"/dags/{site.dag}/runs/{site.run}"
    dashboard = tab_of(page, f"{run}/tasks/bias.judge")
    dashboard.get_by_role("link", name=link, exact=True).click()
    page.wait_for_url(lambda address: unquote(address).endswith(unquote(f"{run}{place}")))


def test_reports_open_and_files_are_downloaded_inside_the_frame(page: Page, site: Site, tmp_path: Path) -> None:
    dashboard = tab_of(page, f"/dags/{site.dag}/runs/{site.run}/tasks/bias.judge")
    with page.expect_download() as started:
        dashboard.get_by_role("link", name="analysis.json").first.click()
    started.value.save_as(tmp_path / "analysis.json")
    assert (tmp_path / "analysis.json").read_bytes() == site.read("bias", site.window, "analysis.json")
    dashboard.get_by_role("link", name="Open it alone").click()
    expect(dashboard_of(page).get_by_role("heading", level=1)).to_have_text("Analysis Report")


def tab_of(page: Page, address: str) -> Frame:
    """The dashboard in a page of Airflow's, on its tab."""
    page.goto(address)
    page.get_by_role("link", name=TAB).last.click()
    return dashboard_of(page)
