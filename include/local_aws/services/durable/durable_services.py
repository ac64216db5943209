"""IAM, CloudWatch, Logs, EventBridge and SNS that survive the process's end at any moment.

Moto keeps them in memory. Here every request that changes something is written to the journal before it is done, and
done again at the start: at the time that it came and with the same chance, so that identifiers are what they were.
Log events and metric values, which are many, are kept as they are. A publication or an event is not done again.
"""

from __future__ import annotations

import io
import logging
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from local_aws.clock import Clock
from local_aws.services.durable.bounds import MotoBounds
from local_aws.services.durable.described_requests import Described, describe, is_for_these_services
from local_aws.services.durable.journal import Entry, Journal
from local_aws.services.durable.logs import KeptLogs
from local_aws.services.durable.metrics import KeptMetrics
from local_aws.services.repeatable import circumstances

log = logging.getLogger(__name__)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

KEPT_VARIABLES = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "CONTENT_TYPE", "SERVER_NAME")
KEPT_HEADERS = ("HTTP_HOST", "HTTP_X_AMZ_TARGET", "HTTP_X_AMZN_QUERY_MODE", "HTTP_SMITHY_PROTOCOL", "HTTP_ACCEPT")
FAILED = 400


class DurableServices:
    """A WSGI application: moto's, with all but S3 and STS kept in the file at `path`."""

    def __init__(self, application: Application, path: Path, clock: Clock, account_id: str) -> None:
        self._application = application
        self._clock = clock
        self._changing = threading.Lock()
        self._journal = Journal(path)
        self._parts = (KeptLogs(self._journal, clock, account_id), KeptMetrics(self._journal, clock, account_id))
        try:
            self._repeat()
            for part in self._parts:
                part.load()
        except BaseException:
            self._journal.close()
            raise
        self._followers = (*self._parts, MotoBounds())
        for follower in self._followers:
            follower.follow()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not is_for_these_services(environ):
            return self._application(environ, start_response)
        body = _read(environ)
        request = describe(environ, body)
        if request is None or not request.is_kept:
            return self._application(environ, start_response)
        with self._changing:
            return self._change(request, environ, body, start_response)

    def close(self) -> None:
        """Let go of the file, and leave moto as it was."""
        for follower in self._followers:
            follower.stop()
        self._journal.close()

    def _change(
        self, request: Described, environ: Environ, body: bytes, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        entry = Entry(
            action=request.name,
            subject=request.subject,
            seed=secrets.randbits(128),
            moment=self._clock.now().isoformat(),
            environ=_kept(environ),
            body=body,
        )
        # Before it is done, so that what cannot be kept, as on a full disk, is not done either.
        place = self._journal.append(entry)
        answer = _Answer()
        done = False
        try:
            with circumstances(datetime.fromisoformat(entry.moment), entry.seed):
                content = b"".join(self._application(environ, answer))
            done = answer.status < FAILED
        finally:
            self._tidy(request, place, done)
        start_response(*answer.line)
        return [content]

    def _tidy(self, request: Described, place: int, done: bool) -> None:
        """Leave out of the journal what need not be done again."""
        try:
            if not done:
                self._journal.drop(place)
            elif request.deletes and request.subject is not None:
                self._journal.forget(request.subject, creating=request.subject.split("/")[1])
            elif request.undone_by is not None:
                self._journal.drop_if_so_already(place, request.undone_by)
            elif request.is_repeatable:
                self._journal.drop_same_before(place)
        except sqlite3.Error as error:
            log.warning("The journal keeps more than it needs after %s: %s", request.name, error)

    def _repeat(self) -> None:
        for entry in self._journal.entries():
            answer = _Answer()
            environ = entry.environ | {
                "CONTENT_LENGTH": str(len(entry.body)),
                "SERVER_PORT": "80",
                "wsgi.input": io.BytesIO(entry.body),
                "wsgi.url_scheme": "http",
            }
            try:
                with circumstances(datetime.fromisoformat(entry.moment), entry.seed):
                    content = b"".join(self._application(environ, answer))
            except Exception:
                log.exception("%s of %s cannot be done again.", entry.action, entry.moment)
                continue
            if answer.status >= FAILED:
                log.warning("%s of %s cannot be done again: %.500s", entry.action, entry.moment, content.decode())


class _Answer:
    """Stands for WSGI's `start_response`: remembers what it was called with."""

    def __init__(self) -> None:
        self.line: tuple[Any, ...] = ()

    def __call__(self, status: str, headers: list[tuple[str, str]], *args: Any) -> Callable[[bytes], None]:
        self.line = (status, headers, *args)
        return lambda data: None

    @property
    def status(self) -> int:
        return int(self.line[0].split()[0])


def _read(environ: Environ) -> bytes:
    """The body, which can be read again afterwards."""
    length = environ.get("CONTENT_LENGTH")
    if not length and environ.get("HTTP_TRANSFER_ENCODING", "").lower() != "chunked":
        return b""
    body: bytes = environ["wsgi.input"].read(int(length)) if length else environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def _kept(environ: Environ) -> dict[str, str]:
    """What a request has to say again, without its signature."""
    kept = {name: str(environ[name]) for name in (*KEPT_VARIABLES, *KEPT_HEADERS) if name in environ}
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    return kept | {"HTTP_AUTHORIZATION": authorization.partition("Signature=")[0]}
