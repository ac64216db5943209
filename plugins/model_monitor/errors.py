"""Every error this package raises on purpose.

    MonitorError
    ├── ConfigError            an endpoint's YAML is wrong: file, key, what is allowed
    ├── InputError             a file or a record is wrong: which one, where, what was expected
    │   └── AnalysisError      the analysis cannot go on; its text is Clarify's where Clarify has one
    │       └── ModelError     the model refused a prediction request, or answered what cannot be read
    ├── AccessDenied           AWS refused a call: which permission on which resource is missing, or whose credentials
    ├── Unreachable            AWS, or the server that a connection points to, does not answer
    ├── ResourceConflict       a resource of that name exists and is not the one that was asked for
    ├── ServiceUnavailable     the account no longer has the managed service
    ├── EndpointFailed         an endpoint did not reach InService
    ├── JobFailed              a processing job failed or was stopped
    ├── NoCaptures             no captured requests where they should be
    ├── EmptyWindow            a window holds nothing to judge: what was looked for, where, and what was there
    ├── NoExecution            a schedule has not started any execution
    ├── ExecutionFailed        a monitoring execution failed or was stopped
    ├── NoBaseline             a monitor has no constraints to compare with
    ├── PreflightFailed        a definition does not fit its files or its account: each finding, where, and its fix
    ├── AlertNotDelivered      a channel did not take a message, or another run is telling at the moment
    ├── WaitTimeout            something took longer than the task was allowed to wait
    └── ViolationsFound        a monitoring execution found violations, and the DAG was asked to fail on them

Each message says what was wrong, where, and what to do next.
"""

from __future__ import annotations


class MonitorError(Exception):
    """Base of all errors of this package."""


class ConfigError(MonitorError):
    """An endpoint's YAML is wrong."""


class InputError(MonitorError):
    """A data file, a model archive or a record is not what it should be."""


class AnalysisError(InputError):
    """The analysis cannot be done with this configuration and this data. The customer's to mend, as Clarify puts it."""


class ModelError(AnalysisError):
    """The model refused a prediction request or answered what cannot be read; whoever sends the request raises this."""


class AccessDenied(MonitorError):
    """AWS refused a call for lack of a permission, or does not accept the credentials."""


class Unreachable(MonitorError):
    """AWS, or the server that a connection points to, does not answer."""


class ResourceConflict(MonitorError):
    """A resource with our name exists and differs from ours."""


class ServiceUnavailable(MonitorError):
    """AWS refuses the managed monitors to this account."""


class EndpointFailed(MonitorError):
    """An endpoint's status is terminal and not InService."""


class JobFailed(MonitorError):
    """A processing job's status is terminal and not Completed."""


class NoCaptures(MonitorError):
    """No capture files where traffic should have left some."""


class EmptyWindow(MonitorError):
    """A window holds nothing that can be judged."""


class NoExecution(MonitorError):
    """A monitoring schedule has no execution yet, and waiting for one has ended."""


class ExecutionFailed(MonitorError):
    """A monitoring execution ended as Failed or Stopped."""


class NoBaseline(MonitorError):
    """A monitor was to compare with a baselining job's constraints, and there is no such job."""


class PreflightFailed(MonitorError):
    """A preflight found errors; its text holds them all."""


class AlertNotDelivered(MonitorError):
    """A channel did not take a message: of a verdict, which another try tells only those not told, or of a test."""


class WaitTimeout(MonitorError):
    """Waiting ended at its deadline, with nothing decided."""


class ViolationsFound(MonitorError):
    """A monitoring execution completed with violations."""
