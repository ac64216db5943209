"""The baseline's `analysis.json`, read back as a monitor's constraints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, FiniteFloat, ValidationError

from model_monitor.errors import AnalysisError


class _Metric(BaseModel):
    name: str
    value: float | None


class _Group(BaseModel):
    value_or_threshold: str
    metrics: list[_Metric]


class _Bias(BaseModel):
    facets: dict[str, list[_Group]]


class _Explained(BaseModel):
    global_shap_values: dict[str, FiniteFloat]


class _Explanations(BaseModel):
    kernel_shap: dict[str, _Explained] = {}


class _Analysis(BaseModel):
    post_training_bias_metrics: _Bias = _Bias(facets={})
    pre_training_bias_metrics: _Bias = _Bias(facets={})
    explanations: _Explanations = _Explanations()


def load_baseline(file: Path) -> dict[str, Any]:
    """The content of a baseline's `analysis.json`.

    Raises:
        AnalysisError: when the file is not JSON or not an analysis, naming the first thing that is wrong.
    """
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AnalysisError(f"Baseline constraints {file} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise AnalysisError(f"Baseline constraints {file}: expected an object, found {type(content).__name__}")
    try:
        _Analysis.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise AnalysisError(
            f"Baseline constraints {file} are not an analysis.json: {place}: {first['msg']}. Give the file that a "
            "baselining job has written."
        ) from error
    return content
