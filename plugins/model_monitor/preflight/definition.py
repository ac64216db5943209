"""The definition under test, and the file that most checks compare it with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from model_monitor import analysis_configs, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from model_monitor.analysis.dataset import Dataset


@dataclass
class Definition:
    """One endpoint's definition; its validation data set is read once for all checks."""

    endpoint: MonitoredEndpoint

    @cached_property
    def validation(self) -> Dataset:
        """The validation data set as a baseline reads it, whether or not its facets are there.

        Raises:
            InputError: naming file, line and column of what cannot be read.
        """
        from model_monitor.analysis.config_file import parse_analysis_config
        from model_monitor.analysis.dataset_files import read_dataset

        endpoint = self.endpoint
        file = endpoint.path(endpoint.data.validation)
        headers = sources.headers(endpoint)
        if not file.is_file():
            raise InputError(
                f"{file}: there is no such file. Is the path in the endpoint's YAML right, and the file made?"
            )
        analysis = analysis_configs.explainability_baseline_analysis(endpoint, endpoint.name, headers, None)
        return read_dataset([file], parse_analysis_config(analysis, origin=endpoint.name))

    @property
    def label(self) -> pd.Series[Any]:
        """The labels of the validation data set; a definition always names their column."""
        label = self.validation.label
        assert label is not None
        return label

    @property
    def inputs(self) -> list[str]:
        """The model's inputs, in the order of the validation data set."""
        return [str(name) for name in self.validation.features.columns]
