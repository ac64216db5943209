"""How a task waits: a few quick looks in its own process, then in the triggerer, or all of it in its own process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from airflow.configuration import conf
from botocore.exceptions import ClientError

from model_monitor.errors import WaitTimeout
from model_monitor.hooks.base import MonitorHook, explain
from model_monitor.triggers.waiter import WaiterTrigger
from model_monitor.waiting import Outcome, Wait, describe

# Starting a task's process a second time costs more than a few quick requests.
PATIENCE_SECONDS = 20.0
QUICK_INTERVAL_SECONDS = 0.5

# Only for a triggerer that is down; the trigger itself keeps the deadline.
TRIGGER_GRACE = timedelta(minutes=10)


def deferrable_by_default() -> bool:
    """Airflow's `[operators] default_deferrable`."""
    return conf.getboolean("operators", "default_deferrable", fallback=False)


class Waits:
    """Mixed into operators and sensors that wait, which are built on the Amazon provider's bases."""

    deferrable: bool
    patience: float = PATIENCE_SECONDS
    trigger_class: type[WaiterTrigger] = WaiterTrigger

    def wait_for(self, wait: Wait, hook: MonitorHook, **resume_with: Any) -> Outcome:
        """Wait, or defer; `resume_with` reaches `execute_complete` beside `event` and `wait`.

        A deferred task goes on in `execute_complete`, whose first line is `outcome = self.resumed(event, wait, hook)`.
        """
        log = self._status_logger(wait)
        quick = replace(wait, interval=min(wait.interval, QUICK_INTERVAL_SECONDS))
        patience_ends = time.time() + self.patience
        outcome = self._explained(lambda: quick.poll(hook.conn, patience_ends, log), hook, wait)
        if outcome.state != "waiting":
            return outcome
        if not self.deferrable:
            return self._explained(lambda: wait.poll(hook.conn, on_state=log), hook, wait)
        self.defer(  # type: ignore[attr-defined]
            trigger=self.trigger_class(wait=asdict(wait), **self._connection()),
            method_name="execute_complete",
            kwargs={"wait": asdict(wait), **resume_with},
            timeout=timedelta(seconds=max(0.0, wait.deadline - time.time())) + TRIGGER_GRACE,
        )
        raise AssertionError("defer() raises")

    def resumed(self, event: dict[str, Any], wait: dict[str, Any], hook: MonitorHook) -> Outcome:
        """What waiting in the triggerer came to, with the full answer behind it."""
        self.log.info("Waited in the triggerer: %s (%s)", event["state"], event["reason"])  # type: ignore[attr-defined]
        asked = Wait(**wait)
        outcome = self._explained(lambda: asked.ask(hook.conn), hook, asked)
        if outcome.state != "waiting":
            return outcome
        if event["state"] == "error":
            raise WaitTimeout(f"{asked.waiter}: waiting in the triggerer broke off: {event['reason']}")
        return replace(outcome, state="deadline")

    def _explained(self, ask: Callable[[], Outcome], hook: MonitorHook, wait: Wait) -> Outcome:
        try:
            return ask()
        except ClientError as error:
            if (explained := explain(error, str(hook.client_type), wait.request)) is not None:
                raise explained from error
            raise

    def _status_logger(self, wait: Wait) -> Callable[[Outcome], None]:
        last = [""]

        def log(outcome: Outcome) -> None:
            if (status := describe(wait, outcome.response)) != last[0]:
                self.log.info("%s: %s", wait.waiter, status)  # type: ignore[attr-defined]
                last[0] = status

        return log

    def _connection(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("aws_conn_id", "region_name", "verify", "botocore_config")}
