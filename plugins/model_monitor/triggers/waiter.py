"""The trigger behind every deferred task: the same waits as in `model_monitor.waiting`, asked from the triggerer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
from airflow.triggers.base import TriggerEvent
from botocore.exceptions import BotoCoreError, ClientError

from model_monitor.hooks.base import MonitorHook
from model_monitor.waiting import Wait, changes, describe


class WaiterTrigger(AwsBaseWaiterTrigger):
    """Waits until a waiter is decided or its deadline has passed.

    Its event is `{"state": "success" | "failure" | "deadline" | "error", "reason": what AWS said last}`.

    Args:
        wait: the fields of a `Wait`.
    """

    aws_hook_class = MonitorHook

    def __init__(self, *, wait: dict[str, Any], **connection: Any) -> None:
        self.wait = Wait(**wait)
        super().__init__(
            serialized_fields={"wait": asdict(self.wait)},
            waiter_name=self.wait.waiter,
            waiter_args=self.wait.request,
            failure_message=f"{self.wait.waiter} failed",
            status_message=self.wait.waiter,
            status_queries=[],
            return_value=None,
            waiter_delay=max(1, round(self.wait.interval)),
            waiter_max_attempts=1,
            **connection,
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class and its arguments; the wait itself carries how often and how long."""
        path, fields = super().serialize()
        return path, {key: value for key, value in fields.items() if not key.startswith("waiter_")}

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        return {**super()._hook_parameters, "client_type": self.wait.service}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask until it is decided."""
        try:
            async with await self.hook().get_async_conn() as client:
                outcome = await self.wait.poll_async(client, changes(self.wait, self.log.info))
            event = {"state": outcome.state, "reason": describe(self.wait, outcome.response)}
        except (ClientError, BotoCoreError) as error:
            event = {"state": "error", "reason": str(error)}
        yield TriggerEvent(event)


class ProcessingJobTrigger(WaiterTrigger):
    """Waits for a processing job, and stops it when a user clears or marks the deferred task."""

    async def on_kill(self) -> None:
        """Stop the job that nobody waits for any more."""
        job = self.wait.request["ProcessingJobName"]
        self.log.warning("The task was ended by hand: stopping the processing job %s", job)
        try:
            async with await self.hook().get_async_conn() as client:
                await client.stop_processing_job(ProcessingJobName=job)
        except (ClientError, BotoCoreError) as error:
            self.log.warning("The processing job %s could not be stopped: %s", job, error)
