"""Which pictures there are, and how one is taken: always of the same size, and as small as a file as can be."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model_monitor.dashboard import addresses
from screenshots.airflow_ui import Appearance, dashboard_of, remember_appearance, wait_for_plots
from screenshots.sights import Sights

if TYPE_CHECKING:
    from playwright.sync_api import Browser, StorageState

COLOURS = 256
DENSITY = 1.5
WIDE, NARROW = 1280, 390


@dataclass(frozen=True)
class Picture:
    """One of them; `top` is what stands at its upper edge, where that is not the page's own."""

    name: str
    address: Callable[[Sights], str]
    height: int
    width: int = WIDE
    appearance: Appearance = "Light"
    top: str | None = None


PICTURES = (
    Picture("overview", lambda sights: "/plugin/model-monitor", 480),
    Picture("endpoint-bias", lambda sights: addresses.endpoint(sights.endpoint), 732),
    Picture("endpoint-explainability", lambda sights: addresses.endpoint(sights.endpoint), 1018, top="#explainability"),
    Picture(
        "endpoint-explainability-dark",
        lambda sights: addresses.endpoint(sights.endpoint),
        1018,
        appearance="Dark",
        top="#explainability",
    ),
    Picture("endpoint-traffic", lambda sights: addresses.endpoint(sights.endpoint), 800, top="#traffic"),
    Picture("endpoint-narrow", lambda sights: addresses.endpoint(sights.endpoint), 844, width=NARROW),
    Picture("execution", lambda sights: addresses.execution(sights.endpoint, "bias", sights.violating), 1000),
    Picture(
        "execution-explainability",
        lambda sights: addresses.execution(sights.endpoint, "explainability", sights.drifted),
        1000,
    ),
    Picture("report", lambda sights: addresses.execution_file(sights.endpoint, "bias", sights.violating), 1000),
    Picture(
        "range-report", lambda sights: addresses.range_report(sights.endpoint, "bias", sights.start, sights.end), 1000
    ),
    Picture("dag", lambda sights: f"/dags/{sights.endpoint}.windows/plugin/model-monitor-dag", 800),
)


def take(browser: Browser, url: str, signed_in: StorageState, picture: Picture, sights: Sights) -> bytes:
    """Take one; returns its PNG."""
    context = browser.new_context(
        base_url=url,
        storage_state=signed_in,
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=DENSITY,
        reduced_motion="reduce",
    )
    page = context.new_page()
    remember_appearance(page, picture.appearance)
    page.goto(picture.address(sights))
    dashboard = dashboard_of(page)
    wait_for_plots(dashboard)
    dashboard.evaluate("scrollTo(0, 0)")
    if picture.top is not None:
        dashboard.locator(picture.top).first.evaluate("element => element.scrollIntoView({block: 'start'})")
    content = page.screenshot(animations="disabled", caret="hide")
    context.close()
    return _small(content)


def _small(content: bytes) -> bytes:
    """The same picture with a palette."""
    from PIL import Image

    palette = Image.open(io.BytesIO(content)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    made = io.BytesIO()
    palette.save(made, "PNG", optimize=True)
    return made.getvalue()
