"""`<endpoint>.preflight` as it runs, with test messages and without."""

from __future__ import annotations

from pathlib import Path

from model_monitor.config import MonitoredEndpoint
from model_monitor.preflight.run import SUBJECTS
from tests.dags.running import runs_of, subjects, with_topic
from tests.receivers import http_server
from tests.running_aws import Running


def test_a_test_message_is_sent_when_asked_for(deployed: MonitoredEndpoint, aws: Running, tmp_path: Path) -> None:
    with http_server() as sns, runs_of("preflight", with_topic(deployed, aws, sns), tmp_path) as preflight:
        without = preflight()
        assert without["state"] == "success"
        assert without["tasks"] == dict.fromkeys(SUBJECTS, "success") | {"test_alerts": "skipped"}
        assert subjects(sns) == []
        asked = preflight(test_alerts=True)
        assert (asked["state"], asked["tasks"]["test_alerts"]) == ("success", "success")
        assert subjects(sns) == ["test message, nothing is wrong"]
