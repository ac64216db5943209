"""The YAML's section on retraining: its defaults, and what its mistakes are told as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.config.retraining import Retraining
from model_monitor.errors import ConfigError
from tests.monitored import monitored_endpoint

FUNCTION = "demo.retrain.retrain"


def load(folder: Path, section: object, **changes: Any) -> MonitoredEndpoint:
    content = monitored_endpoint(folder, "bucket").model_dump(exclude_unset=True)
    file = folder / "small.yaml"
    file.write_text(json.dumps({**content, "retraining": section, **changes}))
    return load_endpoint(file)


def test_a_function_is_enough(tmp_path: Path) -> None:
    found = load(tmp_path, {"function": FUNCTION}).retraining
    assert found == Retraining(function=FUNCTION)
    assert (found.data_window, found.approval_timeout, found.pause_after_rejection) == ("P7D", "P3D", "P1D")
    assert found.approvers == []


def test_without_the_section_nothing_is_retrained(tmp_path: Path) -> None:
    assert load(tmp_path, None).retraining is None


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({}, "retraining.function: is missing; expected a function's dotted path, such as demo.retrain.retrain"),
        ({"function": "retrain"}, "retraining.function: expected a function's dotted path"),
        ({"function": FUNCTION, "data_window": "7 days"}, "retraining.data_window: expected an ISO 8601 duration"),
        ({"function": FUNCTION, "approval_timeout": "PT0H"}, "retraining.approval_timeout: expected an ISO 8601"),
        ({"function": FUNCTION, "approval_timeout": "-P1D"}, "retraining.approval_timeout: expected an ISO 8601"),
        ({"function": FUNCTION, "pause_after_rejection": 1}, "retraining.pause_after_rejection: expected an ISO 8601"),
        (
            {"function": FUNCTION, "approvers": "ann"},
            "retraining.approvers: expected a list of the ids",
        ),
        ({"function": FUNCTION, "aprovers": []}, "retraining.aprovers: unknown key; did you mean 'approvers'?"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, section: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint.replace("?", r"\?")):
        load(tmp_path, section)


def test_an_endpoint_that_keeps_the_old_model_cannot_answer_for_a_new_one(tmp_path: Path) -> None:
    windows = {"model": {"endpoint": "answers"}}
    with pytest.raises(ConfigError, match=r"windows.model.endpoint: .answers. would go on answering"):
        load(tmp_path, {"function": FUNCTION}, windows=windows)
