"""What becomes of questions that services do not answer."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import asking
from model_monitor.dashboard.asking import ask
from model_monitor.errors import AccessDenied, InputError, MonitorError, Unreachable
from model_monitor.history.reader import History


@pytest.mark.parametrize(
    ("problem", "status", "renewed"),
    [
        (AccessDenied("no"), HTTPStatus.BAD_GATEWAY, True),
        (Unreachable("no"), HTTPStatus.BAD_GATEWAY, True),
        (MonitorError("no"), HTTPStatus.BAD_GATEWAY, False),
        (InputError("no"), HTTPStatus.BAD_REQUEST, False),
    ],
)
def test_a_connection_is_read_anew_where_it_may_be_to_blame(
    endpoint: MonitoredEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    problem: MonitorError,
    status: HTTPStatus,
    renewed: bool,
) -> None:
    def refuse(history: History) -> None:
        raise problem

    asked: list[MonitoredEndpoint] = []
    monkeypatch.setattr(asking, "history_of", lambda endpoint: None)
    monkeypatch.setattr(asking, "renew", asked.append)
    answer = ask(endpoint, refuse)
    assert (answer.value, answer.problem, answer.status) == (None, "no", status)
    assert asked == ([endpoint] if renewed else [])
