"""Baselines made in the task itself, beside those of the managed baselining job."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AccessDenied, EndpointFailed, JobFailed, MonitorError, Unreachable
from model_monitor.hooks.s3 import StorageHook
from model_monitor.model_calls import EndpointModel
from model_monitor.names import KINDS, Kind
from model_monitor.operators.baseline import BaselineOperator
from model_monitor.operators.endpoint import CreateModelOperator
from model_monitor.operators.engine_baseline import EngineBaselineOperator
from model_monitor.operators.storage import UploadFilesOperator
from tests.monitored import monitored_endpoint, run_task, write_files
from tests.running_aws import Running, create_endpoint, create_model, make_bucket


@pytest.fixture(scope="module")
def shadow(aws: Running, model_archive: bytes) -> str:
    """The tiny model's endpoint."""
    return create_endpoint(aws, create_model(aws, make_bucket(aws), model_archive))


@pytest.fixture
def prepared(aws: Running, tmp_path: Path, model_archive: bytes) -> MonitoredEndpoint:
    """An endpoint with its model and files in place, on files that the test may change; SHAP draws by a seed."""
    write_files(tmp_path, model_archive)
    endpoint = monitored_endpoint(
        tmp_path, make_bucket(aws), explainability={"num_samples": 6, "save_local_shap_values": True, "seed": 7}
    )
    for step in (UploadFilesOperator, CreateModelOperator):
        run_task(step(task_id="step", endpoint=endpoint))
    return endpoint


def engine_baseline(endpoint: MonitoredEndpoint, shadow: str, kind: Kind = "bias") -> Any:
    return run_task(EngineBaselineOperator(task_id=kind, endpoint=endpoint, kind=kind, model_endpoint=shadow))


def job_baseline(endpoint: MonitoredEndpoint, kind: Kind = "bias") -> Any:
    run_task(UploadFilesOperator(task_id="upload", endpoint=endpoint))
    return run_task(BaselineOperator(task_id=kind, endpoint=endpoint, kind=kind))


def left(endpoint: MonitoredEndpoint, kind: Kind = "bias") -> dict[str, bytes]:
    """What lies where baselines are written to, but the configuration that was asked for."""
    storage, root = StorageHook(), names.baseline_output(endpoint, kind)
    found = {uri.removeprefix(f"{root}/"): storage.read(uri) or b"" for uri in storage.list(f"{root}/")}
    found.pop("analysis_config.json", None)
    return found


def add_row(folder: Path, row: str) -> None:
    with (folder / "validation.csv").open("a") as file:
        file.write(f"{row}\n")


@pytest.mark.parametrize("kind", KINDS)
def test_it_leaves_what_the_processing_job_leaves(prepared: MonitoredEndpoint, shadow: str, kind: Kind) -> None:
    answered = job_baseline(prepared, kind)
    managed = left(prepared, kind)
    for uri in StorageHook().list(f"{names.baseline_output(prepared, kind)}/"):
        StorageHook().delete(uri)
    assert engine_baseline(prepared, shadow, kind) == answered | {"job": None}
    assert left(prepared, kind) == managed
    assert {"analysis.json", "report.html"} <= managed.keys()


def test_what_is_there_is_taken(prepared: MonitoredEndpoint, shadow: str) -> None:
    """Nobody is asked: there is no endpoint by that name."""
    first = engine_baseline(prepared, shadow)
    assert engine_baseline(prepared, "nobody") == first


def test_other_data_makes_another_baseline(prepared: MonitoredEndpoint, shadow: str, tmp_path: Path) -> None:
    engine_baseline(prepared, shadow)
    before = left(prepared)
    for _ in range(10):
        add_row(tmp_path, "1,-1,0,0,0")
    engine_baseline(prepared, shadow)
    after = left(prepared)
    assert after["analysis.json"] != before["analysis.json"]
    (kept,) = StorageHook().list(f"{names.earlier_baselines(prepared, 'bias')}/")
    assert StorageHook().read(kept) == before["analysis.json"]
    job_baseline(prepared)
    assert left(prepared) == after


def test_other_settings_make_another_baseline(prepared: MonitoredEndpoint, shadow: str) -> None:
    engine_baseline(prepared, shadow)
    before = left(prepared)
    facet = prepared.bias.facets[0].model_copy(update={"values_or_threshold": [1]})
    other = prepared.model_copy(update={"bias": prepared.bias.model_copy(update={"facets": [facet]})})
    engine_baseline(other, shadow)
    assert left(prepared)["analysis.json"] != before["analysis.json"]
    engine_baseline(prepared, shadow)
    assert left(prepared) == before


def test_the_result_of_a_processing_job_is_not_taken(prepared: MonitoredEndpoint, shadow: str) -> None:
    """It need not be of the data set as it is now: its configuration does not say which it is of."""
    job_baseline(prepared)
    with pytest.raises(EndpointFailed):
        engine_baseline(prepared, "nobody")
    first = job_baseline(prepared)["job"]
    engine_baseline(prepared, shadow)
    assert job_baseline(prepared)["job"] != first


def test_a_result_that_was_not_written_in_full_is_never_taken(
    prepared: MonitoredEndpoint, shadow: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by who asks for what lay there before."""
    engine_baseline(prepared, shadow)
    complete = left(prepared)
    original = (tmp_path / "validation.csv").read_text()
    add_row(tmp_path, "1,-1,0,0,0")
    send = StorageHook.send

    def break_off(hook: StorageHook, file: Path, uri: str) -> None:
        if file.name != "analysis.json":
            raise Unreachable("S3 does not answer")
        send(hook, file, uri)

    with monkeypatch.context() as patch:
        patch.setattr(StorageHook, "send", break_off)
        with pytest.raises(Unreachable):
            engine_baseline(prepared, shadow)
    assert left(prepared)["analysis.json"] != complete["analysis.json"]
    (tmp_path / "validation.csv").write_text(original)
    engine_baseline(prepared, shadow)
    assert left(prepared) == complete


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("1,0,0,0", "Headers in config do not match with the number of columns in the dataset."),
        ("1,0,0,0,many", "Could not convert string to float."),
    ],
)
def test_a_failure_is_told_in_clarify_s_words_and_names_the_file(
    prepared: MonitoredEndpoint, shadow: str, tmp_path: Path, row: str, complaint: str
) -> None:
    add_row(tmp_path, row)
    file = tmp_path / "validation.csv"
    with pytest.raises(JobFailed, match=f"bias baseline of {prepared.name} could not be made: {complaint}.*{file}"):
        engine_baseline(prepared, shadow)
    assert left(prepared) == {}


def test_a_facet_that_is_no_column_is_named(prepared: MonitoredEndpoint, shadow: str) -> None:
    facet = prepared.bias.facets[0].model_copy(update={"name": "Shoe Size"})
    odd = prepared.model_copy(update={"bias": prepared.bias.model_copy(update={"facets": [facet]})})
    with pytest.raises(JobFailed, match="Unable to locate the facet"):
        engine_baseline(odd, shadow)


def test_a_model_that_refuses_a_row_is_quoted(
    prepared: MonitoredEndpoint, aws: Running, model_archive: bytes, tmp_path: Path
) -> None:
    """The model was trained on four inputs, and the data set has five."""
    data = tmp_path / "validation.csv"
    header, *rows = data.read_text().split()
    data.write_text("\n".join([f"{header},Pets", *(f"{row},1" for row in rows), ""]))
    wide = create_endpoint(aws, create_model(aws, make_bucket(aws), model_archive))
    with pytest.raises(JobFailed, match=r"Model error on row 1: .*feature"):
        engine_baseline(prepared, wide)


@pytest.mark.parametrize(
    "failure", [Unreachable("AWS does not answer"), AccessDenied("Allow 'sagemaker:InvokeEndpoint'")], ids=str
)
def test_what_is_not_the_data_s_fault_is_told_as_it_is(
    prepared: MonitoredEndpoint, shadow: str, failure: MonitorError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that Airflow tries again what may pass."""

    def fail(*_: object) -> bytes:
        raise failure

    monkeypatch.setattr(EndpointModel, "__call__", fail)
    with pytest.raises(type(failure), match=str(failure)):
        engine_baseline(prepared, shadow)


def test_the_model_is_asked_within_what_the_configuration_allows(
    prepared: MonitoredEndpoint, shadow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests of a kilobyte, two at once: the second one comes while the first is on its way."""
    model = prepared.windows.model.model_copy(update={"max_payload_mb": 1 / 1024, "concurrency": 2})
    careful = prepared.model_copy(update={"windows": prepared.windows.model_copy(update={"model": model})})
    sizes: list[int] = []
    two, ask = threading.Barrier(2), EndpointModel.__call__

    def watched(model: EndpointModel, body: bytes, content_type: str, accept: str) -> bytes:
        sizes.append(len(body))
        two.wait(60)
        return ask(model, body, content_type, accept)

    monkeypatch.setattr(EndpointModel, "__call__", watched)
    engine_baseline(careful, shadow)
    assert len(sizes) == 2
    assert max(sizes) <= 1024


def test_an_endpoint_that_is_gone_is_named(prepared: MonitoredEndpoint) -> None:
    with pytest.raises(EndpointFailed, match="The endpoint nobody, which is to answer the analysis, is not in service"):
        engine_baseline(prepared, "nobody")


def test_a_shap_baseline_in_s3_is_read(prepared: MonitoredEndpoint, shadow: str) -> None:
    uri = f"s3://{prepared.bucket}/shap/rows.csv"
    shap = prepared.explainability.model_copy(update={"baseline": uri})
    endpoint = prepared.model_copy(update={"explainability": shap})
    with pytest.raises(JobFailed, match=f"{uri}, which the analysis configuration names: there is no such object"):
        engine_baseline(endpoint, shadow, "explainability")
    StorageHook().put(uri, "0,0,0,0\n1,1,1,1\n")
    engine_baseline(endpoint, shadow, "explainability")
    kept = left(endpoint, "explainability")["explanations_shap/baseline.csv"]
    assert kept.decode().splitlines() == ["Age,Income,Visits,Calls", "0,0,0,0", "1,1,1,1"]


def test_its_links_lead_to_the_baseline_and_its_report(prepared: MonitoredEndpoint, shadow: str) -> None:
    task = EngineBaselineOperator(task_id="bias", endpoint=prepared, kind="bias", model_endpoint=shadow)
    run_task(task)
    baseline = f"model-monitor/endpoints/{prepared.name}/bias/baseline"
    assert {link.name: link.get_link(task, ti_key=None) for link in task.operator_extra_links} == {
        "Dashboard": baseline,
        "Report": f"{baseline}/files/report.html",
        "S3 console": "",
    }
