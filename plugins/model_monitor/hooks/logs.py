"""CloudWatch Logs: what a processing job wrote."""

from __future__ import annotations

from typing import Any

from model_monitor.hooks.base import MonitorHook

PROCESSING_JOBS = "/aws/sagemaker/ProcessingJobs"


class LogsHook(MonitorHook):
    """Logs of SageMaker's processing jobs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(client_type="logs", **kwargs)

    def tail(self, job: str, lines: int = 30) -> list[str]:
        """The last lines that a processing job logged; none when it logged nothing."""
        streams = self.find("describe_log_streams", logGroupName=PROCESSING_JOBS, logStreamNamePrefix=f"{job}/")
        messages: list[str] = []
        for stream in (streams or {}).get("logStreams", []):
            events = self.call(
                "get_log_events",
                logGroupName=PROCESSING_JOBS,
                logStreamName=stream["logStreamName"],
                limit=lines,
                startFromHead=False,
            )
            messages += [event["message"].rstrip() for event in events["events"]]
        return messages[-lines:]
