"""The analysis as a processing container runs it: configuration and data from folders, result files into a folder."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from model_monitor.analysis import cloudwatch, report
from model_monitor.analysis.baseline import load_baseline
from model_monitor.analysis.bias import bias_report
from model_monitor.analysis.config import (
    AnalysisConfig,
    PredictorConfig,
    ShapConfig,
)
from model_monitor.analysis.config_file import load_analysis_config
from model_monitor.analysis.container import CONFIG, DATA, METRICS, OUTPUT, below, exit_code, files_below
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.dataset_captures import read_captures, read_merged
from model_monitor.analysis.dataset_files import read_dataset
from model_monitor.analysis.explanations import explanations, labels, write_local_values
from model_monitor.analysis.judging import Subject, compare, exit_message, result_files
from model_monitor.analysis.kernel_shap import explain
from model_monitor.analysis.predicted import Predictions, labels_of
from model_monitor.analysis.predictor import Invoke, Predictor, PredictorOf, no_model
from model_monitor.analysis.shap_baseline import baseline_rows
from model_monitor.analysis.side_tables import completed
from model_monitor.errors import AnalysisError, InputError

log = logging.getLogger(__name__)

BIAS, EXPLAINABILITY = "MODEL_BIAS", "MODEL_EXPLAINABILITY"

_ATTRIBUTES = (
    "features_attribute",
    "inference_attribute",
    "probability_attribute",
    "ground_truth_attribute",
    "exclude_features_attribute",
)

Fetch = Callable[[str], bytes]
"""The content of an S3 address."""


def run(root: Path, environment: Mapping[str, str], invoke: Invoke | None, fetch: Fetch | None = None) -> int:
    """Run a baselining job, or a monitoring job when the environment names an `analysis_type`.

    `root` stands for the container's `/`. `invoke` asks the model, and is needed for SHAP and for a baseline's
    post-training bias; `fetch` reads what the configuration names by S3 addresses. Returns the exit code: 0 done, 1
    the customer's error, 2 our own; the exit message lies in `/opt/ml/output/message`.
    """

    def work() -> str:
        job = _job(root, environment, invoke and partial(Predictor, invoke), fetch)
        return job.monitor() if "analysis_type" in environment else job.baseline()

    return exit_code(root, work)


def make_baseline(root: Path, predictor_of: PredictorOf, fetch: Fetch) -> None:
    """Do what `run` does for a baselining job, and raise what goes wrong.

    Raises:
        InputError: for configuration or data, naming file and line; and what the model and `fetch` raise.
    """
    _job(root, {}, predictor_of, fetch).baseline()


def _job(root: Path, environment: Mapping[str, str], predictor_of: PredictorOf | None, fetch: Fetch | None) -> _Job:
    log.info("Starting SageMaker Clarify Processing job")
    return _Job(root, environment, load_analysis_config(below(root, CONFIG)), predictor_of, fetch)


@dataclass(frozen=True)
class _Job:
    root: Path
    environment: Mapping[str, str]
    config: AnalysisConfig
    predictor_of: PredictorOf | None
    fetch: Fetch | None

    def baseline(self) -> str:
        dataset = read_dataset(files_below(below(self.root, DATA)), self.config)
        dataset = completed(dataset, self.config, self._content)
        predicted = dataset.predicted
        if predicted is None and self.config.post_training_methods is not None:
            predicted = self._predicted(dataset)
        analysis = self._analysis(dataset, predicted)
        self._write_results(analysis, Subject(len(dataset), is_baseline=True), report.Comparison())
        return "Completed: SageMaker XAI Analyzer ran successfully"

    def monitor(self) -> str:
        kind = self._setting("analysis_type")
        dataset = self._captured(kind)
        predicted = self._captured_labels(dataset) if kind == BIAS else None
        analysis = self._analysis(dataset, predicted)
        comparison = compare(analysis, self._baseline())
        self._write_results(analysis, self._subject(len(dataset)), comparison)
        self._publish(analysis)
        return exit_message(comparison)

    def _predicted(self, dataset: Dataset) -> pd.Series[Any]:
        log.info("Start using model for predictions on %d records", len(dataset.features))
        predictions = self._predictor(dataset.features).predict(dataset.features.to_numpy())
        log.info("Stop using endpoint")
        return self._labels(dataset.label, predictions, self.config.probability_threshold)

    def _labels(
        self, observed: pd.Series[Any] | None, predictions: Predictions, threshold: float | None
    ) -> pd.Series[Any]:
        headers = self.config.predictor.label_headers if self.config.predictor else None
        return labels_of(predictions, observed, self.config.label_values_or_threshold, threshold, headers)

    def _captured(self, kind: str) -> Dataset:
        folder = self._setting("dataset_source")
        files = files_below(below(self.root, folder))
        if not files:
            raise InputError(f"Job inputs had no data: there is no file with records below {folder}")
        if kind == BIAS:
            return read_merged(files, self.config, self._attributes)
        if kind == EXPLAINABILITY:
            return read_captures(files, self.config, self._attributes)
        raise AnalysisError(f"analysis_type is {kind!r}; expected {BIAS} or {EXPLAINABILITY}")

    def _captured_labels(self, dataset: Dataset) -> pd.Series[Any]:
        """Captured labels, or 1 where the captured score lies above the threshold."""
        if dataset.predicted is not None:
            return dataset.predicted
        if dataset.scores is None:
            raise AnalysisError("The captured records have no model output; switch on data capture of both directions.")
        given = self.environment.get("probability_threshold_attribute")
        threshold = self.config.probability_threshold if given is None else _number(given)
        return self._labels(dataset.label, Predictions(dataset.scores, None), threshold)

    def _analysis(self, dataset: Dataset, predicted: pd.Series | None) -> dict[str, Any]:
        analysis: dict[str, Any] = {"version": "1.0"}
        if self.config.post_training_methods is not None or self.config.pre_training_methods is not None:
            analysis |= bias_report(dataset, self.config, predicted)
        if self.config.shap is not None:
            analysis["explanations"] = self._explanations(dataset, self.config.shap)
        return analysis

    def _explanations(self, dataset: Dataset, shap: ShapConfig) -> dict[str, Any]:
        features, predict = [str(name) for name in dataset.features.columns], self._predictor(dataset.features)
        path = self._attributes["features_attribute"] or self.config.features
        baseline = baseline_rows(shap, dataset.features, path, self.config.dataset_type, self._content)
        self._keep_baseline(baseline)
        log.info("Explaining %d records against %d baseline rows", len(dataset), len(baseline))
        attributions = explain(
            predict,
            dataset.features.to_numpy(),
            baseline.to_numpy(),
            num_samples=shap.num_samples,
            use_logit=shap.use_logit,
            seed=shap.seed,
        )
        log.info("Stop using endpoint")
        headers = predict.classes
        if shap.save_local_shap_values:
            names = labels(attributions, headers)
            write_local_values(self._explanations_folder, [attributions.values], features, names)
        return explanations(attributions, features, shap.agg_method, headers)

    def _keep_baseline(self, baseline: pd.DataFrame) -> None:
        self._explanations_folder.mkdir(parents=True, exist_ok=True)
        baseline.to_csv(self._explanations_folder / "baseline.csv", index=False)
        log.info("Wrote baseline used to compute explanations to: %s/explanations_shap/baseline.csv", OUTPUT)

    def _content(self, address: str) -> bytes:
        """What lies at an address that the configuration names."""
        if address.startswith("s3://"):
            if self.fetch is None:
                raise AnalysisError(f"{address}: S3 cannot be read here. Give what is there in the configuration.")
            return self.fetch(address)
        file = below(self.root, address)
        if not file.is_file():
            raise AnalysisError(f"{address}, which the analysis configuration names: there is no such file")
        return file.read_bytes()

    def _predictor(self, features: pd.DataFrame) -> Predictor:
        if self.predictor_of is None or self.config.predictor is None:
            raise no_model()
        return self.predictor_of(self._located(self.config.predictor), features=features)

    def _located(self, predictor: PredictorConfig) -> PredictorConfig:
        """The predictor with the places of label and score that a monitor has in its EndpointInput."""
        if predictor.label is not None or predictor.probability is not None:
            return predictor
        label, probability = self._attributes["inference_attribute"], self._attributes["probability_attribute"]
        return replace(predictor, label=label, probability=probability)

    def _baseline(self) -> dict[str, Any] | None:
        path = self.environment.get("baseline_constraints")
        return None if path is None else load_baseline(below(self.root, path))

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
            lines.writelines(f"{json.dumps(line)}\n" for line in cloudwatch.metrics(analysis, source))

    def _write_results(self, analysis: Mapping[str, Any], subject: Subject, comparison: report.Comparison) -> None:
        self._output.mkdir(parents=True, exist_ok=True)
        for name, text in result_files(analysis, comparison, subject, self.config.report).items():
            (self._output / name).write_text(text, encoding="utf-8")

    def _subject(self, records: int) -> Subject:
        return Subject(
            records,
            self.environment.get("sagemaker_endpoint_name"),
            self.environment.get("sagemaker_monitoring_schedule_name"),
            self._window(),
        )

    def _window(self) -> tuple[str, str] | None:
        start, end = self.environment.get("start_time"), self.environment.get("end_time")
        return (start, end) if start and end else None

    @property
    def _attributes(self) -> dict[str, str | None]:
        """A monitor's EndpointInput; the SDK writes None as text where it has no inference attribute."""
        given = {name: self.environment.get(name) for name in _ATTRIBUTES}
        return {name: None if value == "None" else value for name, value in given.items()}

    @property
    def _explanations_folder(self) -> Path:
        return self._output / "explanations_shap"

    @property
    def _output(self) -> Path:
        return below(self.root, self.environment.get("output_path", OUTPUT))

    def _setting(self, name: str) -> str:
        try:
            return self.environment[name]
        except KeyError:
            raise AnalysisError(f"The job's environment has no {name}; monitoring jobs need it.") from None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AnalysisError(f"probability_threshold_attribute is {text!r}; expected a number such as 0.8")
    return value
