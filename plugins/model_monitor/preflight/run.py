"""All checks, by subject; none stops another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AccessDenied, MonitorError, Unreachable
from model_monitor.preflight import (
    archive,
    captured,
    constraints,
    dataset,
    ground_truth,
    permissions,
    schedule,
    service,
)
from model_monitor.preflight.account import Account, lacks_permission
from model_monitor.preflight.findings import Finding, error


@dataclass(frozen=True)
class Subject:
    """What belongs together: checks that need only this machine, and checks that need an account."""

    offline: Sequence[tuple[str, Callable[[MonitoredEndpoint], Iterator[Finding]]]] = ()
    online: Sequence[tuple[str, Callable[[MonitoredEndpoint, Account], Iterator[Finding]]]] = ()


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
        ]
    ),
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

    Once the account's server does not answer, or does not accept the credentials, it is not asked again.
    """
    for name in subjects:
        for check, offline in SUBJECTS[name].offline:
            yield from _guarded(check, endpoint, offline(endpoint))
        if account is None:
            continue
        for check, online in SUBJECTS[name].online:
            try:
                yield from _guarded(check, endpoint, online(endpoint, account))
            except (Unreachable, AccessDenied) as problem:
                yield error(check, endpoint.name, str(problem))
                account = None
                break


def _guarded(check: str, endpoint: MonitoredEndpoint, findings: Iterator[Finding]) -> Iterator[Finding]:
    """A check's findings; what ends it early is its last one. Our errors say where, and what to do."""
    try:
        yield from findings
    except Unreachable:
        raise
    except AccessDenied as problem:
        if not lacks_permission(problem):
            raise
        yield error(check, endpoint.name, str(problem))
    except MonitorError as problem:
        yield error(check, endpoint.name, str(problem))
    except (ClientError, BotoCoreError) as problem:
        yield error(check, endpoint.name, str(problem))
