"""What a Clarify job is told to analyse: the content of `analysis_config.json`, with keys in the SDK's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_monitor.config import MonitoredEndpoint
from model_monitor.config.types import Scalar

Analysis = dict[str, Any]
ShapBaseline = Sequence[Sequence[Scalar]] | str | None


def bias_baseline_analysis(endpoint: MonitoredEndpoint, model: str, headers: Sequence[str]) -> Analysis:
    """For the bias baselining job; `headers` are all columns of the validation data set."""
    threshold = endpoint.bias.probability_threshold
    return {
        "dataset_type": endpoint.data.dataset_type,
        "headers": list(headers),
        "label": endpoint.data.label,
        **_features(endpoint),
        **_sensitive_groups(endpoint),
        "methods": {
            **_REPORT,
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
        },
        "predictor": _predictor(endpoint, model),
        **({} if threshold is None else {"probability_threshold": threshold}),
    }


def explainability_baseline_analysis(
    endpoint: MonitoredEndpoint, model: str, headers: Sequence[str], shap_baseline: ShapBaseline
) -> Analysis:
    """For the explainability baselining job.

    `shap_baseline` is a list of rows with one value per model input, or the s3:// address of a file of such rows; None
    stands for the data set's clusters.
    """
    return {
        "dataset_type": endpoint.data.dataset_type,
        "headers": list(headers),
        "label": endpoint.data.label,
        **_features(endpoint),
        "predictor": _predictor(endpoint, model),
        "methods": {**_REPORT, "shap": _shap(endpoint, shap_baseline)},
    }


def bias_monitor_analysis(endpoint: MonitoredEndpoint, headers: Sequence[str]) -> Analysis:
    """For the bias monitor: its data set is the merged captures, which hold predictions."""
    return {**_sensitive_groups(endpoint), "headers": list(headers), "label": endpoint.data.label}


def explainability_monitor_analysis(
    endpoint: MonitoredEndpoint, model: str, headers: Sequence[str], shap_baseline: ShapBaseline
) -> Analysis:
    """For the explainability monitor; captures hold no label, so its header is left out."""
    return {
        "methods": {"shap": _shap(endpoint, shap_baseline)},
        "predictor": _predictor(endpoint, model),
        "headers": list(headers[:-1])
        if endpoint.data.is_json
        else [header for header in headers if header != endpoint.data.label],
    }


_REPORT: Analysis = {"report": {"name": "report", "title": "Analysis Report"}}


def _sensitive_groups(endpoint: MonitoredEndpoint) -> Analysis:
    bias = endpoint.bias
    facets = []
    for facet in bias.facets:
        entry: Analysis = {"name_or_index": facet.name}
        if facet.values_or_threshold is not None:
            entry["value_or_threshold"] = list(facet.values_or_threshold)
        facets.append(entry)
    groups: Analysis = {"label_values_or_threshold": list(bias.label_values_or_threshold), "facet": facets}
    return groups if bias.group_variable is None else groups | {"group_variable": bias.group_variable}


def _features(endpoint: MonitoredEndpoint) -> Analysis:
    return {} if endpoint.data.features is None else {"features": endpoint.data.features}


def _predictor(endpoint: MonitoredEndpoint, model: str) -> Analysis:
    payloads = endpoint.endpoint.payloads
    places = {
        "content_template": payloads.content_template,
        "record_template": payloads.record_template,
        "label": payloads.label,
        "probability": payloads.probability,
        "label_headers": payloads.label_headers,
    }
    return {
        "model_name": model,
        "instance_type": endpoint.endpoint.instance_type,
        "initial_instance_count": endpoint.endpoint.instance_count,
        "accept_type": payloads.answered_in,
        "content_type": payloads.content_type,
        **{key: value for key, value in places.items() if value is not None},
    }


def _shap(endpoint: MonitoredEndpoint, baseline: ShapBaseline) -> Analysis:
    settings = endpoint.explainability
    shap = {
        "use_logit": settings.use_logit,
        "save_local_shap_values": settings.save_local_shap_values,
        "baseline": baseline if baseline is None or isinstance(baseline, str) else [list(row) for row in baseline],
        "num_clusters": settings.num_clusters,
        "num_samples": settings.num_samples,
        "agg_method": settings.agg_method,
        "seed": settings.seed,
    }
    return {key: value for key, value in shap.items() if value is not None}
