"""Where the links of tasks lead, by what the tasks' connection points to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses
from model_monitor.links import DashboardLink, LinksToExecution, ReportLink
from model_monitor.operators.alert import ViolationsOperator
from model_monitor.operators.base import MonitorOperator
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.endpoint import DeployEndpointOperator
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from model_monitor.operators.preflight import PreflightOperator
from model_monitor.operators.schedule import CreateScheduleOperator
from model_monitor.operators.shadow import CreateShadowEndpointOperator
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.operators.verdict import VerdictOperator
from model_monitor.operators.window_bias import JudgeBiasOperator
from model_monitor.operators.window_explainability import JudgeExplainabilityOperator
from model_monitor.sensors.base import MonitorSensor
from model_monitor.sensors.executions import ExecutionFinishedSensor
from tests.monitored import monitored_endpoint

CONSOLE = "https://console.aws.amazon.com"


def links(task: BaseOperator) -> dict[str, str]:
    """What Airflow keeps of a task's links when the task ends."""
    return {link.name: link.get_link(task, ti_key=None) for link in task.operator_extra_links}


@pytest.fixture
def churn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MonitoredEndpoint:
    """An endpoint whose connection points to AWS itself."""
    connect(monkeypatch)
    return monitored_endpoint(tmp_path, "bucket", name="churn", aws_conn_id="elsewhere")


def connect(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    connection = {"conn_type": "aws", "login": "key", "password": "secret", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_ELSEWHERE", json.dumps(connection))


def judged(operator: type[Any], endpoint: MonitoredEndpoint, **options: Any) -> Any:
    """A task that has judged the window of 22 November, 10:00."""
    task = operator(task_id="judge", endpoint=endpoint, **options)
    task.link_to(names.report_folder(endpoint, task.kind, "2026/11/22/10"))
    return task


def test_judged_windows_lead_to_their_execution_their_report_and_their_folder(churn: MonitoredEndpoint) -> None:
    managed = judged(VerdictOperator, churn, kind="bias")
    managed.console_path = "processing-jobs/model-bias-monitoring-1"
    assert links(managed) == {
        "Dashboard": "model-monitor/endpoints/churn/bias/executions/2026/11/22/10",
        "Report": "model-monitor/endpoints/churn/bias/executions/2026/11/22/10/files/report.html",
        "SageMaker console": f"{CONSOLE}/sagemaker/home?region=us-west-2#/processing-jobs/model-bias-monitoring-1",
        "S3 console": f"{CONSOLE}/s3/buckets/bucket?region=us-west-2"
        "&prefix=monitors/reports/churn/churn-bias/2026/11/22/10/",
    }
    assert links(judged(JudgeBiasOperator, churn)) == {
        name: link for name, link in links(managed).items() if name != "SageMaker console"
    }
    assert links(judged(JudgeExplainabilityOperator, churn)) == {
        "Dashboard": "model-monitor/endpoints/churn/explainability/executions/2026/11/22/10",
        "Report": "model-monitor/endpoints/churn/explainability/executions/2026/11/22/10/files/report.html",
        "S3 console": f"{CONSOLE}/s3/buckets/bucket?region=us-west-2"
        "&prefix=monitors/reports/churn/churn-explain/2026/11/22/10/",
    }


def test_a_report_elsewhere_is_not_one_of_the_dashboard_s(churn: MonitoredEndpoint) -> None:
    task = VerdictOperator(task_id="verdict", endpoint=churn, kind="bias")
    assert isinstance(task, LinksToExecution)
    task.link_to("s3://others/reports/2026/11/22/10")
    found = links(task)
    assert (found["Dashboard"], found["Report"]) == ("model-monitor/endpoints/churn", "")
    assert found["S3 console"] == f"{CONSOLE}/s3/buckets/others?region=us-west-2&prefix=reports/2026/11/22/10/"


def test_a_baseline_leads_to_its_job_from_its_start_on(churn: MonitoredEndpoint) -> None:
    task = BaselineOperator(task_id="bias", endpoint=churn, kind="bias")
    baseline = "model-monitor/endpoints/churn/bias/baseline"
    assert links(task) == {"Dashboard": baseline, "Report": "", "SageMaker console": "", "S3 console": ""}
    task.job = "churn-bias-baseline-1"
    assert links(task)["SageMaker console"].endswith("#/processing-jobs/churn-bias-baseline-1")


@pytest.mark.parametrize(
    ("operator", "options", "page"),
    [
        (DeployEndpointOperator, {}, "endpoints/churn"),
        (SendTrafficOperator, {}, "endpoints/churn"),
        (CreateScheduleOperator, {"kind": "explainability"}, "monitoring-schedules/churn-explain"),
        (ExecutionFinishedSensor, {"kind": "bias"}, "monitoring-schedules/churn-bias"),
        (CreateShadowEndpointOperator, {"purpose": "run"}, f"endpoints/churn-shadow-{names.fingerprint('run')}"),
    ],
)
def test_what_a_task_makes_or_asks_is_found_in_the_console(
    churn: MonitoredEndpoint, operator: type[Any], options: dict[str, Any], page: str
) -> None:
    found = links(operator(task_id="task", endpoint=churn, **options))
    assert found["SageMaker console"] == f"{CONSOLE}/sagemaker/home?region=us-west-2#/{page}"
    assert found["Dashboard"] == "model-monitor/endpoints/churn"


def test_other_partitions_have_consoles_of_their_own(churn: MonitoredEndpoint) -> None:
    china = churn.model_copy(update={"region": "cn-north-1"})
    link = links(DeployEndpointOperator(task_id="deploy", endpoint=china))["SageMaker console"]
    assert link == "https://console.amazonaws.cn/sagemaker/home?region=cn-north-1#/endpoints/churn"


@pytest.mark.parametrize("server", ["http://127.0.0.1:5566", "http://local-aws:5566", "https://amazonaws.com.example"])
def test_a_server_of_one_s_own_has_no_console(
    churn: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    connect(monkeypatch, endpoint_url=server)
    found = links(judged(VerdictOperator, churn, kind="bias"))
    assert found["Report"].endswith("/2026/11/22/10/files/report.html")
    assert (found["SageMaker console"], found["S3 console"]) == ("", "")


def test_a_bucket_of_one_s_own_beside_sagemaker_has_no_console(
    churn: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, service_config={"s3": {"endpoint_url": "https://storage.example.com"}})
    found = links(SendTrafficOperator(task_id="send", endpoint=churn))
    assert found["SageMaker console"].startswith(CONSOLE)
    assert found["S3 console"] == ""
    assert links(UploadGroundTruthOperator(task_id="labels", endpoint=churn))["S3 console"] == ""


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080/", "https://example.com/airflow/"])
def test_pages_of_the_dashboard_lie_below_airflow_s_base_url(churn: MonitoredEndpoint, base: str) -> None:
    report = links(judged(JudgeBiasOperator, churn))["Report"]
    shown = addresses.execution_file("churn", "bias", "2026/11/22/10")
    assert urljoin(base, report) == f"{base.rstrip('/')}{shown}"


def test_what_follows_a_verdict_leads_to_its_execution(churn: MonitoredEndpoint) -> None:
    verdict = {"report": names.report_folder(churn, "bias", "2026/11/22/10"), "violations": []}
    task = ViolationsOperator(task_id="violations", endpoint=churn, kind="bias", verdict=verdict)
    with pytest.raises(AirflowSkipException, match="There are no violations"):
        task.execute({})
    assert links(task) == {"Dashboard": "model-monitor/endpoints/churn/bias/executions/2026/11/22/10"}


def test_a_report_can_be_anywhere(churn: MonitoredEndpoint) -> None:
    task = PreflightOperator(task_id="files", endpoint=churn, subject="files")
    assert ReportLink().get_link(task, ti_key=None) == ""
    task.report_url = "https://example.com/report.html"
    assert ReportLink().get_link(task, ti_key=None) == "https://example.com/report.html"


def test_every_task_leads_to_the_dashboard() -> None:
    def kinds_of(base: type[Any]) -> list[type[Any]]:
        return [base, *(kind for child in base.__subclasses__() for kind in kinds_of(child))]

    for kind in [*kinds_of(MonitorOperator), *kinds_of(MonitorSensor)]:
        assert any(isinstance(link, DashboardLink) for link in kind.operator_extra_links), kind
