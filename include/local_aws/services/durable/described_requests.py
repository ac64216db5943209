"""What a request to one of moto's services does: its action, whether that changes anything, and what it concerns."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

_CREDENTIAL = re.compile(r"(?:Credential=|X-Amz-Credential=)([^,&\s]+)")
_RPC_PATH = re.compile(r"/operation/(?P<action>\w+)/?$")

READING = ("Get", "List", "Describe", "Filter", "Test", "Simulate", "Lookup", "Check", "StartQuery", "StopQuery")
REPEATABLE = ("Put", "Set", "Tag", "Enable", "Disable", "Attach", "Associate")
"""Actions that, done twice in a row with the same parameters, do what they do when done once."""
UNDONE_BY = {"CreateTopic": "DeleteTopic", "Subscribe": "Unsubscribe"}
"""Actions that, asked for again, find that it is so already, and those after which it is not so any more."""
KEPT_OTHERWISE = frozenset({"CreateLogStream", "DeleteLogStream", "PutLogEvents", "PutMetricData", "SetAlarmState"})
"""What they change is kept in bulk, not as requests."""
FLEETING = frozenset({"Publish", "PublishBatch", "PutEvents", "StartLiveTail"})
"""What they do is over once it is done, and must not be done again."""
SERVICES = frozenset({"iam", "monitoring", "logs", "events", "sns"})


@dataclass(frozen=True)
class Described:
    """A request's service, region and action, and the resource that it concerns, where that is one and is known."""

    service: str
    region: str
    action: str
    subject: str | None
    deletes: bool = False

    @property
    def name(self) -> str:
        """Such as `iam/us-east-1/CreateRole`."""
        return f"{self.service}/{self.region}/{self.action}"

    @property
    def is_kept(self) -> bool:
        """Whether it has to be repeated so that the service is again what it was."""
        return _changes(self.action)

    @property
    def is_repeatable(self) -> bool:
        """Whether doing it twice in a row is doing it once."""
        return self.action.startswith(REPEATABLE)

    @property
    def undone_by(self) -> str | None:
        """The action that makes this one do something again; None for one that always does something."""
        return UNDONE_BY.get(self.action)


@dataclass(frozen=True)
class _Kind:
    """How requests name a resource: by parameters with its name (for some only in `actions`), or with an ARN."""

    creating: str
    deleting: str
    names: tuple[str, ...]
    arns: tuple[str, ...] = ()
    arn_part: int = 6
    within: str = ""
    without: str = ""
    actions: tuple[str, ...] = ()


_RULE_ACTIONS = ("PutRule", "DeleteRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets")
_TOPIC_ARNS = ("TopicArn", "SubscriptionArn", "ResourceArn")
_KINDS: dict[str, tuple[_Kind, ...]] = {
    "logs": (_Kind("CreateLogGroup", "DeleteLogGroup", ("logGroupName",), ("resourceArn",)),),
    "monitoring": (_Kind("PutMetricAlarm", "DeleteAlarms", ("AlarmName", "AlarmNames"), ("ResourceARN",)),),
    "events": (_Kind("PutRule", "DeleteRule", ("Name", "Rule"), within="EventBusName", actions=_RULE_ACTIONS),),
    "sns": (_Kind("CreateTopic", "DeleteTopic", ("Name",), _TOPIC_ARNS, arn_part=5, actions=("CreateTopic",)),),
    "iam": (
        _Kind("CreateRole", "DeleteRole", ("RoleName",), without="InstanceProfileName"),
        _Kind("CreateUser", "DeleteUser", ("UserName",), without="GroupName"),
    ),
}


def is_for_these_services(environ: dict[str, Any]) -> bool:
    """Whether a request is for one of the services that are kept by their requests."""
    return _place(environ) is not None


def describe(environ: dict[str, Any], body: bytes) -> Described | None:
    """A request, or None when it is not for one of the services that are kept by their requests."""
    place = _place(environ)
    if place is None:
        return None
    service, region = place
    named = _action(environ)
    if named is not None and not _changes(named):
        return Described(service, region, named, None)
    parameters = _parameters(environ, body)
    action = named or str(parameters.get("Action", ""))
    for kind in _KINDS[service]:
        name = _named(kind, action, parameters)
        if name is not None:
            within = "" if service == "iam" else f"{region}/{parameters.get(kind.within) or ''}"
            subject = f"{service}/{kind.creating}/{within}/{name}"
            return Described(service, region, action, subject, deletes=action == kind.deleting)
    return Described(service, region, action, None)


def _place(environ: dict[str, Any]) -> tuple[str, str] | None:
    """The service and the region."""
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "")) or _CREDENTIAL.search(
        environ.get("QUERY_STRING", "").replace("%2F", "/")
    )
    scope = credential[1].split("/") if credential else []
    if len(scope) < 5 or scope[-2].lower() not in SERVICES:
        return None
    return scope[-2].lower(), scope[-3]


def _changes(action: str) -> bool:
    return not action.startswith(READING) and action not in KEPT_OTHERWISE | FLEETING


def _action(environ: dict[str, Any]) -> str | None:
    """The action where the request's head names it, so that a long body need not be read."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    path = _RPC_PATH.search(environ.get("PATH_INFO", ""))
    return path["action"] if path else None


def _parameters(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    content_type = environ.get("CONTENT_TYPE", "")
    if "json" in content_type:
        try:
            read = json.loads(body)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}
    if "cbor" in content_type:
        return {}
    text = body.decode("utf-8", errors="replace") if "form" in content_type else environ.get("QUERY_STRING", "")
    return {name: values[0] for name, values in parse_qs(text).items()}


def _named(kind: _Kind, action: str, parameters: dict[str, Any]) -> str | None:
    if kind.without in parameters:
        return None
    for parameter in kind.names if not kind.actions or action in kind.actions else ():
        value = parameters.get(parameter)
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        if isinstance(value, str) and value:
            return value
    for parameter in kind.arns:
        parts = str(parameters.get(parameter)).split(":")
        if len(parts) > kind.arn_part:
            return parts[kind.arn_part]
    return None
