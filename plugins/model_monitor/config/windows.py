"""The YAML's section on windows: what Airflow judges itself, when, by which rule and with what."""

from __future__ import annotations

from typing import Annotated, Literal

from croniter import croniter
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from model_monitor.config.types import InstanceType, Name, Section

MAX_PAYLOAD_MB = 6


def _cron(text: str) -> str:
    if len(text.split()) != 5 or not croniter.is_valid(text):
        raise AssertionError(text)
    return text


Cron = Annotated[str, AfterValidator(_cron)]
Shift = Annotated[str, StringConstraints(pattern=r"^[+-]?P(\d+D|(\d+D)?T(\d+H|\d+M|\d+H\d+M))$", max_length=15)]
SHIFT = "an ISO 8601 duration, with a minus to go back, such as PT0H, -P1D or PT15M"


class WindowModel(Section):
    """Who answers SHAP's requests, and how hard it may be asked."""

    endpoint: Name | None = None
    instance_type: InstanceType | None = None
    instance_count: int | None = Field(default=None, ge=1)
    concurrency: int = Field(default=4, ge=1, le=64)
    requests_per_second: float | None = Field(default=None, gt=0)
    max_payload_mb: float = Field(
        default=MAX_PAYLOAD_MB, gt=0, le=MAX_PAYLOAD_MB, description="at most 6 MB, which SageMaker takes in a request"
    )

    @model_validator(mode="after")
    def _shadow_or_existing(self) -> WindowModel:
        if self.endpoint is not None and (self.instance_type or self.instance_count):
            raise ValueError(
                "windows.model.endpoint: an existing endpoint has its own machines; leave instance_type and "
                "instance_count out, or leave endpoint out to have a shadow endpoint made"
            )
        return self


class VerdictRule(Section):
    """When a window's verdict turns red: `point` is Clarify's rule, `interval` asks for certainty."""

    rule: Literal["point", "interval"] = "point"
    confidence: float = Field(default=0.95, ge=0.5, le=0.999)
    resamples: int = Field(default=1000, ge=100, le=10_000)
    violating_windows: int = Field(default=1, ge=1, le=100)
    of_windows: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _can_turn_red(self) -> VerdictRule:
        if self.violating_windows > self.of_windows:
            raise ValueError(
                f"windows.verdict.violating_windows: {self.violating_windows} of {self.of_windows} windows can never "
                "violate; raise of_windows"
            )
        if self.rule == "point" and self.of_windows > 1:
            raise ValueError("windows.verdict: violating_windows and of_windows belong to rule: interval")
        return self


class Windows(Section):
    """Windows of captured data that Airflow judges without the managed service."""

    schedule: Cron | None = Field(
        default=None, description="a cron expression of five fields in UTC, such as '*/15 * * * *' or '0 6 * * 1'"
    )
    start_offset: Shift = Field(default="PT0H", description=SHIFT)
    end_offset: Shift = Field(default="PT0H", description=SHIFT)
    labels_until: Shift = Field(default="PT0H", description=SHIFT)
    when_empty: Literal["skip", "fail"] = "skip"
    engine: Literal["duckdb", "pyspark"] = "duckdb"
    spark: dict[str, str] = Field(
        default={}, description="settings of the Spark session, each a text, such as {spark.master: 'local[2]'}"
    )
    memory_mb: int = Field(default=512, ge=256)
    shard_mb: int = Field(default=16, ge=1)
    flip_test_records: int = Field(default=50_000, ge=0)
    scratch: str | None = None
    model: WindowModel = WindowModel()
    verdict: VerdictRule = VerdictRule()

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Windows:
        if self.schedule is None and (self.start_offset, self.end_offset) != ("PT0H", "PT0H"):
            raise ValueError(
                "windows.start_offset: offsets shift the interval of windows.schedule; without it windows are those of "
                "monitoring.cron, with monitoring's offsets"
            )
        if self.labels_until.startswith("-"):
            raise ValueError("windows.labels_until: labels come after what they are about; give a positive duration")
        if self.spark and self.engine != "pyspark":
            raise ValueError("windows.spark: settings of a Spark session go with engine: pyspark")
        return self
