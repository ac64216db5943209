"""CloudWatch Logs' streams and events: written through to the journal as they come, read back at the start.

Kept are the newest 32 MB of events (counted as AWS does: 26 bytes and the message) of the last fifteen days, or of
fewer where a log group's retention says so. Older ones leave moto's memory and the file, and a stream that is older
than that and has no events left goes with them.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.clock import Clock
from local_aws.services.durable.journal import Journal
from local_aws.services.moto_hooks import Hooks

MOST_BYTES = 32 * 1024**2
TRIMMED_TO = 0.9
"""The share of `MOST_BYTES` that is left, so that not every further event throws out another one."""
BYTES_PER_EVENT = 26
LONGEST_DAYS = 15
TRIMMED_EVERY = timedelta(hours=1)

Place = tuple[str, str, str]
"""Region, log group and stream."""


class KeptLogs:
    """Moto's log streams of one account, as durable as the journal."""

    def __init__(self, journal: Journal, clock: Clock, account_id: str, most_bytes: int = MOST_BYTES) -> None:
        from moto.logs.models import logs_backends

        self._journal = journal
        self._clock = clock
        self._backends: Any = logs_backends[account_id]
        self._most_bytes = most_bytes
        self._size = 0
        self._trimmed = clock.now()
        self._lock = threading.RLock()
        self._hooks = Hooks()

    def load(self) -> None:
        """Give moto the streams and events that there were; its log groups are there already."""
        from moto.logs.models import LogEvent, LogStream

        for region, name, stream, created in self._journal.execute("SELECT * FROM log_streams"):
            backend = self._backends[region]
            backend.ensure_log_group(name)
            made = backend.groups[name].streams[stream] = LogStream(backend.groups[name], stream)
            made.creation_time = datetime.fromisoformat(created)
        newest_id = LogEvent._event_id
        for region, name, stream, ingested, size, events in self._journal.execute(
            "SELECT region, log_group, stream, ingested, size, events FROM log_batches ORDER BY sequence"
        ):
            kept = self._stream((region, name, stream))
            if kept is None:
                continue
            kept.last_ingestion_time = datetime.fromisoformat(ingested)
            milliseconds = int(kept.last_ingestion_time.replace(tzinfo=UTC).timestamp() * 1000)
            kept.upload_sequence_token += 1
            for timestamp, message, number in json.loads(events):
                event = LogEvent(milliseconds, {"timestamp": timestamp, "message": message})
                event.event_id = number
                newest_id = max(newest_id, number)
                kept.events.append(event)
                kept.stored_bytes += len(message)
            self._size += size
        LogEvent._event_id = newest_id + 1
        self._trim()

    def follow(self) -> None:
        """Keep from now on whatever happens to streams."""
        from moto.logs.models import LogGroup, LogsBackend, LogStream

        self._hooks.around(LogGroup, "create_log_stream", self._creating)
        self._hooks.around(LogGroup, "delete_log_stream", self._deleting)
        self._hooks.around(LogsBackend, "delete_log_group", self._deleting_group)
        self._hooks.around(LogStream, "put_log_events", self._putting)

    def stop(self) -> None:
        """Keep nothing more, and leave moto as it was."""
        self._hooks.undo()

    def _creating(self, create: Callable[..., None]) -> Callable[..., None]:
        def create_log_stream(group: Any, log_stream_name: str) -> None:
            with self._lock:
                create(group, log_stream_name)
                created = group.streams[log_stream_name].creation_time.isoformat()
                self._journal.execute(
                    "INSERT OR REPLACE INTO log_streams VALUES (?, ?, ?, ?)",
                    (group.region, group.name, log_stream_name, created),
                )

        return create_log_stream

    def _deleting(self, delete: Callable[..., None]) -> Callable[..., None]:
        def delete_log_stream(group: Any, log_stream_name: str) -> None:
            with self._lock:
                delete(group, log_stream_name)
                self._forget("region = ? AND log_group = ? AND stream = ?", (group.region, group.name, log_stream_name))

        return delete_log_stream

    def _deleting_group(self, delete: Callable[..., None]) -> Callable[..., None]:
        def delete_log_group(backend: Any, log_group_name: str) -> None:
            with self._lock:
                delete(backend, log_group_name)
                self._forget("region = ? AND log_group = ?", (backend.region_name, log_group_name))

        return delete_log_group

    def _putting(self, put: Callable[..., str]) -> Callable[..., str]:
        def put_log_events(stream: Any, log_events: list[dict[str, Any]]) -> str:
            with self._lock:
                known = len(stream.events)
                token = put(stream, log_events)
                if events := stream.events[known:]:
                    try:
                        self._keep(stream, events)
                    except BaseException:
                        del stream.events[known:]
                        raise
                    self._trim_when_due()
                return token

        return put_log_events

    def _keep(self, stream: Any, events: list[Any]) -> None:
        size = sum(BYTES_PER_EVENT + len(event.message) for event in events)
        self._journal.execute(
            "INSERT INTO log_batches (region, log_group, stream, ingested, newest, size, count, events)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                stream.region,
                stream.log_group.name,
                stream.log_stream_name,
                stream.last_ingestion_time.isoformat(),
                max(event.timestamp for event in events),
                size,
                len(events),
                json.dumps([[event.timestamp, event.message, event.event_id] for event in events]),
            ),
        )
        self._size += size

    def _trim_when_due(self) -> None:
        if self._size > self._most_bytes or self._clock.now() - self._trimmed > TRIMMED_EVERY:
            self._trim()

    def _forget(self, which: str, values: tuple[str, ...]) -> None:
        with self._journal.transaction():
            self._journal.execute(f"DELETE FROM log_streams WHERE {which}", values)
            rows = self._journal.execute(f"DELETE FROM log_batches WHERE {which} RETURNING size", values)
        self._size -= sum(size for (size,) in rows)

    def _trim(self) -> None:
        """Throw out what is too old, and the oldest of what is too much."""
        with self._lock:
            self._trimmed = self._clock.now()
            dropped: defaultdict[Place, int] = defaultdict(int)
            with self._journal.transaction():
                for place, sequences, count in [*self._too_old(), *self._too_much()]:
                    dropped[place] += count
                    marks = ", ".join("?" * len(sequences))
                    rows = self._journal.execute(
                        f"DELETE FROM log_batches WHERE sequence IN ({marks}) RETURNING size", tuple(sequences)
                    )
                    self._size -= sum(size for (size,) in rows)
            for place, count in dropped.items():
                if (stream := self._stream(place)) is not None:
                    del stream.events[:count]
            self._drop_empty_streams()

    def _too_old(self) -> list[tuple[Place, list[int], int]]:
        """The batches of each stream before its first one that is to be kept."""
        found: dict[Place, tuple[list[int], int]] = {}
        closed: set[Place] = set()
        oldest = int(self._cutoff(1).timestamp() * 1000)
        suspects = self._journal.execute(
            "SELECT DISTINCT region, log_group, stream FROM log_batches WHERE newest < ?", (oldest,)
        )
        for place in suspects:
            cutoff = int(self._cutoff(self._days(place)).timestamp() * 1000)
            for sequence, newest, count in self._journal.execute(
                "SELECT sequence, newest, count FROM log_batches"
                " WHERE region = ? AND log_group = ? AND stream = ? ORDER BY sequence",
                place,
            ):
                if newest >= cutoff or place in closed:
                    closed.add(place)
                    break
                sequences, total = found.get(place, ([], 0))
                found[place] = ([*sequences, sequence], total + count)
        return [(place, sequences, count) for place, (sequences, count) in found.items()]

    def _too_much(self) -> list[tuple[Place, list[int], int]]:
        if self._size <= self._most_bytes:
            return []
        surplus = self._size - int(self._most_bytes * TRIMMED_TO)
        found = []
        for sequence, region, name, stream, size, count in self._journal.execute(
            "SELECT sequence, region, log_group, stream, size, count FROM log_batches ORDER BY sequence"
        ):
            if surplus <= 0:
                break
            found.append(((region, name, stream), [sequence], count))
            surplus -= size
        return found

    def _drop_empty_streams(self) -> None:
        for region, name, stream, created in self._journal.execute(
            "SELECT * FROM log_streams WHERE NOT EXISTS (SELECT 1 FROM log_batches WHERE"
            " log_batches.region = log_streams.region AND log_batches.log_group = log_streams.log_group"
            " AND log_batches.stream = log_streams.stream)"
        ):
            place = (region, name, stream)
            if datetime.fromisoformat(created).replace(tzinfo=UTC) < self._cutoff(self._days(place)):
                self._journal.execute(
                    "DELETE FROM log_streams WHERE region = ? AND log_group = ? AND stream = ?", place
                )
                if name in self._backends[region].groups:
                    self._backends[region].groups[name].streams.pop(stream, None)

    def _stream(self, place: Place) -> Any:
        region, name, stream = place
        group = self._backends[region].groups.get(name)
        return group.streams.get(stream) if group is not None else None

    def _days(self, place: Place) -> int:
        region, name, _ = place
        group = self._backends[region].groups.get(name)
        asked_for = int(group.retention_in_days or LONGEST_DAYS) if group is not None else LONGEST_DAYS
        return min(asked_for, LONGEST_DAYS)

    def _cutoff(self, days: int) -> datetime:
        return self._clock.now() - timedelta(days=days)
