"""How a task waits: a few quick looks in its own process, then in the triggerer, or all of it in its own process."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from airflow.configuration import conf

from model_monitor.errors import WaitTimeout
from model_monitor.hooks.base import MonitorHook
from model_monitor.triggers.waiter import WaiterTrigger
from model_monitor.waiting import Outcome, Wait

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
        quick = replace(wait, interval=min(wait.interval, QUICK_INTERVAL_SECONDS))
        outcome = hook.wait(quick, until=time.time() + self.patience)
        if outcome.state != "waiting":
            return outcome
        if not self.deferrable:
            return hook.wait(wait)
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
        outcome = hook.ask(asked)
        if outcome.state != "waiting":
            return outcome
        if event["state"] == "error":
            raise WaitTimeout(f"{asked.waiter}: waiting in the triggerer broke off: {event['reason']}")
        return replace(outcome, state="deadline")

    def _connection(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("aws_conn_id", "region_name", "verify", "botocore_config")}
