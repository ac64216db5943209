"""S3, STS, IAM, CloudWatch, Logs, EventBridge and SNS: moto's, on our clock."""

from __future__ import annotations

import datetime as real_datetime
from types import SimpleNamespace
from typing import Any

from local_aws.clock import Clock
from local_aws.services import repeatable
from local_aws.services.s3 import chunked_bodies

SERVICES = frozenset({"s3", "sts", "iam", "monitoring", "logs", "events", "sns"})
"""The services that moto answers for, by the names that requests are signed for; its others are not served."""


def moto_application(clock: Clock) -> Any:
    """Moto's WSGI application, with our clock behind all that asks for the time, and able to run for long."""
    import moto.backends
    import moto.cloudwatch.models
    import moto.core.common_models
    import moto.core.utils
    import moto.s3.models
    from moto.server import DomainDispatcherApplication, create_backend_app

    class ClockedDatetime(real_datetime.datetime):
        @classmethod
        def now(cls, tz: real_datetime.tzinfo | None = None) -> Any:
            now = repeatable.moment() or clock.now()
            return now.astimezone(tz) if tz else now.replace(tzinfo=None)

    clocked = SimpleNamespace(**{**vars(real_datetime), "datetime": ClockedDatetime})
    moto.core.utils.datetime = clocked  # type: ignore[assignment]
    moto.s3.models.datetime = clocked  # type: ignore[assignment]
    moto.cloudwatch.models.datetime = ClockedDatetime  # type: ignore[misc]

    repeatable.install()
    chunked_bodies.install()

    # Moto lists its own folder for every request to find out which services it has.
    services = tuple(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: iter(services)

    # Moto holds on to every object that it ever made, so that its dashboard, which is not served, can show them.
    moto.core.common_models.BaseModel.__new__ = _untracked  # type: ignore[assignment,method-assign]

    def create(service: Any) -> Any:
        if service is None:
            raise NotImplementedError("the request does not say which service it is for.")
        application = create_backend_app(service)
        # Debugging makes a class for each request, which holds the request and its body until the garbage is collected.
        application.debug = False
        application.config["PROPAGATE_EXCEPTIONS"] = True
        return application

    return DomainDispatcherApplication(create)


def _untracked(cls: type, *args: Any, **kwargs: Any) -> Any:
    return object.__new__(cls)
