"""An endpoint as the model that an analysis asks: paced, patient with what may pass, and clear about what will not.

What the service or the network may do better next time is tried again here, with growing pauses. What the model refuses
is a `ModelError`, on which the analysis halves its batch. An endpoint that is not there ends the analysis at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from airflow.providers.amazon.aws.utils.waiter_with_logging import RETRIABLE_ERROR_CODES
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import EndpointFailed, ModelError, Unreachable
from model_monitor.hooks.runtime import RuntimeHook

PASSING = {
    *RETRIABLE_ERROR_CODES,
    "ModelNotReadyException",
    "ServiceUnavailable",
    "InternalFailure",
    "InternalDependencyException",
    "TooManyRequestsException",
}
TRIES = 6
FIRST_PAUSE_SECONDS = 0.5


class Pace:
    """At most so many requests a second, over all threads, evenly spaced."""

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
        """The endpoint of that name, asked as hard as the configuration of `endpoint` allows."""
        allowed = endpoint.windows.model
        # One try each: pauses between tries are made here, where other threads keep their pace meanwhile.
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=allowed.concurrency)
        runtime = RuntimeHook(**{**connection, "config": config.merge(connection.get("config") or Config())})
        return cls(runtime, name, Pace(allowed.requests_per_second))

    def __call__(self, body: bytes, content_type: str, accept: str) -> bytes:
        """The model's answer.

        Raises:
            ModelError: when the model refuses the request, or takes too long over it.
            EndpointFailed: when there is no such endpoint in service.
            Unreachable: when nothing answers.
            ClientError: for what AWS refuses otherwise, and for what has not passed after six tries.
        """
        for number in range(1, TRIES + 1):
            self._pace.wait()
            try:
                return self._runtime.invoke(
                    EndpointName=self._endpoint, ContentType=content_type, Accept=accept, Body=body
                )
            except (ClientError, Unreachable) as error:
                self._refuse(error)
                if number == TRIES:
                    raise
            self._sleep(FIRST_PAUSE_SECONDS * 2 ** (number - 1) * random.uniform(0.5, 1))
        raise AssertionError("the last try returns or raises")

    def _refuse(self, error: ClientError | Unreachable) -> None:
        """Raise what further tries would not change."""
        if isinstance(error, Unreachable):
            if isinstance(error.__cause__, ReadTimeoutError):
                raise ModelError(f"{self._endpoint} did not answer in time: {error.__cause__}") from error
            return
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", str(error))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "ModelError" or status == 413 or "payload" in message.lower():
            raise ModelError(error.response.get("OriginalMessage") or message) from error
        if code == "ValidationError" and "not found" in message.lower():
            raise EndpointFailed(
                f"The endpoint {self._endpoint}, which is to answer the analysis, is not in service: {message}"
            ) from error
        if code not in PASSING and status != 429 and status < 500:
            raise error
