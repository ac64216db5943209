"""CloudWatch's metric values: written through to the journal as they come, read back at the start.

Kept are the newest 100,000 values of the last 63 days, for as long as AWS keeps values of five minutes.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.clock import Clock
from local_aws.services.durable.journal import Journal
from local_aws.services.moto_hooks import Hooks

MOST_VALUES = 100_000
TRIMMED_TO = 0.9
LONGEST = timedelta(days=63)
TRIMMED_EVERY = timedelta(hours=1)


class KeptMetrics:
    """Moto's metric values of one account, as durable as the journal."""

    def __init__(self, journal: Journal, clock: Clock, account_id: str, most_values: int = MOST_VALUES) -> None:
        from moto.cloudwatch.models import cloudwatch_backends

        self._journal = journal
        self._clock = clock
        self._backends: Any = cloudwatch_backends[account_id]
        self._most_values = most_values
        self._count = 0
        self._trimmed = clock.now()
        self._lock = threading.RLock()
        self._hooks = Hooks()

    def load(self) -> None:
        """Give moto the values that there were."""
        rows = self._journal.execute("SELECT region, count, data FROM metric_batches ORDER BY sequence")
        for region, count, data in rows:
            self._backends[region].metric_data.extend(map(_datum, json.loads(data)))
            self._count += count
        self._trim()

    def follow(self) -> None:
        """Keep from now on whatever is published."""
        from moto.cloudwatch.models import CloudWatchBackend

        self._hooks.around(CloudWatchBackend, "put_metric_data", self._putting)

    def stop(self) -> None:
        """Keep nothing more, and leave moto as it was."""
        self._hooks.undo()

    def _putting(self, put: Callable[..., None]) -> Callable[..., None]:
        def put_metric_data(backend: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
            with self._lock:
                known = len(backend.metric_data)
                put(backend, namespace, metric_data)
                if data := backend.metric_data[known:]:
                    try:
                        self._keep(backend.region_name, data)
                    except BaseException:
                        del backend.metric_data[known:]
                        raise
                    self._trim_when_due()

        return put_metric_data

    def _keep(self, region: str, data: list[Any]) -> None:
        newest = max(_epoch(datum.timestamp) for datum in data)
        self._journal.execute(
            "INSERT INTO metric_batches (region, newest, count, data) VALUES (?, ?, ?, ?)",
            (region, newest, len(data), json.dumps([_document(datum) for datum in data])),
        )
        self._count += len(data)

    def _trim_when_due(self) -> None:
        if self._count > self._most_values or self._clock.now() - self._trimmed > TRIMMED_EVERY:
            self._trim()

    def _trim(self) -> None:
        """Throw out what is too old, and the oldest of what is too much; in a region the order is that of arrival."""
        with self._lock:
            self._trimmed = self._clock.now()
            oldest = (self._trimmed - LONGEST).timestamp()
            surplus = self._count - int(self._most_values * TRIMMED_TO) if self._count > self._most_values else 0
            dropped: Counter[str] = Counter()
            last = 0
            for sequence, region, newest, count in self._journal.execute(
                "SELECT sequence, region, newest, count FROM metric_batches ORDER BY sequence"
            ):
                if surplus <= 0 and newest >= oldest:
                    break
                dropped[region] += count
                surplus -= count
                last = sequence
            self._journal.execute("DELETE FROM metric_batches WHERE sequence <= ?", (last,))
            self._count -= dropped.total()
            for region, count in dropped.items():
                del self._backends[region].metric_data[:count]


def _document(datum: Any) -> dict[str, Any]:
    document = {
        "Namespace": datum.namespace,
        "Name": datum.name,
        "Dimensions": [{"Name": dimension.name, "Value": dimension.value} for dimension in datum.dimensions],
        "Timestamp": datum.timestamp.isoformat(),
        "Unit": datum.unit,
    }
    if hasattr(datum, "value"):
        return document | {"Value": datum.value}
    return document | {"Summary": [datum.min, datum.max, datum.sample_count, datum.sum]}


def _datum(document: dict[str, Any]) -> Any:
    from moto.cloudwatch.models import MetricAggregatedDatum, MetricDatum

    rest: dict[str, Any] = {
        "namespace": document["Namespace"],
        "name": document["Name"],
        "dimensions": document["Dimensions"],
        "timestamp": datetime.fromisoformat(document["Timestamp"]),
        "unit": document["Unit"],
    }
    if "Value" in document:
        return MetricDatum(value=document["Value"], **rest)
    least, most, count, total = document["Summary"]
    return MetricAggregatedDatum(min_stat=least, max_stat=most, sample_count=count, sum_stat=total, **rest)


def _epoch(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
