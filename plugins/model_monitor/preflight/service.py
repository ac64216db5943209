"""Whether this account still has the managed monitors: one of them is asked for what costs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from model_monitor import names, requests
from model_monitor.errors import AccessDenied, ServiceUnavailable
from model_monitor.preflight.account import Account, Probe, denied
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, Level, error, ok, warning

CHECK = "managed service"


def check_service(definition: Definition, account: Account) -> Iterator[Finding]:
    """A bias job definition, made and deleted at once. A definition is no job and no schedule, and is free."""
    from model_monitor.hooks.base import is_taken

    endpoint, sagemaker = definition.endpoint, account.sagemaker
    where = f"SageMaker in {endpoint.region}"
    body = requests.create_job_definition(endpoint, "bias", {}, None)
    name = names.preflight_definition(endpoint, body["JobDefinitionName"])
    needed = endpoint.monitoring.baselines == "sagemaker"
    level: Level = "error" if needed else "warning"
    try:
        made = sagemaker.call(requests.definition_call("bias", "create"), **{**body, "JobDefinitionName": name})
    except ServiceUnavailable as refusal:
        baselines = "" if not needed else ", and set `monitoring.baselines: airflow` in the YAML"
        fix = f"Use `{endpoint.name}.windows`, whose windows Airflow judges, not `{endpoint.name}.monitor`{baselines}."
        yield warning(CHECK, where, f"closed to this account: {_said(refusal)}", fix)
        return
    except AccessDenied as refusal:
        yield denied(CHECK, where, "sagemaker:CreateModelBiasJobDefinition", refusal, level)
        return
    except ClientError as refusal:
        if not is_taken(refusal):
            said = refusal.response["Error"].get("Message", "")
            yield error(CHECK, where, f"refuses the bias monitor's job definition: {said}", "Correct that in the YAML.")
            return
    else:
        yield Probe("sagemaker:ListTags", name, lambda: sagemaker.tags(made["JobDefinitionArn"]), level).finding(CHECK)
    yield ok(CHECK, where, "open to this account")
    delete = requests.definition_call("bias", "delete")
    yield Probe(
        "sagemaker:DeleteModelBiasJobDefinition", name, lambda: sagemaker.delete(delete, JobDefinitionName=name)
    ).finding(CHECK)


def _said(refusal: ServiceUnavailable) -> str:
    cause = refusal.__cause__
    return cause.response["Error"]["Message"] if isinstance(cause, ClientError) else str(refusal)
