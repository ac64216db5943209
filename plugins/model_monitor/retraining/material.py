"""What a retraining function is given, and what it answers.

    def retrain(material: Material, share: float = 0.2) -> Retrained: ...

The YAML names it as `retraining.function`, and what comes after `material` as `retraining.arguments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from model_monitor import functions, requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError

if TYPE_CHECKING:
    from model_monitor.analysis.dataset import Dataset


@dataclass(frozen=True)
class Material:
    """What there is to train with.

    Attributes:
        endpoint: its definition; `endpoint.path(endpoint.data.validation)` is its validation data set.
        model: the archive of the model in force.
        merged: files of captured requests merged with their labels, as JSON lines, from the oldest hour on.
        since: the hour from which on they are.
        until: the hour before which they are.
        folder: for the function's own files, gone when it has answered and its archive is kept.
    """

    endpoint: MonitoredEndpoint
    model: Path
    merged: tuple[Path, ...]
    since: datetime
    until: datetime
    folder: Path

    def recent(self) -> Dataset | None:
        """The merged requests as the bias monitor reads them: inputs by name, and the label that turned out right.

        None where there are none.

        Raises:
            InputError: naming file and line of a record that cannot be read.
        """
        from model_monitor.analysis.config_file import parse_analysis_config
        from model_monitor.analysis.dataset_captures import read_merged

        if not self.merged:
            return None
        places = requests.places(self.endpoint)
        attributes = {
            "features_attribute": places.get("FeaturesAttribute"),
            "inference_attribute": places.get("InferenceAttribute"),
            "probability_attribute": places.get("ProbabilityAttribute"),
        }
        analysis = sources.monitor_analysis(self.endpoint, "bias", self.endpoint.name)
        return read_merged(self.merged, parse_analysis_config(analysis, origin=self.endpoint.name), attributes)


@dataclass(frozen=True)
class Figure:
    """A quality figure of the model in force and of the candidate; None where it cannot be computed."""

    name: str
    old: float | None
    new: float | None
    better: Literal["higher", "lower"] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The figure as XCom carries it."""
        return {"name": self.name, "old": self.old, "new": self.new, "better": self.better}


@dataclass(frozen=True)
class Retrained:
    """A retraining function's answer: the candidate's archive, figures to decide by, and how it came about."""

    archive: Path
    figures: Sequence[Figure] = field(default=())
    remark: str = ""


def retrained(material: Material) -> Retrained:
    """Call the endpoint's retraining function.

    Raises:
        ConfigError: there is no such function, or it does not take the configured arguments.
        InputError: it answered something else than a `Retrained` whose archive is a file and whose figures are numbers.
    """
    retraining = material.endpoint.retraining
    assert retraining is not None
    function = functions.load("retraining.function", retraining.function)
    functions.refuse_misfit(function, material, retraining.arguments, f"retraining.arguments: {retraining.function}")
    answer = function(material, **retraining.arguments)
    if not isinstance(answer, Retrained):
        raise InputError(
            f"{retraining.function} answered {type(answer).__name__}; expected a model_monitor.retraining.material."
            "Retrained"
        )
    if not answer.archive.is_file():
        raise InputError(f"{retraining.function} answered the archive {answer.archive}, and there is no such file")
    for figure in answer.figures:
        for value in (figure.old, figure.new):
            if value is not None and not isfinite(value):
                raise InputError(
                    f"{retraining.function} answered {value} as '{figure.name}'; expected a number, or None where it "
                    "cannot be computed"
                )
    return answer
