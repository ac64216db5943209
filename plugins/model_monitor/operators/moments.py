"""From a run to the time that it is about: its form's two moments, or its data interval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor.errors import InputError
from model_monitor.operators.base import MonitorOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class MomentsOperator(MonitorOperator):
    """What the operators that say which time a run is about have in common.

    Args:
        endpoint: what is monitored.
        start: the form's first moment, if any.
        end: the form's second moment; both or none.
    """

    template_fields: Sequence[str] = aws_template_fields("start", "end")
    otherwise: str
    """What a run by hand is about when its form has no moments."""

    def __init__(self, *, start: str | None = None, end: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end

    def asked_for(self) -> tuple[str, str] | None:
        """The form's two moments; None where it has none.

        Raises:
            InputError: when it has one of the two.
        """
        if bool(self.start) != bool(self.end):
            raise InputError(f"The form has one moment of the two: give both, or none for {self.otherwise}.")
        return (str(self.start), str(self.end)) if self.start else None

    def interval(self, context: Context) -> tuple[datetime, datetime] | None:
        """The data interval of a scheduled or backfilled run; None for a run by hand."""
        run = context["dag_run"]
        if run.run_type == "manual" or run.data_interval_start is None or run.data_interval_end is None:
            return None
        return run.data_interval_start, run.data_interval_end
