"""From a task to what it made: the report, and the page in AWS's console."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseOperatorLink


class ReportLink(BaseOperatorLink):
    """The report that the task's job left behind."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The report's page; asked once, in the task's process when it ends, and kept by Airflow."""
        return getattr(operator, "report_url", "")


class ConsoleLink(BaseOperatorLink):
    """SageMaker's console, where the task's connection points to AWS."""

    name = "SageMaker console"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The page of what the task made; empty for a server that has no console."""
        path = getattr(operator, "console_path", "")
        server = operator.hook.conn_client_meta.endpoint_url
        if not path or "amazonaws.com" not in server:
            return ""
        region = operator.hook.conn_region_name
        return f"https://{region}.console.aws.amazon.com/sagemaker/home?region={region}#/{path}"
