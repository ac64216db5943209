"""Whatever lies in S3 is shown as text: nothing of it runs, nothing of it is mistaken for a page's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page

from model_monitor import names
from model_monitor.dashboard import addresses
from model_monitor.names import KINDS, Kind
from screenshots.airflow_ui import wait_for_plots
from tests.browser import plots
from tests.browser.hostile import FILES, LONG, REPORT, TEXTS
from tests.browser.site import Site
from tests.browser.watching import Watch

Address = Callable[[Site, Kind], str]
PAGES: dict[str, Address] = {
    "overview": lambda site, kind: addresses.overview(),
    "endpoint": lambda site, kind: addresses.endpoint(site.hostile.name),
    "execution": lambda site, kind: addresses.execution(site.hostile.name, kind, site.hostile_windows[-1]),
    "baseline": lambda site, kind: addresses.baseline(site.hostile.name, kind),
}
LEGIBLE = 15
SHORT = [text for text in TEXTS if text != LONG]
# What a browser shows of texts is what was meant, but for spaces and marks of direction.
READ = "root => (root.innerText + ' ' + [...root.querySelectorAll('option, title')].map(e => e.textContent).join(' '))"


def shown(root: Locator) -> str:
    """All that can be read there, those texts of plots included that are drawn."""
    drawn = [text.text_content() or "" for text in root.locator("svg text").all()]
    return squeezed(" ".join([str(root.evaluate(READ)), *drawn]))


def squeezed(text: str) -> str:
    """A text without its spaces."""
    return "".join(text.split())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PAGES)
def test_hostile_texts_are_texts(page: Page, site: Site, name: str, kind: Kind) -> None:
    page.goto(PAGES[name](site, kind))
    wait_for_plots(page.main_frame)
    labels = [plots.hover(page, plot)[1] for plot in page.locator(plots.DRAWN).all()]
    assert page.locator("main script, main img[src=x], main b:text-is('bold')").count() == 0
    assert page.locator("a[href^='javascript:' i]").count() == 0
    said = shown(page.locator("body"))
    if name in ("execution", "baseline"):
        for text in SHORT:
            assert squeezed(text) in said, text
        drawn = squeezed(" ".join(text for plot in plots.plots(page) for text in plot.texts))
        for text in SHORT:
            assert squeezed(text)[:LEGIBLE] in drawn, text
        for label in labels:
            assert any(squeezed(text)[:LEGIBLE] in squeezed(label) for text in TEXTS), label


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_files_are_listed_and_can_be_had(page: Page, site: Site, kind: Kind) -> None:
    page.goto(addresses.execution(site.hostile.name, kind, site.hostile_windows[-1]))
    said = shown(page.locator("main"))
    for file in FILES:
        assert squeezed(file) in said
        answer = page.request.get(addresses.execution_file(site.hostile.name, kind, site.hostile_windows[-1], file))
        assert answer.ok, file
        assert answer.body() == b"a file"
        assert answer.headers["content-disposition"].startswith("attachment")


def test_a_hostile_report_cannot_act_as_its_reader(context: BrowserContext, site: Site) -> None:
    """Opened by itself and in a frame of an Airflow page, with the reader's cookies in the browser."""
    page = context.new_page()
    watch = Watch(page)
    address = addresses.execution_file(site.hostile.name, "bias", site.hostile_windows[-1])
    page.goto(address)
    assert page.get_by_role("heading", name="Report of nobody").is_visible()
    reached = "() => ({...document.documentElement.dataset})"
    page.wait_for_timeout(500)
    assert page.evaluate(reached) == {}
    page.goto(addresses.overview())
    page.evaluate(
        "address => document.body.append(Object.assign(document.createElement('iframe'), {src: address}))", address
    )
    frame = page.frame_locator("iframe").last
    frame.get_by_role("heading", name="Report of nobody").wait_for()
    page.wait_for_timeout(500)
    assert frame.locator("html").evaluate("html => ({...html.dataset})") == {}
    assert "reached" not in page.evaluate(reached)
    assert [problem for problem in watch.problems if problem.startswith("dialog")] == []


@pytest.mark.parametrize(
    "file", ["../05/report.html", "..%2f..%2f..%2fmodel.tar.gz", "%2e%2e/secret", "/etc/passwd", "no-such.txt", "%00"]
)
def test_only_files_of_the_folder_can_be_had(context: BrowserContext, site: Site, file: str) -> None:
    window = site.hostile_windows[-1]
    address = f"{addresses.execution(site.hostile.name, 'bias', window)}/files/{file}"
    assert context.request.get(address).status in (404, 400, 422)


def test_there_are_hostile_texts(site: Site) -> None:
    """The other tests would find nothing wrong with an empty bucket."""
    bucket, prefix = names.split_s3(names.report_folder(site.hostile, "bias", site.hostile_windows[-1]))
    body = site.s3.get_object(Bucket=bucket, Key=f"{prefix}/report.html")["Body"].read()
    assert body == REPORT.encode()
    assert len(LONG) == 500
