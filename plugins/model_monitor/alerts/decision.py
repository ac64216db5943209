"""Whether there is something to tell: from what was told last and what the last windows came to, to a message or none.

Two things are told of, each with its end: that a monitor finds violations, and that it cannot judge. `k` of the last
`n` windows begin them, `n` windows without end them, so that a monitor that is red every other hour is told of once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from model_monitor.alerts.outcome import Outcome
from model_monitor.windows import moment

if TYPE_CHECKING:
    from model_monitor.config.alerts import Alerts

FORGOTTEN_AFTER = timedelta(days=1)
"""For so long a violation has to be away to be told of again while others persist: some come and go by the hour."""

Event = Literal["violating", "more", "fine", "failing", "judging"]


@dataclass(frozen=True)
class Rule:
    """Told as violating, or as failing, when so many of the last windows are."""

    violating: int = 1
    of: int = 1

    @classmethod
    def configured(cls, alerts: Alerts) -> Rule:
        """The rule of an endpoint's YAML."""
        return cls(alerts.violating_windows, alerts.of_windows)


@dataclass(frozen=True)
class Told:
    """What a channel was told: since when there are violations, and which; since when it fails, and for which reasons.

    `last_seen` has for each violation that was told the last window that it was in.
    """

    violating_since: str | None = None
    last_seen: Mapping[str, str] = field(default_factory=dict)
    failing_since: str | None = None
    reasons: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Told:
        """What `dataclasses.asdict` made of it; what other versions of this class kept in other fields is not known."""
        return cls(
            content["violating_since"],
            content.get("last_seen", {}),
            content["failing_since"],
            tuple(content.get("reasons", ())),
        )


@dataclass(frozen=True)
class Message:
    """Something to tell.

    `violating`: violations persist from now on. `more`: some are new. `fine`: none is left. `failing`: the monitor
    cannot judge, or for a reason that is new. `judging`: it judges again. `since` is when it began, of an end
    too; `violating_since` is there while violations persist; `counted` of `of` windows violate, or failed.
    """

    event: Event
    since: str
    violating_since: str | None
    new: tuple[str, ...]
    counted: int
    of: int


def kept(windows: Sequence[Outcome], outcome: Outcome, rule: Rule) -> tuple[Outcome, ...]:
    """The last windows with this one among them, oldest first: as many as the rule looks at, of any kind and judged.

    What is only measured takes nothing away from what is known of a window.
    """
    if outcome.state == "measured" and any(window.scheduled == outcome.scheduled for window in windows):
        return tuple(windows)
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
    reason = _essence(outcome.reason)
    if len(failed) < rule.violating or (told.failing_since and reason in told.reasons):
        return None, told
    since = told.failing_since or failed[0].scheduled
    message = Message("failing", since, told.violating_since, (), len(failed), len(_last(windows, rule)))
    return message, replace(told, failing_since=since, reasons=(*told.reasons, reason))


def _judgement(told: Told, windows: Sequence[Outcome], outcome: Outcome, rule: Rule) -> tuple[Message | None, Told]:
    judged = _last(_judged(windows), rule)
    violating = [window for window in judged if window.state == "violating"]
    fails_no_more = told.failing_since is not None and not any(
        window.state == "failed" for window in _last(windows, rule)
    )
    now = replace(told, last_seen=_remembered(told, violating, outcome))
    if fails_no_more:
        now = replace(now, failing_since=None, reasons=())

    def message(event: Event, since: str, new: tuple[str, ...] = ()) -> Message:
        return Message(event, since, now.violating_since, new, len(violating), len(judged))

    all_of_it = dict.fromkeys(outcome.violations, outcome.scheduled)
    if told.violating_since is None and outcome.state == "violating" and len(violating) >= rule.violating:
        now = replace(now, violating_since=violating[0].scheduled, last_seen=all_of_it)
        return message("violating", violating[0].scheduled), now
    if told.violating_since is not None and not violating:
        now = replace(now, violating_since=None, last_seen={})
        return message("fine", told.violating_since), now
    if told.violating_since is not None and (new := _new(now, violating, outcome, rule)):
        now = replace(now, last_seen={**now.last_seen, **all_of_it})
        return message("more", told.violating_since, new), now
    if fails_no_more and told.failing_since is not None:
        return message("judging", told.failing_since), now
    return None, now


def _remembered(told: Told, violating: Sequence[Outcome], outcome: Outcome) -> dict[str, str]:
    """The violations that were told of, without those that had ended: away from the windows before, and for a day."""
    there = {key for window in violating if window != outcome for key in window.violations}
    begin = moment(outcome.scheduled) - FORGOTTEN_AFTER
    return {
        key: outcome.scheduled if key in outcome.violations else last
        for key, last in told.last_seen.items()
        if key in there or moment(last) > begin
    }


def _new(told: Told, violating: Sequence[Outcome], outcome: Outcome, rule: Rule) -> tuple[str, ...]:
    """Violations of this window that were not told of, and that persist as the rule wants it."""
    counts = Counter(key for window in violating for key in window.violations)
    return tuple(key for key in outcome.violations if key not in told.last_seen and counts[key] >= rule.violating)


def _judged(windows: Sequence[Outcome]) -> list[Outcome]:
    return [window for window in windows if window.state in ("fine", "violating")]


def _last(windows: Sequence[Outcome], rule: Rule) -> Sequence[Outcome]:
    return windows[-rule.of :]


def _essence(reason: str | None) -> str:
    """A reason apart from names of jobs, numbers and times, which change every hour."""
    return re.sub(r"\S*\d\S*", "…", reason or "")
