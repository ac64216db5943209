"""From a verdict to the channels that have to be told of it, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from model_monitor.alerts import forms
from model_monitor.alerts.airflow_links import airflow_address
from model_monitor.alerts.channels import channels, why_not_told
from model_monitor.alerts.decision import Message, Rule, Told, decide, kept
from model_monitor.alerts.letter import Letter, letter
from model_monitor.alerts.outcome import Outcome
from model_monitor.alerts.state import Kept, State
from model_monitor.errors import AlertNotDelivered

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from model_monitor.config import MonitoredEndpoint
    from model_monitor.hooks.s3 import StorageHook
    from model_monitor.names import Kind

Due = dict[str, tuple[Message, Told]]


def not_told_of(verdict: Mapping[str, Any], context: Context) -> str | None:
    """Why a verdict is nobody's news but that of who asked for it; None where it is."""
    if not verdict.get("compared", True):
        return "The window was measured and compared with nothing, so there is nothing to tell."
    if not _regular(verdict):
        return "Somebody asked for this window, which no schedule makes; who asked sees the verdict."
    if context["dag_run"].run_type == "backfill":
        return "A backfill judges the past; who asked for it sees the verdict."
    return None


def tell(
    endpoint: MonitoredEndpoint,
    kind: Kind,
    verdict: Mapping[str, Any],
    storage: StorageHook,
    context: Context,
    log: Logger,
) -> list[str]:
    """Tell every channel, and the log, what it has to be told of a verdict; answers who was told.

    What a channel was told is kept once it has taken the message, so that another try tells only the others. Windows
    that a schedule makes are kept even where there is nothing to tell of them: they count for those that follow.

    Raises:
        AlertNotDelivered: when a channel did not take its message, or another run is telling at the moment.
    """
    why_not = not_told_of(verdict, context)
    if why_not:
        log.info(why_not)
    if not _regular(verdict):
        return []
    telling = _Telling(endpoint, kind, verdict, Kept(storage, endpoint, kind), log, silent=why_not is not None)
    return telling.run(_teller(context))


def _regular(verdict: Mapping[str, Any]) -> bool:
    return bool(verdict.get("window", {}).get("regular", True))


def _teller(context: Context) -> str:
    """A task's name among all that may tell: the same for its next try."""
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}"


class _Telling:
    def __init__(
        self,
        endpoint: MonitoredEndpoint,
        kind: Kind,
        verdict: Mapping[str, Any],
        keeper: Kept,
        log: Logger,
        *,
        silent: bool,
    ) -> None:
        self.endpoint, self.kind, self.verdict, self.keeper, self.log = endpoint, kind, verdict, keeper, log
        self.senders: dict[str, Callable[[Letter], None]] = {} if silent else {"log": self._write, **channels(endpoint)}

    def run(self, teller: str) -> list[str]:
        before = self.keeper.read()
        if self.keeper.waits_for(before, teller):
            raise self._busy()
        state, due = self._decide(before)
        if not due:
            self.log.info("The window due %s: nothing new to tell", self.verdict["scheduled"])
            if state != before:
                self._keep(state)
            return []
        letters = self._letters(due)
        self._keep(replace(state, teller=self.keeper.teller(teller)))
        state, failed = self._send(state, due, letters)
        self._keep(state)
        if failed:
            raise AlertNotDelivered(
                f"Of the {self.kind} monitor of {self.endpoint.name} was not told: {'; '.join(failed)}. Look at the "
                "connection, and at alerts in the endpoint's YAML. The next try tells only who was not told."
            )
        return list(due)

    def _decide(self, before: State) -> tuple[State, Due]:
        """The state with this window, without what is yet to be told; and what is to be told, by channel."""
        rule, outcome = Rule.configured(self.endpoint.alerts), Outcome.of(self.verdict)
        state = replace(before, windows=kept(before.windows, outcome, rule), teller=None)
        due: Due = {}
        for channel in self.senders:
            message, told = decide(state.told.get(channel, Told()), state.windows, outcome, rule)
            if message is None:
                state = state.having_told(channel, told)
            else:
                due[channel] = (message, told)
        return state, due

    def _letters(self, due: Due) -> dict[str, Letter]:
        base = airflow_address()
        return {
            channel: letter(self.endpoint, self.kind, message, self.verdict, base)
            for channel, (message, _) in due.items()
        }

    def _send(self, state: State, due: Due, letters: Mapping[str, Letter]) -> tuple[State, list[str]]:
        """The state with what was told, and who was not told, with the reason."""
        failed = []
        for channel, (_, told) in due.items():
            if why := why_not_told(channel, self.senders[channel], letters[channel], self.log):
                failed.append(why)
            else:
                state = state.having_told(channel, told)
        return state, failed

    def _write(self, letter: Letter) -> None:
        self.log.warning("%s\n\n%s", forms.subject(letter), forms.plain(letter))

    def _keep(self, state: State) -> None:
        if not self.keeper.write(state):
            raise self._busy()

    def _busy(self) -> AlertNotDelivered:
        return AlertNotDelivered(
            f"Another run is telling of the {self.kind} monitor of {self.endpoint.name} at the moment. The next try "
            "sees what it told."
        )
