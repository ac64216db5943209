"""From configuration to AWS request bodies. Pure functions: what needs a file or a service comes in as a value.

Every `create_*` answers the keyword arguments of the boto3 call of that name, complete with the resource's name and its
tags. Names hold a fingerprint of the body, so equal bodies give equal names; where a name is fixed (endpoint, schedule)
the fingerprint tag tells whether the existing resource is the one that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from model_monitor import images, names
from model_monitor.config import MonitoredEndpoint
from model_monitor.names import Kind

Body = dict[str, Any]
Window = tuple[str, str]
Resource = Literal["model", "endpoint_config", "endpoint", "processing_job", "job_definition", "monitoring_schedule"]

MONITORING_TYPE: dict[Kind, str] = {"bias": "ModelBias", "explainability": "ModelExplainability"}
NAME_KEY: dict[Resource, str] = {
    "model": "ModelName",
    "endpoint_config": "EndpointConfigName",
    "endpoint": "EndpointName",
    "processing_job": "ProcessingJobName",
    "job_definition": "JobDefinitionName",
    "monitoring_schedule": "MonitoringScheduleName",
}

OUTPUT_FOLDER = "/opt/ml/processing/output"
ENDPOINT_INPUT_FOLDER = "/opt/ml/processing/input/endpoint"
SERVICE_WINDOW: Window = ("-PT1H", "-PT0H")


def by_name(resource: Resource, name: str) -> Body:
    """The body of every call that needs no more than a name: describe, delete, start, stop."""
    return {NAME_KEY[resource]: name}


def definition_call(kind: Kind, verb: Literal["create", "describe", "delete", "list"]) -> str:
    """The boto3 method for a monitor's job definition, such as `create_model_bias_job_definition`."""
    monitor = {"bias": "model_bias", "explainability": "model_explainability"}[kind]
    return f"{verb}_{monitor}_job_definition{'s' if verb == 'list' else ''}"


def create_model(endpoint: MonitoredEndpoint, archive: str) -> Body:
    """CreateModel for the archive whose content has the fingerprint `archive`; see `names.model_archive`."""
    body = {
        "ExecutionRoleArn": endpoint.role,
        "PrimaryContainer": {
            "Image": images.image_uri(endpoint.model.image, endpoint.region, endpoint.endpoint.instance_type),
            "Environment": dict(endpoint.model.environment),
            "ModelDataUrl": names.model_archive(endpoint, archive),
        },
    }
    return _named(endpoint, "ModelName", lambda content: names.model(endpoint, content), body)


def model_name(endpoint: MonitoredEndpoint, archive: str) -> str:
    """The name of the model of the archive whose content has the fingerprint `archive`."""
    return str(create_model(endpoint, archive)["ModelName"])


def create_endpoint_config(endpoint: MonitoredEndpoint, model: str) -> Body:
    """CreateEndpointConfig with one variant that serves `model`, and with data capture."""
    hosting = endpoint.endpoint
    capture = hosting.data_capture
    body = {
        "ProductionVariants": [_variant(endpoint, model)],
        "DataCaptureConfig": {
            "EnableCapture": capture.enabled,
            "InitialSamplingPercentage": capture.sampling_percentage,
            "DestinationS3Uri": names.data_capture(endpoint),
            "CaptureOptions": [{"CaptureMode": mode} for mode in capture.modes],
            "CaptureContentTypeHeader": {
                key: types
                for key, types in (
                    ("CsvContentTypes", list(capture.csv_content_types)),
                    ("JsonContentTypes", list(capture.json_content_types)),
                )
                if types
            },
        },
    }
    return _named(endpoint, "EndpointConfigName", lambda content: names.endpoint_config(endpoint, content), body)


def create_shadow_config(endpoint: MonitoredEndpoint, name: str, model: str) -> Body:
    """CreateEndpointConfig for a shadow endpoint of that name: the same variant, nothing captured."""
    own = endpoint.windows.model
    variant = _variant(endpoint, model)
    variant |= {"InstanceType": own.instance_type} if own.instance_type else {}
    variant |= {"InitialInstanceCount": own.instance_count} if own.instance_count else {}
    return _named(endpoint, "EndpointConfigName", lambda _: name, {"ProductionVariants": [variant]})


def create_shadow_endpoint(endpoint: MonitoredEndpoint, name: str) -> Body:
    """CreateEndpoint for a shadow endpoint, on its configuration of the same name."""
    return _named(endpoint, "EndpointName", lambda _: name, {"EndpointConfigName": name})


def create_endpoint(endpoint: MonitoredEndpoint, endpoint_config: str) -> Body:
    """CreateEndpoint on the endpoint configuration of that name."""
    body = {"EndpointConfigName": endpoint_config}
    return _named(endpoint, "EndpointName", lambda _: names.endpoint(endpoint), body)


def update_endpoint(endpoint: MonitoredEndpoint, endpoint_config: str) -> Body:
    """UpdateEndpoint: the existing endpoint moves to another endpoint configuration."""
    return {"EndpointName": names.endpoint(endpoint), "EndpointConfigName": endpoint_config}


def invoke_endpoint(endpoint: MonitoredEndpoint, rows: str, inference_id: str | None = None) -> Body:
    """InvokeEndpoint with one or more rows of model inputs; the id is what ground truth is joined by."""
    payloads = endpoint.endpoint.payloads
    body = {"EndpointName": names.endpoint(endpoint), "ContentType": payloads.content_type, "Body": rows}
    if payloads.answered_in != "text/csv":
        body["Accept"] = payloads.answered_in
    return body if inference_id is None else body | {"InferenceId": inference_id}


def create_processing_job(
    endpoint: MonitoredEndpoint, kind: Kind, analysis: Body, dataset: str, attempt: int = 1
) -> Body:
    """CreateProcessingJob for a baselining job.

    Args:
        analysis: its analysis configuration; it must lie at `names.baseline_analysis_config` before the call.
        dataset: the s3:// address of the validation data set.
        attempt: names of processing jobs can never be used again, so the next try after a failed one needs the next
            number.
    """
    body = {
        "ProcessingResources": _cluster(endpoint),
        "AppSpecification": {"ImageUri": images.clarify_image(endpoint.region)},
        "RoleArn": endpoint.role,
        "ProcessingInputs": [
            _processing_input("dataset", dataset, "/opt/ml/processing/input/data"),
            _processing_input(
                "analysis_config", names.baseline_analysis_config(endpoint, kind), "/opt/ml/processing/input/config"
            ),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "analysis_result",
                    "S3Output": {
                        "S3Uri": names.baseline_output(endpoint, kind),
                        "LocalPath": OUTPUT_FOLDER,
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": endpoint.monitoring.max_runtime_seconds},
    }
    return _named(
        endpoint,
        "ProcessingJobName",
        lambda content: names.baseline_job(endpoint, kind, content),
        body,
        analysis,
        attempt,
    )


def create_job_definition(
    endpoint: MonitoredEndpoint, kind: Kind, analysis: Body, baseline: str | None, once: bool = False
) -> Body:
    """CreateModelBiasJobDefinition or CreateModelExplainabilityJobDefinition; see `definition_call`.

    Args:
        analysis: its analysis configuration; it must lie at `config_uri` of the answer before the call.
        baseline: what to compare with: a baselining job's name, or the s3:// address of its `analysis.json`. None
            reports metrics without looking for violations.
        once: for a `NOW` schedule, which brings its own window.
    """
    prefix = MONITORING_TYPE[kind]
    monitoring = endpoint.monitoring
    metrics = "Enabled" if monitoring.publish_cloudwatch_metrics else "Disabled"
    specification: Body = {
        "ImageUri": images.clarify_image(endpoint.region),
        "Environment": {"publish_cloudwatch_metrics": metrics},
    }
    body: Body = {
        f"{prefix}AppSpecification": specification,
        f"{prefix}JobInput": _monitor_input(endpoint, kind, once),
        f"{prefix}JobOutputConfig": {
            "MonitoringOutputs": [
                {
                    "S3Output": {
                        "S3Uri": names.reports(endpoint),
                        "LocalPath": OUTPUT_FOLDER,
                        "S3UploadMode": "Continuous",
                    }
                }
            ]
        },
        "JobResources": _cluster(endpoint),
        "RoleArn": endpoint.role,
        "StoppingCondition": {"MaxRuntimeInSeconds": monitoring.max_runtime_seconds},
    }
    if baseline is not None:
        body[f"{prefix}BaselineConfig"] = (
            {"ConstraintsResource": {"S3Uri": baseline}}
            if baseline.startswith("s3://")
            else {"BaseliningJobName": baseline}
        )
    named = _named(
        endpoint, "JobDefinitionName", lambda content: names.job_definition(endpoint, kind, content), body, analysis
    )
    specification["ConfigUri"] = names.analysis_config(endpoint, named["JobDefinitionName"])
    return named


def config_uri(kind: Kind, definition: Mapping[str, Any]) -> str:
    """Where a job definition, as sent or as described, expects its analysis configuration."""
    return str(definition[f"{MONITORING_TYPE[kind]}AppSpecification"]["ConfigUri"])


def create_monitoring_schedule(
    endpoint: MonitoredEndpoint, kind: Kind, definition: str, window: Window | None = None
) -> Body:
    """CreateMonitoringSchedule for the job definition of that name.

    Args:
        window: two ISO 8601 offsets from now, such as `("-PT1H", "-PT0H")`: analyse that once, now. None runs on the
            configured cron expression.
    """
    body = {"MonitoringScheduleConfig": _schedule_config(endpoint, kind, definition, window)}
    return _named(endpoint, "MonitoringScheduleName", lambda _: names.schedule(endpoint, kind), body)


def update_monitoring_schedule(
    endpoint: MonitoredEndpoint, kind: Kind, definition: str, window: Window | None = None
) -> Body:
    """UpdateMonitoringSchedule: the existing schedule moves to another job definition or another time."""
    return {
        "MonitoringScheduleName": names.schedule(endpoint, kind),
        "MonitoringScheduleConfig": _schedule_config(endpoint, kind, definition, window),
    }


def list_monitoring_executions(schedule: str) -> Body:
    """ListMonitoringExecutions of one schedule, the newest first."""
    return {
        "MonitoringScheduleName": schedule,
        "SortBy": "ScheduledTime",
        "SortOrder": "Descending",
        "MaxResults": 100,
    }


def list_monitoring_schedules(endpoint: MonitoredEndpoint) -> Body:
    """ListMonitoringSchedules of one endpoint, the newest first."""
    return {
        "EndpointName": names.endpoint(endpoint),
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": 100,
    }


def _variant(endpoint: MonitoredEndpoint, model: str) -> Body:
    hosting = endpoint.endpoint
    return {
        "VariantName": hosting.variant,
        "ModelName": model,
        "InitialVariantWeight": 1,
        "InitialInstanceCount": hosting.instance_count,
        "InstanceType": hosting.instance_type,
    }


def _named(
    endpoint: MonitoredEndpoint, key: str, name: Callable[[str], str], body: Body, *content_elsewhere: Any
) -> Body:
    content = names.fingerprint(endpoint.name, body, *content_elsewhere)
    tags = {names.FINGERPRINT_TAG: content, names.ENDPOINT_TAG: endpoint.name}
    return {key: name(content), **body, "Tags": [{"Key": tag, "Value": value} for tag, value in tags.items()]}


def _cluster(endpoint: MonitoredEndpoint) -> Body:
    monitoring = endpoint.monitoring
    return {
        "ClusterConfig": {
            "InstanceType": monitoring.instance_type,
            "InstanceCount": monitoring.instance_count,
            "VolumeSizeInGB": monitoring.volume_size_gb,
        }
    }


def _processing_input(name: str, uri: str, folder: str) -> Body:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": folder,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def _monitor_input(endpoint: MonitoredEndpoint, kind: Kind, once: bool) -> Body:
    source: Body = {
        "EndpointName": names.endpoint(endpoint),
        "LocalPath": ENDPOINT_INPUT_FOLDER,
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    monitoring = endpoint.monitoring
    window = (monitoring.start_time_offset, monitoring.end_time_offset)
    # Without offsets an hourly schedule reads the hour before; only the bias monitor's say so all the same, because
    # SageMaker's own example does.
    is_default = kind == "explainability" and monitoring.is_hourly and window == SERVICE_WINDOW
    if not once and not is_default:
        source["StartTimeOffset"], source["EndTimeOffset"] = window
    source |= places(endpoint)
    if kind == "explainability":
        return {"EndpointInput": source}
    if endpoint.bias.probability_threshold is not None:
        source["ProbabilityThresholdAttribute"] = endpoint.bias.probability_threshold
    return {"EndpointInput": source, "GroundTruthS3Input": {"S3Uri": names.ground_truth(endpoint)}}


def places(endpoint: MonitoredEndpoint) -> dict[str, str]:
    """Where features, labels and scores stand in captures, by the attributes of an EndpointInput."""
    payloads = endpoint.endpoint.payloads
    found = {
        "FeaturesAttribute": None if payloads.content_type == "text/csv" else endpoint.features_in_requests,
        "InferenceAttribute": payloads.label,
        "ProbabilityAttribute": payloads.probability,
    }
    return {name: str(place) for name, place in found.items() if place is not None}


def _schedule_config(endpoint: MonitoredEndpoint, kind: Kind, definition: str, window: Window | None) -> Body:
    when: Body = {"ScheduleExpression": endpoint.monitoring.cron}
    if window is not None:
        when = {"ScheduleExpression": "NOW", "DataAnalysisStartTime": window[0], "DataAnalysisEndTime": window[1]}
    return {
        "MonitoringJobDefinitionName": definition,
        "MonitoringType": MONITORING_TYPE[kind],
        "ScheduleConfig": when,
    }
