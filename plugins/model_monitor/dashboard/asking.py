"""Asking endpoints' histories, and what a page says when their services do not answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AccessDenied, InputError, MonitorError, Unreachable
from model_monitor.history.reader import History
from model_monitor.history.registry import history_of, renew

T = TypeVar("T")
THREADS = 8


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What was asked for, or what is in the way."""

    value: T | None = None
    problem: str | None = None
    status: HTTPStatus = HTTPStatus.OK


def ask(endpoint: MonitoredEndpoint, question: Callable[[History], T]) -> Answer[T]:
    """Ask one endpoint's history."""
    try:
        return Answer(question(history_of(endpoint)))
    except InputError as problem:
        return Answer(problem=str(problem), status=HTTPStatus.BAD_REQUEST)
    except MonitorError as problem:
        if isinstance(problem, AccessDenied | Unreachable):
            renew(endpoint)
        return Answer(problem=str(problem), status=HTTPStatus.BAD_GATEWAY)


def ask_all(
    endpoints: Sequence[MonitoredEndpoint], question: Callable[[MonitoredEndpoint, History], T]
) -> list[Answer[T]]:
    """Ask several endpoints' histories at once; the answers come in their order."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda endpoint: ask(endpoint, lambda history: question(endpoint, history)), endpoints))
