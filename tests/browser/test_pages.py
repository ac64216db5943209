"""Every page has what it is for, and its plots show the week."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from model_monitor.dashboard import addresses
from model_monitor.names import KINDS, Kind
from tests.browser import appearance, pages, plots
from tests.browser.pages import DESKTOP, NARROW
from tests.browser.site import Site

BELOW = "box => box.firstElementChild.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom"
"""How many pixels of what a box scrolls are below it."""


@pytest.mark.parametrize("name", pages.PLOTTED)
def test_plots_are_drawn_and_the_mouse_shows_their_values(page: Page, site: Site, name: str) -> None:
    page.goto(pages.address(site, name))
    found = plots.plots(page)
    assert found
    for plot in found:
        assert sum(plot.points) > 0, plot
        assert plot.marks > 0, plot
        assert not [text for text in plot.texts if text in ("undefined", "NaN", "null")], plot
    for drawn in page.locator(plots.DRAWN).all():
        values, label = plots.hover(page, drawn)
        assert plots.says(label, values), (values, label)


@pytest.mark.parametrize("days", [1, 90])
def test_other_stretches_of_time_are_drawn(page: Page, site: Site, days: int) -> None:
    page.goto(f"{addresses.endpoint(site.endpoint.name)}?days={days}")
    found = plots.plots(page)
    assert found
    assert all(sum(plot.points) > 0 and plot.marks > 0 for plot in found), found
    assert page.get_by_role("link", name=f"{days} day").get_attribute("aria-current") == "true"


def test_a_job_s_log_is_found_from_its_execution_and_opens_at_its_end(page: Page, site: Site) -> None:
    page.goto(addresses.execution(site.endpoint.name, "bias", site.violating("bias")))
    page.get_by_role("link", name="Job's log").click()
    log = page.get_by_role("region", name="Log")
    expect(log).to_contain_text("violations")
    lines = log.locator("pre").inner_text().splitlines()
    assert len(lines) > 3
    assert log.evaluate(BELOW) < 2


def test_a_violating_execution_says_so_in_plain_words(page: Page, site: Site) -> None:
    window = site.violating("bias")
    violations = json.loads(site.read("bias", window, "constraint_violations.json"))["violations"]
    page.goto(addresses.execution(site.endpoint.name, "bias", window))
    said = page.locator("main").inner_text()
    for violation in violations:
        assert violation["metric_name"] in said
    assert f"{len(violations)} violation" in said


@pytest.mark.parametrize("kind", KINDS)
def test_reports_open_and_can_be_read(page: Page, site: Site, kind: Kind) -> None:
    window = site.violating(kind)
    for address in (
        addresses.execution_file(site.endpoint.name, kind, window),
        addresses.baseline_file(site.endpoint.name, kind),
        addresses.range_report(site.endpoint.name, kind, *week(site, kind)),
    ):
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, address
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert appearance.faint(page) == []
        page.set_viewport_size(NARROW)
        assert appearance.sticking_out(page) == []
        page.set_viewport_size(DESKTOP)


def week(site: Site, kind: Kind) -> tuple[str, str]:
    """The first window's scheduled time and the last one's, as far as there were any."""
    found = site.windows(kind, "analysis.json")
    first, last = (f"{window.replace('/', '-')[:10]}T{window[-2:]}:00:00Z" for window in (found[0], found[-1]))
    return first, last
