"""What goes wrong for a user, end to end: each ends in the state and with the words that SageMaker gives."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.place import HEADERS, Place, table
from tests.running_aws import create_endpoint, create_model


@pytest.fixture
def quiet_hour(place: Place) -> None:
    """Two hours later: nothing of earlier tests is in the window."""
    place.aws.advance(timedelta(hours=2).total_seconds())


def label(event: str, value: object = 1) -> str:
    record = {
        "groundTruthData": {"data": str(value), "encoding": "CSV"},
        "eventMetadata": {"eventId": event},
        "eventVersion": "0",
    }
    return json.dumps(record)


def failed(job: dict[str, Any]) -> str:
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert job["ExitMessage"].startswith("Customer Error: ")
    return str(job["FailureReason"])


def test_the_analysis_that_the_others_break(place: Place) -> None:
    job = place.baseline(place.config(), table())
    assert job["ProcessingJobStatus"] == "Completed", job["FailureReason"]


def test_a_wrong_row_width(place: Place) -> None:
    reason = failed(place.baseline(place.config(headers=HEADERS[:-1]), table()))
    assert "Headers in config do not match with the number of columns in the dataset." in reason


def test_a_value_that_is_no_number(place: Place) -> None:
    rows = table()
    rows[7] = "1,0.5,many,0.1,0.2"
    reason = failed(place.baseline(place.config(), rows))
    assert "Could not convert string to float." in reason


def test_a_missing_label_column(place: Place) -> None:
    assert "Headers must contain label." in failed(place.baseline(place.config(label="Churn"), table()))


def test_an_unknown_facet(place: Place) -> None:
    config = place.config(facet=[{"name_or_index": "Age", "value_or_threshold": [40]}])
    assert "Unable to locate the facet." in failed(place.baseline(config, table()))


def test_a_configuration_that_is_no_json(place: Place) -> None:
    assert "Unable to load analysis configuration as JSON." in failed(place.baseline("{", table()))


def test_a_model_that_does_not_exist(place: Place) -> None:
    predictor = place.config()["predictor"] | {"model_name": "nobody"}
    job = place.baseline(place.config(predictor=predictor), table())
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Could not find model ")


def test_an_output_of_another_name(place: Place) -> None:
    reason = failed(place.baseline(place.config(), table(), output="result"))
    assert "Unexpected output in the processing job config" in reason


def test_a_model_archive_that_is_none(place: Place) -> None:
    model = create_model(place.aws, place.bucket, b"this is no archive")
    predictor = place.config()["predictor"] | {"model_name": model}
    job = place.baseline(place.config(predictor=predictor), table())
    assert job["ProcessingJobStatus"] == "Failed"
    assert "is a valid tar.gz archive" in job["FailureReason"]
    create_endpoint(place.aws, model, wait="Failed")


@pytest.mark.usefixtures("quiet_hour")
def test_a_ground_truth_line_that_is_no_json(place: Place) -> None:
    execution = place.execute(f"{label('1')}\nnot json\n", [("1", "1,2,3,4")], place.config())
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"].startswith("ClientError: ")
    assert "0000.jsonl" in execution["FailureReason"]
    assert "/groundtruth-merge-" in execution["ProcessingJobArn"]


@pytest.mark.usefixtures("quiet_hour")
def test_an_hour_without_captures_or_labels(place: Place) -> None:
    without_captures = place.execute(label("1"), [], place.config())
    without_labels = place.execute(None, [("1", "1,2,3,4")], place.config())
    for execution in (without_captures, without_labels):
        assert execution["MonitoringExecutionStatus"] == "Failed"
        assert execution["FailureReason"] == "Job inputs had no data"
        assert "ProcessingJobArn" not in execution


@pytest.mark.usefixtures("quiet_hour")
def test_labels_of_other_requests(place: Place) -> None:
    execution = place.execute(label("other"), [("1", "1,2,3,4")], place.config())
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Job inputs had no data"


@pytest.mark.usefixtures("quiet_hour")
def test_captures_of_another_width_than_the_headers(place: Place) -> None:
    config = place.config(headers=[*HEADERS, "e"])
    execution = place.execute(label("1"), [("1", "1,2,3,4")], config)
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert "Headers in config do not match with the number of columns in the dataset." in execution["FailureReason"]


def test_the_endpoint_refuses_what_the_model_cannot_read(place: Place) -> None:
    runtime = place.aws.client("sagemaker-runtime")
    for body in ("1,2,3", "1,two,3,4"):
        with pytest.raises(ClientError) as error:
            runtime.invoke_endpoint(EndpointName=place.endpoint, Body=body, ContentType="text/csv")
        assert error.value.response["Error"]["Code"] == "ModelError"
