"""The one object that operations get: where everything of this AWS is."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local_aws.access.keys import Key
from local_aws.clock import Clock
from local_aws.database_files import telling
from local_aws.hosting.capture import CaptureWriter
from local_aws.hosting.deployments import Hosting
from local_aws.jobs.processing import ProcessingJobs
from local_aws.kept_time import KeptTime
from local_aws.monitoring.alerts import Alerts
from local_aws.monitoring.executions import Executions
from local_aws.monitoring.scheduler import Scheduler
from local_aws.services.alarms.alarms import Alarms
from local_aws.services.events.deliveries import Deliveries
from local_aws.services.events.event_bus import EventBus
from local_aws.services.events.sagemaker_events import SageMakerEvents
from local_aws.services.s3.foreign import ForeignS3
from local_aws.store import Store
from local_aws.work import Work

ACCOUNT_ID = "123456789012"


class LocalAws:
    """State, time and parts of this AWS, and clients that talk to it."""

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        url: str,
        schedule_delay: timedelta = timedelta(0),
        foreign_s3: ForeignS3 | None = None,
    ) -> None:
        self.account_id = ACCOUNT_ID
        self.data_dir = data_dir
        self.clock = clock
        self.url = url
        self.foreign_s3 = foreign_s3
        self.store = Store(data_dir / "state.sqlite")
        self._time = KeptTime(self.store, clock)
        try:
            with telling(data_dir / "state.sqlite", data_dir):
                self._time.take_up()
        except BaseException:
            self.store.close()
            raise
        self.work = Work()
        self.key = Key.generated()
        self._session = boto3.session.Session(aws_access_key_id=self.key.id, aws_secret_access_key=self.key.secret)
        self._clients: dict[tuple[str, str], Any] = {}
        self._clients_lock = threading.Lock()
        self.captures = CaptureWriter(self.s3, data_dir / "captures")
        self.hosting = Hosting(self)
        self.jobs = ProcessingJobs(self)
        self.executions = Executions(self)
        self.alerts = Alerts(self)
        self.deliveries = Deliveries(self.work)
        self.event_bus = EventBus(self)
        self.alarms = Alarms(self)
        SageMakerEvents(self)
        self.scheduler = Scheduler(self, schedule_delay)

    def client(self, service: str, region: str) -> Any:
        """A boto3 client that talks to this AWS; made once per service and region."""
        with self._clients_lock:
            if (service, region) not in self._clients and service == "s3" and self.foreign_s3 is not None:
                self._clients[service, region] = self.foreign_s3.client(region)
            elif (service, region) not in self._clients:
                make: Any = self._session.client
                self._clients[service, region] = make(
                    service,
                    region_name=region,
                    endpoint_url=self.url,
                    config=Config(
                        s3={"addressing_style": "path"}, retries={"max_attempts": 1}, max_pool_connections=32
                    ),
                )
            return self._clients[service, region]

    def s3(self, region: str = "us-east-1") -> Any:
        """A client of this AWS's S3, wherever that is."""
        return self.client("s3", region)

    @property
    def s3_url(self) -> str:
        """Where S3 answers: here, unless another one takes its place."""
        return self.foreign_s3.url if self.foreign_s3 is not None else self.url

    def logs(self, region: str) -> Any:
        """A client of this AWS's CloudWatch Logs."""
        return self.client("logs", region)

    def cloudwatch(self, region: str) -> Any:
        """A client of this AWS's CloudWatch."""
        return self.client("cloudwatch", region)

    def arn(self, region: str, resource: str) -> str:
        """The ARN of a SageMaker resource such as `endpoint/churn`; SageMaker's ARNs are lower case."""
        return f"arn:aws:sagemaker:{region}:{self.account_id}:{resource.lower()}"

    def start(self) -> None:
        """Take up what an earlier run left; the server answers requests already."""
        self.event_bus.start()
        self.alarms.start()
        self.deliveries.start()
        self.captures.start()
        self.jobs.start()
        self.executions.start()
        self.alerts.start()
        self.hosting.resume()
        self.scheduler.start()
        self._time.start()
        self.clock.start()

    def settle(self, timeout: float) -> list[str]:
        """Wait until all that was begun is over and captured; what still goes on after `timeout` seconds."""
        self.captures.flush()
        return self.work.wait(timeout)

    def stop(self) -> None:
        """Stop all that runs; the server still answers requests until this is done."""
        self.clock.stop()
        self.executions.stop()
        self.jobs.stop()
        self.executions.join()
        self.captures.stop()
        self.hosting.stop()
        self.deliveries.stop()
        self.alarms.stop()
        self.event_bus.stop()
        self._time.stop()
