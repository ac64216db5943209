"""The system's Chromium or Chrome, headless. `python -m screenshots.chromium` installs Debian's if it can and must."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "No Chromium or Chrome is installed here; looked for "
    f"{', '.join(NAMES)}. Debian: apt install chromium. Others: your system's package of Chromium or Google Chrome."
)
# Nothing but the pages under test is to be asked for anything.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--no-proxy-server",
)
# The same text has the same pixels everywhere.
STEADY = ("--disable-gpu", "--disable-lcd-text", "--font-render-hinting=none", "--force-color-profile=srgb")


class NoBrowser(Exception):
    """There is no browser; the message says what to install."""


def executable() -> str:
    """The first browser found on the PATH.

    Raises:
        NoBrowser: when there is none.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowser(MISSING)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for as long as it is needed."""
    from playwright.sync_api import sync_playwright

    path = executable()
    # Chromium refuses to be root inside its own sandbox.
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *STEADY, *as_root])
        try:
            yield browser
        finally:
            browser.close()


def main() -> int:
    """Install Debian's Chromium where there is no browser; 1 if there still is none and CI=true, where it must be."""
    try:
        executable()
    except NoBrowser:
        _install()
    else:
        return 0
    try:
        executable()
    except NoBrowser as error:
        print(f"{error}\nThe tests in a browser cannot run without it.", file=sys.stderr)
        return 1 if required() else 0
    return 0


def required() -> bool:
    """Whether there has to be a browser: in continuous integration nothing may be left out."""
    return os.environ.get("CI") == "true"


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    print("Installing Debian's chromium for the tests in a browser", flush=True)
    quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--no-install-recommends", "-y", "chromium", "fonts-liberation"]):
        done = subprocess.run(["apt-get", "-qq", *command], env=quietly, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            print(f"apt-get {command[0]} failed with status {done.returncode}.", file=sys.stderr)
            return


if __name__ == "__main__":
    sys.exit(main())
