"""The processing jobs of a monitoring execution, as SageMaker makes them: names, inputs, outputs, environment.

Pure functions from a job definition, a schedule and a window to the bodies of two processing jobs. The ground-truth
merge comes first where the monitor needs labels; its output is the monitoring job's input.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_aws.monitoring.schedule_expressions import Window

CAPTURES = "/opt/ml/processing/input_data"
GROUND_TRUTH = "/opt/ml/processing/groundtruth"
OUTPUT = "/opt/ml/processing/output"
CONFIG = "/opt/ml/processing/input/config"
CONSTRAINTS = "/opt/ml/processing/baseline/constraints"
MERGER_REPOSITORY = "sagemaker-model-monitor-groundtruth-merger"
DEFAULT_MAX_RUNTIME = {"ModelBias": 1800, "ModelExplainability": 3600}

_ATTRIBUTES = {
    "FeaturesAttribute": "features_attribute",
    "InferenceAttribute": "inference_attribute",
    "ProbabilityAttribute": "probability_attribute",
    "ProbabilityThresholdAttribute": "probability_threshold_attribute",
    "ExcludeFeaturesAttribute": "exclude_features_attribute",
}
_JOB_PREFIX = {"ModelBias": "model-bias-monitoring", "ModelExplainability": "model-explainability-monitoring"}
_ANALYSIS_TYPE = {"ModelBias": "MODEL_BIAS", "ModelExplainability": "MODEL_EXPLAINABILITY"}


@dataclass(frozen=True)
class MonitoringRun:
    """One execution: which schedule and definition, which window, and where the endpoint's captures are."""

    monitoring_type: str
    schedule: str
    definition: dict[str, Any]
    scheduled: datetime
    window: Window
    identity: str
    captures: tuple[str, ...]

    @property
    def endpoint(self) -> str:
        """The monitored endpoint's name."""
        return str(self.endpoint_input["EndpointName"])

    @property
    def endpoint_input(self) -> dict[str, Any]:
        """The definition's `EndpointInput`."""
        return dict(self.definition[f"{self.monitoring_type}JobInput"]["EndpointInput"])

    @property
    def app(self) -> dict[str, Any]:
        """The definition's image, configuration and environment."""
        return dict(self.definition[f"{self.monitoring_type}AppSpecification"])

    @property
    def needs_ground_truth(self) -> bool:
        """Bias is judged against labels; attributions are not."""
        return self.monitoring_type == "ModelBias"

    @property
    def ground_truth(self) -> str:
        """The address below which hourly folders of labels lie."""
        source = self.definition[f"{self.monitoring_type}JobInput"]["GroundTruthS3Input"]["S3Uri"]
        return str(source).rstrip("/")

    @property
    def output(self) -> dict[str, Any]:
        """The definition's `S3Output`."""
        outputs = self.definition[f"{self.monitoring_type}JobOutputConfig"]["MonitoringOutputs"]
        return dict(outputs[0]["S3Output"])

    @property
    def output_uri(self) -> str:
        """Below which reports and merged records lie."""
        return str(self.output["S3Uri"]).rstrip("/")

    @property
    def merge_folder(self) -> str:
        """Where merged records lie, in the layout of captures."""
        return f"{self.output_uri}/merge"

    @property
    def report_folder(self) -> str:
        """Where this execution's report lies: the folder of its scheduled hour, not of its data's."""
        return f"{self.output_uri}/{self.endpoint}/{self.schedule}/{hour_path(self.scheduled)}"

    @property
    def max_runtime(self) -> int:
        """Seconds that the execution's jobs may take together."""
        condition = self.definition.get("StoppingCondition") or {}
        return int(condition.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME[self.monitoring_type]))

    def job_name(self, prefix: str) -> str:
        """`<prefix>-<scheduled minute>-<24 hex>`, cut to the 63 characters of a name; both jobs share the digits."""
        return f"{prefix}-{self.scheduled:%Y%m%d%H%M}-{self.identity}"[:63]

    @property
    def merge_job_name(self) -> str:
        """The ground-truth merge's job name."""
        return self.job_name("groundtruth-merge")

    @property
    def monitoring_job_name(self) -> str:
        """The analysis' job name."""
        return self.job_name(_JOB_PREFIX[self.monitoring_type])

    def capture_folders(self) -> list[tuple[str, str]]:
        """For each variant and hour: the folder's address, and `<endpoint>/<variant>/yyyy/mm/dd/hh`."""
        return [
            (f"{capture}/{hour_path(hour)}", f"{self.endpoint}/{capture.rsplit('/', 1)[-1]}/{hour_path(hour)}")
            for capture in self.captures
            for hour in self.window.hours()
        ]

    def ground_truth_folders(self) -> list[tuple[str, str]]:
        """For each hour: the folder's address, and `yyyy/mm/dd/hh`."""
        return [(f"{self.ground_truth}/{hour_path(hour)}", hour_path(hour)) for hour in self.window.hours()]

    def merged_folders(self) -> list[tuple[str, str]]:
        """For each variant and hour: the merged records' folder, and `<endpoint>/<variant>/yyyy/mm/dd/hh`."""
        paths = dict.fromkeys(path for _, path in self.capture_folders())
        return [(f"{self.merge_folder}/{path}", path) for path in paths]


Folders = Iterable[tuple[str, str]]


def merge_job(run: MonitoringRun, captures: Folders, ground_truth: Folders) -> dict[str, Any]:
    """The ground-truth merge of those folders that hold data."""
    registry = run.app["ImageUri"].split("/")[0]
    inputs = [
        *_inputs("groundtruth_input", GROUND_TRUTH, ground_truth),
        *_inputs("endpoint_input", CAPTURES, captures),
    ]
    return {
        **_machine(run),
        "ProcessingJobName": run.merge_job_name,
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": _output_config(run.merge_folder, OUTPUT, "EndOfJob"),
        "AppSpecification": {"ImageUri": f"{registry}/{MERGER_REPOSITORY}"},
        "Environment": {"dataset_source": CAPTURES, "ground_truth_source": GROUND_TRUTH, "output_path": OUTPUT},
        "StoppingCondition": {"MaxRuntimeInSeconds": run.max_runtime},
    }


def monitoring_job(
    run: MonitoringRun, data: Folders, constraints: str | None, remaining_seconds: int
) -> dict[str, Any]:
    """The analysis of those folders that hold data, judged against the constraints if there are any."""
    local_path = run.endpoint_input["LocalPath"].rstrip("/")
    inputs = _inputs("endpoint_input", local_path, data)
    inputs.append(_input("analysis_config", run.app["ConfigUri"], CONFIG))
    if constraints is not None:
        inputs.append(_input("constraints", constraints, CONSTRAINTS))
    output_path = run.output.get("LocalPath", OUTPUT)
    return {
        **_machine(run),
        "ProcessingJobName": run.monitoring_job_name,
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": _output_config(
            run.report_folder, output_path, run.output.get("S3UploadMode", "Continuous")
        ),
        "AppSpecification": {"ImageUri": run.app["ImageUri"]},
        "Environment": _environment(run, local_path, output_path, constraints),
        "StoppingCondition": {"MaxRuntimeInSeconds": remaining_seconds},
    }


def hour_path(moment: datetime) -> str:
    """`yyyy/mm/dd/hh`."""
    return f"{moment:%Y/%m/%d/%H}"


def _environment(run: MonitoringRun, source: str, output_path: str, constraints: str | None) -> dict[str, str]:
    own_format = "sagemakerMergeJson" if run.needs_ground_truth else "sagemakerCaptureJson"
    environment = {
        "publish_cloudwatch_metrics": "Enabled",
        **(run.app.get("Environment") or {}),
        "analysis_type": _ANALYSIS_TYPE[run.monitoring_type],
        "dataset_format": json.dumps({own_format: {"captureIndexNames": ["endpointInput", "endpointOutput"]}}),
        "dataset_source": source,
        "output_path": output_path,
        "start_time": _timestamp(run.window.start),
        "end_time": _timestamp(run.window.end),
        "metric_time": _timestamp(run.window.start),
        "sagemaker_endpoint_name": run.endpoint,
        "sagemaker_monitoring_schedule_name": run.schedule,
    }
    for attribute, variable in _ATTRIBUTES.items():
        if run.endpoint_input.get(attribute) is not None:
            environment[variable] = str(run.endpoint_input[attribute])
    if constraints is not None:
        environment["baseline_constraints"] = f"{CONSTRAINTS}/{constraints.rsplit('/', 1)[-1]}"
    return environment


def _machine(run: MonitoringRun) -> dict[str, Any]:
    network = run.definition.get("NetworkConfig")
    return {
        "ProcessingResources": {"ClusterConfig": run.definition["JobResources"]["ClusterConfig"]},
        "RoleArn": run.definition["RoleArn"],
        **({"NetworkConfig": network} if network else {}),
    }


def _inputs(name: str, local_path: str, folders: Folders) -> list[dict[str, Any]]:
    return [
        _input(f"{name}_{number}", uri, f"{local_path}/{path}") for number, (uri, path) in enumerate(folders, start=1)
    ]


def _input(name: str, uri: str, local_path: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "AppManaged": False,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": local_path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def _output_config(uri: str, local_path: str, mode: str) -> dict[str, Any]:
    output = {"S3Uri": uri, "LocalPath": local_path, "S3UploadMode": mode}
    return {"Outputs": [{"OutputName": "result", "S3Output": output, "AppManaged": False}]}


def _timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
