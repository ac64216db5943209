"""What moto would keep for ever though nobody asks for it any more, cut to the latest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_aws.services.moto_hooks import Hooks

MOST_QUERIES = 100
"""Queries of log groups whose results can be asked for."""
MOST_PAGES = 100
"""Listings of metrics that can be gone on with."""
MOST_NOTIFICATIONS = 100
"""Messages of each topic, and text messages; moto remembers them for tests of its own."""


class MotoBounds:
    """Cuts after each call that adds something."""

    def __init__(self) -> None:
        self._hooks = Hooks()

    def follow(self) -> None:
        """Begin to cut."""
        from moto.cloudwatch.models import CloudWatchBackend
        from moto.logs.models import LogsBackend
        from moto.sns.models import SNSBackend

        self._hooks.around(LogsBackend, "start_query", _then(lambda backend: _cut(backend.queries, MOST_QUERIES)))
        self._hooks.around(
            CloudWatchBackend, "list_metrics", _then(lambda backend: _cut(backend.paged_metric_data, MOST_PAGES))
        )
        self._hooks.around(SNSBackend, "publish", _then(_cut_notifications))

    def stop(self) -> None:
        """Leave moto as it was."""
        self._hooks.undo()


def _then(cut: Callable[[Any], None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def around(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return method(backend, *args, **kwargs)
            finally:
                cut(backend)

        return call

    return around


def _cut(things: dict[str, Any], most: int) -> None:
    for name in list(things)[:-most]:
        things.pop(name, None)


def _cut_notifications(backend: Any) -> None:
    _cut(backend.sms_messages, MOST_NOTIFICATIONS)
    for topic in list(backend.topics.values()):
        del topic.sent_notifications[:-MOST_NOTIFICATIONS]
