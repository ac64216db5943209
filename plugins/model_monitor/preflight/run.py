"""All checks, by subject; none stops another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AccessDenied, MonitorError, Unreachable
from model_monitor.preflight import (
    alarms,
    alerts,
    archive,
    captured,
    constraints,
    dataset,
    ground_truth,
    permissions,
    retraining,
    schedule,
    service,
)
from model_monitor.preflight.account import Account, lacks_permission
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok


@dataclass(frozen=True)
class Subject:
    """What belongs together: checks that need only this machine, and checks that need an account."""

    offline: Sequence[tuple[str, Callable[[Definition], Iterator[Finding]]]] = ()
    online: Sequence[tuple[str, Callable[[Definition, Account], Iterator[Finding]]]] = ()


SUBJECTS: dict[str, Subject] = {
    "files": Subject(
        offline=[
            ("data set", dataset.check_data_set),
            ("label values", dataset.check_label_values),
            ("facet", dataset.check_facets),
            ("group variable", dataset.check_group_variable),
            ("threshold", dataset.check_threshold),
            ("test inputs", dataset.check_test_inputs),
            ("SHAP baseline", dataset.check_shap_baseline),
            ("alarms", alarms.check_alarms),
            ("model archive", archive.check_archive),
        ],
        online=[("SHAP baseline", dataset.check_stored_shap_baseline)],
    ),
    "ground_truth": Subject(offline=[("ground truth", ground_truth.check_source)]),
    "schedule": Subject(offline=[("schedule", schedule.check_monitoring), ("windows", schedule.check_windows)]),
    "permissions": Subject(
        online=[
            ("bucket", permissions.check_bucket),
            ("role", permissions.check_role),
            ("SageMaker", permissions.check_sagemaker),
            ("alarms", alarms.check_alarm_permissions),
        ]
    ),
    "retraining": Subject(
        offline=[("retraining", retraining.check_function)],
        online=[("model in force", retraining.check_model_in_force)],
    ),
    "alerts": Subject(online=[("alerts", alerts.check_channels)]),
    "managed_service": Subject(online=[("managed service", service.check_service)]),
    "records": Subject(
        online=[
            ("captures", captured.check_captures),
            ("labels", captured.check_labels),
            ("baseline", constraints.check_baselines),
        ]
    ),
}


def run(
    endpoint: MonitoredEndpoint, account: Account | None, subjects: Sequence[str] = tuple(SUBJECTS)
) -> Iterator[Finding]:
    """Every finding on an endpoint; without an account, of those checks that need none.

    What ends several checks early, such as a file that cannot be read, is told once. Once the account's server does not
    answer, or does not accept the credentials, it is not asked again.
    """
    definition = Definition(endpoint)
    told: set[str] = set()

    def guarded(check: str, findings: Iterator[Finding]) -> Iterator[Finding]:
        try:
            yield from findings
        except (MonitorError, ClientError, BotoCoreError) as problem:
            if _ends_all(problem):
                raise
            yield _ended(check, endpoint, problem, told)

    for name in subjects:
        for check, offline in SUBJECTS[name].offline:
            yield from guarded(check, offline(definition))
        if account is None:
            continue
        for check, online in SUBJECTS[name].online:
            try:
                yield from guarded(check, online(definition, account))
            except (Unreachable, AccessDenied) as problem:
                yield _ended(check, endpoint, problem, told)
                account = None
                break


def _ends_all(problem: Exception) -> bool:
    """Whether no other call would be answered either."""
    return isinstance(problem, Unreachable) or (isinstance(problem, AccessDenied) and not lacks_permission(problem))


def _ended(check: str, endpoint: MonitoredEndpoint, problem: Exception, told: set[str]) -> Finding:
    """What ended a check early, as its last finding. Our errors say where, and what to do."""
    text = str(problem)
    if text in told:
        return ok(check, endpoint.name, "not checked, because of an error told above")
    told.add(text)
    return error(check, endpoint.name, text)
