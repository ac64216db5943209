"""ISO 8601 durations, as the YAML, SageMaker and XCom have them."""

from __future__ import annotations

from datetime import timedelta

from pydantic import TypeAdapter

_DURATION = TypeAdapter(timedelta)


def duration(text: str) -> timedelta:
    """What an ISO 8601 duration such as `-PT1H` means."""
    return _DURATION.validate_python(text)
