"""What a person does in Airflow's UI to get to the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from model_monitor.dashboard.addresses import PREFIX

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

Appearance = Literal["Light", "Dark"]
NAVIGATION, TAB = "Models", "Model monitor"
DRAWING_MILLISECONDS = 30_000


def sign_in(page: Page, url: str, user: str, password: str) -> None:
    """Fill in the form that an anonymous visitor is sent to, and wait for Airflow's home page."""
    page.goto(url)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Dags", exact=True).wait_for()


def choose_appearance(page: Page, appearance: Appearance) -> None:
    """Switch the UI to light or dark in the user's menu."""
    page.get_by_role("button", name="User", exact=True).click()
    page.get_by_role("menuitem", name="Appearance").hover()
    page.get_by_text(f"{appearance} Mode", exact=True).click()
    page.locator(f"html.{appearance.lower()}").wait_for(state="attached")
    page.keyboard.press("Escape")


def remember_appearance(page: Page, appearance: Appearance) -> None:
    """Let all pages that are opened find the choice that was made in the user's menu."""
    # A report is in a sandbox, where there is no storage.
    page.add_init_script(f"if (origin !== 'null') localStorage.setItem('theme', '{appearance.lower()}')")


def open_dashboard(page: Page) -> Frame:
    """Follow the entry in the UI's navigation."""
    page.get_by_role("link", name=NAVIGATION, exact=True).click()
    return dashboard_of(page)


def dashboard_of(page: Page) -> Frame:
    """The dashboard: the page itself, or the frame in it where it is one of Airflow's."""
    if urlsplit(page.url).path.startswith(PREFIX):
        return page.main_frame
    frame = page.locator(f"iframe[title='{NAVIGATION}'], iframe[title='{TAB}']").element_handle().content_frame()
    assert frame is not None
    frame.wait_for_load_state()
    return frame


def wait_for_plots(dashboard: Frame) -> None:
    """Wait until every plot is drawn; those further down are when they are scrolled to."""
    for plot in dashboard.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        plot.and_(dashboard.locator("[data-drawn=true]")).wait_for(timeout=DRAWING_MILLISECONDS)
