"""The result files of an analysis as what they should hold; they lie in a bucket, where others write, too."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from model_monitor.errors import InputError

INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}
SHOWN = 300

Content = TypeVar("Content", bound="Document")


def _number(value: Any) -> Any:
    """Clarify writes infinities as texts; what is not a number is null."""
    if isinstance(value, str):
        return INFINITIES.get(value, value)
    return None if isinstance(value, float) and math.isnan(value) else value


Number = Annotated[float | None, BeforeValidator(_number)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Document(BaseModel):
    """A file, or a part of one; other keys are passed over."""

    model_config = ConfigDict(strict=True, extra="ignore")


class MetricEntry(Document):
    """A metric of a group."""

    name: str
    description: str = ""
    value: Number
    error: str | None = None


class GroupEntry(Document):
    """A group of a facet, named as it is printed."""

    value_or_threshold: str
    metrics: list[MetricEntry]


class BiasSection(Document):
    """The metrics of one stage, by facet."""

    facets: dict[str, list[GroupEntry]] = {}


class Explained(Document):
    """What explains one label."""

    global_shap_values: dict[str, Finite]
    expected_value: Finite


class ExplanationSection(Document):
    """Explanations by label."""

    kernel_shap: dict[str, Explained] = {}


class Analysis(Document):
    """`analysis.json`, of a window or of a baseline."""

    post_training_bias_metrics: BiasSection = BiasSection()
    pre_training_bias_metrics: BiasSection = BiasSection()
    explanations: ExplanationSection = ExplanationSection()

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing that a monitor judges."""
        sections = (self.post_training_bias_metrics, self.pre_training_bias_metrics)
        return not self.explanations.kernel_shap and not any(section.facets for section in sections)


class ViolationEntry(Document):
    """A violation, of a group's metric or of a label's order of features."""

    metric_name: str
    constraint_check_type: str = ""
    description: str = ""
    facet: str | None = None
    facet_value: str | None = None
    label: str | None = None


class Violations(Document):
    """`constraint_violations.json`."""

    violations: list[ViolationEntry]


class BiasInterval(Document):
    """A metric's interval and verdict."""

    facet: str
    facet_value: str
    metric_name: str
    low: Number = None
    high: Number = None
    verdict: Literal["violation", "not certain", "ok"] | None = None


class LabelInterval(Document):
    """The interval and verdict of a label's NDCG."""

    label: str
    low: Number = None
    high: Number = None
    verdict: Literal["violation", "not certain", "ok"] | None = None


class Uncertainty(Document):
    """`uncertainty.json`."""

    bias: list[BiasInterval] = []
    ndcg: list[LabelInterval] = []


def parse(file: str, content: bytes, as_type: type[Content]) -> Content:
    """Read a file's content.

    Raises:
        InputError: naming the file, the place in it and what was expected there.
    """
    try:
        return as_type.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{file}: {shortened(f'{place}: ' if place else '')}{first['msg']}") from error


def shortened(text: str) -> str:
    """Text of bounded length."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
