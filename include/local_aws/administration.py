"""What this server answers about itself, below `/_local/`: its health, its clock, and whether anything goes on.

    GET  /_local/health                                         {"status": "ok", "now": …, "s3": …}
    POST /_local/clock  {"advance_seconds": 3600}               {"now": …}, when all that fell due has been started
    POST /_local/clock  {"advance_seconds": 3600, "settle": true}  the same, when all of it is over
    GET  /_local/idle?timeout_seconds=60                        {"now": …, "going_on": []}, when nothing goes on
    GET  /_local/jobs                                           {"at_a_time": 2, "running": [...], "queued": [...]}

With `settle`, each moment at which something falls due is settled before time moves on, so that what an hour brings is
over within that hour. `timeout_seconds` (600) bounds each wait; what goes on longer is named with the status 504.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from local_aws.clock import ClockIsReal

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

LONGEST_WAIT_SECONDS = 600

Answer = tuple[int, dict[str, Any]]


class _StillGoingOn(Exception):
    """What was begun is not over in time."""

    def __init__(self, going_on: list[str]) -> None:
        super().__init__()
        self.going_on = going_on


def answer(aws: LocalAws, method: str, path: str, query: str, body: bytes) -> Answer:
    """HTTP status and JSON object for a request of the administration."""
    try:
        match method, path:
            case "GET", "/_local/health":
                return 200, {"status": "ok", "now": iso(aws.clock.now()), "s3": aws.s3_url}
            case "GET", "/_local/jobs":
                return 200, aws.jobs.queue()
            case "POST", "/_local/clock":
                return _advance(aws, body)
            case "GET", "/_local/idle":
                asked_for = parse_qs(query).get("timeout_seconds", [LONGEST_WAIT_SECONDS])[0]
                _settle(aws, _seconds(float(asked_for)))
                return 200, {"now": iso(aws.clock.now()), "going_on": []}
    except _StillGoingOn as still:
        message = f"Not over in time: {', '.join(still.going_on)}"
        return 504, {"message": message, "now": iso(aws.clock.now()), "going_on": still.going_on}
    except ClockIsReal as error:
        return 409, {"message": str(error)}
    except ValueError as error:
        return 400, {"message": str(error)}
    return 404, {
        "message": "local_aws answers GET /_local/health, /_local/jobs and /_local/idle, and POST /_local/clock."
    }


def iso(moment: datetime) -> str:
    """`2026-11-22T11:00:00Z`, with milliseconds unless it is a whole second."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def _advance(aws: LocalAws, body: bytes) -> Answer:
    try:
        request = json.loads(body)
        seconds, settle = request["advance_seconds"], request.get("settle", False)
        timeout = _seconds(request.get("timeout_seconds", LONGEST_WAIT_SECONDS))
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isinstance(settle, bool):
            raise TypeError(f"found {seconds!r} and {settle!r}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return 400, {"message": f'The body must be like {{"advance_seconds": 3600, "settle": true}}: {error}'}
    now = aws.clock.advance(seconds, after_each=(lambda: _settle(aws, timeout)) if settle else None)
    return 200, {"now": iso(now)}


def _settle(aws: LocalAws, timeout: float) -> None:
    if going_on := aws.settle(timeout):
        raise _StillGoingOn(going_on)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"timeout_seconds must be a number of 0 or more, not {value!r}.")
    return float(value)
