"""From a task to what it is about: the dashboard, the report, and the pages in AWS' console.

Airflow asks for links in the task's process, when it ends and when it defers, and keeps the answers; empty ones are not
shown. What an operator offers, it says in attributes: `dashboard_url`, `report_url`, `console_path`, `s3_folder`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.providers.amazon.aws.links.base_aws import BaseAwsLink
from airflow.sdk import BaseOperatorLink

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses
from model_monitor.hooks.base import MonitorHook
from model_monitor.names import Kind

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")


class DashboardLink(BaseOperatorLink):
    """The task's execution in the dashboard, or its endpoint where it has none."""

    name = "Dashboard"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return below_airflow(getattr(operator, "dashboard_url", "") or addresses.endpoint(operator.endpoint.name))


class ReportLink(BaseOperatorLink):
    """The report that the task, or its job, left behind, as the dashboard shows it."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return below_airflow(getattr(operator, "report_url", ""))


class ConsoleLink(BaseOperatorLink):
    """SageMaker's console, where the task's connection points to AWS."""

    name = "SageMaker console"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        path = getattr(operator, "console_path", "")
        return console(operator.hook, "sagemaker/home", fragment=f"#/{path}") if path else ""


class FolderLink(BaseOperatorLink):
    """The task's folder in S3's console, where the task's connection points to AWS."""

    name = "S3 console"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        folder = getattr(operator, "s3_folder", "")
        if not folder:
            return ""
        bucket, key = names.split_s3(folder)
        return console(operator.storage, f"s3/buckets/{bucket}", query=f"&prefix={quote(key)}/")


class LinksToExecution:
    """Mixed into operators that are about an execution."""

    endpoint: MonitoredEndpoint
    kind: Kind

    def link_to(self, report: str) -> None:
        """Let links lead to the execution whose report folder this is."""
        self.s3_folder = report
        folders = f"{names.report_folders(self.endpoint, self.kind)}/"
        if report.startswith(folders):
            window = report.removeprefix(folders)
            self.dashboard_url = addresses.execution(self.endpoint.name, self.kind, window)
            self.report_url = addresses.execution_file(self.endpoint.name, self.kind, window)


def below_airflow(url: str) -> str:
    """A page of this server relative to the UI's `<base>`, which has the path that `[api] base_url` may have."""
    return url.removeprefix("/")


def console(hook: MonitorHook, page: str, query: str = "", fragment: str = "") -> str:
    """A page of AWS' console in the hook's region; empty for a server that has no console."""
    host = str(urlsplit(hook.conn_client_meta.endpoint_url).hostname)
    domain = BaseAwsLink.get_aws_domain(hook.conn_partition)
    if domain is None or not host.endswith(AWS_HOSTS):
        return ""
    return f"https://console.{domain}/{page}?region={hook.conn_region_name}{query}{fragment}"
