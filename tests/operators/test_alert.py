"""Alerts arrive: at an SMTP server, at SNS, at Slack, through Airflow's connections and notifiers."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, TaskGroup
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names
from model_monitor.alerts.outcome import Outcome
from model_monitor.alerts.state import Kept, State, Teller
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AlertNotDelivered, InputError
from model_monitor.hooks.s3 import StorageHook
from model_monitor.names import Kind
from model_monitor.notifiers.verdict import VerdictNotifier
from model_monitor.operators.alert import AlertOperator, ViolationsOperator
from tests.alerts.verdicts import bias_verdict, explainability_verdict, failed
from tests.monitored import Run, context, run_task
from tests.receivers import Receivers, slack_texts
from tests.running_aws import Running

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} {{ var.value.secret }} & <!channel> *bold*"


Make = Callable[..., MonitoredEndpoint]


def alert(endpoint: MonitoredEndpoint, verdict: Any, kind: Kind = "bias", run_id: str = "manual__1") -> list[str]:
    task = AlertOperator(task_id="alert", endpoint=endpoint, kind=kind, verdict=verdict)
    told: list[str] = run_task(task, context(run_id))
    return told


def state_of(endpoint: MonitoredEndpoint, kind: Kind = "bias") -> State:
    return Kept(StorageHook(aws_conn_id="aws_default", region_name="us-west-2"), endpoint, kind).read()


def test_a_violation_arrives_everywhere_once_and_so_does_its_end(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    assert alert(endpoint, bias_verdict(endpoint, 9)) == []
    assert alert(endpoint, bias_verdict(endpoint, 10, "DPPL", "DI")) == ["log", "sns", "email", "slack"]
    assert alert(endpoint, bias_verdict(endpoint, 11, "DI")) == []
    assert receivers.counts() == (1, 1, 1)

    (mail,) = receivers.mail.received
    assert mail["Subject"] == f"{endpoint.name} bias: 2 violations"
    assert (mail["From"], mail["To"]) == ("monitor@example.com", "ann@example.com, bob@example.com")
    assert receivers.mail.recipients == [["ann@example.com", "bob@example.com"]]
    body = receivers.mail.body()
    execution = (
        f"https://airflow.example.com/team/model-monitor/endpoints/{endpoint.name}/bias/executions/2026/11/22/10"
    )
    for text in ("2026-11-22 09:00 – 10:00 UTC", "DPPL of Age (0, 2.5]", "0.4321, at the baseline -0.1234"):
        assert text in body
    assert f'href="{execution}"' in body
    assert f'href="{execution}/files/report.html"' in body

    (notification,) = receivers.sns.received
    assert notification["Subject"] == f"{endpoint.name} bias: 2 violations"
    told = notification["Message"]
    assert told.startswith(
        f"The bias monitor of {endpoint.name} found 2 violations in the window 2026-11-22 09:00 – 10:00 UTC."
    )
    assert "DI of Age (0, 2.5]: 0.4321, at the baseline -0.1234" in told
    assert "This group's rate of predicted acceptances, divided by the other group's" in told
    assert f"Execution: {execution}\n" in told

    (post,) = receivers.slack.received
    assert receivers.slack.paths == ["/T0/B0/secret-token"]
    assert post["text"] == f"{endpoint.name} bias: 2 violations"
    shown = slack_texts(post)
    assert shown[0] == f"*{endpoint.name} bias: 2 violations*"
    assert shown[1] == told.partition("\n")[0]
    assert (post["unfurl_links"], post["unfurl_media"]) == (False, False)
    assert shown[2].startswith(f"<{execution}|Execution> · <{execution}/files/report.html|Report> · ")
    assert shown[3].startswith("• *DPPL of Age (0, 2.5]*: 0.4321, at the baseline -0.1234\n")

    alert(endpoint, bias_verdict(endpoint, 12))
    alert(endpoint, bias_verdict(endpoint, 13))
    assert receivers.counts() == (2, 2, 2)
    assert receivers.sns.received[1]["Subject"] == f"{endpoint.name} bias: fine again"
    assert "It had found some since 2026-11-22 10:00 UTC." in receivers.sns.received[1]["Message"]


def test_new_violations_come_first_and_are_marked(make: Make, receivers: Receivers) -> None:
    endpoint = make(email=None, slack=None)
    many = [f"M{number:02}" for number in range(14)]
    alert(endpoint, bias_verdict(endpoint, 10, *many))
    alert(endpoint, bias_verdict(endpoint, 11, *many, "DI"))
    first, second = receivers.sns.received
    assert "And 4 more." in first["Message"]
    assert second["Subject"] == f"{endpoint.name} bias: 1 new violation"
    assert "found 15 violations in the window 2026-11-22 10:00 – 11:00 UTC; 1 of them is new." in second["Message"]
    assert "\n\nDI of Age (0, 2.5] (new): " in second["Message"]


def test_attribution_drift(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    assert alert(endpoint, explainability_verdict(endpoint, 10, 0.7531), "explainability")
    assert receivers.sns.received[0]["Subject"] == f"{endpoint.name} explainability: 1 violation"
    assert "NDCG of label0: 0.7531, a violation below 0.90" in receivers.sns.received[0]["Message"]
    assert state_of(endpoint).windows == ()


def test_a_violation_without_numbers_says_what_is_known_of_it(make: Make, receivers: Receivers) -> None:
    endpoint = make(email=None, slack=None)
    verdict = bias_verdict(endpoint, 10, "DI")
    verdict["violations"][0] |= {"position": None, "value": None, "baseline": None}
    alert(endpoint, verdict)
    told = receivers.sns.received[0]["Message"]
    assert "\n\nDI of Age (0, 2.5]: DI is worse\n  This group's rate of predicted acceptances" in told
    assert "NDCG" not in told


def test_a_monitor_that_cannot_judge_says_why(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    for hour in (10, 11):
        alert(endpoint, failed(endpoint, hour, f"Job inputs had no data.\nCaptures: no files in s3://…/{hour}"))
    assert receivers.counts() == (1, 1, 1)
    assert receivers.sns.received[0]["Subject"] == f"{endpoint.name} bias: cannot judge"
    assert "could not judge the window 2026-11-22 09:00 – 10:00 UTC: Job inputs" in receivers.sns.received[0]["Message"]
    assert "Captures: no files in s3://…/10" in slack_texts(receivers.slack.received[0])[1]
    alert(endpoint, bias_verdict(endpoint, 12))
    assert receivers.sns.received[1]["Subject"] == f"{endpoint.name} bias: judges again"
    assert "It could not since 2026-11-22 10:00 UTC." in receivers.sns.received[1]["Message"]


def test_k_of_n(make: Make, receivers: Receivers) -> None:
    endpoint = make(violating_windows=2, of_windows=3)
    assert alert(endpoint, bias_verdict(endpoint, 10, "DI")) == []
    assert alert(endpoint, bias_verdict(endpoint, 11)) == []
    assert alert(endpoint, bias_verdict(endpoint, 12, "DI")) != []
    assert (
        "2 of the last 3 windows violate, the first of them due 2026-11-22 10:00 UTC."
        in (receivers.sns.received[0]["Message"])
    )
    assert [bool(alert(endpoint, bias_verdict(endpoint, hour))) for hour in (13, 14, 15)] == [False, False, True]
    assert "None of the last 3 windows violates." in receivers.sns.received[1]["Message"]


def test_another_try_tells_only_those_that_were_not_told(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    receivers.mail.full = True
    with pytest.raises(AlertNotDelivered, match=r"was not told: email \(SMTPDataError: .*Insufficient system storage"):
        alert(endpoint, bias_verdict(endpoint, 10, "DI"))
    assert receivers.counts() == (0, 1, 1)
    receivers.mail.full = False
    assert alert(endpoint, bias_verdict(endpoint, 10, "DI")) == ["email"]
    assert alert(endpoint, bias_verdict(endpoint, 10, "DI")) == []
    assert receivers.counts() == (1, 1, 1)


def test_a_channel_that_was_away_is_told_of_the_present_only(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    receivers.slack.status = 503
    for hour, metrics in ((10, ["DI"]), (11, []), (12, ["DI"])):
        with pytest.raises(AlertNotDelivered, match="slack") if metrics else nullcontext():
            alert(endpoint, bias_verdict(endpoint, hour, *metrics))
    receivers.slack.status = 200
    assert alert(endpoint, bias_verdict(endpoint, 13, "DI")) == ["slack"]
    assert receivers.counts() == (3, 3, 1)
    assert "12:00 – 13:00" in slack_texts(receivers.slack.received[0])[1]


def test_what_the_data_says_stays_text(make: Make, receivers: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_SECRET", "hunter2")
    endpoint = make()
    alert(endpoint, bias_verdict(endpoint, 10, "DI", facet=HOSTILE + "x" * 500))
    body, slack = receivers.mail.body(), "\n".join(slack_texts(receivers.slack.received[0]))
    assert "<script>" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }}" in body
    assert "&lt;!channel&gt;" in slack
    assert "<!channel>" not in slack
    assert HOSTILE[:60] in receivers.sns.received[0]["Message"]
    for text in (body, receivers.sns.received[0]["Message"], slack):
        assert "hunter2" not in text
        assert "x" * 120 not in text


@pytest.mark.parametrize("slack", [{}, {"channel": "#drift"}])
def test_slack_makes_no_link_of_a_name(make: Make, receivers: Receivers, slack: dict[str, str]) -> None:
    receivers.slack.answer = b'{"ok": true}'
    name = "evil.example/x https://evil.example <https://evil.example|Report>"
    endpoint = make(slack=slack, email=None, sns=None)
    alert(endpoint, bias_verdict(endpoint, 10, "DI", facet=name))
    (post,) = receivers.slack.received
    # Where Slack takes text as it is for a link there is no name, and where there are names it takes none for one.
    assert post["text"] == f"{endpoint.name} bias: 1 violation"
    *_, links, finding = slack_texts(post)
    assert finding.startswith(
        "• *DI of evil.example/x https://evil.example &lt;https://evil.example|Report&gt; (0, 2.5]*: "
    )
    assert links.count("<https://airflow.example.com/team/model-monitor/endpoints/") == 3


def test_slack_s_api_where_a_channel_is_named(make: Make, receivers: Receivers) -> None:
    endpoint = make(slack={"channel": "#drift"}, email=None, sns=None)
    receivers.slack.answer = b'{"ok": true}'
    assert alert(endpoint, bias_verdict(endpoint, 10, "DI")) == ["log", "slack"]
    assert receivers.slack.paths == ["/api/chat.postMessage"]
    sent = receivers.slack.received[0]
    assert (sent["channel"], sent["unfurl_links"], sent["unfurl_media"]) == ("#drift", False, False)
    receivers.slack.answer = b'{"ok": false, "error": "channel_not_found"}'
    with pytest.raises(AlertNotDelivered, match="channel_not_found") as problem:
        alert(endpoint, bias_verdict(endpoint, 11))
    assert "xoxb-secret" not in str(problem.value)


def test_a_secret_is_not_in_what_is_told_of_a_failure(
    make: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    webhook = {"conn_type": "slackwebhook", "host": "http://127.0.0.1:9", "password": "T0/B0/secret-token"}
    monkeypatch.setenv("AIRFLOW_CONN_SLACK_DEFAULT", json.dumps(webhook))
    endpoint = make(sns=None, email=None)
    with pytest.raises(AlertNotDelivered, match="slack") as problem:
        alert(endpoint, bias_verdict(endpoint, 10, "DI"))
    assert "secret-token" not in str(problem.value)
    # Slack's client tells its debug log where it posts; tasks log from `info` on.
    told = capfd.readouterr().out.splitlines() + caplog.text.splitlines()
    assert not [line for line in told if "secret-token" in line and "debug" not in line.lower()]


def test_without_channels_the_log_is_told(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    endpoint = make(sns=None, email=None, slack=None)
    assert alert(endpoint, bias_verdict(endpoint, 10, "DI")) == ["log"]
    assert alert(endpoint, bias_verdict(endpoint, 11, "DI")) == []
    assert [window.scheduled for window in state_of(endpoint).windows] == ["2026-11-22T11:00:00Z"]


def test_who_finds_somebody_else_telling_waits(make: Make, receivers: Receivers, aws: Running) -> None:
    endpoint = make()
    keeper = Kept(StorageHook(aws_conn_id="aws_default", region_name="us-west-2"), endpoint, "bias")
    until = keeper.teller("churn.monitor/manual__1/bias.alert").until
    assert keeper.write(State(teller=Teller("churn.monitor/manual__1/bias.alert", until)))
    with pytest.raises(AlertNotDelivered, match="Another run is telling"):
        alert(endpoint, bias_verdict(endpoint, 10, "DI"))
    assert receivers.counts() == (0, 0, 0)
    aws.advance(301)
    assert alert(endpoint, bias_verdict(endpoint, 10, "DI")) == ["log", "sns", "email", "slack"]


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"windows": [], "told": {"log": {}}, "teller": null}', '{"windows": 1, "told": 2}']
)
def test_what_is_kept_and_cannot_be_read_is_named(make: Make, content: str) -> None:
    endpoint = make()
    uri = names.alert_state(endpoint, "bias")
    StorageHook(aws_conn_id="aws_default", region_name="us-west-2").put(uri, content)
    with pytest.raises(InputError, match=f"{uri} is not what alerts keep there .* delete it"):
        alert(endpoint, bias_verdict(endpoint, 10, "DI"))


def test_a_verdict_that_cannot_be_put_into_words_is_not_blamed_on_a_channel(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    verdict = bias_verdict(endpoint, 10, "DI")
    verdict["violations"][0]["value"] = "no number"
    with pytest.raises(ValueError, match="no number"):
        alert(endpoint, verdict)
    assert state_of(endpoint) == State()


def test_of_two_that_write_at_the_same_time_one_gives_way(make: Make) -> None:
    endpoint = make()
    storage = StorageHook(aws_conn_id="aws_default", region_name="us-west-2")
    one, other = Kept(storage, endpoint, "bias"), Kept(storage, endpoint, "bias")
    assert one.read() == other.read() == State()
    mine, yours = State(teller=Teller("one", "")), State(teller=Teller("other", ""))
    assert one.write(mine)
    assert not other.write(yours)
    assert other.read() == mine
    assert other.write(yours)
    assert not one.write(mine)


def test_what_only_who_asked_wants_to_know_is_not_told(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    window = {
        "start": "2026-11-22T09:10:00Z",
        "end": "2026-11-22T10:20:00Z",
        "scheduled": "2026-11-22T10:20:00Z",
        "regular": False,
    }
    assert alert(endpoint, {**bias_verdict(endpoint, 10, "DI"), "window": window}) == []
    assert receivers.counts() == (0, 0, 0)
    assert state_of(endpoint) == State()


def test_what_was_compared_with_nothing_is_kept_and_not_told(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    assert alert(endpoint, {**bias_verdict(endpoint, 10), "compared": False}) == []
    assert state_of(endpoint) == State((Outcome("2026-11-22T10:00:00Z", "measured"),))
    assert receivers.counts() == (0, 0, 0)


def test_a_backfill_is_silent_and_counts_for_the_windows_that_follow(make: Make, receivers: Receivers) -> None:
    endpoint = make(violating_windows=2, of_windows=3)
    for hour in (8, 9, 10):
        task = AlertOperator(
            task_id="alert", endpoint=endpoint, kind="bias", verdict=bias_verdict(endpoint, hour, "DI")
        )
        assert run_task(task, context("backfill__1", Run("backfill"))) == []
    assert receivers.counts() == (0, 0, 0)
    assert alert(endpoint, bias_verdict(endpoint, 11, "DI")) == ["log", "sns", "email", "slack"]
    assert "3 of the last 3 windows violate" in receivers.sns.received[0]["Message"]


def test_no_verdict_is_no_news(make: Make) -> None:
    with pytest.raises(AirflowSkipException, match="no verdict"):
        alert(make(), None)


def test_a_window_whose_tasks_failed_is_told_of_as_one_that_could_not_be_judged(
    make: Make, receivers: Receivers
) -> None:
    endpoint = make()
    window = {
        "start": "2026-11-22T09:00:00Z",
        "end": "2026-11-22T10:00:00Z",
        "scheduled": "2026-11-22T10:00:00Z",
        "regular": True,
    }
    with DAG("small.windows", schedule=None), TaskGroup("bias"):
        task = AlertOperator(task_id="alert", endpoint=endpoint, kind="bias", verdict=None, window=window)
    given = context("scheduled__1")
    with pytest.raises(AirflowSkipException):
        task.execute(given)
    given["ti"].states = {"bias.plan": "success", "bias.explain_3": "failed", "bias.judge": "upstream_failed"}
    assert task.execute(given) == ["log", "sns", "email", "slack"]
    assert receivers.sns.received[0]["Subject"] == f"{endpoint.name} bias: cannot judge"
    assert "bias.explain_3 failed in the run scheduled__1 of tests; its log" in receivers.sns.received[0]["Message"]
    assert state_of(endpoint).windows[-1].state == "failed"


class Accessor:
    """Airflow's way to an asset's last events, with those of this test."""

    def __init__(self, events: list[Any]) -> None:
        self.events = events

    def ascending(self, ascending: bool) -> Accessor:
        assert not ascending
        return self

    def limit(self, count: int) -> list[Any]:
        return self.events[::-1][:count]


def update(endpoint: MonitoredEndpoint, verdict: Any, events: list[Any], run_type: str = "scheduled") -> str | None:
    """Run ViolationsOperator on an asset with these events; the event's window, or None when it was skipped."""
    task = ViolationsOperator(task_id="violations", endpoint=endpoint, kind="bias", verdict=verdict)
    event = SimpleNamespace(extra={})
    given = context(run=Run(run_type)) | {
        "inlet_events": {task.asset: Accessor(events)},
        "outlet_events": {task.asset: event},
    }
    try:
        extra = task.execute(given)
    except AirflowSkipException:
        return None
    assert event.extra == extra
    assert len(json.dumps(extra)) < 20_000
    events.append(event)
    return str(extra["scheduled"])


def test_each_window_with_violations_updates_the_asset_once(endpoint: MonitoredEndpoint) -> None:
    events: list[Any] = []
    told = [
        update(endpoint, verdict, events)
        for verdict in (
            None,
            bias_verdict(endpoint, 9),
            bias_verdict(endpoint, 10, "DI"),
            bias_verdict(endpoint, 10, "DI"),
            bias_verdict(endpoint, 10, "DI", "DPPL"),
            bias_verdict(endpoint, 9, "DI"),
            {**bias_verdict(endpoint, 11, "DI"), "compared": False},
            failed(endpoint, 11),
            bias_verdict(endpoint, 12, "DI"),
        )
    ]
    ten, noon = "2026-11-22T10:00:00Z", "2026-11-22T12:00:00Z"
    assert told == [None, None, ten, None, ten, None, None, None, noon]
    last = events[-1].extra
    assert (last["endpoint"], last["kind"], last["status"]) == (endpoint.name, "bias", "CompletedWithViolations")
    assert (last["keys"], last["violations"][0]["value"]) == (["Age[0] DI"], 0.4321)


@pytest.mark.parametrize(
    "extra",
    [
        None,
        {},
        [],
        "2027",
        {"scheduled": None},
        {"scheduled": 5},
        {"scheduled": "today"},
        {"scheduled": ["2027-01-01"]},
    ],
)
def test_events_made_by_hand_do_not_stand_in_the_way(endpoint: MonitoredEndpoint, extra: Any) -> None:
    assert update(endpoint, bias_verdict(endpoint, 10, "DI"), [SimpleNamespace(extra=extra)]) == "2026-11-22T10:00:00Z"


def test_an_event_s_window_is_known_however_it_is_written(endpoint: MonitoredEndpoint) -> None:
    later = SimpleNamespace(extra={"scheduled": "2026-11-22T12:00:00+01:00"})
    assert update(endpoint, bias_verdict(endpoint, 10, "DI"), [later]) is None
    assert update(endpoint, bias_verdict(endpoint, 11, "DI"), [later]) == "2026-11-22T11:00:00Z"


def test_a_backfill_does_not_update_the_asset(endpoint: MonitoredEndpoint) -> None:
    assert update(endpoint, bias_verdict(endpoint, 10, "DI"), [], "backfill") is None
    assert update(endpoint, bias_verdict(endpoint, 10, "DI"), []) == "2026-11-22T10:00:00Z"


def test_a_callback_tells_the_same(make: Make, receivers: Receivers) -> None:
    endpoint = make()
    given = context()
    given["ti"].xcom_push("return_value", bias_verdict(endpoint, 10, "DI"))
    VerdictNotifier(endpoint=endpoint, kind="bias")(given)
    assert receivers.counts() == (1, 1, 1)
    assert alert(endpoint, bias_verdict(endpoint, 10, "DI")) == []
    VerdictNotifier(endpoint=endpoint, kind="bias")(context())
    assert receivers.counts() == (1, 1, 1)
