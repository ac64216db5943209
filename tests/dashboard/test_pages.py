"""What the pages say, read as a browser reads them: without scripts."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from html import unescape
from math import inf
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from model_monitor.dashboard import addresses
from model_monitor.dashboard.app import application
from model_monitor.history.model import Baseline, Execution, Explanation, File, Violation
from tests.dashboard.conftest import WINDOW, Visitor
from tests.dashboard.past import HOUR, NOW, Past, bias, explained, metric, usual_past

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "%{x} %{customdata} {{ 7 * 7 }} {% raw %}",
    "<b>bold</b> &lt;i&gt; <a href='javascript:alert(1)'>",
    "var(--ink)",
    "__proto__",
    "‮ right to left שלום 😀",
    "x" * 500,
]


def said(page: str) -> str:
    """The page's text, with its spaces made one each."""
    body = re.sub(r"<script.*?</script>", " ", page[page.index("<main") :], flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def figures(page: str) -> list[dict[str, Any]]:
    """The page's figures, with what they share."""
    pattern = r'<script type="application/json" id="figure-\d+">(.*?)</script>'
    return [json.loads(content) for content in re.findall(pattern, page, re.DOTALL)]


def test_the_overview_tells_how_each_monitor_stands(visit: Visitor) -> None:
    page = visit().get(addresses.overview()).text
    text = said(page)
    assert "small Says who leaves <soon>" in text
    assert "Bias Violations 22 Nov 2026 11:00 1 violation" in text
    assert "10 of 30" in text
    assert "22 Nov 2026 12:00 now, by the managed schedule" in text or "22 Nov 2026 13:00" in text
    assert len(figures(page)) == 2
    assert f'href="{addresses.execution("small", "bias", WINDOW)}"' in page


def test_an_endpoint_that_was_never_judged_says_what_to_do(visit: Visitor) -> None:
    text = said(visit("only-other").get(addresses.overview()).text)
    assert "Never judged yet. other.deploy puts the model in service" in text


def test_without_endpoints_it_says_how_to_get_one(visit: Visitor) -> None:
    assert "No endpoint to show." in said(visit("only-nothing").get(addresses.overview()).text)


def test_an_endpoint_that_cannot_be_read_does_not_hide_the_others(visit: Visitor, past: dict[str, Past]) -> None:
    past["other"].problem = "s3://bucket: it is closed"
    page = visit().get(addresses.overview())
    assert page.status_code == 200
    assert "s3://bucket: it is closed" in said(page.text)
    assert "22 Nov 2026 11:00" in said(page.text)
    answer = visit().get(addresses.endpoint("other"))
    assert answer.status_code == 502
    assert "s3://bucket: it is closed" in said(answer.text)


def test_what_is_missing_on_an_endpoints_page_is_told(visit: Visitor, past: dict[str, Past]) -> None:
    past["small"].unasked, past["small"].uncounted = "the account has no monitors", "s3://bucket/captures: denied"
    text = said(visit().get(addresses.endpoint("small")).text)
    assert "those without a report are missing: the account has no monitors" in text
    assert "Some hours are not known, or estimated: s3://bucket/captures: denied" in text


def test_an_endpoints_page_has_the_violating_metrics_first_and_folds_the_rest(visit: Visitor) -> None:
    page = visit().get(addresses.endpoint("small")).text
    assert re.findall(r'data-metric="(\w+)"', page) == ["DPPL", "RD"]
    assert page.index('data-metric="DPPL"') < page.index("<details") < page.index('data-metric="RD"')
    assert "1 metric without violations in this time" in said(page)
    assert page.count('class="plot"') == 5
    assert page.count('class="plot-later"') == 1
    assert "10 windows" in said(page)


def test_an_endpoints_page_of_no_windows_says_what_to_do(visit: Visitor) -> None:
    text = said(visit().get(addresses.endpoint("other")).text)
    for hint in ("No window was judged for bias", "No window was explained", "No request was captured", "No baseline"):
        assert hint in text


@pytest.mark.parametrize("days", ["1", "7", "30", "90"])
def test_how_far_back_a_page_looks_is_a_choice(visit: Visitor, days: str) -> None:
    page = visit().get(addresses.endpoint("small"), params={"days": days}).text
    assert re.findall(r'<a href="[^"]*days=(\d+)[^"]*" aria-current="true">', page)[0] == days
    start = (NOW - timedelta(days=int(days))).strftime("%Y-%m-%dT%H:%M")
    assert all(figure["layout"]["xaxis"].get("range", [start])[0] in (start, -0.04) for figure in figures(page))


def test_facets_are_a_choice_where_there_are_several(visit: Visitor, past: dict[str, Past]) -> None:
    metrics = metric(facet="Age"), metric(facet="Plan", group="yes")
    past["small"].known["bias"] = [bias(NOW - HOUR, *metrics)]
    page = visit().get(addresses.endpoint("small"), params={"facet": "1"}).text
    assert re.findall(r'data-facet="(\w+)"', page) == ["Plan"]
    assert "Age (0, 3.5]: predictions" in said(page)


def test_executions_have_their_state_and_reason(visit: Visitor, past: dict[str, Past]) -> None:
    failed = Execution("bias", "2026/11/22/11", NOW - HOUR, "Failed", reason="Job inputs had no data", job="job-1")
    past["small"].known["bias"][-1] = failed
    text = said(visit().get(addresses.endpoint("small")).text)
    assert "Bias Failed – job's log – Job inputs had no data" in text
    answer = visit().get(addresses.execution("small", "bias", WINDOW))
    assert "Reason Job inputs had no data" in said(answer.text)
    assert "This window was not judged." in said(answer.text)


def test_executions_beyond_the_first_are_a_click_away(visit: Visitor) -> None:
    visitor = visit()
    short = visitor.get(addresses.endpoint("small")).text
    long = visitor.get(addresses.endpoint("small"), params={"every": "true"}).text
    assert short.count("<tr data-execution") == 24
    assert "All 60 executions" in said(short)
    assert long.count("<tr data-execution") == 60


def test_an_execution_puts_violations_in_words_and_says_how_to_act(visit: Visitor) -> None:
    page = visit().get(addresses.execution("small", "bias", WINDOW)).text
    text = said(page)
    assert "1 violation" in text
    assert "DPPL Age (0, 3.5] 0.5000 0.2000 It is 2.5 times as far from 0 as at the baseline." in text
    assert "How much higher the rate of predicted acceptances is for the other group." in text
    assert "Compare both groups' rates of predicted acceptances with the baseline's" in text
    assert "Count: of few records values jump by chance." in text
    assert 'sandbox title="Report"' in page
    assert f'href="{addresses.execution_file("small", "bias", WINDOW, "analysis.json")}?download=true"' in page
    assert 'rel="prev"' in page
    assert 'rel="next"' not in page


def test_a_drifted_order_is_put_in_words(visit: Visitor) -> None:
    text = said(visit().get(addresses.execution("small", "explainability", WINDOW)).text)
    assert "label0 The inputs that decide stand in another order" in text
    assert "their orders agree to 0.8000, and at least 0.90 is asked for" in text
    assert "▲ 3 feature 3" in text


def test_windows_judged_before_the_baseline_was_made_stand_without_it(visit: Visitor, past: dict[str, Past]) -> None:
    known = past["small"].known["bias"]
    for number, execution in enumerate(known[:25]):
        bare = tuple(replace(one, baseline=None) for one in execution.metrics)
        known[number] = replace(execution, baseline_replaced=True, metrics=bare)
    past["small"].baselines["bias"] = replace(past["small"].baselines["bias"], made=NOW - 5 * HOUR)
    page = visit().get(addresses.endpoint("small")).text
    assert "25 windows were judged before the present baseline was made, 22 Nov 2026 07:00" in said(page)
    (drawn, *_) = (trace for figure in figures(page) for trace in figure["data"] if trace.get("name") == "Baseline")
    assert drawn["y"] == [None] * 25 + [0.2] * 5

    page = visit().get(addresses.execution("small", "bias", known[24].window)).text
    assert "1 window was judged before the present baseline was made" in said(page)
    assert "It was farther from 0 than at the baseline of that time, which was not kept." in said(page)
    assert "before the present baseline" not in said(visit().get(addresses.execution("small", "bias", WINDOW)).text)


@pytest.mark.parametrize("value", [inf, -inf])
def test_infinite_values_are_shown_and_not_drawn(visit: Visitor, past: dict[str, Past], value: float) -> None:
    endless = metric(value, name="DI")
    past["small"].known["bias"] = [bias(NOW - HOUR, endless, metric(), violated=(endless,))]
    sign = "∞" if value > 0 else "−∞"
    text = said(visit().get(addresses.execution("small", "bias", WINDOW)).text)
    assert f"DI Age (0, 3.5] {sign} 0.2000 It is infinite now" in text
    assert "1 value is infinite and not drawn." in said(visit().get(addresses.endpoint("small")).text)


def test_a_window_nobody_judged_is_not_found(visit: Visitor) -> None:
    answer = visit().get(addresses.execution("small", "bias", "2020/01/01/00"))
    assert answer.status_code == 404
    assert "has no execution 2020/01/01/00" in said(answer.text)
    assert "other.deploy makes it" in said(visit().get(addresses.baseline("other", "bias")).text)


def hostile_past() -> Past:
    past = Past(contents=dict.fromkeys(HOSTILE, b""))
    metrics = [metric(0.5, facet=text, group=text, name=text, error=text) for text in HOSTILE]
    values = {text: 0.1 * number for number, text in enumerate(HOSTILE)}
    past.known["bias"] = [bias(NOW - HOUR, *metrics, violated=tuple(metrics))]
    past.known["explainability"] = [
        Execution(
            "explainability",
            WINDOW,
            NOW - HOUR,
            "CompletedWithViolations",
            reason=HOSTILE[0],
            problem=HOSTILE[1],
            job=HOSTILE[2],
            files=tuple(File(text, 1, "e", NOW) for text in HOSTILE),
            explanations=tuple(Explanation(text, 0.1, values, values, 0.5) for text in HOSTILE),
            violations=tuple(Violation("shap", text, text, label=text) for text in HOSTILE),
        )
    ]
    past.baselines = {
        "bias": Baseline("bias", metrics=tuple(metrics), problem=HOSTILE[0]),
        "explainability": Baseline("explainability", explanations=(Explanation(HOSTILE[0], 0.1, values),)),
    }
    return past


@pytest.mark.parametrize(
    "address",
    [
        addresses.overview(),
        addresses.endpoint("small"),
        addresses.execution("small", "bias", WINDOW),
        addresses.execution("small", "explainability", WINDOW),
        addresses.baseline("small", "bias"),
        addresses.baseline("small", "explainability"),
    ],
)
def test_hostile_texts_are_texts(visit: Visitor, past: dict[str, Past], address: str) -> None:
    past["small"] = hostile_past()
    page = visit().get(address).text
    for tag in ("<script>", "<img", "<b>", "<a href='java", "</script><script>alert"):
        assert tag not in page
    assert page.count("<script") == page.count("</script>")
    text = said(page)
    if address != addresses.overview():
        assert text.count("<script>alert(1)</script>") >= 1
    for figure in figures(page):
        assert "<script>" not in json.dumps(figure)
        for trace in figure["data"]:
            assert "alert" not in trace.get("hovertemplate", "")
            assert "%{x} %{customdata}" not in trace.get("hovertemplate", "")


def test_long_names_are_cut_on_axes_and_whole_beside_the_mouse(visit: Visitor, past: dict[str, Past]) -> None:
    past["small"] = hostile_past()
    page = visit().get(addresses.execution("small", "explainability", WINDOW)).text
    bars = figures(page)[0]
    assert max(map(len, bars["layout"]["yaxis"]["ticktext"])) < 50
    whole = bars["data"][-1]["customdata"]
    assert "x" * 500 in [text.replace("<br>", "") for text in whole]
    assert all(len(line) <= 120 for text in whole for line in text.split("<br>"))


def test_a_thousand_executions_of_seventy_features_are_a_page_in_a_second(
    visit: Visitor, past: dict[str, Past]
) -> None:
    names = [f"M{number}" for number in range(21)]
    many = usual_past(2)
    many.known["bias"] = [
        bias(NOW - number * HOUR, *(metric(0.1 + number / 1e4, name=name) for name in names))
        for number in range(1000, 0, -1)
    ]
    many.known["explainability"] = [explained(NOW - number * HOUR, 0.95, count=70) for number in range(1000, 0, -1)]
    past["small"] = many
    visitor = visit()
    visitor.get(addresses.overview())
    began = time.process_time()
    answer = visitor.get(addresses.endpoint("small"), params={"days": 90})
    assert time.process_time() - began < 1
    assert len(answer.content) < 700_000
    assert len(figures(answer.text)) == 21 + 4


def test_links_lead_below_the_path_that_airflow_is_at(visit: Visitor, past: dict[str, Past]) -> None:
    cookies = visit().cookies
    outer = FastAPI(root_path="/airflow")
    outer.mount(addresses.PREFIX, application())
    with TestClient(outer, cookies=cookies) as visitor:
        for address in (addresses.overview(), addresses.endpoint("small")):
            answer = visitor.get(f"/airflow{address}")
            assert answer.status_code == 200
            page = answer.text
            links = re.findall(r'(?:href|src|action)="([^"#]+)', page)
            assert links
            assert [link for link in links if not link.startswith("/airflow/")] == []
        led = visitor.get(f"/airflow{addresses.of_dag('small.windows')}", follow_redirects=False)
        assert led.headers["location"] == f"/airflow{addresses.endpoint('small')}"
