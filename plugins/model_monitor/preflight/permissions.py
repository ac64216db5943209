"""The bucket, the role, and what this project's DAGs ask of SageMaker and of its logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from model_monitor import names, requests
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AccessDenied
from model_monitor.names import KINDS
from model_monitor.preflight.account import Account, Probe, denied
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok, warning

SAGEMAKER = "sagemaker.amazonaws.com"
TRIED_BY_USE = (
    "sagemaker:CreateModel, CreateEndpointConfig, CreateEndpoint, UpdateEndpoint, InvokeEndpoint and their Delete…, "
    "and cloudwatch:PutMetricData"
)


def check_bucket(definition: Definition, account: Account) -> Iterator[Finding]:
    """The bucket's existence and region, and an object written, read, listed and deleted in it."""
    endpoint, storage = definition.endpoint, account.storage
    where = f"s3://{endpoint.bucket}"
    try:
        found = storage.find("head_bucket", Bucket=endpoint.bucket)
    except AccessDenied as refusal:
        yield denied("bucket", where, "s3:ListBucket", refusal)
    else:
        if found is None:
            yield _no_bucket(endpoint, storage.account_id)
            return
        region = found.get("BucketRegion") or endpoint.region
        if region != endpoint.region:
            what = f"lies in {region}, the endpoint in {endpoint.region}"
            yield error("bucket", where, what, "SageMaker needs both in one region: change bucket or region.")
        else:
            yield ok("bucket", where, f"exists in {region}")
    uri = names.write_test(endpoint)
    for permission, ask in (
        ("s3:PutObject", lambda: storage.put(uri, "This object shows that the bucket is writable.\n")),
        ("s3:GetObject", lambda: storage.read(uri)),
        ("s3:ListBucket", lambda: storage.list(uri)),
        ("s3:DeleteObject", lambda: storage.delete(uri)),
    ):
        yield Probe(permission, uri, ask).finding("bucket")


def check_role(definition: Definition, account: Account) -> Iterator[Finding]:
    """The role's existence in this account, and whether SageMaker may take it."""
    where = definition.endpoint.role
    name = where.rpartition("/")[2]
    try:
        role = account.iam.call("get_role", RoleName=name)["Role"]
    except AccessDenied as refusal:
        yield denied("role", where, "iam:GetRole", refusal, "warning")
        return
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "NoSuchEntity":
            raise
        if account.is_aws:
            yield error("role", where, "there is no such role", "Create it, with a trust policy for SageMaker.")
        else:
            yield ok("role", where, "is not known here; only AWS itself looks at roles")
        return
    if role["Arn"] != where:
        what = f"this account's role of that name is {role['Arn']}"
        yield error("role", where, what, "A role of another account or path cannot be passed; correct it in the YAML.")
    elif not _trusts_sagemaker(role["AssumeRolePolicyDocument"]):
        what = f"its trust policy does not let {SAGEMAKER} assume it"
        yield error("role", where, what, f"Add {SAGEMAKER} as a principal of sts:AssumeRole to the trust policy.")
    else:
        yield ok("role", where, f"exists, and {SAGEMAKER} may assume it")


def check_sagemaker(definition: Definition, account: Account) -> Iterator[Finding]:
    """Every describing and listing call of the DAGs, on this endpoint's names; nothing is made."""
    endpoint = definition.endpoint
    client: Any = account.sagemaker.conn
    for method, request in _reads(endpoint):
        operation = client.meta.method_to_api_mapping[method]
        permission, where = f"sagemaker:{operation}", next(iter(request.values()), "this account")

        def ask(method: str = method, request: dict[str, Any] = request) -> object:
            return account.sagemaker.find(method, **request)

        yield Probe(permission, str(where), ask).finding("SageMaker")
    logs = Probe("logs:DescribeLogStreams", "/aws/sagemaker/ProcessingJobs", lambda: account.logs.tail(endpoint.name))
    yield logs.finding("logs")
    yield ok("SageMaker", endpoint.name, f"not tried, as it would make something: {TRIED_BY_USE}")


def _no_bucket(endpoint: MonitoredEndpoint, account_id: str) -> Finding:
    where, what = f"s3://{endpoint.bucket}", "there is no such bucket"
    if endpoint.bucket == f"sagemaker-{endpoint.region}-{account_id}":
        return warning("bucket", where, what, f"`{endpoint.name}.deploy` creates it, as SageMaker's default bucket.")
    return error("bucket", where, what, f"Create it in {endpoint.region}, or name another in the YAML.")


def _reads(endpoint: MonitoredEndpoint) -> Iterator[tuple[str, dict[str, Any]]]:
    name = endpoint.name
    for resource in ("endpoint", "endpoint_config", "model", "processing_job"):
        yield f"describe_{resource}", requests.by_name(resource, name)  # type: ignore[arg-type]
    for resource in ("endpoints", "endpoint_configs", "models"):
        yield f"list_{resource}", {"NameContains": name}
    for kind in KINDS:
        yield "describe_monitoring_schedule", requests.by_name("monitoring_schedule", names.schedule(endpoint, kind))
        yield "list_monitoring_executions", requests.list_monitoring_executions(names.schedule(endpoint, kind))
        yield requests.definition_call(kind, "describe"), requests.by_name("job_definition", name)
        yield requests.definition_call(kind, "list"), {"NameContains": name}


def _trusts_sagemaker(document: str | dict[str, Any]) -> bool:
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    return any(map(_allows_sagemaker, statements if isinstance(statements, list) else [statements]))


def _allows_sagemaker(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    services = principal.get("Service", []) if isinstance(principal, dict) else principal
    named = [services] if isinstance(services, str) else services
    actions = statement.get("Action", [])
    wanted = {"sts:AssumeRole", "sts:*", "*"} & set([actions] if isinstance(actions, str) else actions)
    return statement.get("Effect") == "Allow" and bool(wanted) and bool({SAGEMAKER, "*"} & set(named))
