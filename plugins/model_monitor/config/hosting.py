"""The YAML's sections on what is monitored: a model, its endpoint, requests and captures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from model_monitor.config.types import (
    PATH,
    PLACE,
    ContentType,
    InstanceType,
    JsonPath,
    Name,
    Place,
    Scalar,
    Section,
    repeated,
)


class FrameworkImage(Section):
    """An image that SageMaker provides, looked up by region."""

    framework: Annotated[str, StringConstraints(pattern=r"^[a-z0-9\-]+$")]
    version: Annotated[str, Field(coerce_numbers_to_str=True)]


class Model(Section):
    """The model archive and the image that serves it."""

    archive: str
    image: FrameworkImage | Annotated[str, StringConstraints(pattern=r"^\S+/\S+$")] = Field(
        description="{framework: xgboost, version: 0.90-1}, or a full image URI such as "
        "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"
    )
    environment: dict[str, str] = {}


class DataCapture(Section):
    """What an endpoint writes down of its requests and answers."""

    enabled: bool = True
    sampling_percentage: int = Field(default=100, ge=0, le=100)
    modes: list[Literal["Input", "Output"]] = Field(default=["Input", "Output"], min_length=1)
    csv_content_types: list[str] = ["text/csv"]
    json_content_types: list[str] = ["application/json"]


class Payloads(Section):
    """What requests and answers look like. Analyses make requests by the templates, as Clarify does."""

    content_type: ContentType = "text/csv"
    accept_type: ContentType | None = None
    content_template: str | None = None
    record_template: str | None = None
    features: JsonPath | None = Field(default=None, description=PATH)
    label: Place | None = Field(default=None, description=PLACE)
    probability: Place | None = Field(default=None, description=PLACE)
    label_headers: list[Scalar] | None = Field(
        default=None, description="a list of the classes' names, such as [stays, leaves]"
    )

    @property
    def answered_in(self) -> str:
        """The content type of answers."""
        return self.accept_type or self.content_type

    @model_validator(mode="after")
    def _can_be_written_and_read(self) -> Payloads:
        if twice := repeated(map(str, self.label_headers or [])):
            raise ValueError(f"endpoint.payloads.label_headers: '{twice}' more than once")
        if self.content_type != "text/csv" and self.content_template is None:
            raise ValueError(
                f"endpoint.payloads.content_template: {self.content_type} needs one, such as "
                "'{\"features\":$features}' for JSON Lines and '{\"instances\":$records}' for JSON"
            )
        if self.content_type == "application/json" and self.record_template is None:
            raise ValueError(
                "endpoint.payloads.record_template: application/json needs one, such as '{\"features\":$features}'"
            )
        if (self.content_type == "text/csv") != (self.answered_in == "text/csv"):
            raise ValueError(
                f"endpoint.payloads.accept_type: monitors take requests in {self.content_type} only with answers in "
                f"{'text/csv' if self.content_type == 'text/csv' else 'JSON or JSON Lines'} (found {self.answered_in})"
            )
        if self.answered_in != "text/csv" and self.label is None and self.probability is None:
            raise ValueError(
                "endpoint.payloads: label or probability: say where it stands in answers, such as predictions[*].score"
            )
        return self


class Hosting(Section):
    """The endpoint's machines, payloads and data capture."""

    variant: Name = "AllTraffic"
    instance_type: InstanceType = "ml.m5.large"
    instance_count: int = Field(default=1, ge=1)
    payloads: Payloads = Payloads()
    data_capture: DataCapture = DataCapture()

    @model_validator(mode="after")
    def _captures_are_legible(self) -> Hosting:
        capture, payloads = self.data_capture, self.payloads
        listed = capture.csv_content_types if payloads.content_type == "text/csv" else capture.json_content_types
        unlisted = sorted({payloads.content_type, payloads.answered_in} - set(listed))
        if payloads.content_type != "text/csv" and unlisted:
            raise ValueError(
                f"endpoint.data_capture.json_content_types: must list {', '.join(unlisted)}; what is not listed is "
                "captured as BASE64"
            )
        return self
