"""The template of the report on a range."""

from __future__ import annotations

from datetime import UTC, datetime

from model_monitor.analysis.report_template import ENVIRONMENT


def moment(value: datetime | None, years: bool = True) -> str:
    """A moment in UTC, such as `22 Nov 2026 10:00`, or without its year; an en dash for none."""
    if value is None:
        return "–"
    utc = value.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y %H:%M}" if years else f"{utc.day} {utc:%b %H:%M}"


ENVIRONMENT.filters["moment"] = moment

TEMPLATE = ENVIRONMENT.get_template("range_report.html.j2")
