"""EventBridge's default bus: what happens here is sent to it, and rules send it on to their targets.

Matching and most targets are moto's: log groups, archives and other buses. Topics are targets too, for moto has none of
them; rules that are disabled, or that have only a schedule, get nothing.
"""

from __future__ import annotations

import copy
import json
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.services.events import topics
from local_aws.services.moto_hooks import Hooks

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

Detail = dict[str, Any]

MOST_ARCHIVED = 10_000
"""Events that an archive keeps, in memory."""


class EventBus:
    """The default bus of every region."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._hooks = Hooks()

    def start(self) -> None:
        """Let rules reach the targets that moto does not know, and topics go on when a subscriber is silent."""
        from moto.events.models import Rule

        topics.give_up_silent_subscribers(self._hooks)
        self._hooks.around(Rule, "send_to_targets", self._sending)
        self._hooks.around(Rule, "_send_to_events_archive", self._archiving)

    def stop(self) -> None:
        """Leave moto as it was."""
        self._hooks.undo()

    def emit(
        self, region: str, source: str, detail_type: str, resources: list[str], detail: Callable[[], Detail]
    ) -> None:
        """Send an event of this moment; its detail is asked for when it is delivered."""
        moment = self._aws.clock.timestamp()

        def deliver() -> None:
            rules = self._rules(region)
            if not rules:
                return
            event = {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": detail_type,
                "source": source,
                "account": self._aws.account_id,
                "time": moment,
                "region": region,
                "resources": resources,
                "detail": detail(),
                "ingestion-time": moment,
            }
            for rule in rules:
                rule.send_to_targets(event)

        self._aws.deliveries.post(f"{detail_type} of {', '.join(resources)}", deliver)

    def _rules(self, region: str) -> list[Any]:
        from moto.events.models import events_backends

        return list(events_backends[self._aws.account_id][region].describe_event_bus("default").rules.values())

    def _sending(self, send: Callable[..., None]) -> Callable[..., None]:
        def send_to_targets(rule: Any, event: dict[str, Any], transform_input: bool = True) -> None:
            if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
                return
            if not rule.event_pattern.matches_event(event):
                return
            for target in list(rule.targets):
                try:
                    if topics.is_topic(target["Arn"]):
                        self._notify(target, event)
                    else:
                        alone = copy.copy(rule)
                        alone.targets = [target]
                        # Without a transformer of its own, moto's default one would drop the account.
                        send(alone, _shown(target, event), transform_input and "InputTransformer" in target)
                except Exception:
                    log.exception("Rule %s could not send an event to its target %s.", rule.name, target["Arn"])

        return send_to_targets

    def _archiving(self, archive: Callable[..., None]) -> Callable[..., None]:
        def send_to_archive(rule: Any, resource_id: str, event: dict[str, Any]) -> None:
            from moto.events.models import events_backends

            archive(rule, resource_id, event)
            kept = events_backends[rule.account_id][rule.region_name].archives[resource_id.split(":")[0]]
            del kept.events[:-MOST_ARCHIVED]

        return send_to_archive

    def _notify(self, target: dict[str, Any], event: dict[str, Any]) -> None:
        topic = target["Arn"]
        message = _message(target, event)
        self._aws.deliveries.post(f"an event to {topic}", lambda: topics.publish(self._aws, topic, message))


def _shown(target: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """A copy of an event as a target sees it; only transformers know when it was taken in."""
    shown = copy.deepcopy(event)
    if "InputTransformer" not in target:
        shown.pop("ingestion-time", None)
    return shown


def _message(target: dict[str, Any], event: dict[str, Any]) -> str:
    """What a topic gets of an event: the target's own text, what its transformer makes, or the event as JSON."""
    from moto.events.models import EventTemplateParser

    if "Input" in target:
        return str(target["Input"])
    moment = datetime.fromtimestamp(float(event["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = _shown(target, event) | {"time": moment}
    if "InputTransformer" not in target:
        return json.dumps(shown)
    transformer = target["InputTransformer"]
    made = EventTemplateParser.parse(
        input_template=transformer["InputTemplate"],
        input_paths_map=transformer.get("InputPathsMap", {}),
        event=shown | {"ingestion-time": moment},  # type: ignore[arg-type]
    )
    return made if isinstance(made, str) else json.dumps(made)
