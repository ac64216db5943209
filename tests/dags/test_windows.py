"""What follows the verdicts of `<endpoint>.windows`, and what the run comes to."""

from __future__ import annotations

from pathlib import Path

from model_monitor.config import MonitoredEndpoint
from model_monitor.config.windows import Windows
from tests.dags.running import an_hour, runs_of, subjects, with_topic
from tests.receivers import http_server
from tests.running_aws import Running


def test_people_are_told_of_windows_whose_run_fails(untold: MonitoredEndpoint, aws: Running, tmp_path: Path) -> None:
    with http_server() as sns:
        endpoint = with_topic(untold, aws, sns, windows=Windows(when_empty="fail"))
        an_hour(endpoint, aws)
        with runs_of("windows", endpoint, tmp_path) as windows:
            ran = windows(fail_on_violations=True)
            assert ran["state"] == "failed"
            bias = {task: ran["tasks"][f"bias.{task}"] for task in ("judge", "alert", "violations", "done")}
            assert bias == {
                "judge": "failed",
                "alert": "success",
                "violations": "success",
                "done": "upstream_failed",
            }
            assert ran["tasks"]["explainability.done"] == "success"
            (event,) = ran["events"]
            assert subjects(sns) == [f"bias: {len(event['violations'])} violations"]

            # The same again: neither people nor the asset are told once more.
            again = windows()
            assert (again["state"], again["events"]) == ("success", []), again["tasks"]
            assert again["tasks"]["bias.violations"] == "skipped"

            aws.advance(2 * 3600)
            empty = windows()
            assert empty["state"] == "failed"
            assert {task: empty["tasks"][f"bias.{task}"] for task in bias} == {
                "judge": "failed",
                "alert": "success",
                "violations": "skipped",
                "done": "upstream_failed",
            }
            assert empty["tasks"]["explainability.judge"] == "upstream_failed"
            assert sorted(subjects(sns)[1:]) == ["bias: cannot judge", "explainability: cannot judge"]
            (plan,) = [post["Message"] for post in sns.received if "explainability" in post["Subject"]]
            assert "explainability.plan failed in the run" in plan
