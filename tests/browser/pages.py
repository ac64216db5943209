"""The dashboard's pages of the example endpoint, by name, and the windows that they are looked at in."""

from __future__ import annotations

from playwright.sync_api import ViewportSize

from model_monitor.dashboard import addresses
from tests.browser.site import Site

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
PLOTTED = (
    "overview",
    "endpoint",
    "bias execution",
    "explainability execution",
    "violating bias execution",
    "violating explainability execution",
    "bias baseline",
    "explainability baseline",
)
"""Those that have plots."""
NAMES = (*PLOTTED, "job log")
"""Those that are pages of the dashboard's own; reports are documents that it serves."""


def address(site: Site, name: str) -> str:
    """Where a page is."""
    endpoint = site.endpoint.name
    match name.split():
        case ["overview"]:
            return addresses.overview()
        case ["endpoint"]:
            return addresses.endpoint(endpoint)
        case [("bias" | "explainability") as kind, "execution"]:
            return addresses.execution(endpoint, kind, site.windows(kind, "analysis.json")[0])
        case ["violating", ("bias" | "explainability") as kind, "execution"]:
            return addresses.execution(endpoint, kind, site.violating(kind))
        case [("bias" | "explainability") as kind, "baseline"]:
            return addresses.baseline(endpoint, kind)
        case ["job", "log"]:
            return addresses.job_log(endpoint, "bias", site.violating("bias"))
    raise ValueError(name)
