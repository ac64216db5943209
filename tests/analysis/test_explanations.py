"""Local Shapley values put together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model_monitor.analysis.explanations import explanations, labels, write_local_values
from model_monitor.analysis.kernel_shap import Attributions
from model_monitor.errors import AnalysisError

ONE = Attributions(np.array([[[1.0], [-4.0]], [[-2.0], [0.0]], [[3.0], [1.0]]]), np.array([0.25]))
TWO = Attributions(np.array([[[1.0, 10.0], [2.0, 20.0]]]), np.array([0.25, 0.75]))


@pytest.mark.parametrize(
    ("agg_method", "first", "second"), [("mean_abs", 2.0, 5 / 3), ("median", 1.0, 0.0), ("mean_sq", 14 / 3, 17 / 3)]
)
def test_global_values_aggregate_over_records(agg_method: str, first: float, second: float) -> None:
    section = explanations(ONE, ["Day Mins", "Plan"], agg_method, None)

    assert section == {
        "kernel_shap": {
            "label0": {
                "global_shap_values": {"Day Mins": pytest.approx(first), "Plan": pytest.approx(second)},
                "expected_value": 0.25,
            }
        }
    }
    assert type(section["kernel_shap"]["label0"]["global_shap_values"]["Plan"]) is float


def test_every_output_has_a_label_by_header_or_by_number() -> None:
    assert labels(TWO, None) == ["label0", "label1"]
    assert labels(TWO, ("stays", "leaves")) == ["stays", "leaves"]
    assert labels(ONE, ("stays", "leaves")) == ["label0"]
    section = explanations(TWO, ["a", "b"], "mean_abs", ("stays", "leaves"))["kernel_shap"]
    assert section["leaves"] == {"global_shap_values": {"a": 10.0, "b": 20.0}, "expected_value": 0.75}


def test_headers_for_another_number_of_outputs_are_refused() -> None:
    with pytest.raises(AnalysisError, match="names 3 labels; the model gives 2 scores per record"):
        labels(TWO, ("stays", "leaves", "returns"))


def test_local_values_as_a_file(tmp_path: Path) -> None:
    write_local_values(tmp_path / "explanations_shap", [TWO.values], ["a", "b"], ["label0", "label1"])

    written = (tmp_path / "explanations_shap/out.csv").read_text()
    assert written == "a_label0,b_label0,a_label1,b_label1\n1.0,2.0,10.0,20.0\n"
