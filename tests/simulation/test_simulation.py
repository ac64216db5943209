"""The command: some hours of the week on a real embedded AWS, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.data import write
from model_monitor import names
from model_monitor.config import load_endpoint
from model_monitor.names import KINDS
from simulation import __main__ as command
from simulation.__main__ import EXAMPLE
from simulation.endpoint import SimulationFailed
from simulation.story import HOURS
from stack.stack import Stack
from tests.running_aws import start_local_aws


def test_some_hours_and_what_they_leave(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    endpoint = load_endpoint(EXAMPLE)
    endpoint = endpoint.model_copy(
        update={
            "model": endpoint.model.model_copy(update={"archive": str(tmp_path / "model.tar.gz")}),
            "data": endpoint.data.model_copy(
                update={
                    "validation": str(tmp_path / "validation-dataset-with-header.csv"),
                    "test": str(tmp_path / "test-dataset-input-cols.csv"),
                }
            ),
        }
    )
    timeline = command.simulate(endpoint, tmp_path / "aws", hours=2)
    assert timeline.statuses == {("bias", "Completed"): 2, ("explainability", "Completed"): 2}
    said = capsys.readouterr().out
    assert said.count("NDCG 0.9") == 2
    assert "alarm churn-bias-DPPL-Account-Length-below: INSUFFICIENT_DATA -> OK" in said
    assert "alarm churn-explain-Int-l-Plan-no-below: INSUFFICIENT_DATA -> OK" in said
    lived_on = start_local_aws(tmp_path / "aws")
    try:
        sagemaker = lived_on.client("sagemaker")
        assert sagemaker.describe_endpoint(EndpointName="churn")["EndpointStatus"] == "InService"
        week_ago = datetime.now(UTC) - timedelta(hours=HOURS)
        for kind in KINDS:
            schedule = names.schedule(endpoint, kind)
            described = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule)
            assert described["MonitoringScheduleStatus"] == "Scheduled"
            executions = sagemaker.list_monitoring_executions(
                MonitoringScheduleName=schedule, StatusEquals="Completed"
            )["MonitoringExecutionSummaries"]
            assert len(executions) == 2
            assert all(abs(item["ScheduledTime"] - week_ago) < timedelta(hours=4) for item in executions)
    finally:
        lived_on.stop()


def test_data_of_earlier_runs_is_set_aside_only_when_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "aws"
    folder.mkdir()
    (folder / "state.sqlite").touch()
    with pytest.raises(SimulationFailed, match="FRESH=1"):
        command.make_room(folder, fresh=False)
    assert (folder / "state.sqlite").exists()
    command.make_room(folder, fresh=True)
    assert not folder.exists()
    (aside,) = tmp_path.iterdir()
    assert (aside / "state.sqlite").exists()
    assert str(aside) in capsys.readouterr().out


def test_a_running_stack_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Running:
        alive = True

    monkeypatch.setattr(Stack, "find", classmethod(lambda cls, folders: Running()))
    with pytest.raises(SimulationFailed, match="make down"):
        command.make_room(command.Folders().aws, fresh=True)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "state.sqlite").write_text("not a database, but long enough to be read as one" * 10)
    with pytest.raises(SimulationFailed, match=r"(?s)did not start:.*state.sqlite is .*no file of local_aws"):
        command.simulate(load_endpoint(EXAMPLE), tmp_path / "aws")
