"""An endpoint as the model that an analysis asks: paced, patient with what may pass, and clear about what will not.

What the service or the network may do better next time is tried again here, with growing pauses. What the model refuses
is a `ModelError`, on which the analysis halves its batch. An endpoint that is not there ends the analysis at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.waiter_with_logging import RETRIABLE_ERROR_CODES
from botocore.exceptions import ClientError, ReadTimeoutError

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import EndpointFailed, ModelError, MonitorError, Unreachable
from model_monitor.hooks.runtime import OneTryRuntimeHook, RuntimeHook

if TYPE_CHECKING:
    from model_monitor.analysis.predictor import PredictorOf

PASSING = {*RETRIABLE_ERROR_CODES, "ModelNotReadyException"}
MEBIBYTE = 1024**2
BUSY = {429, 503}
"""What model servers answer when more is asked than they have workers for."""
TRIES = 6
FIRST_PAUSE_SECONDS = 0.5


class Pace:
    """At most so many requests a second from this process, over all its threads, evenly spaced."""

    def __init__(
        self,
        requests_per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 0.0 if requests_per_second is None else 1 / requests_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next request may go out."""
        with self._lock:
            now = self._clock()
            mine = max(now, self._next)
            self._next = mine + self._gap
        if mine > now:
            self._sleep(mine - now)


class EndpointModel:
    """`(body, content type, accept type) -> answer` of an endpoint.

    Args:
        runtime: the endpoint's own side.
        endpoint: the endpoint's name.
        pace: when requests may go out.
        sleep: how pauses between tries are made, of so many seconds.
    """

    def __init__(
        self, runtime: RuntimeHook, endpoint: str, pace: Pace, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._runtime = runtime
        self._endpoint = endpoint
        self._pace = pace
        self._sleep = sleep

    @classmethod
    def of(cls, endpoint: MonitoredEndpoint, name: str, **connection: Any) -> EndpointModel:
        """The endpoint of that name, asked no faster than the configuration of `endpoint` allows."""
        runtime = OneTryRuntimeHook(**connection)
        # Made before there are threads, as making clients is not safe in several.
        runtime.get_conn()
        return cls(runtime, name, Pace(endpoint.windows.model.requests_per_second))

    def __call__(self, body: bytes, content_type: str, accept: str) -> bytes:
        """The model's answer.

        Raises:
            ModelError: when the model refuses the request, or takes too long over it.
            EndpointFailed: when there is no such endpoint in service.
            Unreachable: when nothing answers, or nothing but that it cannot now, in six tries.
            ClientError: for what AWS refuses otherwise.
        """
        tried = 0
        while True:
            self._pace.wait()
            try:
                return self._runtime.invoke(
                    EndpointName=self._endpoint, ContentType=content_type, Accept=accept, Body=body
                )
            except (ClientError, Unreachable) as error:
                tried += 1
                if tried == TRIES or not _may_pass(error):
                    if (explained := self._explained(error)) is not None:
                        raise explained from error
                    raise
            self._sleep(FIRST_PAUSE_SECONDS * 2 ** (tried - 1) * random.uniform(0.5, 1))

    def _explained(self, error: ClientError | Unreachable) -> MonitorError | None:
        """The error of ours that says what to do, if there is one."""
        if isinstance(error, Unreachable):
            return ModelError(f"No answer in time: {error.__cause__}") if _is_late(error) else None
        code, message, status = _told(error)
        if code == "ModelError":
            return ModelError(error.response.get("OriginalMessage") or message)
        if status == 413 or "payload" in message.lower():
            return ModelError(message)
        if code == "ValidationError" and "not found" in message.lower():
            return EndpointFailed(
                f"The endpoint {self._endpoint}, which is to answer the analysis, is not in service: {message}"
            )
        if _may_pass(error):
            return Unreachable(
                f"The endpoint {self._endpoint} could not answer in {TRIES} tries: {code}: {message} Is too much asked "
                "of it? windows.model has concurrency and requests_per_second to ask less."
            )
        return None


def predictor_of(endpoint: MonitoredEndpoint, name: str, **connection: Any) -> PredictorOf:
    """What asks the endpoint of that name, within what the configuration of `endpoint` allows."""
    from model_monitor.analysis.predictor import Predictor

    allowed = endpoint.windows.model
    return partial(
        Predictor,
        EndpointModel.of(endpoint, name, **connection),
        max_payload_bytes=int(allowed.max_payload_mb * MEBIBYTE),
        concurrency=allowed.concurrency,
    )


def _may_pass(error: ClientError | Unreachable) -> bool:
    if isinstance(error, Unreachable):
        return not _is_late(error)
    code, _, status = _told(error)
    if code == "ModelError":
        return error.response.get("OriginalStatusCode") in BUSY
    return code in PASSING or status == 429 or status >= 500


def _is_late(error: Unreachable) -> bool:
    return isinstance(error.__cause__, ReadTimeoutError)


def _told(error: ClientError) -> tuple[str, str, int]:
    """Code, message and HTTP status of AWS' refusal."""
    told = error.response["Error"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return told.get("Code", ""), told.get("Message", str(error)), status
