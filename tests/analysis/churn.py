"""A table of customers, its configuration, and what is said of it when it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_monitor.analysis.config import AnalysisConfig
from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.errors import AnalysisError

HEADERS = ["Churn", "Account Length", "Day Mins", "Plan"]
BIAS: dict[str, Any] = {
    "dataset_type": "text/csv",
    "headers": HEADERS,
    "label": "Churn",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Account Length", "value_or_threshold": [100]}],
    "methods": {"pre_training_bias": {"methods": "all"}},
}
TABLE = "Churn,Account Length,Day Mins,Plan\n0,132,113.2,no\n1,112,189.5,yes\n0,91,89.25,no\n"


def configured(**changes: Any) -> AnalysisConfig:
    return parse_analysis_config({**BIAS, **changes})


def written(folder: Path, text: str, name: str = "data.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


def complaint(call: Any, *arguments: Any, **settings: Any) -> str:
    with pytest.raises(AnalysisError) as error:
        call(*arguments, **settings)
    return str(error.value)
