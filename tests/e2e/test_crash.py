"""The server is killed while a real analysis runs."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.place import Place, table
from tests.polling import until
from tests.processes import alive, programs_of
from tests.running_aws import capture_config, create_endpoint, create_model, make_bucket, start_local_aws


def test_a_kill_ends_the_job_and_the_next_server_says_so(tmp_path: Path, model_archive: bytes) -> None:
    aws = start_local_aws(tmp_path)
    bucket = make_bucket(aws)
    model = create_model(aws, bucket, model_archive)
    place = Place(aws, bucket, model, create_endpoint(aws, model, capture_config(bucket)))
    shap = {"baseline": [[0, 0, 0, 0]], "num_samples": 100, "agg_method": "mean_abs"}
    place.start_baseline("killed", place.config(methods={"shap": shap}), table(20_000) * 20)
    until(
        lambda: place.sagemaker.describe_processing_job(ProcessingJobName="killed"),
        lambda job: "ProcessingStartTime" in job,
    )
    # The endpoint's model server, the shadow model server, the analysis.
    programs = until(lambda: programs_of(aws.process.pid), lambda running: len(running) == 3)
    aws.process.kill()
    aws.process.wait()
    until(lambda: any(map(alive, programs)), lambda found: not found)

    again = Place(start_local_aws(tmp_path), bucket, model, place.endpoint)
    try:
        job = again.sagemaker.describe_processing_job(ProcessingJobName="killed")
        assert job["ProcessingJobStatus"] == "Failed"
        assert "local_aws was stopped while the job ran" in job["FailureReason"]
        assert not (tmp_path / "jobs").exists()
        assert again.sagemaker.describe_endpoint(EndpointName=place.endpoint)["EndpointStatus"] == "InService"
        assert again.baseline(again.config(), table())["ProcessingJobStatus"] == "Completed"
    finally:
        again.aws.stop()
