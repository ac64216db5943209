"""Data sets from captures and merged records; each complaint names file and line."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.analysis.dataset_captures import read_captures, read_merged
from tests.analysis.churn import BIAS, HEADERS, complaint, configured, written


def record(data: str, output: str | None = "0.25", truth: str | None = None, encoding: str = "CSV") -> dict[str, Any]:
    kind = {"CSV": "text/csv", "JSON": "application/json", "BASE64": "text/csv"}[encoding]
    capture: dict[str, Any] = {
        "endpointInput": {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}
    }
    if output is not None:
        capture["endpointOutput"] = {
            "observedContentType": f"{kind}; charset=utf-8",
            "mode": "OUTPUT",
            "data": output,
            "encoding": encoding,
        }
    found: dict[str, Any] = {"eventVersion": "0", "captureData": capture, "eventMetadata": {"eventId": "1"}}
    if truth is not None:
        found["groundTruthData"] = {"data": truth, "encoding": encoding}
    return found


def lines(folder: Path, *records: dict[str, Any], name: str = "captures.jsonl") -> Path:
    return written(folder, "".join(f"{json.dumps(one, separators=(',', ':'))}\n" for one in records), name)


class TestCaptures:
    def test_features(self, tmp_path: Path) -> None:
        file = lines(tmp_path, record("132,113.2,no", "0.0107"), record("91,89.25,yes", "0.91"))
        dataset = read_captures([file], configured())
        assert dataset.features.to_dict("list") == {
            "Account Length": [132, 91],
            "Day Mins": [113.2, 89.25],
            "Plan": ["no", "yes"],
        }
        assert dataset.label is None
        assert dataset.scores is None

    def test_headers_may_name_the_inputs_alone(self, tmp_path: Path) -> None:
        config = parse_analysis_config({"headers": HEADERS[1:], "methods": {"shap": {}}})
        dataset = read_captures([lines(tmp_path, record("132,113.2,no"))], config)
        assert list(dataset.features.columns) == HEADERS[1:]

    def test_without_headers_columns_go_by_number(self, tmp_path: Path) -> None:
        dataset = read_captures(
            [lines(tmp_path, record("132,113.2,no"))], parse_analysis_config({"methods": {"shap": {}}})
        )
        assert list(dataset.features.columns) == ["column_0", "column_1", "column_2"]

    def test_several_rows_in_one_request(self, tmp_path: Path) -> None:
        file = lines(tmp_path, record("1,1.5,no\n2,2.5,yes\r\n\n3,3.5,no\n"), record("4,4.5,no"))
        assert read_captures([file], configured()).features["Account Length"].tolist() == [1, 2, 3, 4]

    def test_base64_holds_what_was_captured_without_content_types(self, tmp_path: Path) -> None:
        encoded = base64.b64encode(b"132,113.2,no").decode()
        dataset = read_captures([lines(tmp_path, record(encoded, encoding="BASE64"))], configured())
        assert dataset.features["Account Length"].tolist() == [132]

    @pytest.mark.parametrize("output", [None, "", "yes", "{}", "0.1,0.2\n0.3"])
    def test_outputs_are_not_looked_at(self, tmp_path: Path, output: str | None) -> None:
        file = lines(tmp_path, record("1,1.5,no"), record("2,2.5,no", output))
        assert len(read_captures([file], configured())) == 2

    def test_a_byte_order_mark_is_no_part_of_the_first_record(self, tmp_path: Path) -> None:
        file = written(tmp_path, "\ufeff" + json.dumps(record("1,1.5,no")) + "\r\n", "captures.jsonl")
        assert len(read_captures([file], configured())) == 1

    def test_metadata_may_be_missing_or_odd(self, tmp_path: Path) -> None:
        odd = [record("1,1.5,no") | {"eventMetadata": metadata} for metadata in (None, "x", [], 1)]
        assert len(read_captures([lines(tmp_path, *odd)], configured())) == 4

    def test_shadow_variants_are_passed_over(self, tmp_path: Path) -> None:
        shadow = record("9,9.5,no")
        shadow["eventMetadata"]["invocationSource"] = "ShadowExperiment"
        dataset = read_captures([lines(tmp_path, record("1,1.5,no"), shadow)], configured())
        assert dataset.features["Account Length"].tolist() == [1]

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("{", "not JSON"),
            ("[]", "not a capture record: captureData is missing"),
            ('{"captureData":{}}', "captureData.endpointInput is missing; capture Input and Output"),
            (json.dumps(record("")), "the request holds no rows"),
            ("[" * 100_000, "not JSON"),
            (json.dumps(record('1,2,"no')), "a quote is left open"),
            (json.dumps(record("{}", "{}", encoding="JSON")), "say where the features are"),
            (json.dumps(record("?", "?", encoding="BASE64")), "in BASE64 is not text"),
        ],
    )
    def test_a_record_that_is_not_one(self, tmp_path: Path, line: str, said: str) -> None:
        file = written(tmp_path, f"{json.dumps(record('1,2,no'))}\n\n{line}\n", "captures.jsonl")
        found = complaint(read_captures, [file], configured())
        assert said in found
        assert f"{file}, line 3" in found

    def test_line_breaks_in_words_end_no_row(self, tmp_path: Path) -> None:
        words = ["in\u2028two", "one\x85", "a\nb", 'said "no"\r\nonce', "c"]
        body = '1,1.5,in\u2028two\r\n2,2.5,one\x85\n\n3,3.5,"a\nb"\n4,4.5,"said ""no""\r\nonce"\n5,5.5,c\n'
        dataset = read_captures([lines(tmp_path, record(body), record("6,6.5,d"))], configured())
        assert dataset.features["Plan"].tolist() == [*(word.replace("\r\n", "\n") for word in words), "d"]
        json_lines = "\n".join(json.dumps({"x": [1, 1.5, word]}, ensure_ascii=False) for word in words)
        file = lines(tmp_path, record(json_lines, encoding="JSON"))
        assert read_captures([file], configured(), {"features_attribute": "x"}).features["Plan"].tolist() == words

    def test_not_utf8(self, tmp_path: Path) -> None:
        file = tmp_path / "captures.jsonl"
        file.write_bytes(json.dumps(record("1,1.5,no")).encode() + b"\n\xff\n")
        assert f"{file}, line 2: not JSON: 'utf-8' codec can't decode" in complaint(read_captures, [file], configured())

    def test_a_wrong_number_of_values(self, tmp_path: Path) -> None:
        file = lines(tmp_path, record("1,1.5,no"), record("2,2.5,no"), record("0,3,3.5,no"))
        said = complaint(read_captures, [file], configured())
        assert said.startswith("Headers in config do not match with the number of columns in the dataset.")
        assert f"{file}, line 3: 4 values where 3 are expected" in said

    def test_no_records(self, tmp_path: Path) -> None:
        file = written(tmp_path, "\n", "captures.jsonl")
        assert complaint(read_captures, [file], configured()) == f"No records in {file}"


class TestMerged:
    def test_labels_come_from_the_ground_truth(self, tmp_path: Path) -> None:
        file = lines(tmp_path, record("132,113.2,no", "0.9", "1"), record("91,89.25,yes", "0.2", "0"))
        dataset = read_merged([file], configured())
        assert dataset.label is not None
        assert (dataset.label.name, dataset.label.tolist()) == ("Churn", [1, 0])
        assert dataset.label.dtype.kind == "i"
        assert dataset.scores is not None
        assert dataset.scores.tolist() == [0.9, 0.2]
        assert len(dataset) == 2

    @pytest.mark.parametrize("truth", ["1\n0", "1,0"])
    def test_a_request_of_several_rows_has_a_label_for_each(self, tmp_path: Path, truth: str) -> None:
        dataset = read_merged([lines(tmp_path, record("1,1.5,no\n2,2.5,yes", "0.1,0.2", truth))], configured())
        assert dataset.label is not None
        assert dataset.label.tolist() == [1, 0]

    @pytest.mark.parametrize("output", ["0.1\n0.2\n0.3", "0.1,0.2,0.3", "0.1\n0.2\n0.3\n"])
    def test_a_request_of_several_rows_has_a_score_for_each(self, tmp_path: Path, output: str) -> None:
        several = record("1,1.5,no\n2,2.5,yes\n3,3.5,no\n", output, "1,0,1")
        dataset = read_merged([lines(tmp_path, several, record("4,4.5,no", "0.4", "0"))], configured())
        assert dataset.features["Account Length"].tolist() == [1, 2, 3, 4]
        assert dataset.scores is not None
        assert dataset.scores.tolist() == [0.1, 0.2, 0.3, 0.4]

    @pytest.mark.parametrize("output", ["0.1,0.9\n0.2,0.8", "[0.1,0.9]\n[0.2,0.8]", "0.1,0.9,0.2,0.8"])
    def test_several_scores_per_row(self, tmp_path: Path, output: str) -> None:
        dataset = read_merged([lines(tmp_path, record("1,1.5,no\n2,2.5,yes", output, "1,0"))], configured())
        assert dataset.scores is not None
        assert dataset.scores.tolist() == [[0.1, 0.9], [0.2, 0.8]]

    def test_label_and_probability_by_position(self, tmp_path: Path) -> None:
        file = lines(tmp_path, record("1,1.5,no\n2,2.5,no", 'stays,"[0.3, 0.7]"\nleaves,"[0.8, 0.2]"', "1,0"))
        dataset = read_merged([file], configured(), {"inference_attribute": "0", "probability_attribute": "1"})
        assert dataset.predicted is not None
        assert dataset.predicted.tolist() == ["stays", "leaves"]
        assert dataset.scores is not None
        assert dataset.scores.tolist() == [[0.3, 0.7], [0.8, 0.2]]

    @pytest.mark.parametrize(
        ("outputs", "predicted", "scores"),
        [
            (["stays", "leaves"], ["stays", "leaves"], None),
            (["2", "0"], [2, 0], None),
            (["True", "False"], [True, False], None),
            (["0.25", "1"], None, [0.25, 1.0]),
        ],
    )
    def test_an_inference_attribute_alone_gives_labels_unless_they_are_fractions(
        self, tmp_path: Path, outputs: list[str], predicted: list[Any] | None, scores: list[float] | None
    ) -> None:
        file = lines(tmp_path, *(record("1,1.5,no", output, "1") for output in outputs))
        dataset = read_merged([file], configured(), {"inference_attribute": "0"})
        assert (None if dataset.predicted is None else dataset.predicted.tolist()) == predicted
        assert (None if dataset.scores is None else dataset.scores.tolist()) == scores

    def test_predicted_words_may_hold_commas_brackets_and_line_breaks(self, tmp_path: Path) -> None:
        words = ["[0, 10)", "a, b", 'a "c"\nd', "plain"]
        body = json.dumps({"x": [[1, 1.5, "no"]] * len(words)})
        file = lines(tmp_path, record(body, json.dumps({"l": words}), json.dumps({"y": words}), encoding="JSON"))
        where = {"features_attribute": "x", "inference_attribute": "l", "ground_truth_attribute": "y"}
        dataset = read_merged([file], configured(), where)
        assert dataset.predicted is not None
        assert dataset.label is not None
        assert dataset.predicted.tolist() == dataset.label.tolist() == words

    @pytest.mark.parametrize("position", ["1", "-1", "x", ""])
    def test_a_position_that_the_output_does_not_have(self, tmp_path: Path, position: str) -> None:
        file = lines(tmp_path, record("1,1.5,no", "0.5", "1"))
        said = complaint(read_merged, [file], configured(), attributes={"probability_attribute": position})
        assert said == f"{file}, line 1: output of 1 columns has none at position '{position}'"

    def test_base64(self, tmp_path: Path) -> None:
        encoded = [base64.b64encode(text.encode()).decode() for text in ("132,113.2,no", "0.75", "1")]
        dataset = read_merged([lines(tmp_path, record(*encoded, encoding="BASE64"))], configured())
        assert dataset.features["Account Length"].tolist() == [132]
        assert dataset.scores is not None
        assert dataset.scores.tolist() == [0.75]

    def test_json_by_path(self, tmp_path: Path) -> None:
        body = json.dumps({"instances": [{"features": [132, 113.2, "no"]}, {"features": [91, 89.25, None]}]})
        answer = json.dumps({"predictions": [{"score": 0.1, "label": 0}, {"score": 0.9, "label": 1}]})
        truth = json.dumps([{"churn": 0}, {"churn": 1}])
        dataset = read_merged(
            [lines(tmp_path, record(body, answer, truth, encoding="JSON"))],
            configured(features="instances[*].features"),
            {
                "inference_attribute": "predictions[*].label",
                "probability_attribute": "predictions[*].score",
                "ground_truth_attribute": "[*].churn",
            },
        )
        assert dataset.features["Account Length"].tolist() == [132, 91]
        assert dataset.features["Plan"].isna().tolist() == [False, True]
        assert dataset.scores is not None
        assert dataset.scores.tolist() == [0.1, 0.9]
        assert dataset.predicted is not None
        assert dataset.predicted.tolist() == [0, 1]
        assert dataset.label is not None
        assert dataset.label.tolist() == [0, 1]

    def test_json_keeps_the_types_of_its_values(self, tmp_path: Path) -> None:
        body = json.dumps({"features": [[132, 113.2, "007"], [91, 1, "008"]]})
        file = lines(tmp_path, record(body, "[0.1,0.9]", "[1,0]", encoding="JSON"))
        dataset = read_merged([file], configured(), {"features_attribute": "features", "ground_truth_attribute": "@"})
        assert dataset.features["Plan"].tolist() == ["007", "008"]
        assert dataset.features["Account Length"].dtype.kind == "i"

    def test_csv_and_json_in_one_window(self, tmp_path: Path) -> None:
        json_record = record('{"x":[132,113.2,"no, never"]}', '{"s":0.5}', '{"y":1}', encoding="JSON")
        file = lines(tmp_path, record("91,89.25,yes", "0.25", "0"), json_record)
        where = {"features_attribute": "x", "ground_truth_attribute": "y"}
        dataset = read_captures([file], configured(), where)
        assert dataset.features.to_numpy().tolist() == [[91, 89.25, "yes"], [132, 113.2, "no, never"]]

    def test_labels_of_several_classes_are_chosen_by_their_scores(self, tmp_path: Path) -> None:
        answer = {
            "predictions": [{"labels": ["a", "b"], "p": [0.25, 0.75]}, {"labels": ["b", "a"], "p": [0.125, 0.875]}]
        }
        one = record('{"x":[[1,1.5,"no"],[2,2.5,"no"]]}', json.dumps(answer), '{"y":["a","a"]}', encoding="JSON")
        where = {
            "features_attribute": "x",
            "inference_attribute": "predictions[*].labels",
            "probability_attribute": "predictions[*].p",
            "ground_truth_attribute": "y",
        }
        dataset = read_merged([lines(tmp_path, one)], configured(), where)
        assert dataset.predicted is not None
        assert dataset.predicted.tolist() == ["b", "a"]

    @pytest.mark.parametrize("encoding", ["JSON", "BASE64"])
    def test_csv_in_and_json_out_is_refused_as_by_the_service(self, tmp_path: Path, encoding: str) -> None:
        one = record("1,1.5,no", "0.5", "1")
        output = one["captureData"]["endpointOutput"]
        output |= {"observedContentType": "application/json", "encoding": encoding}
        output["data"] = base64.b64encode(b'{"s":1}').decode() if encoding == "BASE64" else '{"s":1}'
        file = lines(tmp_path, one)
        said = complaint(read_merged, [file], configured(), {"probability_attribute": "s"})
        assert said.startswith(
            "Encoding mismatch: Encoding is CSV for endpointInput, but Encoding is JSON for endpointOutput. "
            "We currently only support the same type of input and output encoding at the moment."
        )
        assert f"{file}, line 1: let the endpoint answer in the format" in said
        assert len(read_captures([file], configured())) == 1

    def test_csv_that_was_captured_as_base64_for_want_of_a_listed_type_is_csv(self, tmp_path: Path) -> None:
        one = record("1,1.5,no", "0.5", "1")
        one["captureData"]["endpointOutput"] |= {
            "observedContentType": "text/html; charset=utf-8", "encoding": "BASE64", "data": "MC41"
        }  # fmt: skip
        dataset = read_merged([lines(tmp_path, one)], configured())
        assert dataset.scores is not None
        assert dataset.scores.tolist() == [0.5]

    @pytest.mark.parametrize("listed", ["Plan", "2", " 2 ,", "Plan,2"])
    def test_features_that_are_excluded(self, tmp_path: Path, listed: str) -> None:
        file = lines(tmp_path, record("1,1.5,no", "0.5", "1"))
        dataset = read_merged([file], configured(), {"exclude_features_attribute": listed})
        assert list(dataset.features.columns) == ["Account Length", "Day Mins"]
        assert dataset.column("Plan") is None

    @pytest.mark.parametrize(
        ("listed", "said"),
        [
            ("Plans", "no feature 'Plans'; features are Account Length, "),
            ("3", "no feature '3'"),
            ("0,1,2", "leaves no"),
        ],
    )
    def test_features_that_cannot_be_excluded(self, tmp_path: Path, listed: str, said: str) -> None:
        file = lines(tmp_path, record("1,1.5,no", "0.5", "1"))
        assert said in complaint(read_merged, [file], configured(), {"exclude_features_attribute": listed})

    def test_a_json_monitors_headers_end_with_the_labels(self, tmp_path: Path) -> None:
        one = record('{"x":[1,1.5,"no"]}', '{"s":0.5}', '{"y":1}', encoding="JSON")
        config = parse_analysis_config({"headers": [*HEADERS[1:], "Churn"], "methods": {"shap": {}}})
        dataset = read_captures([lines(tmp_path, one)], config, {"features_attribute": "x"})
        assert list(dataset.features.columns) == HEADERS[1:]
        said = complaint(read_captures, [lines(tmp_path, record("1,1.5,no"))], config)
        assert said.startswith("Headers in config do not match")

    def test_a_label_that_no_header_names(self, tmp_path: Path) -> None:
        config = parse_analysis_config(
            {key: value for key, value in BIAS.items() if key != "dataset_type"} | {"label": "C"}
        )
        file = lines(tmp_path, record("1,1.5,no", "0.5", "1"))
        assert complaint(read_merged, [file], config).startswith("Headers must contain label. No column 'C'")

    def test_json_lines_are_rows(self, tmp_path: Path) -> None:
        body = '{"features":[1,1.5,"no"]}\n{"features":[2,2.5,"yes"]}\n'
        answer = '{"score":0.1}\n{"score":0.2}\n'
        dataset = read_merged(
            [lines(tmp_path, record(body, answer, '{"churn":1}\n{"churn":0}', encoding="JSON"))],
            configured(),
            {"features_attribute": "features", "probability_attribute": "score", "ground_truth_attribute": "churn"},
        )
        assert dataset.features["Account Length"].tolist() == [1, 2]
        assert dataset.scores is not None
        assert dataset.scores.tolist() == [0.1, 0.2]

    @pytest.mark.parametrize("path", ["instances[0]", "instances[*]", "instances[*].features"])
    def test_json_features_that_are_no_rows(self, tmp_path: Path, path: str) -> None:
        body = json.dumps({"instances": [{"features": [[1], {}]}]})
        file = lines(tmp_path, record(body, "{}", "{}", encoding="JSON"))
        said = complaint(read_captures, [file], configured(), attributes={"features_attribute": path})
        assert said == f"{file}, line 1: '{path}' should be a list of values, or of such lists"

    def test_files_of_several_hours_make_one_window(self, tmp_path: Path) -> None:
        files = [lines(tmp_path, record(f"{i},1.5,no", "0.1", "1"), name=f"{i}.jsonl") for i in range(3)]
        dataset = read_merged(files, configured())
        assert dataset.features["Account Length"].tolist() == [0, 1, 2]

    def test_a_json_label_is_found_by_its_path(self, tmp_path: Path) -> None:
        config = configured(
            dataset_type="application/json",
            headers=["Account Length", "Day Mins", "Plan", "Left"],
            label="label",
            features="features",
        )
        one = record('{"features":[132,113.2,"no"]}', '{"score":0.7}', '{"label":1}', encoding="JSON")
        dataset = read_merged([lines(tmp_path, one)], config, {"probability_attribute": "score"})
        assert dataset.label is not None
        assert (dataset.label.name, dataset.label.tolist()) == ("Left", [1])
        assert list(dataset.features.columns) == ["Account Length", "Day Mins", "Plan"]

    @pytest.mark.parametrize(
        ("one", "said"),
        [
            (record("1,1.5,no"), "groundTruthData is missing"),
            (record("1,1.5,no", None, "1"), "captureData.endpointOutput is missing; capture Input and Output"),
            (record("1,1.5,no", "0.1", "1,0"), "2 labels for 1 rows of input"),
            (record("1,1.5,no", "0.1", ""), "0 labels for 1 rows of input"),
            (record("1,2,no\n1,2,no\n1,2,no", "0.1,0.2", "1,0,1"), "2 values of output for 3 rows of input"),
            (record("1,2,no", "yes", "1"), "Could not convert string to float."),
            (record("1,2,no", "nan", "1"), "Could not convert string to float."),
            (record("1,2,no", "inf", "1"), "Could not convert string to float."),
            (record("1,2,no", "0.1,0.2", "1"), "2 scores where 1 are expected"),
        ],
    )
    def test_a_record_that_is_not_merged(self, tmp_path: Path, one: dict[str, Any], said: str) -> None:
        file = lines(tmp_path, record("1,1.5,no", "0.1", "1"), one)
        found = complaint(read_merged, [file], configured())
        assert said in found
        assert f"{file}, line 2" in found

    def test_a_label_without_a_value_names_its_line(self, tmp_path: Path) -> None:
        file = lines(tmp_path, record("1,1.5,no", "0.1", "1"), record("1,1.5,no", "0.1", '""'))
        assert complaint(read_merged, [file], configured()).startswith(f"{file}, line 2, column 'Churn': no value")
