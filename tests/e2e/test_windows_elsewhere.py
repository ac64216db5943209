"""Windows with AWS's shape: S3 and SageMaker are two servers, and an identity may lack any one permission."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AccessDenied
from model_monitor.hooks.base import PERMISSIONS
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.ground_truth import UploadGroundTruthOperator
from model_monitor.operators.traffic import SendTrafficOperator
from model_monitor.sensors.captures import CapturesSensor
from model_monitor.windows import Window, asked_for, shown
from stack.settings import CONNECTION
from tests.denying_proxy import DenyingProxy, denying
from tests.e2e.lived_day import deploy
from tests.monitored import context, monitored_endpoint, run_task, write_files
from tests.running_aws import REGION, Running, start_local_aws
from tests.window_runs import judge_bias, judge_explainability

BUCKET = "elsewhere"


@dataclass
class Elsewhere:
    """An endpoint with captures and labels, and the proxies in front of SageMaker and of S3."""

    endpoint: MonitoredEndpoint
    window: Window
    sagemaker: DenyingProxy
    storage: DenyingProxy

    def judged(self, judge: Callable[..., Any]) -> Any:
        """The window's verdict of one monitor."""
        return judge(self.endpoint, context("manual__elsewhere"), window=self.window)

    def asked(self, judge: Callable[..., Any]) -> list[str]:
        """The calls of one monitor's tasks, each named once."""
        self.forget()
        self.judged(judge)
        return list(dict.fromkeys([*self.sagemaker.seen, *self.storage.seen]))

    def forget(self) -> None:
        """Remove all reports, for what is the same is not written again; let everything pass."""
        self.reset()
        storage = StorageHook(region_name=REGION)
        for uri in storage.list(f"{names.reports(self.endpoint)}/"):
            storage.delete(uri)
        self.reset()

    def deny(self, operation: str) -> None:
        (self.storage if operation.startswith("s3:") else self.sagemaker).deny(operation)

    def reset(self) -> None:
        self.sagemaker.reset()
        self.storage.reset()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> Iterator[Elsewhere]:
    folder = tmp_path_factory.mktemp("elsewhere")
    store = start_local_aws(folder / "store")
    with pytest.MonkeyPatch.context() as patch, denying(store.url) as storage:
        patch.setenv("AWS_ENDPOINT_URL_S3", store.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "tester")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        aws = start_local_aws(folder / "aws")
        patch.delenv("AWS_ENDPOINT_URL_S3")
        with denying(aws.url) as sagemaker:
            services = {"s3": {"endpoint_url": storage.url}}
            extra = {"endpoint_url": sagemaker.url, "region_name": REGION, "service_config": services}
            patch.setenv(CONNECTION, json.dumps({"conn_type": "aws", "login": "t", "password": "s", "extra": extra}))
            yield Elsewhere(*_lived(folder, model_archive, store), sagemaker, storage)
        aws.stop()
    store.stop()


def _lived(folder: Path, archive: bytes, store: Running) -> tuple[MonitoredEndpoint, Window]:
    store.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    write_files(folder / "data", archive)
    endpoint = monitored_endpoint(folder / "data", BUCKET, "away")
    deploy(endpoint)
    traffic = run_task(SendTrafficOperator(task_id="send", endpoint=endpoint))
    run_task(CapturesSensor(task_id="captures", endpoint=endpoint, traffic=traffic))
    run_task(UploadGroundTruthOperator(task_id="labels", endpoint=endpoint))
    now = store.now().replace(second=0)
    return endpoint, asked_for(endpoint, shown(now - timedelta(minutes=10)), shown(now + timedelta(minutes=1)))


@pytest.mark.parametrize("judge", [judge_bias, judge_explainability])
def test_a_window_is_judged_with_s3_and_sagemaker_on_two_servers(elsewhere: Elsewhere, judge: Any) -> None:
    elsewhere.reset()
    verdict = elsewhere.judged(judge)
    assert {"analysis.json", "report.html"} <= set(verdict["files"])
    assert not [operation for operation in elsewhere.sagemaker.seen if operation.startswith("s3:")]
    assert {operation.partition(":")[0] for operation in elsewhere.storage.seen} == {"s3"}


@pytest.mark.parametrize("judge", [judge_bias, judge_explainability])
def test_each_permission_that_is_missing_is_named(elsewhere: Elsewhere, judge: Any) -> None:
    asked = elsewhere.asked(judge)
    assert {"s3:ListObjectsV2", "s3:GetObject", "s3:PutObject", "cloudwatch:PutMetricData"} <= set(asked)
    for operation in asked:
        elsewhere.forget()
        elsewhere.deny(operation)
        with pytest.raises(AccessDenied) as refused:
            elsewhere.judged(judge)
        permission = PERMISSIONS.get(operation, operation)
        assert f"AWS refused {operation.partition(':')[2]} on " in str(refused.value)
        assert f"Allow '{permission}' there for the identity of this Airflow connection." in str(refused.value)
    elsewhere.reset()
    assert elsewhere.judged(judge)["files"]
