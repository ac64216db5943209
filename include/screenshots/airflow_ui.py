"""What a person does in Airflow's UI to get to the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Page

Appearance = Literal["Light", "Dark"]
NAVIGATION = "Model monitor"


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


def framed(page: Page) -> FrameLocator:
    """The dashboard in the UI's frame."""
    return page.frame_locator("main iframe, iframe").first
