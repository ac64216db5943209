"""What every answer carries, and how files are handed out."""

from __future__ import annotations

import pytest

from model_monitor.dashboard import addresses
from model_monitor.dashboard.security_headers import PAGE_POLICY, REPORT_POLICY
from tests.dashboard.conftest import WINDOW, Visitor
from tests.dashboard.past import CONTENTS, Past

PAGES = [
    addresses.overview(),
    addresses.endpoint("small"),
    addresses.execution("small", "bias", WINDOW),
    addresses.baseline("small", "explainability"),
    addresses.of_dag("nothing"),
    f"{addresses.PREFIX}/no/such/page",
    f"{addresses.PREFIX}/endpoints/small/no-such-kind/baseline",
]


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("user", ["anna", None])
def test_every_page_allows_scripts_and_styles_of_its_own_alone(visit: Visitor, address: str, user: str | None) -> None:
    answer = visit(user).get(address)
    headers = answer.headers
    assert headers["content-security-policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text


def test_a_page_that_fails_says_so_and_keeps_its_policy(visit: Visitor, past: dict[str, Past]) -> None:
    past["small"].known = None  # type: ignore[assignment]
    answer = visit().get(addresses.endpoint("small"))
    assert answer.status_code == 500
    assert "The API server&#39;s log says more" in answer.text or "The API server's log says more" in answer.text
    assert answer.headers["content-security-policy"] == PAGE_POLICY


def test_a_report_is_shown_in_a_sandbox_without_scripts(visit: Visitor) -> None:
    for address in (
        addresses.execution_file("small", "bias", WINDOW),
        addresses.baseline_file("small", "bias"),
        addresses.range_report("small", "bias", "2026-11-22T00:00Z", "2026-11-22T12:00Z"),
    ):
        answer = visit().get(address)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"] == REPORT_POLICY
        assert REPORT_POLICY.startswith("sandbox; default-src 'none'; ")
        assert "script-src" not in REPORT_POLICY
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", CONTENTS)
def test_files_are_handed_out_as_they_are_to_be_kept(visit: Visitor, name: str) -> None:
    answer = visit().get(f"{addresses.execution_file('small', 'bias', WINDOW, name)}?download=true")
    assert answer.content == CONTENTS[name]
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert not answer.headers["content-type"].startswith("text/html")


def test_the_name_of_a_file_cannot_add_to_its_header(visit: Visitor, past: dict[str, Past]) -> None:
    name = "naïve \"quoted\"; x='y'.html"
    past["small"].contents = {name: b"content"}
    answer = visit().get(addresses.execution_file("small", "bias", WINDOW, name))
    assert answer.content == b"content"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="na_ve _quoted__ x__y_.html"; '
        "filename*=UTF-8''na%C3%AFve%20%22quoted%22%3B%20x%3D%27y%27.html"
    )


@pytest.mark.parametrize("file", ["no-such.txt", "..%2fother", "%00", "%2e%2e/secret"])
def test_there_are_no_other_files(visit: Visitor, file: str) -> None:
    answer = visit().get(f"{addresses.execution('small', 'bias', WINDOW)}/files/{file}")
    assert answer.status_code == 404


def test_own_files_are_compressed_once_and_kept_until_they_change(visit: Visitor) -> None:
    visitor = visit()
    page = visitor.get(addresses.overview()).text
    for name in ("app.css", "app.js", "theme.js", "plotly.min.js", "icon.svg"):
        address = page[page.index(f"{addresses.static(name)}?v=") :].partition('"')[0]
        answer = visitor.get(address, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        again = visitor.get(address, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        plain = visitor.get(address, headers={"accept-encoding": "identity"})
        assert plain.content == answer.content
    assert visitor.get(addresses.static("app.py")).status_code == 404


def test_a_bad_range_is_explained(visit: Visitor) -> None:
    for start, end in (("yesterday", "2026-11-22T12:00Z"), ("2026-11-22T12:00Z", "2026-11-22T11:00Z")):
        answer = visit().get(addresses.range_report("small", "bias", start, end))
        assert answer.status_code == 400
        assert "yesterday" in answer.text or "does not come after" in answer.text
