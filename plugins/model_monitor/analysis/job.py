"""The analysis as a processing container runs it: configuration and data from folders, result files into a folder."""

from __future__ import annotations

import io
import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis import cloudwatch, drift, report
from model_monitor.analysis.baseline import load_baseline
from model_monitor.analysis.bias import bias_report
from model_monitor.analysis.config import AnalysisConfig, ReportConfig, ShapConfig, load_analysis_config
from model_monitor.analysis.container import CONFIG, DATA, METRICS, OUTPUT, below, exit_code, files_below
from model_monitor.analysis.dataset import Dataset, read_captures, read_csv, read_merged
from model_monitor.analysis.explanations import explanations, labels, write_local_values
from model_monitor.analysis.grouping import Kind, kind_of
from model_monitor.analysis.kernel_shap import explain
from model_monitor.analysis.predictor import Invoke, Predictor, predicted_labels
from model_monitor.analysis.serialise import dumps
from model_monitor.errors import AnalysisError, InputError

log = logging.getLogger(__name__)

BIAS, EXPLAINABILITY = "MODEL_BIAS", "MODEL_EXPLAINABILITY"

_ATTRIBUTES = ("features_attribute", "inference_attribute", "probability_attribute", "ground_truth_attribute")

Fetch = Callable[[str], bytes]
"""The content of an S3 address."""


def run(root: Path, environment: Mapping[str, str], invoke: Invoke | None, fetch: Fetch | None = None) -> int:
    """Run a baselining job, or a monitoring job when the environment names an `analysis_type`.

    `root` stands for the container's `/`. `invoke` asks the model, and is needed for SHAP and for a baseline's
    post-training bias; `fetch` reads a SHAP baseline that is given as an S3 address. Returns the exit code: 0 done, 1
    the customer's error, 2 our own; the exit message lies in `/opt/ml/output/message`.
    """

    def work() -> str:
        log.info("Starting SageMaker Clarify Processing job")
        job = _Job(root, environment, load_analysis_config(below(root, CONFIG)), invoke, fetch)
        return job.monitor() if "analysis_type" in environment else job.baseline()

    return exit_code(root, work)


@dataclass(frozen=True)
class _Job:
    root: Path
    environment: Mapping[str, str]
    config: AnalysisConfig
    invoke: Invoke | None
    fetch: Fetch | None

    def baseline(self) -> str:
        dataset = read_csv(files_below(below(self.root, DATA)), self.config)
        predicted = dataset.predicted
        if predicted is None and self.config.post_training_methods is not None:
            predicted = self._predicted(dataset)
        analysis = self._analysis(dataset, predicted)
        self._write("analysis.json", dumps(analysis))
        self._report(analysis, len(dataset.features), report.Comparison())
        return "Completed: SageMaker XAI Analyzer ran successfully"

    def monitor(self) -> str:
        kind = self._setting("analysis_type")
        dataset = self._captured(kind)
        predicted = self._captured_labels(dataset) if kind == BIAS else None
        analysis = self._analysis(dataset, predicted)
        comparison = self._compare(analysis, kind)
        self._write("analysis.json", dumps(analysis))
        if comparison.violations:
            document = drift.violations_document(comparison.violations)
            self._write("constraint_violations.json", dumps(document))
        self._publish(analysis)
        self._report(analysis, len(dataset.features), comparison)
        if comparison.violations:
            count = len(comparison.violations)
            return f"CompletedWithViolations: Job completed successfully with {count} violations."
        return "Completed: Job completed successfully with no violations."

    def _predicted(self, dataset: Dataset) -> pd.Series[Any]:
        log.info("Start using model for predictions on %d records", len(dataset.features))
        scores = self._predictor()(dataset.features.to_numpy())
        log.info("Stop using endpoint")
        return self._labels(dataset.label, scores, self.config.probability_threshold)

    def _labels(self, label: pd.Series[Any] | None, scores: np.ndarray, threshold: float | None) -> pd.Series[Any]:
        """Scores as labels; those of a model that predicts a quantity stay as they are."""
        if scores.ndim == 1 and threshold is None and label is not None and self._is_quantity(label):
            log.info("Label '%s' is a quantity: predictions are compared with its threshold.", label.name)
            return pd.Series(scores, name="predicted label")
        if scores.ndim == 1:
            cut = 0.5 if threshold is None else threshold
            log.info("We assume a prediction above %.3f indicates 1 and below or equal indicates 0.", cut)
            log.info("Predictions lie between %.6g and %.6g.", scores.min(), scores.max())
        headers = self.config.predictor.label_headers if self.config.predictor else None
        return pd.Series(predicted_labels(scores, threshold, headers), name="predicted label")

    def _is_quantity(self, label: pd.Series[Any]) -> bool:
        """Whether labels have a threshold; those of a small window that are just 0 and 1 are taken for ones that do."""
        continuous = kind_of(label, self.config.label_values_or_threshold) is Kind.CONTINUOUS
        return continuous and not label.isin([0, 1]).all()

    def _captured(self, kind: str) -> Dataset:
        folder = self._setting("dataset_source")
        files = files_below(below(self.root, folder))
        if not files:
            raise InputError(f"Job inputs had no data: there is no file with records below {folder}")
        if kind == BIAS:
            return read_merged(files, self.config, **{name: self.environment.get(name) for name in _ATTRIBUTES})
        if kind == EXPLAINABILITY:
            return read_captures(files, self.config, features_attribute=self.environment.get("features_attribute"))
        raise AnalysisError(f"analysis_type is {kind!r}; expected {BIAS} or {EXPLAINABILITY}")

    def _captured_labels(self, dataset: Dataset) -> pd.Series[Any]:
        """Captured labels, or 1 where the captured score lies above the threshold."""
        if dataset.predicted is not None:
            return dataset.predicted
        if dataset.scores is None:
            raise AnalysisError("The captured records have no model output; switch on data capture of both directions.")
        given = self.environment.get("probability_threshold_attribute")
        threshold = self.config.probability_threshold if given is None else _number(given)
        return self._labels(dataset.label, dataset.scores, threshold)

    def _analysis(self, dataset: Dataset, predicted: pd.Series | None) -> dict[str, Any]:
        analysis: dict[str, Any] = {"version": "1.0"}
        if self.config.post_training_methods is not None or self.config.pre_training_methods is not None:
            analysis |= bias_report(dataset, self.config, predicted)
        if self.config.shap is not None:
            analysis["explanations"] = self._explanations(dataset, self.config.shap)
        return analysis

    def _explanations(self, dataset: Dataset, shap: ShapConfig) -> dict[str, Any]:
        records, features = dataset.features.to_numpy(), [str(name) for name in dataset.features.columns]
        baseline = self._shap_baseline(shap)
        log.info("Explaining %d records against %d baseline rows", len(records), len(baseline))
        attributions = explain(
            self._predictor(),
            records,
            baseline,
            num_samples=shap.num_samples,
            use_logit=shap.use_logit,
            seed=shap.seed,
        )
        log.info("Stop using endpoint")
        headers = self.config.predictor.label_headers if self.config.predictor else None
        if shap.save_local_shap_values:
            folder = self._output / "explanations_shap"
            write_local_values(folder, attributions, features, labels(attributions, headers), baseline)
            log.info("Wrote baseline used to compute explanations to: %s/explanations_shap/baseline.csv", OUTPUT)
        return explanations(attributions, features, shap.agg_method, headers)

    def _shap_baseline(self, shap: ShapConfig) -> np.ndarray:
        if shap.baseline is None:
            raise AnalysisError(
                "methods.shap has no baseline. Give one as rows, each with a value for every input of the model, or as "
                "the address of a CSV file without a header."
            )
        if isinstance(shap.baseline, str):
            return pd.read_csv(io.BytesIO(self._content(shap.baseline)), header=None).to_numpy()
        return pd.DataFrame([list(row) for row in shap.baseline]).to_numpy()

    def _content(self, address: str) -> bytes:
        if address.startswith("s3://"):
            if self.fetch is None:
                raise AnalysisError(
                    f"SHAP baseline {address}: S3 cannot be read here. Give the rows in the configuration."
                )
            return self.fetch(address)
        file = below(self.root, address)
        if not file.is_file():
            raise AnalysisError(f"SHAP baseline {address}: there is no such file")
        return file.read_bytes()

    def _predictor(self) -> Predictor:
        if self.invoke is None or self.config.predictor is None:
            raise AnalysisError(
                "The analysis must ask a model: add a predictor with a model_name to its configuration."
            )
        return Predictor(self.invoke, self.config.predictor)

    def _compare(self, analysis: Mapping[str, Any], kind: str) -> report.Comparison:
        path = self.environment.get("baseline_constraints")
        if path is None:
            log.info("No baseline constraints: nothing to compare with")
            return report.Comparison()
        baseline = load_baseline(below(self.root, path))
        drift.check_comparable(analysis, baseline)
        if kind == BIAS:
            return report.Comparison(baseline, tuple(drift.bias_violations(analysis, baseline)))
        scores = drift.attribution_ndcg(analysis, baseline)
        log.info("Feature attribution drift (NDCG) by label: %s", scores)
        return report.Comparison(baseline, tuple(drift.attribution_violations(scores)), scores)

    def _publish(self, analysis: Mapping[str, Any]) -> None:
        if self.environment.get("publish_cloudwatch_metrics") != "Enabled":
            return
        schedule = self.environment.get("sagemaker_monitoring_schedule_name")
        if schedule is None:
            raise AnalysisError("CloudWatch publishing is available only for jobs from MonitoringSchedules.")
        moment = self.environment.get("metric_time") or self._setting("start_time")
        source = cloudwatch.MetricSource(self.environment.get("sagemaker_endpoint_name"), schedule, moment)
        file = below(self.root, METRICS)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(f"{json.dumps(line)}\n" for line in _metrics(analysis, source))

    def _report(self, analysis: Mapping[str, Any], records: int, comparison: report.Comparison) -> None:
        asked = self.config.report or ReportConfig()
        facts = {
            "Records": f"{records:,}",
            "Endpoint": self.environment.get("sagemaker_endpoint_name"),
            "Schedule": self.environment.get("sagemaker_monitoring_schedule_name"),
            "Window": self._window(),
        }
        shown = {name: value for name, value in facts.items() if value}
        self._write(f"{asked.name}.html", report.render(asked.title, analysis, shown, comparison))

    def _window(self) -> str | None:
        start, end = self.environment.get("start_time"), self.environment.get("end_time")
        return f"{start} – {end}" if start and end else None

    def _write(self, name: str, text: str) -> None:
        self._output.mkdir(parents=True, exist_ok=True)
        (self._output / name).write_text(text, encoding="utf-8")

    @property
    def _output(self) -> Path:
        return below(self.root, self.environment.get("output_path", OUTPUT))

    def _setting(self, name: str) -> str:
        try:
            return self.environment[name]
        except KeyError:
            raise AnalysisError(f"The job's environment has no {name}; monitoring jobs need it.") from None


def _metrics(analysis: Mapping[str, Any], source: cloudwatch.MetricSource) -> Iterator[dict[str, Any]]:
    yield from cloudwatch.bias_metrics(analysis, source)
    yield from cloudwatch.explainability_metrics(analysis, source)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AnalysisError(f"probability_threshold_attribute is {text!r}; expected a number such as 0.8")
    return value
