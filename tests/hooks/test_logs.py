from __future__ import annotations

from model_monitor import requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.hooks.logs import LogsHook
from model_monitor.hooks.sagemaker import SageMakerHook
from model_monitor.operators.baseline import find_baseline


def test_the_end_of_a_job_s_log(deployed: MonitoredEndpoint) -> None:
    model = requests.model_name(deployed, sources.archive(deployed))
    job = find_baseline(SageMakerHook(), deployed, "bias", model)
    assert job is not None
    logs = LogsHook()
    lines = logs.tail(job)
    assert "Completed: SageMaker XAI Analyzer ran successfully" in lines[-1]
    assert logs.tail(job, lines=2) == lines[-2:]


def test_a_job_that_logged_nothing_has_no_log(deployed: MonitoredEndpoint) -> None:
    assert LogsHook().tail("nowhere") == []
