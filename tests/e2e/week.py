"""A small endpoint under two hourly monitors, and a week of traffic that goes wrong on its fifth day.

The model looks at `a`, and at `b` half as much. Every hour asks about the people of the baseline, until on the fifth
day `a` is not filled in any more and `b` comes to depend on the group: the model then decides by the group, and for
other reasons than before.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import xgboost

from tests.e2e.place import CLARIFY_IMAGE, CLUSTER, Place
from tests.running_aws import REGION, ROLE, Running, capture_config, create_endpoint, create_model, make_bucket, tar_gz

ENDPOINT = "loans"
BIAS, EXPLAIN = "loans-bias", "loans-explain"
LABEL, INPUTS = "repaid", ["a", "b", "group", "d"]
PEOPLE, REQUESTS = 60, 10
HOUR = timedelta(hours=1)
HOURS = 7 * 24
DRIFT_BEGINS = 4 * 24
ALARM = "groups-are-treated-differently"
EVENTS = "/aws/events/week"
FACET = [{"name_or_index": "group", "value_or_threshold": [0]}]
AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential=test/20261116/{REGION}/sagemaker/aws4_request"


def people() -> tuple[np.ndarray, np.ndarray]:
    """Model inputs (60, 4), and whether each person repaid (60,)."""
    random = np.random.default_rng(5)
    inputs = random.normal(size=(PEOPLE, len(INPUTS))).round(3)
    return inputs, (inputs[:, 0] + 0.5 * inputs[:, 1] + random.normal(scale=0.2, size=PEOPLE) > 0).astype(int)


def drifted(inputs: np.ndarray) -> np.ndarray:
    """The same people, with `a` not filled in and `b` low where the group is high."""
    changed = inputs.copy()
    changed[:, 0] = 0
    changed[:, 1] = np.where(inputs[:, 2] > 0, -np.abs(inputs[:, 1]), np.abs(inputs[:, 1]))
    return changed


def archive() -> bytes:
    """The model, trained on many such people."""
    random = np.random.default_rng(6)
    rows = random.normal(size=(2000, len(INPUTS)))
    labels = (rows[:, 0] + 0.5 * rows[:, 1] > 0).astype(int)
    parameters = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "seed": 1}
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, labels), 20)
    return tar_gz({"xgboost-model": bytes(booster.save_raw("json"))})


def csv(rows: np.ndarray) -> list[str]:
    """One line for each row."""
    return [",".join(f"{value:g}" for value in row) for row in rows]


class Week:
    """The endpoint with its monitors, and what happens to it hour by hour."""

    def __init__(self, aws: Running) -> None:
        self.place = Place(aws, bucket := make_bucket(aws), model := create_model(aws, bucket, archive()), ENDPOINT)
        create_endpoint(aws, model, capture_config(bucket), name=ENDPOINT)
        self.inputs, self.repaid = people()
        self._connection = http.client.HTTPConnection(urlsplit(aws.url).netloc, timeout=30)

    @property
    def aws(self) -> Running:
        return self.place.aws

    @cached_property
    def s3(self) -> Any:
        return self.aws.client("s3")

    def monitor(self) -> None:
        """Make both baselines and schedule both monitors for every hour."""
        headers = [LABEL, *INPUTS]
        data = [f"{label},{row}" for label, row in zip(self.repaid, csv(self.inputs), strict=True)]
        predictor = self.place.config()["predictor"]
        shap = {"baseline": [[0.0] * len(INPUTS)], "num_samples": 16, "agg_method": "mean_abs"}
        common = {"headers": headers, "label": LABEL}
        post_training = {"post_training_bias": {"methods": "all"}}
        groups = {"label_values_or_threshold": [1], "facet": FACET}
        baselines = {
            BIAS: common
            | groups
            | {
                "dataset_type": "text/csv",
                "predictor": predictor,
                "probability_threshold": 0.5,
                "methods": post_training,
            },
            EXPLAIN: common | {"dataset_type": "text/csv", "predictor": predictor, "methods": {"shap": shap}},
        }
        monitors: dict[str, dict[str, Any]] = {
            BIAS: common | groups | {"methods": post_training},
            EXPLAIN: {"headers": INPUTS, "predictor": predictor, "methods": {"shap": shap}},
        }
        for schedule, config in baselines.items():
            job = self.place.baseline(config, data)
            assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
            self._schedule(schedule, job["ProcessingJobName"], monitors[schedule])

    def _schedule(self, name: str, baseline: str, config: dict[str, Any]) -> None:
        monitoring_type = {BIAS: "ModelBias", EXPLAIN: "ModelExplainability"}[name]
        own_input: dict[str, Any] = {
            "EndpointInput": {"EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/input/endpoint"}
        }
        if name == BIAS:
            own_input["EndpointInput"]["ProbabilityThresholdAttribute"] = 0.5
            own_input["GroundTruthS3Input"] = {"S3Uri": f"s3://{self.place.bucket}/labels"}
        place = {
            "S3Uri": f"s3://{self.place.bucket}/reports",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "Continuous",
        }
        create = {
            BIAS: self.place.sagemaker.create_model_bias_job_definition,
            EXPLAIN: self.place.sagemaker.create_model_explainability_job_definition,
        }[name]
        create(
            **{
                "JobDefinitionName": name,
                f"{monitoring_type}AppSpecification": {
                    "ImageUri": CLARIFY_IMAGE,
                    "ConfigUri": self.place.put(f"{name}/analysis_config.json", json.dumps(config)),
                },
                f"{monitoring_type}BaselineConfig": {"BaseliningJobName": baseline},
                f"{monitoring_type}JobInput": own_input,
                f"{monitoring_type}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": place}]},
                "JobResources": {"ClusterConfig": CLUSTER},
                "RoleArn": ROLE,
            }
        )
        self.place.sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": name,
                "MonitoringType": monitoring_type,
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            },
        )

    def alarm(self) -> None:
        """An alarm on the difference in positive predictions between the groups, at either side of 0."""
        whole = max(self.inputs[:, 2])
        dimensions = {
            "Endpoint": ENDPOINT,
            "MonitoringSchedule": BIAS,
            "BiasStage": "Post-Training",
            "Label": LABEL,
            "LabelValue": "1",
            "Facet": "group",
            "FacetValue": f"(0.0, {whole:g}]",
        }
        self.aws.client("cloudwatch").put_metric_alarm(
            AlarmName=ALARM,
            Namespace="aws/sagemaker/Endpoints/bias-metrics",
            MetricName="bias_metric_DPPL",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            Statistic="Average",
            Period=3600,
            EvaluationPeriods=1,
            Threshold=0.5,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )

    def listen(self) -> None:
        """Log the events of executions and alarms."""
        self.aws.client("logs").create_log_group(logGroupName=EVENTS)
        events = self.aws.client("events")
        types = ["SageMaker Monitoring Schedule State Change", "CloudWatch Alarm State Change"]
        events.put_rule(Name="week", EventPattern=json.dumps({"detail-type": types}))
        arn = f"arn:aws:logs:{REGION}:123456789012:log-group:{EVENTS}"
        events.put_targets(Rule="week", Targets=[{"Id": "log", "Arn": arn}])

    def live(self, hours: int = HOURS) -> Iterator[datetime]:
        """Go through the week; each hour is given when its traffic was sent and its monitors are done."""
        for number in range(hours):
            hour = self.aws.now()
            self.send(hour, self.inputs if number < DRIFT_BEGINS else drifted(self.inputs))
            self.aws.advance(HOUR.total_seconds(), settle=True)
            yield hour

    def send(self, hour: datetime, inputs: np.ndarray) -> None:
        """An hour's requests, several people in each, and the labels that turned out to be right."""
        records = []
        rows, labels = np.array_split(np.array(csv(inputs)), REQUESTS), np.array_split(self.repaid, REQUESTS)
        for number, (asked, known) in enumerate(zip(rows, labels, strict=True)):
            inference_id = f"{hour:%d%H}-{number}"
            self._invoke("\n".join(asked), inference_id)
            records.append(
                {
                    "groundTruthData": {"data": "\n".join(map(str, known)), "encoding": "CSV"},
                    "eventMetadata": {"eventId": inference_id},
                    "eventVersion": "0",
                }
            )
        body = "".join(f"{json.dumps(record)}\n" for record in records)
        self.s3.put_object(Bucket=self.place.bucket, Key=f"labels/{hour:%Y/%m/%d/%H}/0000.jsonl", Body=body)

    def _invoke(self, rows: str, inference_id: str) -> None:
        headers = {
            "Content-Type": "text/csv",
            "X-Amzn-SageMaker-Inference-Id": inference_id,
            "Authorization": AUTHORIZATION,
        }
        self._connection.request("POST", f"/endpoints/{ENDPOINT}/invocations", rows, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said
