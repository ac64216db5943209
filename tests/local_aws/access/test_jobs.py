"""Jobs of a server that checks keys: what they ask for is signed with the key that only the server and they know."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.place import Place, table
from tests.local_aws.access.guarded import start_guarded
from tests.running_aws import capture_config, create_endpoint, create_model, make_bucket


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> Iterator[Place]:
    aws = start_guarded(tmp_path_factory.mktemp("guarded"), "--clock", "stepped")
    bucket = make_bucket(aws)
    model = create_model(aws, bucket, model_archive)
    yield Place(aws, bucket, model, create_endpoint(aws, model, capture_config(bucket)))
    aws.stop()


def test_an_analysis_fetches_from_s3_and_asks_a_live_endpoint(place: Place) -> None:
    predictor = {name: value for name, value in place.config()["predictor"].items() if name != "model_name"}
    config = place.config(
        predictor=predictor | {"endpoint_name": place.endpoint},
        dataset_uri=place.put("elsewhere/data.csv", "\n".join(table()) + "\n"),
    )
    job = place.baseline(config, ["no data"])
    assert job["ProcessingJobStatus"] == "Completed", job["FailureReason"]


def test_a_monitor_merges_analyses_and_publishes(place: Place) -> None:
    place.aws.advance(7200)
    rows = [row.split(",", 1) for row in table(60)]
    labels = [
        {
            "groundTruthData": {"data": label, "encoding": "CSV"},
            "eventMetadata": {"eventId": str(number)},
            "eventVersion": "0",
        }
        for number, (label, _) in enumerate(rows)
    ]
    requests = [(str(number), features) for number, (_, features) in enumerate(rows)]
    execution = place.execute("\n".join(map(json.dumps, labels)), requests, place.config())
    assert execution["MonitoringExecutionStatus"].startswith("Completed"), execution.get("FailureReason")
