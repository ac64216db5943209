"""The container contract of a model server: GET /ping, POST /invocations, and a line that says where it listens.

A program that serves models is a function that loads one, and this:

    def main() -> int:
        return serve(load)
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from cheroot.wsgi import Server

from local_aws.containers.job_container import exit_with_parent, root

log = logging.getLogger(__name__)

READY = "listening on "
MODEL_FOLDER = "opt/ml/model"
TEXT_TYPE = "text/html; charset=utf-8"
_THREADS = 4
_CONNECTIONS = 128
_IDLE_SECONDS = 3600
"""Longer than the platform keeps a connection unused, so that none is closed under a request."""


@dataclass(frozen=True)
class Request:
    """What a model is asked; the content type is as the caller gave it."""

    body: bytes
    content_type: str | None
    accept: str | None

    @property
    def media_type(self) -> str:
        """The content type in lower case and without parameters; empty when there is none."""
        return (self.content_type or "").split(";")[0].strip().lower()


@dataclass(frozen=True)
class Answer:
    """What a model answers."""

    body: bytes
    content_type: str


class Refused(Exception):
    """A request that the model cannot answer, and the status that says so."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class CannotServe(Exception):
    """There is no model that could be served; the text becomes part of the endpoint's FailureReason."""


class Model(Protocol):
    """A loaded model; several threads ask it at once."""

    def answer(self, request: Request) -> Answer:
        """The answer.

        Raises:
            Refused: the request is not one for this model.
        """


def serve(load: Callable[[Path], Model]) -> int:
    """Load the model of `/opt/ml/model` and serve it until stopped, or until the platform is gone; the exit code."""
    exit_with_parent()
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")
    try:
        model = load(root() / MODEL_FOLDER)
    except CannotServe as error:
        print(error, flush=True)
        return 1
    server = Server(
        ("127.0.0.1", 0),
        application(model),
        numthreads=_THREADS,
        request_queue_size=_CONNECTIONS,
        timeout=_IDLE_SECONDS,
    )
    server.keep_alive_conn_limit = _CONNECTIONS
    server.prepare()
    print(f"{READY}http://127.0.0.1:{server.bind_addr[1]}", flush=True)
    server.serve()
    return 0


def application(model: Model) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The container contract as a WSGI application."""

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, answer = HTTPStatus.NOT_FOUND, _text("Not Found")
        match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
            case "GET", "/ping":
                status, answer = HTTPStatus.OK, _text("")
            case "POST", "/invocations":
                request = Request(environ["wsgi.input"].read(), environ.get("CONTENT_TYPE"), environ.get("HTTP_ACCEPT"))
                status, answer = _invocation(model, request)
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [answer.body]

    return respond


def _invocation(model: Model, request: Request) -> tuple[HTTPStatus, Answer]:
    try:
        return HTTPStatus.OK, model.answer(request)
    except Refused as refusal:
        log.error("%s", refusal)
        return refusal.status, _text(str(refusal))
    except Exception as error:
        log.exception("The model failed.")
        return HTTPStatus.INTERNAL_SERVER_ERROR, _text(f"The model failed: {error}")


def _text(text: str) -> Answer:
    return Answer(text.encode(), TEXT_TYPE)
