"""Definitions against their account: all in place, each call denied in turn, and nothing there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.config.alarms import Alarms, BiasAlarm
from model_monitor.errors import AccessDenied, PreflightFailed
from model_monitor.hooks.base import PERMISSIONS
from model_monitor.operators.preflight import PreflightOperator
from model_monitor.preflight.account import Account, denied
from model_monitor.preflight.findings import Finding
from model_monitor.preflight.run import SUBJECTS, run
from model_monitor.records import ground_truth_lines
from tests.denying_proxy import DenyingProxy
from tests.monitored import monitored_endpoint, run_task
from tests.preflight.proxied import proxied
from tests.running_aws import ROLE, Running, make_bucket

ONLINE = [name for name, subject in SUBJECTS.items() if subject.online]


def found(endpoint: MonitoredEndpoint, *subjects: str) -> list[Finding]:
    return list(run(endpoint, Account.of(endpoint), subjects or ONLINE))


def levels(findings: list[Finding], check: str) -> list[str]:
    return [finding.level for finding in findings if finding.check == check]


@pytest.fixture
def by_proxy(aws: Running, endpoint: MonitoredEndpoint) -> Iterator[tuple[DenyingProxy, MonitoredEndpoint]]:
    with proxied(aws.url, endpoint) as both:
        yield both


def test_an_endpoint_in_service_with_captures_and_labels_is_fine(captured: MonitoredEndpoint) -> None:
    findings = found(captured)
    assert [str(finding) for finding in findings if finding.level == "error"] == []
    for check in ("captures", "inference ids", "labels", "managed service"):
        assert set(levels(findings, check)) == {"ok"}, check
    assert levels(findings, "baseline") == ["ok", "ok"]


def test_each_call_denied_in_turn_is_a_finding_that_names_the_permission(
    aws: Running, captured: MonitoredEndpoint
) -> None:
    alarms = Alarms(bias=[BiasAlarm(metric="DPPL", below=-0.1)])
    with proxied(aws.url, captured.model_copy(update={"alarms": alarms})) as (proxy, endpoint):
        found(endpoint)
        asked = sorted(set(proxy.seen))
        assert {"s3:PutObject", "sagemaker:DescribeEndpoint", "iam:GetRole", "sagemaker:ListTags"} <= set(asked)
        assert "cloudwatch:DescribeAlarms" in asked
        for operation in asked:
            proxy.reset()
            proxy.deny(operation)
            permission = PERMISSIONS.get(operation, operation)
            telling = [
                finding
                for finding in found(endpoint)
                if finding.level != "ok" and f"'{permission}'" in f"{finding.what} {finding.fix}"
            ]
            assert telling, f"{operation} is denied, and no finding names {permission}"
            assert operation in proxy.seen


@pytest.mark.parametrize("permission", ["sagemaker:AddTags", "iam:PassRole"])
def test_a_permission_that_a_call_needs_beside_its_own_is_the_one_to_allow(permission: str) -> None:
    said = f"User: u is not authorized to perform: {permission} on resource: r because no policy allows it"
    answer = {"Error": {"Code": "AccessDeniedException", "Message": said}}
    refusal = AccessDenied("refused")
    refusal.__cause__ = ClientError(answer, "CreateModelBiasJobDefinition")
    finding = denied("managed service", "here", "sagemaker:CreateModelBiasJobDefinition", refusal)
    assert f"Allow '{permission}'" in finding.fix
    assert "AWS refuses CreateModelBiasJobDefinition" in finding.what


def test_a_closed_service_says_what_to_use_instead(by_proxy: tuple[DenyingProxy, MonitoredEndpoint]) -> None:
    proxy, endpoint = by_proxy
    proxy.close_managed_monitoring()
    (finding,) = found(endpoint, "managed_service")
    assert finding.level == "warning"
    assert "maintenance mode" in finding.what
    assert f"{endpoint.name}.windows" in finding.fix
    assert "monitoring.baselines: airflow" in finding.fix


def test_the_probe_of_the_service_leaves_nothing(aws: Running, endpoint: MonitoredEndpoint) -> None:
    assert set(levels(found(endpoint, "managed_service"), "managed service")) == {"ok"}
    client = aws.client("sagemaker")
    made = client.list_model_bias_job_definitions(NameContains=endpoint.name)["JobDefinitionSummaries"]
    assert made == []


def test_the_write_test_leaves_nothing(aws: Running, endpoint: MonitoredEndpoint) -> None:
    assert set(levels(found(endpoint, "permissions"), "bucket")) == {"ok"}
    assert aws.client("s3").list_objects_v2(Bucket=endpoint.bucket)["KeyCount"] == 0


def test_nothing_made_yet_is_missing_and_not_wrong(endpoint: MonitoredEndpoint) -> None:
    findings = found(endpoint, "records")
    assert {finding.level for finding in findings} == {"ok", "warning"}
    assert f"`{endpoint.name}.deploy`" in " ".join(finding.fix for finding in findings)


def test_a_bucket_that_is_not_there(aws: Running, files: Path) -> None:
    absent = monitored_endpoint(files, "no-such-bucket-here")
    assert levels(found(absent, "permissions"), "bucket") == ["error"]
    # Other tests make the default bucket of their own region.
    default = monitored_endpoint(files, "sagemaker-eu-west-1-123456789012", region="eu-west-1")
    assert levels(found(default, "permissions"), "bucket") == ["warning"]
    assert levels(found(absent, "records"), "captures") == ["warning"]


@pytest.mark.parametrize(
    ("principal", "arn", "level", "what"),
    [
        ({"Service": "sagemaker.amazonaws.com"}, None, "ok", "may assume it"),
        ({"Service": ["ec2.amazonaws.com"]}, None, "error", "does not let"),
        ({"Service": "sagemaker.amazonaws.com"}, "arn:aws:iam::210987654321:role/{}", "error", "this account's role"),
    ],
)
def test_roles(aws: Running, files: Path, principal: Any, arn: str | None, level: str, what: str) -> None:
    name = f"role-{level}-{'other' if arn else 'own'}"
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]
    given = arn.format(name) if arn else role["Arn"]
    endpoint = monitored_endpoint(files, make_bucket(aws), role=given)
    (finding,) = [finding for finding in found(endpoint, "permissions") if finding.check == "role"]
    assert (finding.level, what in finding.what) == (level, True), finding


def test_a_role_is_left_alone_where_nobody_looks_at_it(endpoint: MonitoredEndpoint) -> None:
    assert endpoint.role == ROLE
    assert levels(found(endpoint, "permissions"), "role") == ["ok"]


def capture(row: str, answer: str, inference_id: str | None) -> str:
    metadata = {"eventId": "e", "inferenceTime": "2026-11-22T10:05:00Z"}
    return json.dumps(
        {
            "captureData": {
                "endpointInput": {"mode": "INPUT", "data": row, "encoding": "CSV", "observedContentType": "text/csv"},
                "endpointOutput": {"mode": "OUTPUT", "data": answer, "encoding": "CSV"},
            },
            "eventMetadata": metadata | ({"inferenceId": inference_id} if inference_id else {}),
            "eventVersion": "0",
        }
    )


def put(aws: Running, uri: str, content: str | bytes) -> None:
    bucket, key = names.split_s3(uri)
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content)


@pytest.mark.parametrize(
    ("lines", "labels", "check", "level", "what"),
    [
        ([capture("1,2,3", "0.9", "a")], {"a": "1"}, "captures", "error", "3 values"),
        (["{}"], {}, "captures", "error", "eventMetadata"),
        ([capture("1,2,3,4", "0.9", None)], {}, "inference ids", "warning", "1 of 1"),
        ([capture("1,2,3,4", "0.9", "a")], {"b": "1"}, "labels", "error", "none of 1 inference ids such as 'a'"),
        ([capture("1,2,3,4", "0.9", "a")], {"a": "1"}, "labels", "ok", "1 of 1 inference ids"),
        ([capture("1,2,3,4", "0.9", "a")], {}, "labels", "warning", "no labels yet"),
        ([capture("1,2,3,4", "0.9", "a")], {"a": "1"}, "threshold", "warning", "1 of them above it"),
        (
            [capture("1,2,3,4", "0.9", "a"), capture("1,2,3,4", "0.1", "a")],
            *({"a": "1"}, "threshold", "ok", "between 0.1 and 0.9"),
        ),
    ],
)
def test_captures_and_labels(
    aws: Running,
    endpoint: MonitoredEndpoint,
    lines: list[str],
    labels: dict[str, str],
    check: str,
    level: str,
    what: str,
) -> None:
    folder = f"{names.captures(endpoint)}/AllTraffic/2026/11/22/10"
    put(aws, f"{folder}/05-00-000.jsonl", "\n".join(lines))
    if labels:
        put(aws, f"{names.ground_truth(endpoint)}/2026/11/22/10/0.jsonl", ground_truth_lines(labels))
    (finding,) = [finding for finding in found(endpoint, "records") if finding.check == check]
    assert (finding.level, what in finding.what) == (level, True), finding


def test_captures_that_are_no_text_hide_nothing_else(aws: Running, endpoint: MonitoredEndpoint) -> None:
    put(aws, f"{names.captures(endpoint)}/AllTraffic/2026/11/22/10/05-00-000.jsonl", b"{}\n\xff")
    findings = found(endpoint, "records")
    (finding,) = [finding for finding in findings if finding.level == "error"]
    assert (finding.check, "05-00-000.jsonl: byte 4 is not UTF-8" in finding.what) == ("captures", True)
    assert levels(findings, "baseline") == ["warning", "warning"]


def test_a_baseline_of_other_facets_and_inputs_is_out_of_date(aws: Running, endpoint: MonitoredEndpoint) -> None:
    bias = {"post_training_bias_metrics": {"facets": {"Income": []}}}
    shap = {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"Age": 1.0}}}}}
    put(aws, names.baseline_constraints(endpoint, "bias"), json.dumps(bias))
    put(aws, names.baseline_constraints(endpoint, "explainability"), json.dumps(shap))
    findings = [finding for finding in found(endpoint, "records") if finding.check == "baseline"]
    assert [finding.level for finding in findings] == ["error", "error"]
    assert "lacks the facets Age; it holds Income" in findings[0].what
    assert "Calls, Income, Visits" in findings[1].what


def test_a_server_that_does_not_answer_is_asked_once(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = {
        "conn_type": "aws",
        "login": "t",
        "password": "p",
        "extra": {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"total_max_attempts": 1}}},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SILENT", json.dumps(silent))
    findings = found(monitored_endpoint(files, "bucket", aws_conn_id="silent"))
    (finding,) = [finding for finding in findings if finding.level != "ok"]
    assert finding.level == "error"
    assert "does not answer" in finding.what


def test_the_task_logs_all_and_fails_on_errors_only(
    endpoint: MonitoredEndpoint, files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counts = run_task(PreflightOperator(task_id="records", endpoint=endpoint, subject="records"))
    assert set(counts) == {"ok", "warning"}
    wrong = monitored_endpoint(files, endpoint.bucket, bias={"facets": [{"name": "Hair"}]})
    with pytest.raises(PreflightFailed, match="Hair") as raised:
        run_task(PreflightOperator(task_id="files", endpoint=wrong, subject="files"))
    assert "Name one of these columns" in str(raised.value)
