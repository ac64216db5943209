"""A baseline's `analysis.json` read back as constraints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_monitor.analysis.baseline import load_baseline
from model_monitor.errors import AnalysisError

GROUP = '{"post_training_bias_metrics":{"facets":{"Age":[{"value_or_threshold":"1","metrics":[%s]}]}}}'
SHAP = '{"explanations":{"kernel_shap":{"label0":{"global_shap_values":%s}}}}'


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        GROUP % '{"name":"DI","value":1.5},{"name":"TE","value":"-Infinity"},{"name":"CDDL","value":null,"error":"x"}',
        SHAP % '{"Age":0.25}',
    ],
)
def test_an_analysis_is_a_baseline(tmp_path: Path, content: str) -> None:
    file = tmp_path / "analysis.json"
    file.write_text(content)
    assert load_baseline(file) == json.loads(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot be read as JSON"),
        (b"\xff", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"[]", "expected an object, found list"),
        (b"null", "expected an object, found NoneType"),
        (b'{"post_training_bias_metrics":null}', "post_training_bias_metrics"),
        (b'{"pre_training_bias_metrics":{"facets":[]}}', "pre_training_bias_metrics.facets"),
        ((GROUP % '{"value":1}').encode(), "facets.Age.0.metrics.0.name: Field required"),
        ((GROUP % '{"name":"DI","value":"much"}').encode(), "facets.Age.0.metrics.0.value"),
        ((SHAP % "null").encode(), "label0.global_shap_values"),
        ((SHAP % '{"Age":null}').encode(), "label0.global_shap_values.Age"),
        ((SHAP % '{"Age":"NaN"}').encode(), "label0.global_shap_values.Age: Input should be a finite number"),
    ],
)
def test_anything_else_is_refused_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "analysis.json"
    file.write_bytes(content)
    with pytest.raises(AnalysisError) as error:
        load_baseline(file)
    assert str(error.value).startswith(f"Baseline constraints {file}")
    assert said in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="cannot be read as JSON"):
        load_baseline(tmp_path / "analysis.json")
