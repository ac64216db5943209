"""Who reads what, and who writes it: one function for each kind of task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from model_monitor import names, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.lineage.values import Check, Data, Flow
from model_monitor.names import Kind
from model_monitor.verdicts import ReportFiles
from model_monitor.window_data import Found

CONSTRAINTS_FILE = "/analysis.json"


def uploads(files: Mapping[str, str]) -> Flow:
    """Local files, by path, become the objects of these addresses."""
    return Flow(tuple(Data(path) for path in files), tuple(Data(uri) for uri in files.values()))


def deployment(endpoint: MonitoredEndpoint, archive: str, arn: str) -> Flow:
    """A model archive, by its fingerprint, becomes an endpoint."""
    model = Data(names.model_archive(endpoint, archive), type="MODEL")
    return Flow((model,), (Data(arn, type="MODEL"),), {"endpoint": endpoint.name})


def traffic(endpoint: MonitoredEndpoint, file: str, arn: str, sent: int) -> Flow:
    """Rows of a file, sent to the endpoint of this ARN, become captures; how many of them, the endpoint decides."""
    inputs = (Data(file, rows=sent), Data(arn, type="MODEL"))
    return Flow(inputs, (Data(names.captures(endpoint)),), {"endpoint": endpoint.name})


def found(folder: str, records: Sequence[Found], rows: int | None) -> Data:
    """Objects of records below a folder, and how many records they hold where that is known."""
    return files(folder, [one.uri for one in records], rows, sum(one.size for one in records))


def files(folder: str, uris: Sequence[str], rows: int | None, size: int | None = None) -> Data:
    """Objects below a folder; its parts are the folders that hold them."""
    parts = dict.fromkeys(uri.rpartition("/")[0] for uri in uris)
    return Data(folder, parts=tuple(parts), rows=rows, files=len(uris), size=size)


def merged(endpoint: MonitoredEndpoint, folders: Sequence[str]) -> Data:
    """Captures merged with labels, in these folders."""
    return Data(f"{names.merged(endpoint)}/{endpoint.name}", parts=tuple(folders))


def ground_truth(endpoint: MonitoredEndpoint, files: Sequence[str], labels: int) -> Flow:
    """Labels come into files, the same into each."""
    written = Data(names.ground_truth(endpoint), parts=tuple(files), files=len(files), rows=len(files) * labels)
    return Flow((), (written,), {"endpoint": endpoint.name})


def baseline(
    endpoint: MonitoredEndpoint, kind: Kind, dataset: str, columns: Sequence[str], archive: str, job: str | None = None
) -> Flow:
    """A data set and a model archive, by its fingerprint, become constraints."""
    inputs = (Data(dataset, columns=tuple(columns)), Data(names.model_archive(endpoint, archive), type="MODEL"))
    return Flow(inputs, (Data(names.baseline_output(endpoint, kind)),), _about(endpoint, kind), job)


def retraining(endpoint: MonitoredEndpoint, learnt: Sequence[Found], in_force: str, candidate: str) -> Flow:
    """Captures with their labels, beside the validation data set and the model in force, become a candidate.

    Models are named by their archive's fingerprint.
    """
    inputs = (
        found(f"{names.merged(endpoint)}/{endpoint.name}", learnt, None),
        Data(sources.validation_uri(endpoint)),
        Data(names.model_archive(endpoint, in_force), type="MODEL"),
    )
    return Flow(inputs, (Data(names.model_archive(endpoint, candidate), type="MODEL"),), {"endpoint": endpoint.name})


def judged(
    endpoint: MonitoredEndpoint,
    kind: Kind,
    report: ReportFiles,
    *,
    captures: Data,
    others: Sequence[Data],
    constraints: str | None,
    merged: Data | None,
    job: str | None = None,
) -> Flow:
    """Captures, and what they were compared with, become a report; the constraints are tested on the captures.

    Args:
        others: what was read beside them.
        constraints: the address of what was compared with.
        merged: captures with their labels, where those were kept.
    """
    tested = tuple(checks(report)) if constraints == report.baseline else ()
    inputs = [replace(captures, checks=tested), *others]
    if constraints is not None:
        inputs.append(Data(constraints.removesuffix(CONSTRAINTS_FILE)))
    written = Data(names.report_folders(endpoint, kind), parts=(report.uri,), files=len(report.files), size=report.size)
    tags = {"status": report.status, "violations": str(len(report.violations)), "report": report.uri}
    outputs = (written,) if merged is None else (merged, written)
    return Flow(tuple(inputs), outputs, _about(endpoint, kind) | tags, job)


def managed(endpoint: MonitoredEndpoint, kind: Kind, report: ReportFiles, job: Mapping[str, Any]) -> Flow:
    """A monitoring job, as DescribeProcessingJob has it; that of the bias monitor has captures merged with labels."""
    inputs = [source["S3Input"] for source in job["ProcessingInputs"] if "S3Input" in source]
    constraints = next((one["S3Uri"] for one in inputs if "/baseline/" in one["LocalPath"]), report.baseline)
    read = [str(one["S3Uri"]) for one in inputs]
    folders = _below(f"{names.merged(endpoint)}/{endpoint.name}", read)
    captures = [uri.replace(names.merged(endpoint), names.data_capture(endpoint), 1) for uri in folders]
    return judged(
        endpoint,
        kind,
        report,
        captures=Data(names.captures(endpoint), parts=(*captures, *_below(names.captures(endpoint), read))),
        others=[Data(names.ground_truth(endpoint))] if folders else [],
        constraints=constraints,
        merged=merged(endpoint, folders) if folders else None,
        job=job["ProcessingJobArn"],
    )


def range_report(endpoint: MonitoredEndpoint, kind: Kind, address: str) -> Flow:
    """All of a monitor's reports, or those of a range, become one."""
    reports = Data(names.report_folders(endpoint, kind))
    return Flow((reports,), (Data(address),), _about(endpoint, kind) | {"report": address})


def checks(report: ReportFiles) -> Iterator[Check]:
    """Every constraint that an analysis was compared with, and whether it holds."""
    from model_monitor.analysis.drift import NDCG_THRESHOLD, attribution_ndcg, compared_metrics, printed

    analysis, constraints = report.analysis, report.constraints or {}
    violated = {_key(violation): violation["description"] for violation in report.violations}
    for metric in compared_metrics(analysis, constraints):
        described = violated.get((metric.facet, metric.facet_value, metric.name))
        yield Check(
            "bias_drift_check",
            f"{metric.name} of {metric.facet} {metric.facet_value}",
            described is None,
            expected=f"at most {printed(abs(metric.baseline))} from 0",
            actual=printed(metric.value),
            column=metric.facet,
            description=described,
        )
    for label, score in attribution_ndcg(analysis, constraints).items():
        described = violated.get((None, label, "shap"))
        yield Check(
            "feature_attribution_drift_check",
            f"NDCG of {label}",
            described is None,
            expected=f"at least {NDCG_THRESHOLD}",
            actual=printed(score),
            description=described,
        )


def _key(violation: Mapping[str, Any]) -> tuple[str | None, str | None, str]:
    return violation.get("facet"), violation.get("facet_value", violation.get("label")), violation["metric_name"]


def _below(folder: str, uris: Iterable[str]) -> list[str]:
    return [uri for uri in uris if uri.startswith(f"{folder}/")]


def _about(endpoint: MonitoredEndpoint, kind: Kind) -> dict[str, str]:
    return {"endpoint": endpoint.name, "monitor": kind}
