"""What requests do with a configuration that is not the example's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_monitor import analysis_configs, names, requests
from model_monitor.config import MonitoredEndpoint, load_endpoint

CHURN = load_endpoint(Path(__file__).parents[1] / "include" / "endpoints" / "churn.yaml")
HEADERS = ["Churn", "Account Length", "Day Mins"]


def churn(**sections: dict[str, Any]) -> MonitoredEndpoint:
    """The example with other values in some of its sections."""
    content = CHURN.model_dump() | {"alarms": None}
    for section, values in sections.items():
        content[section] = content[section] | values
    return MonitoredEndpoint.model_validate(content)


def test_equal_requests_have_equal_names_and_any_change_makes_another() -> None:
    first = requests.create_model(CHURN, "0123456789ab")
    assert requests.create_model(CHURN, "0123456789ab") == first
    others = [
        requests.create_model(CHURN, "ba9876543210"),
        requests.create_model(churn(model={"environment": {"WORKERS": "1"}}), "0123456789ab"),
        requests.create_model(churn(model={"image": "registry/own-image:1"}), "0123456789ab"),
    ]
    assert len({first["ModelName"], *(other["ModelName"] for other in others)}) == 4


def test_a_job_definition_is_another_one_when_only_its_analysis_differs() -> None:
    def definition(headers: list[str]) -> dict[str, Any]:
        return requests.create_job_definition(
            CHURN, "bias", analysis_configs.bias_monitor_analysis(CHURN, headers), "job"
        )

    assert definition(HEADERS)["JobDefinitionName"] != definition([*HEADERS, "Eve Mins"])["JobDefinitionName"]


def test_analysis_configuration_lies_beside_the_definition_that_names_it() -> None:
    definition = requests.create_job_definition(CHURN, "bias", {}, None)
    uri = requests.config_uri("bias", definition)
    assert uri == names.analysis_config(CHURN, definition["JobDefinitionName"])
    assert uri.endswith(f"/reports/{definition['JobDefinitionName']}/analysis_config.json")


def test_a_baselining_job_that_failed_is_tried_again_under_another_name() -> None:
    first, second = (
        requests.create_processing_job(CHURN, "bias", {}, "s3://bucket/data.csv", attempt)["ProcessingJobName"]
        for attempt in (1, 2)
    )
    assert first != second


def test_the_service_s_names_have_room_for_the_longest_endpoint_name() -> None:
    longest = churn().model_copy(update={"name": "a" * 32 + "-" + "b" * 7})
    analysis: dict[str, Any] = {}
    made = [
        requests.create_model(longest, "0123456789ab")["ModelName"],
        requests.create_endpoint_config(longest, "model")["EndpointConfigName"],
        *(
            requests.create_processing_job(longest, kind, analysis, "s3://b/k")["ProcessingJobName"]
            for kind in names.KINDS
        ),
        *(requests.create_job_definition(longest, kind, analysis, None)["JobDefinitionName"] for kind in names.KINDS),
        *(requests.create_monitoring_schedule(longest, kind, "d")["MonitoringScheduleName"] for kind in names.KINDS),
    ]
    assert max(map(len, made)) <= 63
    assert not any("--" in name for name in made)


@pytest.mark.parametrize(
    ("monitoring", "kind", "offsets"),
    [
        ({}, "bias", ("-PT1H", "-PT0H")),
        ({}, "explainability", (None, None)),
        ({"start_time_offset": "-PT2H"}, "explainability", ("-PT2H", "-PT0H")),
        ({"cron": "cron(0 14 ? * * *)"}, "explainability", ("-PT1H", "-PT0H")),
    ],
)
def test_the_window_is_said_unless_the_service_would_take_it_anyway(
    monitoring: dict[str, Any], kind: names.Kind, offsets: tuple[str | None, str | None]
) -> None:
    definition = requests.create_job_definition(churn(monitoring=monitoring), kind, {}, None)
    endpoint_input = definition[f"{requests.MONITORING_TYPE[kind]}JobInput"]["EndpointInput"]
    assert (endpoint_input.get("StartTimeOffset"), endpoint_input.get("EndTimeOffset")) == offsets


def test_metrics_can_be_kept_out_of_cloudwatch() -> None:
    quiet = churn(monitoring={"publish_cloudwatch_metrics": False})
    definition = requests.create_job_definition(quiet, "bias", {}, None)
    assert definition["ModelBiasAppSpecification"]["Environment"] == {"publish_cloudwatch_metrics": "Disabled"}


def test_no_probability_threshold_leaves_it_to_the_analysis() -> None:
    plain = churn(bias={"probability_threshold": None})
    definition = requests.create_job_definition(plain, "bias", {}, None)
    assert "ProbabilityThresholdAttribute" not in definition["ModelBiasJobInput"]["EndpointInput"]
    assert "probability_threshold" not in analysis_configs.bias_baseline_analysis(plain, "model", HEADERS)


def test_group_variable_and_facets_without_values() -> None:
    endpoint = churn(bias={"facets": [{"name": "Plan"}], "group_variable": "Area"})
    analysis = analysis_configs.bias_monitor_analysis(endpoint, HEADERS)
    assert analysis["facet"] == [{"name_or_index": "Plan"}]
    assert analysis["group_variable"] == "Area"


def test_shap_settings_that_are_not_set_are_left_to_clarify() -> None:
    endpoint = churn(explainability={"num_samples": None, "seed": 7})
    analysis = analysis_configs.explainability_monitor_analysis(endpoint, "model", HEADERS, "s3://bucket/baseline.csv")
    assert analysis["methods"]["shap"] == {
        "use_logit": False,
        "save_local_shap_values": False,
        "baseline": "s3://bucket/baseline.csv",
        "agg_method": "mean_abs",
        "seed": 7,
    }
    assert analysis["headers"] == ["Account Length", "Day Mins"]


def test_capture_without_json_says_nothing_of_json() -> None:
    endpoint = churn(
        endpoint={"data_capture": {"json_content_types": [], "modes": ["Output"], "sampling_percentage": 5}}
    )
    capture = requests.create_endpoint_config(endpoint, "model")["DataCaptureConfig"]
    assert capture["CaptureContentTypeHeader"] == {"CsvContentTypes": ["text/csv"]}
    assert capture["CaptureOptions"] == [{"CaptureMode": "Output"}]
    assert capture["InitialSamplingPercentage"] == 5
