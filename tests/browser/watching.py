"""A page that is watched: what it says on its console, what it asks for in vain, what it pops up."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Response

from tests.browser import hostile

# Leaving a page ends what it was still loading.
LEFT = "net::ERR_ABORTED"
# What Chromium has to say of the frame that Airflow makes.
AIRFLOWS = "An iframe which has both allow-scripts and allow-same-origin for its sandbox attribute"
# That a hostile report's script does not run.
REFUSED = "Blocked script execution in"


@dataclass
class Watch:
    """What was wrong on a page since it was opened."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)
        self.page.on("dialog", self._dialog)

    def _console(self, message: ConsoleMessage) -> None:
        refused = message.text.startswith(REFUSED) and f"/endpoints/{hostile.NAME}/" in message.text
        if message.type in ("error", "warning") and not (refused or message.text.startswith(AIRFLOWS)):
            self.problems.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self.problems.append(f"failed: {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"status {response.status}: {response.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()
