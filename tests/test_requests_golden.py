"""Our requests equal those of SageMaker's own SDK (golden/requests.json); of ours, only the tags are an addition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from model_monitor import analysis_configs as analysis
from model_monitor import labels, names, records, requests
from model_monitor.config import MonitoredEndpoint, load_endpoint

HERE = Path(__file__).parent
GOLDEN: dict[str, Any] = json.loads((HERE / "golden" / "requests.json").read_text())
HEADERS: list[str] = GOLDEN["headers"]
SHAP_BASELINE: list[list[float]] = GOLDEN["shap_baseline"]

CHURN = load_endpoint(HERE.parent / "include" / "endpoints" / "churn.yaml")
EVERY_SIX_HOURS = CHURN.model_copy(
    update={"monitoring": CHURN.monitoring.model_copy(update={"cron": "cron(0 2/6 ? * * *)"})}
)
DATASET = names.baseline_input(CHURN, "fedcba987654")
ROW = GOLDEN["requests"]["invocation"]["params"]["Body"]

MODEL = requests.create_model(CHURN, "0123456789ab")
MODEL_NAME = MODEL["ModelName"]
ENDPOINT_CONFIG = requests.create_endpoint_config(CHURN, MODEL_NAME)

BIAS_ANALYSIS = analysis.bias_monitor_analysis(CHURN, HEADERS)
EXPLAINABILITY_ANALYSIS = analysis.explainability_monitor_analysis(CHURN, MODEL_NAME, HEADERS, SHAP_BASELINE)
BIAS_JOB = requests.create_processing_job(
    CHURN, "bias", analysis.bias_baseline_analysis(CHURN, MODEL_NAME, HEADERS), DATASET
)
EXPLAINABILITY_JOB = requests.create_processing_job(
    CHURN,
    "explainability",
    analysis.explainability_baseline_analysis(CHURN, MODEL_NAME, HEADERS, SHAP_BASELINE),
    DATASET,
)


def definition(kind: names.Kind, baseline: str | None, once: bool = False) -> dict[str, Any]:
    content = BIAS_ANALYSIS if kind == "bias" else EXPLAINABILITY_ANALYSIS
    return requests.create_job_definition(CHURN, kind, content, baseline, once)


def schedule(kind: names.Kind, endpoint: MonitoredEndpoint = CHURN, **window: Any) -> dict[str, Any]:
    return requests.create_monitoring_schedule(endpoint, kind, f"{kind}-definition", **window)


OURS: dict[str, Callable[[], dict[str, Any]]] = {
    "model": lambda: MODEL,
    "endpoint configuration": lambda: ENDPOINT_CONFIG,
    "endpoint": lambda: requests.create_endpoint(CHURN, ENDPOINT_CONFIG["EndpointConfigName"]),
    "endpoint described": lambda: requests.by_name("endpoint", "churn"),
    "endpoint moved": lambda: requests.update_endpoint(CHURN, ENDPOINT_CONFIG["EndpointConfigName"]),
    "endpoint deleted": lambda: requests.by_name("endpoint", "churn"),
    "endpoint configuration described": lambda: requests.by_name(
        "endpoint_config", ENDPOINT_CONFIG["EndpointConfigName"]
    ),
    "endpoint configuration deleted": lambda: requests.by_name(
        "endpoint_config", ENDPOINT_CONFIG["EndpointConfigName"]
    ),
    "model deleted": lambda: requests.by_name("model", MODEL_NAME),
    "invocation": lambda: requests.invoke_endpoint(CHURN, ROW),
    "invocation with inference id": lambda: requests.invoke_endpoint(CHURN, ROW, "1"),
    "bias baseline": lambda: BIAS_JOB,
    "bias baseline described": lambda: requests.by_name("processing_job", BIAS_JOB["ProcessingJobName"]),
    "explainability baseline": lambda: EXPLAINABILITY_JOB,
    "bias definition": lambda: definition("bias", BIAS_JOB["ProcessingJobName"]),
    "bias definition without baseline": lambda: definition("bias", None),
    "bias definition, once, with constraints": lambda: definition(
        "bias", names.baseline_constraints(CHURN, "bias"), once=True
    ),
    "explainability definition": lambda: definition("explainability", EXPLAINABILITY_JOB["ProcessingJobName"]),
    "explainability definition without baseline": lambda: definition("explainability", None),
    "bias schedule": lambda: schedule("bias"),
    "bias schedule, once": lambda: schedule("bias", window=("-PT1H", "-PT0H")),
    "bias schedule moved": lambda: requests.update_monitoring_schedule(EVERY_SIX_HOURS, "bias", "bias-definition"),
    "explainability schedule": lambda: schedule("explainability"),
    "schedule described": lambda: requests.by_name("monitoring_schedule", "churn-bias"),
    "schedule started": lambda: requests.by_name("monitoring_schedule", "churn-bias"),
    "schedule stopped": lambda: requests.by_name("monitoring_schedule", "churn-bias"),
    "schedule deleted": lambda: requests.by_name("monitoring_schedule", "churn-bias"),
    "executions": lambda: requests.list_monitoring_executions("churn-bias"),
    "schedules of the endpoint": lambda: requests.list_monitoring_schedules(CHURN),
    "bias definition described": lambda: requests.by_name("job_definition", "bias-definition"),
    "bias definition deleted": lambda: requests.by_name("job_definition", "bias-definition"),
    "explainability definition described": lambda: requests.by_name("job_definition", "explainability-definition"),
    "explainability definition deleted": lambda: requests.by_name("job_definition", "explainability-definition"),
}


def test_every_golden_request_has_its_counterpart() -> None:
    assert set(OURS) == set(GOLDEN["requests"])


@pytest.mark.parametrize("step", GOLDEN["requests"])
def test_equals_the_sdk_s_request(step: str) -> None:
    ours = OURS[step]()
    assert without_tags(ours) == filled_in(GOLDEN["requests"][step]["params"], ours)


@pytest.mark.parametrize("step", GOLDEN["requests"])
def test_is_valid_for_the_service(step: str) -> None:
    golden = GOLDEN["requests"][step]
    shape = service(golden["service"]).operation_model(golden["operation"]).input_shape
    report = ParamValidator().validate(OURS[step](), shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("step", [step for step in GOLDEN["requests"] if "Tags" in OURS[step]()])
def test_what_is_created_says_what_it_is_and_for_which_endpoint(step: str) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in OURS[step]()["Tags"]}
    assert set(tags) == {"model-monitor:fingerprint", "model-monitor:endpoint"}
    assert tags["model-monitor:endpoint"] == "churn"


@pytest.mark.parametrize(
    ("kind", "verb", "operation"),
    [
        ("bias", "create", "CreateModelBiasJobDefinition"),
        ("bias", "list", "ListModelBiasJobDefinitions"),
        ("explainability", "describe", "DescribeModelExplainabilityJobDefinition"),
        ("explainability", "delete", "DeleteModelExplainabilityJobDefinition"),
    ],
)
def test_each_monitor_has_its_own_calls_for_job_definitions(kind: names.Kind, verb: Any, operation: str) -> None:
    client = botocore.session.get_session().create_client("sagemaker", region_name="us-west-2")
    assert client.meta.method_to_api_mapping[requests.definition_call(kind, verb)] == operation


ANALYSES: dict[str, Callable[[str], dict[str, Any]]] = {
    "bias baseline": lambda model: analysis.bias_baseline_analysis(CHURN, model, HEADERS),
    "bias monitor": lambda _: analysis.bias_monitor_analysis(CHURN, HEADERS),
    "explainability baseline": lambda model: analysis.explainability_baseline_analysis(
        CHURN, model, HEADERS, SHAP_BASELINE
    ),
    "explainability monitor": lambda model: analysis.explainability_monitor_analysis(
        CHURN, model, HEADERS, SHAP_BASELINE
    ),
}


@pytest.mark.parametrize("name", GOLDEN["analysis_configs"])
def test_analysis_configuration_is_the_sdk_s_to_the_byte(name: str) -> None:
    golden = GOLDEN["analysis_configs"][name]
    expected = golden["content"]
    expected["headers"] = HEADERS if expected["headers"] == "{headers}" else HEADERS[1:]
    if "shap" in expected.get("methods", {}):
        expected["methods"]["shap"]["baseline"] = SHAP_BASELINE
    body = json.dumps(ANALYSES[name](expected.get("predictor", {}).get("model_name", ""))).encode()
    assert body.decode() == json.dumps(expected)
    assert (len(body), hashlib.sha256(body).hexdigest()) == (golden["bytes"], golden["sha256"])


def test_ground_truth_is_the_example_s_to_the_byte() -> None:
    golden = GOLDEN["ground_truth"]
    ids = [str(number) for number in range(golden["ids"])]
    body = records.ground_truth_lines(labels.random_labels(ids)).encode()
    assert body.decode().splitlines()[0] == golden["first_line"]
    assert (len(body), hashlib.sha256(body).hexdigest()) == (golden["bytes"], golden["sha256"])


def test_keys_are_laid_out_as_the_sdk_s() -> None:
    collected = datetime(2026, 11, 22, 22, 36, 32, tzinfo=UTC)
    places = {"prefix": names.s3(CHURN), "ground_truth": names.ground_truth(CHURN), "endpoint": "churn"}
    assert names.ground_truth_file(CHURN, collected) == GOLDEN["ground_truth"]["key"].format(**places)
    assert names.captures(CHURN) == GOLDEN["captures_prefix"].format(**places)


def without_tags(request: dict[str, Any]) -> Any:
    """The request without our tags, and without what means the same as nothing."""
    if isinstance(request, list):
        return [without_tags(item) for item in request]
    if not isinstance(request, dict):
        return request
    return {
        key: without_tags(value)
        for key, value in request.items()
        if key != "Tags" and not (key == "Environment" and value == {})
    }


def filled_in(golden: dict[str, Any], ours: dict[str, Any]) -> Any:
    """The golden request with our names and addresses in place of those that held a time or a random part."""
    own_name = ours.get("JobDefinitionName")
    places = {
        "prefix": names.s3(CHURN),
        "model": MODEL_NAME,
        "model_archive": names.model_archive(CHURN, "0123456789ab"),
        "endpoint": "churn",
        "endpoint_config": ENDPOINT_CONFIG["EndpointConfigName"],
        "validation_dataset": DATASET,
        "ground_truth": names.ground_truth(CHURN),
        "bias_job": BIAS_JOB["ProcessingJobName"],
        "explainability_job": EXPLAINABILITY_JOB["ProcessingJobName"],
        "bias_definition": own_name or "bias-definition",
        "explainability_definition": own_name or "explainability-definition",
        "bias_schedule": "churn-bias",
        "explainability_schedule": "churn-explain",
    }
    text = json.dumps(golden)
    for place, value in places.items():
        text = text.replace(f"{{{place}}}", value)
    return json.loads(text)


@cache
def service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)
