"""A definition tested against reality."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from model_monitor.errors import PreflightFailed
from model_monitor.operators.base import MonitorOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

LEVELS = {"ok": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class PreflightOperator(MonitorOperator):
    """Run the checks of one subject, log every finding, and fail if there are errors among them.

    Args:
        endpoint: whose definition.
        subject: one of `model_monitor.preflight.run.SUBJECTS`.
    """

    def __init__(self, *, subject: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.subject = subject

    def execute(self, context: Context) -> dict[str, int]:
        from model_monitor.preflight.account import Account
        from model_monitor.preflight.findings import errors_of
        from model_monitor.preflight.run import run

        findings = []
        for finding in run(self.endpoint, Account.of(self.endpoint), [self.subject]):
            self.log.log(LEVELS[finding.level], "%s", finding)
            findings.append(finding)
        if errors := errors_of(findings):
            raise PreflightFailed("\n".join(map(str, errors)))
        return dict(Counter(finding.level for finding in findings))
