from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.ledger import JobDefinitions
from tests.local_aws.hosting.endpoints import ARN, error_of, variant
from tests.polling import until
from tests.running_aws import (
    Running,
    capture_config,
    create_endpoint,
    create_model,
    make_bucket,
    new_name,
    wait_for_endpoint,
)

ROW = "1,0,0,0\n"


@pytest.fixture(scope="module")
def place(local_aws: Running) -> str:
    return make_bucket(local_aws)


@pytest.fixture(scope="module")
def model(local_aws: Running, place: str, model_archive: bytes) -> str:
    return create_model(local_aws, place, model_archive)


@pytest.fixture(scope="module")
def broken_model(local_aws: Running, place: str) -> str:
    return create_model(local_aws, place, b"not an archive")


def configure(aws: Running, *variants: dict[str, object], **more: Any) -> str:
    """A new endpoint configuration; returns its name."""
    name = new_name("config")
    aws.client("sagemaker").create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants), **more)
    return name


def update(aws: Running, endpoint: str, config: str, **more: Any) -> dict[str, Any]:
    """Update an endpoint; returns its description when that is over."""
    aws.client("sagemaker").update_endpoint(EndpointName=endpoint, EndpointConfigName=config, **more)
    return wait_for_endpoint(aws, endpoint)


def invoke(aws: Running, endpoint: str, body: str = ROW, **more: Any) -> str:
    """The variant that answers."""
    answer = aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType="text/csv", **more
    )
    answer["Body"].read()
    return str(answer["InvokedProductionVariant"])


@contextmanager
def hammered(aws: Running, endpoint: str) -> Iterator[tuple[Counter[str], list[Exception]]]:
    """Clients that ask all the time, with small and large bodies, and take no error for an answer."""
    answered: Counter[str] = Counter()
    errors: list[Exception] = []
    over = threading.Event()

    def client(body: str) -> None:
        runtime = aws.client("sagemaker-runtime")
        while not over.is_set():
            try:
                answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="text/csv")
                assert answer["Body"].read().count(b",") == body.count("\n") - 1
                answered[answer["InvokedProductionVariant"]] += 1
            except Exception as error:
                errors.append(error)

    clients = [threading.Thread(target=client, args=(body,)) for body in (ROW, ROW, ROW * 50_000, ROW * 50_000)]
    for thread in clients:
        thread.start()
    try:
        yield answered, errors
    finally:
        over.set()
        for thread in clients:
            thread.join()


def test_an_update_drops_no_request(local_aws: Running, model: str) -> None:
    endpoint = create_endpoint(local_aws, model)
    following = configure(local_aws, variant(model, "Second"))
    with hammered(local_aws, endpoint) as (answered, errors):
        until(lambda: answered["AllTraffic"], lambda count: count > 10)
        assert update(local_aws, endpoint, following)["EndpointConfigName"] == following
        assert invoke(local_aws, endpoint) == "Second"
        until(lambda: answered["Second"], lambda count: count > 10)
    assert errors == []


def test_an_update_that_fails_drops_no_request_and_says_why(local_aws: Running, model: str, broken_model: str) -> None:
    endpoint = create_endpoint(local_aws, model)
    broken = configure(local_aws, variant(model, "Fine"), variant(broken_model, "Broken"))
    with hammered(local_aws, endpoint) as (answered, errors):
        until(lambda: answered["AllTraffic"], lambda count: count > 10)
        after = update(local_aws, endpoint, broken)
    assert errors == []
    assert set(answered) == {"AllTraffic"}
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", endpoint)
    assert "valid tar.gz archive" in after["FailureReason"]
    assert "PendingDeploymentSummary" not in after
    again = update(local_aws, endpoint, configure(local_aws, variant(model)))
    assert "FailureReason" not in again


def test_what_is_about_to_be_served_is_told(local_aws: Running, model: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    endpoint = create_endpoint(local_aws, model)
    following = configure(local_aws, variant(model, "Second"))
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=following)
    during = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert (during["EndpointStatus"], during["EndpointConfigName"]) == ("Updating", endpoint)
    assert [item["VariantName"] for item in during["ProductionVariants"]] == ["AllTraffic"]
    pending = during["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == following
    assert [item["VariantName"] for item in pending["ProductionVariants"]] == ["Second"]
    in_progress = ("ValidationException", f'Cannot update in-progress endpoint "{ARN}:endpoint/{endpoint}".')
    assert error_of(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=following) == in_progress
    weights = [{"VariantName": "AllTraffic", "DesiredWeight": 1}]
    assert (
        error_of(
            sagemaker.update_endpoint_weights_and_capacities, EndpointName=endpoint, DesiredWeightsAndCapacities=weights
        )
        == in_progress
    )
    assert "PendingDeploymentSummary" not in wait_for_endpoint(local_aws, endpoint)


def test_an_update_to_the_same_configuration_starts_it_anew(local_aws: Running, model: str) -> None:
    endpoint = create_endpoint(local_aws, model)
    before = local_aws.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    after = update(local_aws, endpoint, endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", endpoint)
    assert after["LastModifiedTime"] > before["LastModifiedTime"]
    resolved = [item["ProductionVariants"][0]["DeployedImages"][0]["ResolutionTime"] for item in (before, after)]
    assert resolved[1] > resolved[0]


def test_an_update_needs_both_configurations(local_aws: Running, model: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    endpoint = create_endpoint(local_aws, model)
    following = configure(local_aws, variant(model))
    for config, missing in (("nothing", "nothing"), (following, endpoint)):
        if missing == endpoint:
            sagemaker.delete_endpoint_config(EndpointConfigName=endpoint)
        assert error_of(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=config) == (
            "ValidationException",
            f'Could not find endpoint configuration "{ARN}:endpoint-config/{missing}".',
        )
    assert invoke(local_aws, endpoint) == "AllTraffic"


def test_an_update_with_capture_off_and_on_again(local_aws: Running, place: str, model: str) -> None:
    sagemaker, s3 = local_aws.client("sagemaker"), local_aws.client("s3")
    endpoint = create_endpoint(local_aws, model, capture_config(place))
    prefix = f"datacapture/{endpoint}/"

    def records() -> list[str]:
        listed = s3.list_objects_v2(Bucket=place, Prefix=prefix).get("Contents", [])
        bodies = [s3.get_object(Bucket=place, Key=item["Key"])["Body"].read().decode() for item in listed]
        return [line for body in bodies for line in body.splitlines()]

    invoke(local_aws, endpoint, InferenceId="first")
    off = configure(local_aws, variant(model), DataCaptureConfig=capture_config(place, EnableCapture=False))
    without = configure(local_aws, variant(model))
    on = configure(local_aws, variant(model), DataCaptureConfig=capture_config(place))
    seen = []
    for number, config in enumerate((off, without, on)):
        seen.append(update(local_aws, endpoint, config).get("DataCaptureConfig", {}))
        invoke(local_aws, endpoint, InferenceId=f"after-{number}")
    assert [(capture.get("EnableCapture"), capture.get("CaptureStatus")) for capture in seen] == [
        (False, "Stopped"),
        (None, None),
        (True, "Started"),
    ]
    sagemaker.delete_endpoint(EndpointName=endpoint)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    written = "".join(records())
    assert [name for name in ("first", "after-0", "after-1", "after-2") if f'"{name}"' in written] == [
        "first",
        "after-2",
    ]


def weights_of(described: dict[str, Any]) -> dict[str, tuple[float, int]]:
    return {
        item["VariantName"]: (item["DesiredWeight"], item["DesiredInstanceCount"])
        for item in described["ProductionVariants"]
    }


@pytest.fixture(scope="module")
def two_variants(local_aws: Running, model: str) -> str:
    """An endpoint of two variants, one of which gets no traffic."""
    config = configure(local_aws, variant(model, "A", 1.0), variant(model, "B", 0.0))
    sagemaker = local_aws.client("sagemaker")
    endpoint = new_name("two")
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    assert wait_for_endpoint(local_aws, endpoint)["EndpointStatus"] == "InService"
    return endpoint


def reweigh(aws: Running, endpoint: str, *asked: dict[str, Any]) -> dict[str, Any]:
    aws.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=list(asked)
    )
    return wait_for_endpoint(aws, endpoint)


def test_weights_share_the_traffic_and_counts_are_kept(local_aws: Running, two_variants: str) -> None:
    assert {invoke(local_aws, two_variants) for _ in range(20)} == {"A"}
    assert invoke(local_aws, two_variants, TargetVariant="B") == "B"
    after = reweigh(
        local_aws,
        two_variants,
        {"VariantName": "A", "DesiredWeight": 1.0},
        {"VariantName": "B", "DesiredWeight": 3.0, "DesiredInstanceCount": 2},
    )
    assert weights_of(after) == {"A": (1.0, 1), "B": (3.0, 2)}
    assert after["ProductionVariants"][1]["CurrentWeight"] == 3.0
    answered = Counter(invoke(local_aws, two_variants) for _ in range(200))
    # Three quarters of 200, within five standard deviations.
    assert 150 - 31 < answered["B"] < 150 + 31
    assert reweigh(local_aws, two_variants, {"VariantName": "B", "DesiredWeight": 0})["EndpointStatus"] == "InService"
    assert {invoke(local_aws, two_variants) for _ in range(20)} == {"A"}
    assert error_of(
        local_aws.client("sagemaker").update_endpoint_weights_and_capacities,
        EndpointName=two_variants,
        DesiredWeightsAndCapacities=[{"VariantName": "C", "DesiredWeight": 1}],
    ) == ("ValidationException", f'Could not find variant "C" of endpoint "{ARN}:endpoint/{two_variants}".')


def test_an_update_retains_what_it_is_asked_to(local_aws: Running, place: str, model: str) -> None:
    first = configure(
        local_aws, variant(model, "A", 1.0), variant(model, "B", 1.0), DataCaptureConfig=capture_config(place)
    )
    sagemaker = local_aws.client("sagemaker")
    endpoint = new_name("retaining")
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=first)
    wait_for_endpoint(local_aws, endpoint)
    reweigh(local_aws, endpoint, {"VariantName": "A", "DesiredWeight": 7.0, "DesiredInstanceCount": 3})

    following = configure(local_aws, variant(model, "A", 2.0), variant(model, "C", 5.0))
    all_kept = update(local_aws, endpoint, following, RetainAllVariantProperties=True)
    assert weights_of(all_kept) == {"A": (7.0, 3), "C": (5.0, 1)}
    assert all_kept["DataCaptureConfig"]["EnableCapture"]

    excluded = [{"VariantPropertyType": "DesiredWeight"}, {"VariantPropertyType": "DataCaptureConfig"}]
    some_kept = update(
        local_aws,
        endpoint,
        following,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=excluded,
    )
    assert weights_of(some_kept) == {"A": (2.0, 3), "C": (5.0, 1)}
    assert "DataCaptureConfig" not in some_kept
    assert weights_of(update(local_aws, endpoint, following)) == {"A": (2.0, 1), "C": (5.0, 1)}


def guarded(alarm: str, wait: int = 0) -> dict[str, Any]:
    """A DeploymentConfig."""
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
            "TerminationWaitInSeconds": wait,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }


def make_alarm(aws: Running, state: str) -> str:
    name = new_name("alarm")
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="test",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    return name


def test_a_deployment_has_one_policy_and_is_kept_or_given(local_aws: Running, model: str) -> None:
    endpoint = create_endpoint(local_aws, model)
    update_endpoint = local_aws.client("sagemaker").update_endpoint
    rolling = {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50}, "WaitIntervalInSeconds": 0}
    for request, refusal in (
        (
            {"DeploymentConfig": guarded("any") | {"RollingUpdatePolicy": rolling}},
            "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be used.",
        ),
        (
            {"DeploymentConfig": guarded("any"), "RetainDeploymentConfig": True},
            "You must not provide DeploymentConfig when RetainDeploymentConfig is true.",
        ),
    ):
        refused = error_of(update_endpoint, EndpointName=endpoint, EndpointConfigName=endpoint, **request)
        assert refused == ("ValidationException", refusal)


def test_an_alarm_sends_an_update_back(stepped_aws: Running, model_archive: bytes) -> None:
    model = create_model(stepped_aws, make_bucket(stepped_aws), model_archive)
    endpoint = create_endpoint(stepped_aws, model)
    sagemaker = stepped_aws.client("sagemaker")
    alarm = make_alarm(stepped_aws, "OK")
    following = configure(stepped_aws, variant(model, "Second"))

    def begin() -> None:
        sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName=following, DeploymentConfig=guarded(alarm, wait=300)
        )
        until(lambda: invoke(stepped_aws, endpoint), lambda served: served == "Second")
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
        assert described["EndpointStatus"] == "Updating"
        (watched,) = described["ProductionVariants"]
        assert (watched["VariantName"], watched["CurrentInstanceCount"]) == ("AllTraffic", 1), "it may be needed again"

    begin()
    stepped_aws.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    rolled_back = wait_for_endpoint(stepped_aws, endpoint)
    assert (rolled_back["EndpointStatus"], rolled_back["EndpointConfigName"]) == ("InService", endpoint)
    assert alarm in rolled_back["FailureReason"]
    assert invoke(stepped_aws, endpoint) == "AllTraffic"

    stepped_aws.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="test")
    begin()
    stepped_aws.advance(300)
    updated = wait_for_endpoint(stepped_aws, endpoint)
    assert (updated["EndpointStatus"], updated["EndpointConfigName"]) == ("InService", following)
    assert updated["LastDeploymentConfig"] == guarded(alarm, wait=300)
    assert invoke(stepped_aws, endpoint) == "Second"


def test_a_failed_endpoint_can_only_be_deleted(local_aws: Running, model: str, broken_model: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    endpoint = create_endpoint(local_aws, broken_model, wait="Failed")
    config = configure(local_aws, variant(model))
    with pytest.raises(ClientError, match="with failed status"):
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    sagemaker.delete_endpoint(EndpointName=endpoint)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    again = wait_for_endpoint(local_aws, endpoint)
    assert (again["EndpointStatus"], "FailureReason" in again) == ("InService", False)


def test_what_was_captured_before_an_update_is_monitored_after_it(local_aws: Running, place: str, model: str) -> None:
    endpoint = create_endpoint(local_aws, model, capture_config(place))
    invoke(local_aws, endpoint)
    elsewhere = capture_config(place, DestinationS3Uri=f"s3://{place}/elsewhere")
    update(local_aws, endpoint, configure(local_aws, variant(model, "Renamed"), DataCaptureConfig=elsewhere))
    invoke(local_aws, endpoint)
    update(local_aws, endpoint, configure(local_aws, variant(model, "Silent")))
    sagemaker = local_aws.client("sagemaker")
    local_aws.client("s3").put_object(Bucket=place, Key="analysis_config.json", Body=b"{}")
    JobDefinitions(sagemaker, place, endpoint, model).put(endpoint, "")
    sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=endpoint,
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": endpoint,
            "MonitoringType": "ModelExplainability",
            "ScheduleConfig": {
                "ScheduleExpression": "NOW",
                "DataAnalysisStartTime": "-PT1H",
                "DataAnalysisEndTime": "-PT0H",
            },
        },
    )
    (execution,) = until(
        lambda: sagemaker.list_monitoring_executions(MonitoringScheduleName=endpoint)["MonitoringExecutionSummaries"],
        lambda found: "ProcessingJobArn" in found[0] or "FailureReason" in found[0],
    )
    job = sagemaker.describe_processing_job(ProcessingJobName=execution["ProcessingJobArn"].rpartition("/")[2])
    read = {item["S3Input"]["S3Uri"] for item in job["ProcessingInputs"] if "endpoint_input" in item["InputName"]}
    folders = [f"s3://{place}/datacapture/{endpoint}/AllTraffic/", f"s3://{place}/elsewhere/{endpoint}/Renamed/"]
    assert all(any(uri.startswith(folder) for uri in read) for folder in folders), read
    assert len(read) == len(folders), read
