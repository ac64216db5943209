"""`python -m screenshots`: the pictures of the dashboard in docs/images."""

from __future__ import annotations

import sys

from screenshots.airflow_ui import sign_in
from screenshots.chromium import NoBrowser, chromium
from screenshots.pictures import PICTURES, take
from screenshots.sights import running, sights
from simulation.endpoint import SimulationFailed
from stack.settings import PROJECT, USER
from stack.stack import Stack, StackError

FOLDER = PROJECT / "docs" / "images"


def main() -> int:
    """0 with all pictures taken, 1 with the reason."""
    try:
        with running() as shown:
            take_all(shown)
    except (NoBrowser, SimulationFailed, StackError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def take_all(shown: Stack) -> None:
    """Take every picture of what is shown."""
    worth = sights(shown)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        context = browser.new_context()
        sign_in(context.new_page(), shown.ui_url, USER, shown.password)
        signed_in = context.storage_state()
        context.close()
        for picture in PICTURES:
            content = take(browser, shown.ui_url, signed_in, picture, worth)
            (FOLDER / f"{picture.name}.png").write_bytes(content)
            print(f"docs/images/{picture.name}.png {len(content) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
