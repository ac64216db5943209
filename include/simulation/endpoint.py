"""The example endpoint on an embedded AWS: made as its DAGs make it, asked, judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import boto3
import httpx
import numpy as np
import pandas as pd

from model_monitor import names, records, requests, sources
from model_monitor.alarm_requests import watches_of
from model_monitor.config import MonitoredEndpoint
from model_monitor.names import KINDS, Kind
from simulation.customers import Hour

REQUESTS = 12
QUARTERS = 4
QUARTER_SECONDS = 900
LONGEST_WAIT_SECONDS = 600


class SimulationFailed(Exception):
    """The simulation cannot go on; the text says why and where to look."""


class SimulatedEndpoint:
    """One endpoint, its monitors and its traffic, on an embedded AWS with a stepped clock."""

    def __init__(self, endpoint: MonitoredEndpoint, url: str) -> None:
        self.endpoint = endpoint
        session = boto3.Session("embedded", "embedded", region_name=endpoint.region)
        client: Callable[..., Any] = partial(session.client, endpoint_url=url)
        self._s3, self._sagemaker = client("s3"), client("sagemaker")
        self._runtime, self._cloudwatch = client("sagemaker-runtime"), client("cloudwatch")
        self._local = httpx.Client(base_url=f"{url}/_local/", trust_env=False, timeout=LONGEST_WAIT_SECONDS)

    def deploy(self) -> None:
        """Bucket, model, endpoint with data capture; returns when it is in service."""
        endpoint = self.endpoint
        self._s3.create_bucket(
            Bucket=endpoint.bucket, CreateBucketConfiguration={"LocationConstraint": endpoint.region}
        )
        archive = sources.archive(endpoint)
        self._put(names.model_archive(endpoint, archive), endpoint.path(endpoint.model.archive).read_bytes())
        self._put(sources.validation_uri(endpoint), endpoint.path(endpoint.data.validation).read_bytes())
        model = requests.create_model(endpoint, archive)
        config = requests.create_endpoint_config(endpoint, model["ModelName"])
        self._sagemaker.create_model(**model)
        self._sagemaker.create_endpoint_config(**config)
        self._sagemaker.create_endpoint(**requests.create_endpoint(endpoint, config["EndpointConfigName"]))
        self._settle()
        found = self._sagemaker.describe_endpoint(EndpointName=endpoint.name)
        if found["EndpointStatus"] != "InService":
            raise SimulationFailed(f"Endpoint {endpoint.name} is {found['EndpointStatus']}: {found['FailureReason']}")

    @property
    def model(self) -> str:
        """The model's name."""
        return requests.model_name(self.endpoint, sources.archive(self.endpoint))

    def baseline(self) -> None:
        """Both baselining jobs."""
        jobs = {}
        for kind in KINDS:
            self._put(
                names.baseline_analysis_config(self.endpoint, kind),
                json.dumps(sources.baseline_analysis(self.endpoint, kind, self.model)),
            )
            request = sources.baselining_job(self.endpoint, kind, self.model)
            self._sagemaker.create_processing_job(**request)
            jobs[kind] = request["ProcessingJobName"]
        self._settle()
        for kind, job in jobs.items():
            found = self._sagemaker.describe_processing_job(ProcessingJobName=job)
            if found["ProcessingJobStatus"] != "Completed":
                raise SimulationFailed(f"The {kind} baselining job ended as {found}")

    def schedule(self) -> None:
        """Both monitors, every hour from now on."""
        for kind in KINDS:
            analysis = sources.monitor_analysis(self.endpoint, kind, self.model)
            baseline = sources.baselining_job(self.endpoint, kind, self.model)["ProcessingJobName"]
            definition = requests.create_job_definition(self.endpoint, kind, analysis, baseline)
            self._put(requests.config_uri(kind, definition), json.dumps(analysis))
            getattr(self._sagemaker, requests.definition_call(kind, "create"))(**definition)
            self._sagemaker.create_monitoring_schedule(
                **requests.create_monitoring_schedule(self.endpoint, kind, definition["JobDefinitionName"])
            )

    def live(self, hour: Hour, name: str) -> None:
        """Let an hour pass with its traffic and its labels; its monitors are done when this returns.

        Requests come every quarter of an hour, with inference ids that begin with `name`.
        """
        truths: dict[str, str] = {}
        begun = self.now()
        for number, rows in enumerate(np.array_split(np.arange(len(hour.labels)), REQUESTS)):
            if number and number % (REQUESTS // QUARTERS) == 0:
                self._advance(QUARTER_SECONDS)
            inference_id = f"{name}-{number}"
            self._runtime.invoke_endpoint(
                **requests.invoke_endpoint(self.endpoint, _csv(hour.inputs.iloc[rows]), inference_id)
            )
            truths[inference_id] = "\n".join(hour.labels[row] for row in rows)
        self._put(names.ground_truth_file(self.endpoint, begun), records.ground_truth_lines(truths))
        self._advance(QUARTER_SECONDS)

    def set_alarms(self, baselines: Mapping[Kind, dict[str, Any]]) -> list[str]:
        """The configured CloudWatch alarms, on the metrics as the baselines have them; returns their names."""
        made = []
        for kind in KINDS:
            for watch in watches_of(self.endpoint, kind):
                metric = watch.metric([baselines[kind]])
                if metric is None:
                    raise SimulationFailed(f"{watch.place}: the {kind} baseline has no {watch.alarm.subject}.")
                self._cloudwatch.put_metric_alarm(**watch.request(metric, baselines[kind]))
                made.append(watch.name)
        return made

    def alarms(self) -> dict[str, str]:
        """Every alarm's state."""
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in self._cloudwatch.describe_alarms()["MetricAlarms"]}

    def now(self) -> datetime:
        """The time there."""
        return datetime.fromisoformat(self._answer("GET", "health")["now"])

    def _advance(self, seconds: float) -> None:
        self._answer("POST", "clock", json={"advance_seconds": seconds, "settle": True})

    def _settle(self) -> None:
        self._answer("GET", "idle")

    def _answer(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = self._local.request(method, path, **request)
        content: dict[str, Any] = answer.json()
        if answer.status_code != httpx.codes.OK:
            raise SimulationFailed(f"The embedded AWS says: {content['message']}")
        return content

    def _put(self, uri: str, content: bytes | str) -> None:
        bucket, key = names.split_s3(uri)
        self._s3.put_object(Bucket=bucket, Key=key, Body=content)


def _csv(inputs: pd.DataFrame) -> str:
    return str(inputs.to_csv(index=False, header=False, lineterminator="\n")).rstrip("\n")
