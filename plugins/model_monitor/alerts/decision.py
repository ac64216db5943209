"""Whether there is something to tell: from what was told last and what the last windows came to, to a message or none.

Two things are told of, each with its end: that a monitor finds violations, and that it cannot judge. `k` of the last
`n` windows begin them, `n` windows without end them, so that a monitor that is red every other hour is told of once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from model_monitor.alerts.outcome import Outcome

Event = Literal["violating", "more", "fine", "failing", "judging"]


@dataclass(frozen=True)
class Rule:
    """Told as violating, or as failing, when so many of the last windows are."""

    violating: int = 1
    of: int = 1


@dataclass(frozen=True)
class Told:
    """What a channel was told last: since when there are violations, and which; since when it fails, and why."""

    violating_since: str | None = None
    violations: tuple[str, ...] = ()
    failing_since: str | None = None
    reason: str | None = None

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Told:
        """What `dataclasses.asdict` made of it."""
        return cls(**{**content, "violations": tuple(content["violations"])})


@dataclass(frozen=True)
class Message:
    """Something to tell.

    `violating`: violations persist from now on. `more`: some are new. `fine`: none is left. `failing`: the monitor
    cannot judge, or for another reason than before. `judging`: it judges again. `since` is when it began, of an end
    too; `violating_since` is there while violations persist; `counted` of `of` windows violate, or failed.
    """

    event: Event
    since: str
    violating_since: str | None
    new: tuple[str, ...]
    counted: int
    of: int


def kept(windows: Sequence[Outcome], outcome: Outcome, rule: Rule) -> tuple[Outcome, ...]:
    """The last windows with this one among them, oldest first: as many as the rule looks at, of any kind and judged."""
    others = [window for window in windows if window.scheduled != outcome.scheduled]
    ordered = sorted([*others, outcome], key=lambda window: window.scheduled)
    wanted = {*_last(ordered, rule), *_last(_judged(ordered), rule)}
    return tuple(window for window in ordered if window in wanted)


def decide(told: Told, windows: Sequence[Outcome], outcome: Outcome, rule: Rule) -> tuple[Message | None, Told]:
    """What to tell a channel of this outcome, and what it has been told then.

    Windows before the newest one are the past: nothing is told of them, whatever they come to when they are judged
    again. The newest one judged again, because labels came late, is told of like a new one. Fewer violations, or the
    same, are no message: the next one says that there are none left, or that there are others.

    Args:
        windows: what `kept` answered, which has the outcome among them.
    """
    if outcome.scheduled < windows[-1].scheduled:
        return None, told
    if outcome.state == "failed":
        return _failed(told, windows, outcome, rule)
    return _judgement(told, windows, outcome, rule)


def _failed(told: Told, windows: Sequence[Outcome], outcome: Outcome, rule: Rule) -> tuple[Message | None, Told]:
    failed = [window for window in _last(windows, rule) if window.state == "failed"]
    if len(failed) < rule.violating or (told.failing_since and _same(told.reason, outcome.reason)):
        return None, told
    since = told.failing_since or failed[0].scheduled
    message = Message("failing", since, told.violating_since, (), len(failed), len(_last(windows, rule)))
    return message, replace(told, failing_since=since, reason=outcome.reason)


def _judgement(told: Told, windows: Sequence[Outcome], outcome: Outcome, rule: Rule) -> tuple[Message | None, Told]:
    judged = _last(_judged(windows), rule)
    violating = [window for window in judged if window.state == "violating"]
    fails_no_more = told.failing_since is not None and not any(
        window.state == "failed" for window in _last(windows, rule)
    )
    now = replace(told, failing_since=None, reason=None) if fails_no_more else told

    def message(event: Event, since: str, new: tuple[str, ...] = ()) -> Message:
        return Message(event, since, now.violating_since, new, len(violating), len(judged))

    if told.violating_since is None and outcome.state == "violating" and len(violating) >= rule.violating:
        now = replace(now, violating_since=violating[0].scheduled, violations=outcome.violations)
        return message("violating", violating[0].scheduled), now
    if told.violating_since is not None and not violating:
        now = replace(now, violating_since=None, violations=())
        return message("fine", told.violating_since), now
    if told.violating_since is not None and (new := _new(told, violating, outcome, rule)):
        now = replace(now, violations=tuple(sorted({*told.violations, *outcome.violations})))
        return message("more", told.violating_since, new), now
    if fails_no_more and told.failing_since is not None:
        return message("judging", told.failing_since), now
    return None, now


def _new(told: Told, violating: Sequence[Outcome], outcome: Outcome, rule: Rule) -> tuple[str, ...]:
    """Violations of this window that were never told of, and that persist as the rule wants it."""
    counts = Counter(key for window in violating for key in window.violations)
    return tuple(key for key in outcome.violations if key not in told.violations and counts[key] >= rule.violating)


def _judged(windows: Sequence[Outcome]) -> list[Outcome]:
    return [window for window in windows if window.state != "failed"]


def _last(windows: Sequence[Outcome], rule: Rule) -> Sequence[Outcome]:
    return windows[-rule.of :]


def _same(one: str | None, other: str | None) -> bool:
    """Whether two reasons are one, apart from names of jobs, numbers and times, which change every hour."""
    return _essence(one) == _essence(other)


def _essence(reason: str | None) -> str:
    return re.sub(r"\S*\d\S*", "…", reason or "")
