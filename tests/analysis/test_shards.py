"""Kernel SHAP over shards, beside the analysis of the same captures in one piece."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis import shards
from model_monitor.analysis.config import AnalysisConfig, ShapConfig
from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.analysis.dataset_captures import captures_in_parts
from model_monitor.analysis.predictor import Invoke, Predictor
from model_monitor.analysis.shards import Shard, clusters_of, combine, explain_shard, plan_shards
from model_monitor.errors import AnalysisError, ModelError
from tests.analysis.job_container import Container, environment
from tests.analysis.test_kernel_shap import shapley

FEATURES = ["Account Length", "Day Mins", "CustServ Calls", "Plan"]
BASELINE = [[100, 180.5, 2, 1]]
EXHAUSTIVE, DRAWN = 100, 6
"""Samples: four features have 14 coalitions; fewer than 8 samples are all drawn."""


def customers(count: int = 60) -> list[list[float]]:
    rng = np.random.default_rng(1)
    return [
        [int(rng.integers(1, 243)), round(float(rng.normal(180, 54)), 1), int(rng.integers(0, 9)), int(rng.integers(2))]
        for _ in range(count)
    ]


def score(rows: np.ndarray) -> np.ndarray:
    """A model whose features work together."""
    return np.asarray(1 / (1 + np.exp(-(rows[:, 1] * 0.02 + rows[:, 2] * rows[:, 3] * 0.5 - rows[:, 0] / 80))))


def model(body: bytes, content_type: str, accept: str) -> bytes:
    try:
        rows = np.array([[float(value) for value in line.split(",")] for line in body.decode().splitlines()])
    except ValueError as error:
        raise ModelError(f"400 {error}") from error
    return ",".join(map(repr, score(rows).tolist())).encode()


def both_scores(body: bytes, content_type: str, accept: str) -> bytes:
    """The same model, with a score for either class."""
    scores = [float(value) for value in model(body, content_type, accept).decode().split(",")]
    return "\n".join(f"{1 - value!r},{value!r}" for value in scores).encode()


def speaks_json(body: bytes, content_type: str, accept: str) -> bytes:
    rows = np.array([one["features"] for one in json.loads(body)["instances"]], dtype=float)
    return json.dumps({"predictions": [{"score": value} for value in score(rows).tolist()]}).encode()


def csv_record(rows: Sequence[Sequence[Any]]) -> str:
    text = "\n".join(",".join(f"{value:g}" if not isinstance(value, str) else value for value in row) for row in rows)
    return _record(text, "text/csv", "CSV")


def json_record(rows: Sequence[Sequence[Any]]) -> str:
    text = json.dumps({"instances": [{"features": list(row)} for row in rows]})
    return _record(text, "application/json", "JSON")


def _record(data: str, content_type: str, encoding: str, **metadata: str) -> str:
    given = {"observedContentType": content_type, "mode": "INPUT", "data": data, "encoding": encoding}
    return json.dumps({"captureData": {"endpointInput": given}, "eventMetadata": metadata, "eventVersion": "0"})


def captures(folder: Path, count: int, records: Sequence[str]) -> list[Path]:
    """Capture records in so many files."""
    size = -(-len(records) // count)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for start in range(0, len(records), size):
        files.append(folder / f"{start:04}.jsonl")
        files[-1].write_text("".join(f"{record}\n" for record in records[start : start + size]))
    return files


def document(**shap: Any) -> dict[str, Any]:
    settings = {"baseline": BASELINE, "num_samples": EXHAUSTIVE, "agg_method": "mean_abs", "seed": 7} | shap
    return {
        "headers": FEATURES,
        "methods": {"shap": {name: value for name, value in settings.items() if value is not None}},
        "predictor": {"model_name": "churn", "content_type": "text/csv", "accept_type": "text/csv"},
    }


JSON_PREDICTOR = {
    "model_name": "churn",
    "content_type": "application/json",
    "accept_type": "application/json",
    "content_template": '{"instances":$records}',
    "record_template": '{"features":$features}',
    "probability": "predictions[*].score",
}


def in_one_piece(
    root: Path, files: Sequence[Path], config: dict[str, Any], invoke: Invoke = model, **attributes: str
) -> Container:
    """The managed job's analysis of these captures."""
    container = Container(root)
    for file in files:
        container.put(f"/opt/ml/processing/input/endpoint/{file.name}", file.read_text())
    container.configure(config)
    assert container.run(environment("MODEL_EXPLAINABILITY", **attributes), invoke) == 0, container.message
    return container


def explained(
    root: Path,
    files: Sequence[Sequence[Path]],
    config: dict[str, Any],
    invoke: Invoke = model,
    **attributes: str,
) -> list[Shard]:
    """These files' shards, explained one by one."""
    root.mkdir(exist_ok=True)
    parsed, shap = _parsed(config)
    return [
        explain_shard(
            own,
            parsed,
            attributes,
            partial(Predictor, invoke),
            fetch_nothing,
            shap=shap,
            shard=number,
            output=root / f"{number}.zip",
        )
        for number, own in enumerate(files)
    ]


def _parsed(config: dict[str, Any]) -> tuple[AnalysisConfig, ShapConfig]:
    parsed = parse_analysis_config(config)
    assert parsed.shap is not None
    return parsed, parsed.shap


def fetch_nothing(uri: str) -> bytes:
    raise AssertionError(f"Nothing lies at {uri}.")


def combined(folder: Path, found: Sequence[Shard], config: dict[str, Any]) -> dict[str, Any]:
    return combine([Shard.open(shard.file) for shard in found], _parsed(config)[1], folder)


def local_values(found: Sequence[Shard]) -> np.ndarray:
    return np.concatenate([values for shard in found for values in shard.values()])


class TestPlan:
    def test_shards_are_full_when_they_reach_the_size(self) -> None:
        files = [("a", 6), ("b", 3), ("c", 4), ("d", 8), ("e", 1)]
        assert plan_shards(files, 10) == [["a", "b", "c"], ["d", "e"]]
        assert plan_shards(files, 1) == [["a"], ["b"], ["c"], ["d"], ["e"]]
        assert plan_shards([], 10) == []

    def test_a_file_larger_than_a_shard_is_one(self) -> None:
        assert plan_shards([("a", 100), ("b", 100), ("c", 1)], 10) == [["a"], ["b"], ["c"]]

    @pytest.mark.parametrize("count", [999, 1000, 1001, 5000])
    def test_there_are_never_more_than_airflow_maps(self, count: int) -> None:
        sizes = np.random.default_rng(count).integers(1, 100, count).tolist()
        files = [(f"{number:05}", size) for number, size in enumerate(sizes)]
        found = plan_shards(files, 10)
        assert len(found) <= 1000
        assert list(chain(*found)) == [name for name, _ in files]
        assert all(found)


class TestOneShard:
    @pytest.mark.parametrize("agg_method", ["mean_abs", "median", "mean_sq"])
    @pytest.mark.parametrize("invoke", [model, both_scores])
    def test_it_has_the_bytes_of_the_analysis_in_one_piece(
        self, tmp_path: Path, agg_method: str, invoke: Invoke
    ) -> None:
        """Drawn coalitions included: the first shard draws as an analysis with the same seed."""
        files = captures(tmp_path / "captures", 3, [csv_record([row]) for row in customers()])
        config = document(num_samples=DRAWN, agg_method=agg_method, save_local_shap_values=True)
        whole = in_one_piece(tmp_path / "job", files, config, invoke)
        folder = tmp_path / "explanations_shap"
        section = combined(folder, explained(tmp_path / "shards", [files], config, invoke), config)
        assert json.dumps(section) == json.dumps(whole.analysis()["explanations"])
        for name in ("baseline.csv", "out.csv"):
            assert (folder / name).read_bytes() == (whole.output / "explanations_shap" / name).read_bytes()

    def test_captures_of_json_are_read_as_the_attributes_say(self, tmp_path: Path) -> None:
        rows = customers()
        files = captures(tmp_path / "captures", 2, [json_record(rows[i : i + 5]) for i in range(0, 60, 5)])
        config = document(num_samples=DRAWN) | {"predictor": JSON_PREDICTOR}
        where = {"features_attribute": "instances[*].features"}
        whole = in_one_piece(tmp_path / "job", files, config, speaks_json, **where)
        found = explained(tmp_path / "shards", [files], config, speaks_json, **where)
        assert found[0].records == 60
        assert combined(tmp_path / "report", found, config) == whole.analysis()["explanations"]
        assert not (tmp_path / "report/out.csv").exists()

    def test_a_baseline_in_s3_is_fetched_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shards, "ROWS_AT_ONCE", 20)
        files = captures(tmp_path / "captures", 1, [csv_record([row]) for row in customers()])
        config = document(baseline="s3://bucket/rows.csv")
        parsed, shap = _parsed(config)
        asked = []

        def fetch(uri: str) -> bytes:
            asked.append(uri)
            return b"100,180.5,2,1\n50,100,0,0\n"

        found = explain_shard(
            files, parsed, {}, partial(Predictor, model), fetch, shap=shap, shard=0, output=tmp_path / "0.zip"
        )
        assert asked == ["s3://bucket/rows.csv"]
        assert combined(tmp_path / "report", [found], config)["kernel_shap"]["label0"][
            "expected_value"
        ] == pytest.approx(score(np.array([[100, 180.5, 2, 1], [50, 100, 0, 0]])).mean())
        assert (tmp_path / "report/baseline.csv").read_text().splitlines()[0] == ",".join(FEATURES)


class TestSeveralShards:
    @pytest.mark.parametrize("agg_method", ["mean_abs", "median", "mean_sq"])
    @pytest.mark.parametrize("count", [2, 5])
    def test_with_all_coalitions_they_say_what_one_piece_says(
        self, tmp_path: Path, agg_method: str, count: int
    ) -> None:
        files = captures(tmp_path / "captures", count, [csv_record([row]) for row in customers(59)])
        config = document(agg_method=agg_method, save_local_shap_values=True)
        whole = in_one_piece(tmp_path / "job", files, config).output
        found = explained(tmp_path / "shards", [[file] for file in files], config)
        folder = tmp_path / "explanations_shap"
        section = combined(folder, found, config)["kernel_shap"]["label0"]
        expected = json.loads((whole / "analysis.json").read_text())["explanations"]["kernel_shap"]["label0"]
        assert section["expected_value"] == expected["expected_value"]
        assert section["global_shap_values"] == pytest.approx(expected["global_shap_values"], rel=1e-9)
        pd.testing.assert_frame_equal(
            pd.read_csv(folder / "out.csv"), pd.read_csv(whole / "explanations_shap/out.csv"), rtol=1e-9
        )

    def test_local_values_are_shapley_s(self, tmp_path: Path) -> None:
        rows = customers(6)
        files = captures(tmp_path / "captures", 3, [csv_record([row]) for row in rows])
        found = local_values(explained(tmp_path / "shards", [[file] for file in files], document()))
        expected = [shapley(score, np.array(row, dtype=float), np.array(BASELINE, dtype=float)) for row in rows]
        np.testing.assert_allclose(found[:, :, 0], expected, atol=1e-10)

    @pytest.mark.parametrize("records", [1, 2, 59, 60])
    def test_the_median_is_that_of_all_records(self, tmp_path: Path, records: int) -> None:
        files = captures(tmp_path / "captures", 4, [csv_record([row]) for row in customers(records)])
        config = document(num_samples=DRAWN, agg_method="median")
        found = explained(tmp_path / "shards", [[file] for file in files], config, both_scores)
        section = combined(tmp_path / "report", found, config)["kernel_shap"]
        values = np.median(local_values(found), axis=0)
        assert [list(section[label]["global_shap_values"].values()) for label in section] == values.T.tolist()

    def test_each_draws_by_itself_and_always_the_same(self, tmp_path: Path) -> None:
        rows = customers(10)
        files = captures(tmp_path / "captures", 2, [csv_record([row]) for row in [*rows, *rows]])
        config = document(num_samples=DRAWN)
        split = [[files[0]], [files[1]]]
        first, again = (local_values(explained(tmp_path / name, split, config)) for name in ("one", "two"))
        np.testing.assert_array_equal(first, again)
        assert not np.allclose(first[:10], first[10:])
        other = local_values(explained(tmp_path / "three", split, document(num_samples=DRAWN, seed=8)))
        assert not np.allclose(first, other)

    def test_files_without_records_of_the_window_make_an_empty_shard(self, tmp_path: Path) -> None:
        files = captures(tmp_path / "captures", 2, [csv_record([row]) for row in customers()])
        shadow = tmp_path / "shadow.jsonl"
        shadow.write_text(f"\n{_record('1,2,3,4', 'text/csv', 'CSV', invocationSource='ShadowExperiment')}\n")
        config = document()
        found = explained(tmp_path / "shards", [[shadow], [files[0]], [], [files[1]]], config)
        assert [shard.records for shard in found] == [0, 30, 0, 30]
        assert [Shard.open(shard.file) for shard in found] == found
        section = combined(tmp_path / "report", found, config)
        (only,) = explained(tmp_path / "other", [files], config)
        assert section["kernel_shap"]["label0"]["global_shap_values"] == pytest.approx(
            combined(tmp_path / "whole", [only], config)["kernel_shap"]["label0"]["global_shap_values"]
        )
        with pytest.raises(AnalysisError, match="no record in any shard"):
            combined(tmp_path / "nothing", [found[0], found[2]], config)

    def test_records_of_other_widths_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = customers(4)
        narrow = [csv_record([row]) for row in rows]
        wide = [csv_record([[*row, 1]]) for row in rows]
        config = document(baseline=None, num_clusters=1)
        del config["headers"]
        files = captures(tmp_path / "captures", 2, [*narrow, *wide])
        two = explained(tmp_path / "shards", [[file] for file in files], config)
        complaint = "Not all records of the window have the same features: some have 4 and others 5; they differ in col"
        with pytest.raises(AnalysisError, match=complaint):
            combined(tmp_path / "report", two, config)
        monkeypatch.setattr(shards, "ROWS_AT_ONCE", 4)
        with pytest.raises(AnalysisError, match=complaint):
            explained(tmp_path / "one", [files], config)

    def test_shards_that_name_labels_in_another_order_are_refused(self, tmp_path: Path) -> None:
        """The values of a model's classes must not be mixed up."""
        files = captures(tmp_path / "captures", 2, [csv_record([row]) for row in customers(4)])
        config = document()
        split = [[file] for file in files]

        def named(*headers: str) -> dict[str, Any]:
            return config | {"predictor": config["predictor"] | {"label_headers": list(headers)}}

        first = explained(tmp_path / "first", split, named("stays", "leaves"), both_scores)
        second = explained(tmp_path / "second", split, named("leaves", "stays"), both_scores)
        with pytest.raises(AnalysisError, match="the same labels in another order"):
            combined(tmp_path / "report", [first[0], second[1]], config)


class TestParts:
    def test_a_shard_in_parts_says_what_one_in_one_part_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = customers()
        files = captures(tmp_path / "captures", 2, [csv_record(rows[i : i + 3]) for i in range(0, 60, 3)])
        config = document()
        whole = local_values(explained(tmp_path / "whole", [files], config))
        monkeypatch.setattr(shards, "ROWS_AT_ONCE", 7)
        (shard,) = explained(tmp_path / "parts", [files], config)
        assert [len(values) for values in shard.values()] == [9, 9, 9, 9, 9, 9, 6]
        np.testing.assert_allclose(local_values([shard]), whole, atol=1e-10)

    def test_parts_draw_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Equal records of different parts get different coalitions."""
        monkeypatch.setattr(shards, "ROWS_AT_ONCE", 5)
        rows = customers(5)
        files = captures(tmp_path / "captures", 1, [csv_record([row]) for row in [*rows, *rows]])
        (shard,) = explained(tmp_path / "shards", [files], document(num_samples=DRAWN))
        first, second = shard.values()
        assert not np.allclose(first, second)

    def test_errors_name_file_and_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        records = [csv_record([row]) for row in customers(20)]
        records[12] = csv_record([[1, "much", 2, 1]])
        (file,) = captures(tmp_path / "captures", 1, records)
        with pytest.raises(AnalysisError, match=rf"{file}, line 13, column 'Day Mins': found 'much'"):
            explained(tmp_path / "shards", [[file]], document())
        monkeypatch.setattr(shards, "ROWS_AT_ONCE", 4)
        records[12] = csv_record([[1, 2.5, 2]])
        (file,) = captures(tmp_path / "captures", 1, records)
        with pytest.raises(AnalysisError, match=rf"{file}, line 13: 3 values where 4 are expected"):
            explained(tmp_path / "shards", [[file]], document())

    def test_one_text_in_a_small_part_may_be_one_of_many(self, tmp_path: Path) -> None:
        records = [csv_record([row]) for row in customers(20)]
        records[12] = csv_record([[1, "much", 2, 1]])
        (file,) = captures(tmp_path / "captures", 1, records)
        parts = captures_in_parts([file], parse_analysis_config(document()), {}, 4)
        asked = [part.features["Day Mins"].astype(str).tolist() for part in parts]
        assert [len(part) for part in asked] == [4] * 5
        assert "much" in asked[3]

    def test_shards_of_different_models_are_refused(self) -> None:
        ours = shards.Explained(["a"], ["label0"], "a\n0\n", [0.25])
        ours.refuse_others(shards.Explained(["a"], ["label0"], "a\n0\n", [0.25 + 1e-9]))
        with pytest.raises(AnalysisError, match="were explained by the same model"):
            ours.refuse_others(shards.Explained(["a"], ["label0"], "a\n0\n", [0.3]))


class TestClusters:
    def test_they_are_those_of_the_analysis_in_one_piece(self, tmp_path: Path) -> None:
        """As a plan carries them, in JSON: whole numbers stay whole, text stays text, and nothing stays nothing."""
        rows: list[list[Any]] = [[*row[:3], "gold" if row[3] else ""] for row in customers()]

        def with_words(body: bytes, content_type: str, accept: str) -> bytes:
            return model(body.replace(b"gold", b"1").replace(b",\n", b",0\n") + b"0" * body.endswith(b","), "", "")

        files = captures(tmp_path / "captures", 2, [csv_record([row]) for row in rows])
        config = document(baseline=None, num_clusters=3)
        whole = in_one_piece(tmp_path / "job", files, config, with_words)
        parsed, shap = _parsed(config)
        found = json.loads(json.dumps(clusters_of(files, parsed, {}, shap)))
        settled = replace(shap, baseline=tuple(map(tuple, found)))
        (shard,) = [
            explain_shard(
                files,
                parsed,
                {},
                partial(Predictor, with_words),
                fetch_nothing,
                shap=settled,
                shard=0,
                output=tmp_path / "0.zip",
            )
        ]
        section = combine([shard], settled, tmp_path / "report")
        assert section == whole.analysis()["explanations"]
        kept = whole.output / "explanations_shap/baseline.csv"
        assert (tmp_path / "report/baseline.csv").read_bytes() == kept.read_bytes()
        assert all(isinstance(row[0], int) and isinstance(row[1], float) for row in found)

    def test_of_many_records_evenly_spaced_ones_take_part(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shards, "ROWS_AT_ONCE", 7)
        monkeypatch.setattr(shards, "MOST_CLUSTERED", 20)
        taking_part: list[pd.DataFrame] = []

        def centres(features: pd.DataFrame, clusters: int | None, seed: int | None) -> pd.DataFrame:
            taking_part.append(features)
            return features[:1]

        monkeypatch.setattr(shards, "cluster_centres", centres)
        files = captures(tmp_path / "captures", 3, [csv_record([[number, 0, 0, 0]]) for number in range(100)])
        config, shap = _parsed(document(baseline=None))
        assert clusters_of(files, config, {}, shap) == [[0, 0, 0, 0]]
        assert taking_part[0]["Account Length"].tolist() == list(range(0, 100, 8))

    def test_without_records_there_are_none(self, tmp_path: Path) -> None:
        (file,) = captures(tmp_path / "captures", 1, [""])
        config, shap = _parsed(document(baseline=None))
        with pytest.raises(AnalysisError, match=f"No records in {file}"):
            clusters_of([file], config, {}, shap)


def test_a_shard_s_file_cannot_run_code(tmp_path: Path) -> None:
    """A pickled array in it is not loaded."""
    files = captures(tmp_path / "captures", 1, [csv_record([row]) for row in customers(3)])
    (shard,) = explained(tmp_path / "shards", [files], document())
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(shard.file, "a") as archive:
        archive.writestr("part-00001.npy", pickled.getvalue())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        list(Shard.open(shard.file).values())


def test_without_a_model_nothing_is_explained(tmp_path: Path) -> None:
    files = captures(tmp_path / "captures", 1, [csv_record([row]) for row in customers(3)])
    config, shap = _parsed(document())
    with pytest.raises(AnalysisError, match="add a predictor with a model_name"):
        explain_shard(
            files,
            replace(config, predictor=None),
            {},
            partial(Predictor, model),
            fetch_nothing,
            shap=shap,
            shard=0,
            output=tmp_path / "0.zip",
        )
