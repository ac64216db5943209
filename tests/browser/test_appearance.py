"""Light and dark, wide and narrow, with mouse and keyboard: the dashboard can be read and used."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from model_monitor.dashboard import addresses
from screenshots.airflow_ui import choose_appearance, open_dashboard, wait_for_plots
from tests.browser import appearance, pages
from tests.browser.pages import NARROW
from tests.browser.site import Site

COLOURS = "html => [getComputedStyle(html).color, getComputedStyle(html).backgroundColor].join()"


@pytest.mark.parametrize("name", pages.NAMES)
def test_pages_can_be_read_in_light_and_dark_and_in_a_narrow_window(page: Page, site: Site, name: str) -> None:
    page.goto(pages.address(site, name))
    wait_for_plots(page.main_frame)
    assert appearance.faint(page) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_css("color-scheme", "dark")
    wait_for_plots(page.main_frame)
    assert appearance.faint(page) == []
    page.set_viewport_size(NARROW)
    page.reload()
    wait_for_plots(page.main_frame)
    assert appearance.sticking_out(page) == []


def test_airflows_switch_changes_the_dashboards_colours(page: Page, site: Site) -> None:
    page.goto("/")
    dashboard = open_dashboard(page)
    wait_for_plots(dashboard)
    html, line = dashboard.locator("html"), dashboard.locator(".plot path.js-line").first
    seen: dict[str, list[str]] = {}
    for chosen in ("Light", "Dark"):
        choose_appearance(page, chosen)
        expect(html).to_have_css("color-scheme", chosen.lower())
        if seen:
            expect(line).not_to_have_css("stroke", seen["Light"][-1])
        seen[chosen] = [str(html.evaluate(COLOURS)), str(line.evaluate("line => getComputedStyle(line).stroke"))]
    assert seen["Light"][0] != seen["Dark"][0]


@pytest.mark.parametrize("name", pages.NAMES)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, site: Site, name: str) -> None:
    page.goto(pages.address(site, name))
    wait_for_plots(page.main_frame)
    focused, unreached = appearance.tab_through(page)
    assert focused
    assert [each for each in focused if not (each["seen"] and each["inside"])] == []
    assert unreached == []


def test_enter_follows_a_link(page: Page, site: Site) -> None:
    page.goto(addresses.overview())
    page.get_by_role("link", name=site.endpoint.name, exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(site.endpoint.name)
    assert addresses.endpoint(site.endpoint.name) in page.url
