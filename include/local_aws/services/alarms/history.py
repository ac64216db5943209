"""What happened to CloudWatch alarms: DescribeAlarmHistory, which moto lacks."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.control.listing import cut
from local_aws.store import Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

KIND = "alarm-history"
KEPT_SECONDS = 30 * 86400
MOST_KEPT = 500
"""Items of each alarm."""
PAGE = 50


class AlarmHistory:
    """The items of all alarms, kept for thirty days as on AWS, and for no more than some hundreds of each alarm."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def add(self, region: str, name: str, kind: str, summary: str, data: dict[str, Any] | None = None) -> None:
        """Remember something that happened now."""
        now = self._aws.clock.timestamp()
        prefix = scoped(region, f"{name}/")
        key = prefix + uuid.uuid4().hex
        item = {
            "Key": key,
            "AlarmName": name,
            "AlarmType": "MetricAlarm",
            "Timestamp": now,
            "HistoryItemType": kind,
            "HistorySummary": summary[:255],
            "HistoryData": json.dumps({"version": "1.0", **(data or {})}),
        }
        self._aws.store.insert(KIND, key, item)
        items = [item for item in self._aws.store.list(KIND, prefix) if item["AlarmName"] == name]
        for number, old in enumerate(items):
            if old["Timestamp"] < now - KEPT_SECONDS or number < len(items) - MOST_KEPT:
                self._aws.store.delete(KIND, old["Key"])

    def state_update(self, region: str, name: str, before: Document, after: Document) -> None:
        """Remember a change of state."""
        data = {"oldState": _state(before), "newState": _state(after)}
        old = before.get("StateValue", "INSUFFICIENT_DATA")
        self.add(region, name, "StateUpdate", f"Alarm updated from {old} to {after['StateValue']}", data)

    def of(self, region: str, name: str | None) -> list[Document]:
        """The items of an alarm, or of all of a region, oldest first."""
        items = self._aws.store.list(KIND, scoped(region, f"{name}/" if name else ""))
        return [item for item in items if name in (None, item["AlarmName"])]


def asked_for(items: list[Document], request: dict[str, Any]) -> dict[str, Any]:
    """The answer of DescribeAlarmHistory: the page that a request asks for.

    Raises:
        AwsError: ValidationException, for a token that no page gave.
    """
    start, end = _seconds(request.get("StartDate"), 0.0), _seconds(request.get("EndDate"), float("inf"))
    kind = request.get("HistoryItemType")
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        item
        for item in items
        if start <= item["Timestamp"] <= end and kind in (None, item["HistoryItemType"]) and item["AlarmType"] in types
    ]
    if request.get("ScanBy") != "TimestampAscending":
        found.reverse()
    limits = {"NextToken": request.get("NextToken"), "MaxResults": request.get("MaxRecords") or PAGE}
    page, token = cut(found, limits, PAGE)
    shown = [item | {"Timestamp": datetime.fromtimestamp(item["Timestamp"], UTC)} for item in page]
    return {"AlarmHistoryItems": shown, "NextToken": token}


def _state(document: Document) -> dict[str, Any]:
    if not document:
        return {}
    return {
        "stateValue": document["StateValue"],
        "stateReason": document["StateReason"],
        "stateReasonData": json.loads(document["StateReasonData"] or "{}"),
    }


def _seconds(moment: Any, otherwise: float) -> float:
    if moment is None:
        return otherwise
    return float((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
