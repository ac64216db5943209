"""The log of a job of the managed service."""

from __future__ import annotations

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses
from model_monitor.dashboard.job_log import LINES, job_log
from model_monitor.errors import MonitorError
from model_monitor.history.model import Execution
from model_monitor.hooks.logs import PROCESSING_JOBS
from tests.dashboard.auth import LOGLESS
from tests.dashboard.conftest import WINDOW, Visitor
from tests.dashboard.past import HOUR, NOW, Past
from tests.dashboard.test_pages import HOSTILE, said
from tests.preflight.proxied import proxied
from tests.running_aws import Running

LOG = addresses.job_log("small", "bias", WINDOW)
LINK = f'href="{LOG}"'


def failed(job: str | None) -> Past:
    """A past of one window that failed."""
    past = Past()
    past.known["bias"] = [Execution("bias", WINDOW, NOW - HOUR, "Failed", reason="ClientError", job=job)]
    return past


def test_pages_lead_to_what_the_job_wrote(visit: Visitor) -> None:
    for address in (addresses.endpoint("small"), addresses.execution("small", "bias", WINDOW)):
        assert visit().get(address).text.count(LINK) == 1
    text = said(visit().get(LOG).text)
    assert "Job job-29 CloudWatch Logs /aws/sagemaker/ProcessingJobs" in text
    assert "job-29: Reading job-29: Writing" in text


def test_who_may_read_no_logs_of_tasks_reads_none_of_jobs(visit: Visitor) -> None:
    stranger = visit(LOGLESS)
    for address in (addresses.endpoint("small"), addresses.execution("small", "bias", WINDOW)):
        answer = stranger.get(address)
        assert answer.status_code == 200
        assert LINK not in answer.text
    refused = stranger.get(LOG)
    assert refused.status_code == 403
    assert "Reading" not in refused.text
    assert "may not read what tasks of the DAGs that judge small log" in said(refused.text)


def test_windows_that_airflow_judged_have_no_job(visit: Visitor) -> None:
    address = addresses.job_log("small", "explainability", WINDOW)
    assert address not in visit().get(addresses.endpoint("small")).text
    answer = visit().get(address)
    assert answer.status_code == 404
    assert f"SageMaker ran no job for the window {WINDOW}" in said(answer.text)


def test_a_job_that_wrote_nothing_says_so(visit: Visitor, past: dict[str, Past]) -> None:
    past["small"].logged = []
    assert "The job wrote nothing, or its log is gone." in said(visit().get(LOG).text)


def test_the_end_of_a_long_log_is_shown(visit: Visitor, past: dict[str, Past]) -> None:
    past["small"].logged = [f"line {number}" for number in range(LINES + 1)]
    text = said(visit().get(LOG).text)
    assert "The last 1,000 lines; CloudWatch Logs has all." in text
    assert "line 0 " not in text
    assert text.endswith("line 1000")


def test_what_a_job_wrote_is_text(visit: Visitor, past: dict[str, Past]) -> None:
    past["small"].logged = HOSTILE
    page = visit().get(LOG).text
    assert "<script>alert" not in page
    assert "<img" not in page
    for text in HOSTILE:
        assert " ".join(text.split()) in said(page)


@pytest.fixture
def stream(aws: Running) -> str:
    """A job with two lines in CloudWatch Logs; its name."""
    logs = aws.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=PROCESSING_JOBS)["logGroups"]:
        logs.create_log_group(logGroupName=PROCESSING_JOBS)
    stream = {"logGroupName": PROCESSING_JOBS, "logStreamName": "of-a-dashboard-test/algo-1-1"}
    logs.create_log_stream(**stream)
    # Neither old enough to have expired nor in the future of the server's clock.
    now = int(1000 * aws.now().timestamp())
    logs.put_log_events(**stream, logEvents=[{"timestamp": now + n, "message": f"line {n}\n"} for n in (1, 2)])
    return "of-a-dashboard-test"


def test_it_is_read_from_cloudwatch_by_the_endpoints_connection(endpoint: MonitoredEndpoint, stream: str) -> None:
    found = job_log(endpoint, failed(stream), "bias", WINDOW)
    assert found is not None
    assert found.lines == ["line 1", "line 2"]
    assert not found.cut
    assert job_log(endpoint, failed(None), "bias", WINDOW) is None


def test_logs_that_aws_refuses_are_named(endpoint: MonitoredEndpoint, aws: Running) -> None:
    with proxied(aws.url, endpoint) as (proxy, behind):
        proxy.deny("logs:DescribeLogStreams")
        with pytest.raises(MonitorError, match="Allow 'logs:DescribeLogStreams'"):
            job_log(behind, failed("job"), "bias", WINDOW)
