"""The shape of `analysis_config.json`: every key that Clarify knows, with its type and what is allowed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)
from pydantic_core import ErrorDetails

Scalar = str | int | float | bool
NameOrIndex = str | int
AggMethod = Literal["mean_abs", "median", "mean_sq"]

NOT_VALID = "Analysis configuration schema validation error."

PRE_TRAINING_METRICS = ("CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD")
POST_TRAINING_METRICS = ("AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE")


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _known_metrics(known: tuple[str, ...]) -> AfterValidator:
    def expand(methods: list[str] | str) -> tuple[str, ...]:
        if methods in ("all", ["all"]):
            return known
        unknown = [name for name in methods if name not in known]
        if isinstance(methods, str) or unknown or not methods:
            shown = methods if isinstance(methods, str) else ", ".join(unknown) or "(none)"
            raise ValueError(f"unknown metric {shown}; metrics are 'all' or a list of {', '.join(known)}")
        return tuple(name for name in known if name in methods)

    return AfterValidator(expand)


_Name = StrictStr | StrictInt
_Whole = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)]
_Number = Annotated[StrictFloat, Field(allow_inf_nan=False)]
_Value = StrictStr | _Whole | _Number | StrictBool
_Position = StrictStr | Annotated[StrictInt, Field(ge=0)]
_DatasetType = Annotated[
    Literal[
        "text/csv",
        "application/jsonlines",
        "application/json",
        "application/sagemakercapturejson",
        "application/x-parquet",
        "application/x-image",
    ],
    BeforeValidator(_lower),
]
_ContentType = Annotated[str, BeforeValidator(_lower)]
_EndpointPrefix = Annotated[StrictStr, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=23)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Facet(_Section):
    name_or_index: _Name
    value_or_threshold: list[_Value] | None = None


class ShapSchema(_Section):
    baseline: StrictStr | list[list[_Value | None] | dict[str, Any]] | dict[str, Any] | None = None
    num_samples: Annotated[StrictInt, Field(ge=1)] | None = None
    agg_method: Annotated[AggMethod, BeforeValidator(_lower)] = "mean_abs"
    use_logit: StrictBool = False
    save_local_shap_values: StrictBool = False
    seed: Annotated[StrictInt, Field(ge=0)] | None = None
    num_clusters: Annotated[StrictInt, Field(ge=1, le=12)] | None = None
    features_to_explain: Any = None
    text_config: Any = None
    image_config: Any = None


class _PreTraining(_Section):
    methods: Annotated[list[str] | str, _known_metrics(PRE_TRAINING_METRICS)]


class _PostTraining(_Section):
    methods: Annotated[list[str] | str, _known_metrics(POST_TRAINING_METRICS)]


class _Report(_Section):
    name: Annotated[StrictStr, Field(pattern=r"^[^./\\][^/\\]*$", max_length=200)] = "report"
    title: StrictStr = "Analysis Report"


class _Methods(_Section):
    pre_training_bias: _PreTraining | None = None
    post_training_bias: _PostTraining | None = None
    shap: ShapSchema | None = None
    report: _Report | None = None
    pdp: Any = None
    asymmetric_shapley_value: Any = None


class PredictorSchema(_Section):
    model_name: StrictStr | None = None
    endpoint_name: StrictStr | None = None
    endpoint_name_prefix: _EndpointPrefix | None = None
    instance_type: StrictStr | None = None
    initial_instance_count: Annotated[StrictInt, Field(ge=1)] | None = None
    accelerator_type: StrictStr | None = None
    content_type: _ContentType | None = None
    accept_type: _ContentType | None = None
    label: _Position | None = None
    probability: _Position | None = None
    label_headers: list[_Name] | StrictStr | None = None
    target_model: Any = None
    custom_attributes: Annotated[StrictStr, Field(pattern=r"^[\x20-\x7e]*$", max_length=1024)] | None = None
    content_template: StrictStr | None = None
    record_template: StrictStr | None = None
    time_series_predictor_config: Any = None


class ConfigSchema(_Section):
    version: StrictStr | None = None
    dataset_type: _DatasetType | None = None
    headers: list[StrictStr] | None = None
    label: _Name | None = None
    label_values_or_threshold: list[_Value] | None = None
    facet: list[_Facet] = []
    group_variable: _Name | None = None
    probability_threshold: _Number | _Whole | None = None
    predicted_label: _Name | None = None
    features: StrictStr | None = None
    excluded_columns: list[_Name] = []
    joinsource_name_or_index: _Name | None = None
    methods: _Methods | None = None
    predictor: PredictorSchema | None = None
    dataset_uri: Any = None
    segment_config: Any = None
    facet_dataset_uri: StrictStr | None = None
    facet_headers: list[StrictStr] | None = None
    predicted_label_dataset_uri: StrictStr | None = None
    predicted_label_headers: list[StrictStr] | None = None
    time_series_data_config: Any = None


UNSUPPORTED = (
    ("dataset_uri",),
    ("segment_config",),
    ("time_series_data_config",),
    ("methods", "pdp"),
    ("methods", "asymmetric_shapley_value"),
    ("methods", "shap", "features_to_explain"),
    ("methods", "shap", "text_config"),
    ("methods", "shap", "image_config"),
    ("predictor", "target_model"),
    ("predictor", "time_series_predictor_config"),
)


def explain(problem: ErrorDetails) -> str:
    """One line for one mistake: the key, and what is wrong with it."""
    key = ".".join(str(part) for part in problem["loc"] if part in _KEYS or isinstance(part, int))
    if problem["type"] == "extra_forbidden":
        return f"{'.'.join(map(str, problem['loc']))}: unknown field"
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}"


_KEYS = frozenset(
    name
    for section in (ConfigSchema, _Facet, ShapSchema, _PreTraining, _PostTraining, _Report, _Methods, PredictorSchema)
    for name in section.model_fields
)
