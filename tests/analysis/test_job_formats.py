"""Whole jobs on one data set of people in every format: each must come to what CSV comes to.

Configurations are those that the SDK writes for SageMaker's own example of a linear learner on census data.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis import merge
from model_monitor.analysis.predictor import Invoke
from tests.analysis.job_container import CONSTRAINTS, Container, environment

FEATURES = ["Age", "Workclass", "Education-Num", "Sex", "Capital Gain", "Hours per week"]
HEADERS = [*FEATURES, "Target"]
PEOPLE = 200
HOUR = "adult/AllTraffic/2026/11/22/10"
ENDPOINT_INPUT = {
    "features_attribute": "instances[*].features",
    "inference_attribute": "predictions[*].predicted_label",
}
BASELINE_ROW = [39, "private", 10, 1, 1597.5, 41]

Record = dict[str, Any]


def people() -> list[list[Any]]:
    rng = np.random.default_rng(7)
    jobs = ["private", "state", "own, not inc"]
    return [
        [
            int(rng.integers(17, 80)), jobs[rng.integers(0, 3)], int(rng.integers(1, 17)), int(rng.integers(0, 2)),
            round(float(rng.exponential(1000)), 2), int(rng.integers(10, 80)),
        ]
        for _ in range(PEOPLE)
    ]  # fmt: skip


def score(person: list[Any]) -> float:
    age, work, education, sex, gain, hours = person
    found = 0.03 * age + 0.8 * (work == "private") + 0.2 * education + 0.7 * sex + 0.0005 * gain + 0.02 * hours - 5.5
    return float(1 / (1 + np.exp(-found)))


def observed() -> list[int]:
    rng = np.random.default_rng(8)
    return [int(score(person) > rng.random()) for person in people()]


def answer(person: list[Any]) -> Record:
    return {"score": score(person), "predicted_label": int(score(person) > 0.5)}


def speaks_json(body: bytes, content_type: str, accept: str) -> bytes:
    assert (content_type, accept) == ("application/json", "application/json")
    rows = [instance["features"] for instance in json.loads(body)["instances"]]
    assert all(isinstance(row[0], int) for row in rows)
    return json.dumps({"predictions": [answer(row) for row in rows]}).encode()


def speaks_json_lines(body: bytes, content_type: str, accept: str) -> bytes:
    assert (content_type, accept) == ("application/jsonlines", "application/jsonlines")
    return "\n".join(json.dumps(answer(json.loads(line)["features"])) for line in body.splitlines()).encode()


def speaks_csv(body: bytes, content_type: str, accept: str) -> bytes:
    assert (content_type, accept) == ("text/csv", "text/csv")
    rows = csv.reader(io.StringIO(body.decode()))
    people = [[float(cell) if column != 1 else cell for column, cell in enumerate(row)] for row in rows]
    return "\n".join(f"{one['predicted_label']},{one['score']!r}" for one in map(answer, people)).encode()


BIAS: Record = {
    "headers": HEADERS,
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Sex", "value_or_threshold": [0]}, {"name_or_index": "Workclass"}],
    "group_variable": "Workclass",
}
METHODS: Record = {
    "report": {"name": "report", "title": "Analysis Report"},
    "pre_training_bias": {"methods": "all"},
    "post_training_bias": {"methods": "all"},
    "shap": {"use_logit": False, "save_local_shap_values": True, "num_samples": 62, "agg_method": "mean_abs"},
}
MODEL = {"model_name": "adult", "instance_type": "ml.m5.xlarge", "initial_instance_count": 1}


def csv_text(rows: list[list[Any]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def labelled() -> list[list[Any]]:
    return [[*person, label] for person, label in zip(people(), observed(), strict=True)]


def records() -> list[Record]:
    return [{"features": person, "label": label} for person, label in zip(people(), observed(), strict=True)]


def as_csv(container: Container) -> Invoke:
    container.put("/opt/ml/processing/input/data/people.csv", csv_text(labelled()))
    shap = METHODS["shap"] | {"baseline": [BASELINE_ROW]}
    predictor = MODEL | {"content_type": "text/csv", "accept_type": "text/csv", "label": 0, "probability": 1}
    config = {"dataset_type": "text/csv", "label": "Target", "predictor": predictor}
    container.configure(BIAS | config | {"methods": METHODS | {"shap": shap}})
    return speaks_csv


def as_json(container: Container) -> Invoke:
    data = {"instances": records()}
    container.put("/opt/ml/processing/input/data/people.json", data)
    shap = METHODS["shap"] | {"baseline": {"instances": [{"features": BASELINE_ROW}]}}
    predictor = MODEL | {
        "content_type": "application/json",
        "accept_type": "application/json",
        "content_template": '{"instances":$records}',
        "record_template": '{"features":$features}',
        "label": "predictions[*].predicted_label",
        "probability": "predictions[*].score",
    }
    config = {
        "dataset_type": "application/json",
        "features": "instances[*].features",
        "label": "instances[*].label",
        "predictor": predictor,
    }
    container.configure(BIAS | config | {"methods": METHODS | {"shap": shap}})
    return speaks_json


def as_json_lines(container: Container) -> Invoke:
    container.put("/opt/ml/processing/input/data/people.jsonl", "\n".join(map(json.dumps, records())))
    shap = METHODS["shap"] | {"baseline": [{"features": BASELINE_ROW}]}
    predictor = MODEL | {
        "content_template": '{"features":$features}',
        "label": "predicted_label",
        "probability": "score",
    }
    config = {"dataset_type": "application/jsonlines", "features": "features", "label": "label"}
    container.configure(BIAS | config | {"predictor": predictor, "methods": METHODS | {"shap": shap}})
    return speaks_json_lines


def as_parquet(container: Container) -> Invoke:
    container.put("/opt/ml/processing/input/data/_SUCCESS", "by Spark")
    table = pd.DataFrame(labelled(), columns=HEADERS)
    table.to_parquet(container.root / "opt/ml/processing/input/data/part-0.snappy.parquet")
    shap = METHODS["shap"] | {"baseline": [BASELINE_ROW]}
    config = {"dataset_type": "application/x-parquet", "label": "Target"}
    predictor = MODEL | {"content_type": "text/csv", "label": 0, "probability": 1}
    container.configure(BIAS | config | {"predictor": predictor, "methods": METHODS | {"shap": shap}})
    return speaks_csv


def results(root: Path, prepare: Callable[[Container], Invoke]) -> tuple[Record, str, str]:
    container = Container(root)
    model = prepare(container)
    assert container.run({}, model) == 0, container.message
    folder = container.output / "explanations_shap"
    return container.analysis(), (folder / "out.csv").read_text(), (folder / "baseline.csv").read_text()


@pytest.fixture(scope="module")
def of_csv(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, str, str]:
    return results(tmp_path_factory.mktemp("csv"), as_csv)


@pytest.mark.parametrize("prepare", [as_json, as_json_lines, as_parquet])
def test_bias_and_attributions_do_not_depend_on_the_format(
    tmp_path: Path, of_csv: tuple[Record, str, str], prepare: Callable[[Container], Invoke]
) -> None:
    assert results(tmp_path, prepare) == of_csv


def test_those_of_csv_are_right(of_csv: tuple[Record, str, str]) -> None:
    analysis, local, baseline = of_csv
    facets = analysis["pre_training_bias_metrics"]["facets"]
    assert {name: [one["value_or_threshold"] for one in found] for name, found in facets.items()} == {
        "Sex": ["0"],
        "Workclass": list(dict.fromkeys(person[1] for person in people())),
    }
    women = [label for person, label in zip(people(), observed(), strict=True) if person[3] == 0]
    men = [label for person, label in zip(people(), observed(), strict=True) if person[3] == 1]
    metrics = {one["name"]: one["value"] for one in facets["Sex"][0]["metrics"]}
    assert metrics["CI"] == pytest.approx((len(men) - len(women)) / PEOPLE)
    assert metrics["DPL"] == pytest.approx(np.mean(men) - np.mean(women))
    values = pd.read_csv(io.StringIO(local))
    np.testing.assert_allclose(values.sum(axis=1), [score(one) - score(BASELINE_ROW) for one in people()], atol=1e-9)
    assert baseline == csv_text([FEATURES, BASELINE_ROW])


class Endpoint:
    """Captures of a window, several people a request, and labels by request; in CSV or in JSON."""

    def __init__(self, root: Path, as_json: bool) -> None:
        self.job, self.merging, self.json = Container(root / "job"), Container(root / "merge"), as_json
        asked = [slice(start, start + 5) for start in range(0, PEOPLE, 5)]
        captures = [self._capture(number, people()[part]) for number, part in enumerate(asked)]
        labels = [self._labels(number, observed()[part]) for number, part in enumerate(asked)]
        self.captures = "".join(f"{json.dumps(one)}\n" for one in captures)
        self.merging.put(f"/data/{HOUR}/00-00-000.jsonl", self.captures)
        self.merging.put("/labels/2026/11/22/10/0.jsonl", "".join(f"{json.dumps(one)}\n" for one in labels))

    def _capture(self, number: int, rows: list[list[Any]]) -> Record:
        if self.json:
            kind, encoding = "application/json", "JSON"
            given = json.dumps({"instances": [{"features": row} for row in rows]})
            answered = json.dumps({"predictions": [answer(row) for row in rows]})
        else:
            kind, encoding = "text/csv", "CSV"
            given = csv_text(rows)
            answered = "".join(f"{answer(row)['predicted_label']},{score(row)!r}\n" for row in rows)
        sides = {"endpointInput": ("INPUT", given), "endpointOutput": ("OUTPUT", answered)}
        return {
            "captureData": {
                name: {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}
                for name, (mode, data) in sides.items()
            },
            "eventMetadata": {"eventId": f"e{number}", "inferenceId": str(number)},
            "eventVersion": "0",
        }

    def _labels(self, number: int, labels: list[int]) -> Record:
        data, encoding = "\n".join(map(str, labels)), "CSV"
        if self.json:
            data, encoding = json.dumps({"instances": [{"label": label} for label in labels]}), "JSON"
        event = {"eventId": str(number)}
        return {"groundTruthData": {"data": data, "encoding": encoding}, "eventMetadata": event, "eventVersion": "0"}

    def merge(self) -> None:
        paths = {"dataset_source": "/data", "ground_truth_source": "/labels", "output_path": "/merged"}
        assert merge.run(self.merging.root, paths) == 0
        (merged,) = (self.merging.root / "merged").rglob("*.jsonl")
        self.job.put(f"/opt/ml/processing/input/endpoint/{HOUR}/part.jsonl", merged.read_text())


def test_a_bias_monitor_of_json_finds_what_one_of_csv_does(tmp_path: Path, of_csv: tuple[Record, str, str]) -> None:
    of_json, of_lines = Endpoint(tmp_path / "json", True), Endpoint(tmp_path / "lines", False)
    for endpoint, label, attributes in (
        (of_json, "instances[*].label", ENDPOINT_INPUT),
        (of_lines, "Target", {"inference_attribute": "0", "probability_attribute": "1"}),
    ):
        endpoint.merge()
        endpoint.job.configure(BIAS | {"label": label})
        endpoint.job.put(CONSTRAINTS, of_csv[0])
        settings = environment("MODEL_BIAS", baseline_constraints=CONSTRAINTS, **attributes)
        assert endpoint.job.run(settings, None) == 0, endpoint.job.message
        assert endpoint.job.message == "Completed: Job completed successfully with no violations."
    assert of_json.job.analysis() == of_lines.job.analysis()
    baseline = {name: of_csv[0][name] for name in ("post_training_bias_metrics", "pre_training_bias_metrics")}
    assert of_json.job.analysis() == {"version": "1.0", **baseline}


def test_an_explainability_monitor_of_json(tmp_path: Path, of_csv: tuple[Record, str, str]) -> None:
    endpoint = Endpoint(tmp_path, True)
    endpoint.job.put(f"/opt/ml/processing/input/endpoint/{HOUR}/0.jsonl", endpoint.captures)
    as_json(endpoint.job)
    configured = json.loads((endpoint.job.root / "opt/ml/processing/input/config/analysis_config.json").read_text())
    predictor = {key: value for key, value in configured["predictor"].items() if key not in ("label", "probability")}
    shap = {"shap": configured["methods"]["shap"]}
    endpoint.job.configure({"headers": HEADERS, "methods": shap, "predictor": predictor})
    endpoint.job.put(CONSTRAINTS, of_csv[0])
    attributes = ENDPOINT_INPUT | {"inference_attribute": "predictions[*].score"}
    settings = environment("MODEL_EXPLAINABILITY", baseline_constraints=CONSTRAINTS, **attributes)

    assert endpoint.job.run(settings, speaks_json) == 0, endpoint.job.message

    assert endpoint.job.message == "Completed: Job completed successfully with no violations."
    assert endpoint.job.analysis()["explanations"] == of_csv[0]["explanations"]


def test_features_that_endpoint_input_excludes_take_no_part(tmp_path: Path) -> None:
    endpoint = Endpoint(tmp_path, True)
    endpoint.merge()
    endpoint.job.configure(BIAS | {"label": "instances[*].label"})

    def without(features: str) -> dict[str, str]:
        return environment("MODEL_BIAS", exclude_features_attribute=features, **ENDPOINT_INPUT)

    assert endpoint.job.run(without("1"), None) == 1
    assert endpoint.job.message.startswith("Customer Error: Unable to locate the facet. No column 'Workclass'")
    assert endpoint.job.run(without("Age, 2"), None) == 0, endpoint.job.message
    assert endpoint.job.run(without("Ages"), None) == 1
    assert "ExcludeFeaturesAttribute: no feature 'Ages'; features are Age, Workclass" in endpoint.job.message


def test_without_a_baseline_clusters_are_explained_against(tmp_path: Path) -> None:
    container = Container(tmp_path)
    model = as_json(container)
    config = json.loads((tmp_path / "opt/ml/processing/input/config/analysis_config.json").read_text())
    config["methods"] = {"shap": {"num_clusters": 3, "seed": 1, "num_samples": 62, "save_local_shap_values": True}}
    container.configure(config)

    assert container.run({}, model) == 0, container.message

    baseline = pd.read_csv(container.output / "explanations_shap/baseline.csv").to_numpy().tolist()
    assert len(baseline) == 3
    assert {row[1] for row in baseline} <= {"private", "state", "own, not inc"}
    explained = container.analysis()["explanations"]["kernel_shap"]["label0"]
    assert explained["expected_value"] == pytest.approx(np.mean([score(row) for row in baseline]))
    local = pd.read_csv(container.output / "explanations_shap/out.csv")
    expected = [score(person) - explained["expected_value"] for person in people()]
    np.testing.assert_allclose(local.sum(axis=1), expected, atol=1e-9)


def test_several_classes_have_their_names(tmp_path: Path) -> None:
    def three(body: bytes, content_type: str, accept: str) -> bytes:
        rows = [instance["features"] for instance in json.loads(body)["instances"]]
        shares = [[score(row), 0.4 * (1 - score(row)), 0.6 * (1 - score(row))] for row in rows]
        found = [{"labels": ["rich", "poor", "middle"], "probabilities": one} for one in shares]
        return json.dumps({"predictions": found}).encode()

    container = Container(tmp_path)
    as_json(container)
    config = json.loads((tmp_path / "opt/ml/processing/input/config/analysis_config.json").read_text())
    incomes = ["rich" if label else "poor" for label in observed()]
    data = {"instances": [{"features": p, "label": one} for p, one in zip(people(), incomes, strict=True)]}
    container.put("/opt/ml/processing/input/data/people.json", data)
    config["predictor"] |= {"label": "predictions[*].labels", "probability": "predictions[*].probabilities"}
    config["predictor"]["label_headers"] = ["rich", "poor", "middle"]
    container.configure(config | {"label_values_or_threshold": ["rich", "other"]})

    assert container.run({}, three) == 0, container.message

    analysis = container.analysis()
    assert list(analysis["explanations"]["kernel_shap"]) == ["rich", "poor", "middle"]
    assert analysis["post_training_bias_metrics"]["label_value_or_threshold"] == "rich,other"
    metrics = {m["name"]: m["value"] for m in analysis["post_training_bias_metrics"]["facets"]["Sex"][0]["metrics"]}
    men, women = ([person for person in people() if person[3] == sex] for sex in (1, 0))
    rich_men, rich_women = (np.mean([score(one) > 0.375 for one in group]) for group in (men, women))
    assert metrics["DPPL"] == pytest.approx(rich_men - rich_women)
