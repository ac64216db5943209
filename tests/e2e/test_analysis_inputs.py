"""Where an analysis takes its data and its model from, other than the job's own inputs and a model's name."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.place import HEADERS, Place, table
from tests.polling import until

INPUTS = HEADERS[1:]


def explanations(place: Place, baseline: object) -> dict[str, Any]:
    """What SHAP gives against a baseline; four inputs are explained exactly."""
    shap = {"baseline": baseline, "num_samples": 100, "agg_method": "mean_abs", "save_local_shap_values": True}
    config = place.config(methods={"shap": shap})
    del config["facet"]
    job = place.baseline(config, table(20))
    assert job["ProcessingJobStatus"] == "Completed", job["FailureReason"]
    answer: dict[str, Any] = json.loads(place.output(job, "analysis.json"))["explanations"]["kernel_shap"]["label0"]
    return answer


def test_a_shap_baseline_in_s3_is_that_of_its_rows(place: Place) -> None:
    rows = [[0.1, -0.2, 0.3, 0.0], [0.5, 0.5, -1.0, 2.0]]
    uri = place.put("shap/baseline.csv", "\n".join(",".join(map(str, row)) for row in rows) + "\n")
    assert explanations(place, uri) == explanations(place, rows)


def test_a_shap_baseline_that_is_not_there(place: Place) -> None:
    config = place.config(methods={"shap": {"baseline": f"s3://{place.bucket}/nowhere.csv"}})
    job = place.baseline(config, table(20))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "/nowhere.csv" in job["FailureReason"]


def test_dataset_uri_beats_the_jobs_own_data(place: Place) -> None:
    uri = place.put("elsewhere/data.csv", "\n".join(table()) + "\n")
    job = place.baseline(place.config(dataset_uri=uri), ["this,is,no,data,at all"])
    assert job["ProcessingJobStatus"] == "Completed", job["FailureReason"]


def test_dataset_uri_may_be_a_folder_of_files(place: Place) -> None:
    for number, part in enumerate((slice(0, 100), slice(100, 200))):
        place.put(f"folder/{number}/part.csv", "\n".join(table()[part]) + "\n")
    place.put("folder-of-others/part.csv", "this,is,no,data,at all")
    by_folder = place.baseline(place.config(dataset_uri=f"s3://{place.bucket}/folder"), ["nothing"])
    assert by_folder["ProcessingJobStatus"] == "Completed", by_folder["FailureReason"]
    assert place.output(by_folder, "analysis.json") == place.output(
        place.baseline(place.config(), table()), "analysis.json"
    )


def test_a_dataset_uri_of_nothing(place: Place) -> None:
    job = place.baseline(place.config(dataset_uri=f"s3://{place.bucket}/nowhere/"), table())
    assert job["ProcessingJobStatus"] == "Failed"
    assert "/nowhere/, which the analysis configuration names, cannot be read: there is nothing" in job["FailureReason"]


def test_a_live_endpoint_is_asked_and_captures_that_as_any_request(place: Place) -> None:
    predictor = place.config()["predictor"]
    by_model = place.baseline(place.config(), table())
    assert place.captures() == 0
    del predictor["model_name"]
    by_endpoint = place.baseline(place.config(predictor=predictor | {"endpoint_name": place.endpoint}), table())
    assert by_endpoint["ProcessingJobStatus"] == "Completed", by_endpoint["FailureReason"]
    assert place.output(by_endpoint, "analysis.json") == place.output(by_model, "analysis.json")
    assert until(place.captures, lambda files: files > 0)
