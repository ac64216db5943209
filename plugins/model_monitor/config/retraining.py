"""The YAML's section on retraining: who trains the next model, on how much, and how long a human has to decide."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from model_monitor.config.types import Section
from model_monitor.durations import duration


def _lasts(text: str) -> str:
    if not duration(text):
        raise AssertionError(text)
    return text


Length = Annotated[
    str, StringConstraints(pattern=r"^P(\d+D|(\d+D)?T(\d+H|\d+M|\d+H\d+M))$", max_length=15), AfterValidator(_lasts)
]
LENGTH = "an ISO 8601 duration, such as P7D, PT12H or PT30M"


class Retraining(Section):
    """What happens after violations: a function trains a candidate `(material, **arguments) -> Retrained`, and nobody
    but a human puts it in the place of the model in force.
    """

    function: Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)+$")] = Field(
        description="a function's dotted path, such as demo.retrain.retrain"
    )
    arguments: dict[str, Any] = {}
    data_window: Length = Field(default="P7D", description=LENGTH)
    approval_timeout: Length = Field(default="P3D", description=LENGTH)
    approvers: list[str] = Field(
        default=[], description="a list of the ids of Airflow users, such as [admin]; without it, all who may answer"
    )
    pause_after_rejection: Length = Field(default="P1D", description=LENGTH)
