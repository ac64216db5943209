"""What is told, window by window, and what is not told again."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_monitor.alerts.decision import Message, Rule, Told, decide, kept
from model_monitor.alerts.outcome import Outcome

ONE_OF_ONE = Rule()
NO_DATA, BROKEN = "Job inputs had no data", "AlgorithmError: no such column"


@dataclass
class Channel:
    """A channel that every window's outcome comes to."""

    rule: Rule = ONE_OF_ONE
    told: Told = field(default_factory=Told)
    windows: tuple[Outcome, ...] = ()
    messages: list[Message] = field(default_factory=list)

    def comes(self, hour: int, came_to: str) -> Message | None:
        """A window's outcome: `.` fine, `!` and `?` failed for one or another reason, `-` compared with nothing, else a
        letter per violation.
        """
        scheduled = f"2026-11-{22 + hour // 24}T{hour % 24:02}:00:00Z"
        if came_to in "!?":
            outcome = Outcome(scheduled, "failed", reason=NO_DATA if came_to == "!" else BROKEN)
        elif came_to in ".-":
            outcome = Outcome(scheduled, "fine" if came_to == "." else "measured")
        else:
            outcome = Outcome(scheduled, "violating", tuple(came_to))
        self.windows = kept(self.windows, outcome, self.rule)
        if outcome.state == "measured":
            return None
        message, self.told = decide(self.told, self.windows, outcome, self.rule)
        if message:
            self.messages.append(message)
        return message


def story(came_to: str, rule: Rule = ONE_OF_ONE) -> list[str]:
    """What is told of windows that follow each other, `-` for nothing."""
    channel = Channel(rule)
    messages = [channel.comes(hour, one) for hour, one in enumerate(came_to.split())]
    return [message.event if message else "-" for message in messages]


@pytest.mark.parametrize(
    ("came_to", "told"),
    [
        (". . .", "- - -"),
        ("a a a", "violating - -"),
        (". a . a", "- violating fine violating"),
        # Fewer violations, and the same, are no news; those that were not there before are.
        ("ab a ab", "violating - -"),
        ("a ab ab", "violating more -"),
        ("a b ab a", "violating more - -"),
        ("a ab . b", "violating more fine violating"),
        # A monitor that cannot judge says so once, and again for another reason.
        ("! ! ! .", "failing - - judging"),
        ("! ? ? .", "failing failing - judging"),
        # Reasons that take turns are told of once each.
        ("! ? ! ? . ?", "failing failing - - judging failing"),
        (". ! a", "- failing violating"),
        ("a ! .", "violating failing fine"),
        # What was told before it could not judge is told again: somebody was left with "cannot judge".
        ("a ! a a", "violating failing judging -"),
        ("a ! ab", "violating failing more"),
    ],
)
def test_each_window_alone(came_to: str, told: str) -> None:
    assert story(came_to) == told.split()


@pytest.mark.parametrize(
    ("rule", "came_to", "told"),
    [
        (Rule(2, 3), "a . . a . a . . .", "- - - - - violating - - fine"),
        (Rule(2, 3), "a a", "- violating"),
        (Rule(3, 3), "a a . a a a", "- - - - - violating"),
        # Violating every other window: told of once, not at each turn.
        (Rule(1, 2), "a . a . a . .", "violating - - - - - fine"),
        (Rule(2, 2), "a a . a a . .", "- violating - - - - fine"),
        # A new violation has to persist, too, or to have been in a message.
        (Rule(2, 2), "a a ab ab", "- violating - more"),
        (Rule(2, 2), "a ab ab", "- violating -"),
        # Windows that were not judged count neither for violations nor against them.
        (Rule(2, 3), "a ! a", "- - violating"),
        (Rule(2, 3), "! . ! . . .", "- - failing - - judging"),
        (Rule(2, 2), "a a ! . .", "- violating - - fine"),
        (Rule(2, 3), "a - . - a", "- - - - violating"),
    ],
)
def test_k_of_n(rule: Rule, came_to: str, told: str) -> None:
    assert story(came_to, rule) == told.split()


def test_a_message_knows_since_when_and_what_is_new() -> None:
    channel = Channel(Rule(2, 3))
    for hour, came_to in enumerate(("a", ".", "ab", "bc", "c", ".", ".", ".")):
        channel.comes(hour, came_to)
    begun = "2026-11-22T00:00:00Z"
    assert channel.messages == [
        Message("violating", since=begun, violating_since=begun, new=(), counted=2, of=3),
        Message("more", since=begun, violating_since=begun, new=("c",), counted=3, of=3),
        Message("fine", since=begun, violating_since=None, new=(), counted=0, of=3),
    ]


def test_a_reason_that_differs_in_names_and_times_only_is_the_same() -> None:
    windows: tuple[Outcome, ...] = ()
    told = Told()
    events = []
    for hour, job in enumerate(("a1b2", "c3d4")):
        reason = f"The execution due 2026-11-22T0{hour}:00 of job-{job} ended as Failed: no such column"
        outcome = Outcome(f"2026-11-22T0{hour}:00:00Z", "failed", reason=reason)
        windows = kept(windows, outcome, ONE_OF_ONE)
        message, told = decide(told, windows, outcome, ONE_OF_ONE)
        events.append(message and message.event)
    assert events == ["failing", None]


@pytest.mark.parametrize("rule", [ONE_OF_ONE, Rule(2, 3)])
@pytest.mark.parametrize("came_to", [".", "a", "b", "!"])
@pytest.mark.parametrize("newest", [".", "a", "!"])
def test_the_past_is_not_told_of(rule: Rule, newest: str, came_to: str) -> None:
    channel = Channel(rule)
    for hour in (3, 4, 5):
        channel.comes(hour, newest)
    told = channel.told
    for hour in (4, 2, 0):
        assert channel.comes(hour, came_to) is None
    assert channel.told == told


def test_the_newest_window_judged_again_is_told_of() -> None:
    """Labels came late: what was fine violates, what violated is fine."""
    channel = Channel()
    events = [channel.comes(5, came_to) for came_to in (".", ".", "a", "a", "ab", ".", "!", ".")]
    told = [message and message.event for message in events]
    assert told == [None, None, "violating", None, "more", "fine", "failing", "judging"]


def test_an_earlier_window_judged_again_counts_for_the_next_one() -> None:
    channel = Channel(Rule(2, 3))
    for hour, came_to in ((0, "."), (1, "."), (2, "a")):
        assert channel.comes(hour, came_to) is None
    assert channel.comes(1, "a") is None
    message = channel.comes(3, "a")
    assert message is not None
    assert (message.event, message.counted) == ("violating", 3)


@pytest.mark.parametrize(("hours", "told"), [(2, None), (23, None), (24, "more")])
def test_a_violation_that_was_away_for_a_day_is_told_of_again(hours: int, told: str | None) -> None:
    channel = Channel()
    channel.comes(0, "ab")
    for hour in range(1, hours):
        assert channel.comes(hour, "a") is None
    message = channel.comes(hours, "ab")
    assert (message and message.event) == told


def test_a_violation_that_comes_and_goes_is_told_of_once() -> None:
    assert story(" ".join(["ab", "a"] * 30)).count("-") == 59


def test_what_is_only_measured_takes_nothing_away() -> None:
    channel = Channel(Rule(2, 2))
    for hour, came_to in ((0, "a"), (0, "-")):
        assert channel.comes(hour, came_to) is None
    message = channel.comes(1, "a")
    assert (message and message.event) == "violating"


windows = st.lists(st.sampled_from([".", "a", "b", "ab", "abc", "!", "?"]), min_size=1, max_size=20)
rules = st.integers(1, 4).flatmap(lambda of: st.builds(Rule, st.integers(1, of), st.just(of)))


@given(windows, rules)
def test_the_same_outcome_twice_is_told_once(came_to: list[str], rule: Rule) -> None:
    channel = Channel(rule)
    for hour, one in enumerate(came_to):
        channel.comes(hour, one)
        assert channel.comes(hour, one) is None


@given(windows, rules)
def test_begin_and_end_take_turns(came_to: list[str], rule: Rule) -> None:
    channel = Channel(rule)
    for hour, one in enumerate(came_to):
        channel.comes(hour, one)
    events = [message.event for message in channel.messages]
    turns = [event for event in events if event in ("violating", "fine")]
    assert turns == ["violating" if number % 2 == 0 else "fine" for number in range(len(turns))]
    begun = False
    for event in events:
        assert event != "more" or begun
        begun = event == "violating" or (begun and event != "fine")


@given(windows, rules)
def test_a_run_of_fine_windows_ends_everything(came_to: list[str], rule: Rule) -> None:
    channel = Channel(rule)
    for hour, one in enumerate([*came_to, *"." * rule.of]):
        channel.comes(hour, one)
    assert channel.told == Told()
    if channel.messages:
        assert channel.messages[-1].event in ("fine", "judging")


@given(windows, rules)
def test_each_violation_that_persists_is_in_a_message(came_to: list[str], rule: Rule) -> None:
    channel = Channel(rule)
    for hour, one in enumerate([*came_to, *["abc"] * rule.of]):
        channel.comes(hour, one)
    assert set(channel.told.last_seen) == {"a", "b", "c"}


@given(windows, rules)
def test_no_more_windows_are_kept_than_are_looked_at(came_to: list[str], rule: Rule) -> None:
    channel = Channel(rule)
    for hour, one in enumerate(came_to):
        channel.comes(hour, one)
    scheduled = [window.scheduled for window in channel.windows]
    assert scheduled == sorted(set(scheduled))
    assert len(scheduled) <= 2 * rule.of
