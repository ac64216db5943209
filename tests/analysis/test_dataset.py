"""Data sets from CSV tables, captures and merged records; each complaint names file, line and column."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_monitor.analysis.config import AnalysisConfig, parse_analysis_config
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.dataset_captures import read_captures, read_merged
from model_monitor.analysis.dataset_files import read_dataset
from model_monitor.errors import AnalysisError

HEADERS = ["Churn", "Account Length", "Day Mins", "Plan"]
BIAS: dict[str, Any] = {
    "dataset_type": "text/csv",
    "headers": HEADERS,
    "label": "Churn",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Account Length", "value_or_threshold": [100]}],
    "methods": {"pre_training_bias": {"methods": "all"}},
}
TABLE = "Churn,Account Length,Day Mins,Plan\n0,132,113.2,no\n1,112,189.5,yes\n0,91,89.25,no\n"


def configured(**changes: Any) -> AnalysisConfig:
    return parse_analysis_config({**BIAS, **changes})


def written(folder: Path, text: str, name: str = "data.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


def complaint(call: Any, *arguments: Any, **settings: Any) -> str:
    with pytest.raises(AnalysisError) as error:
        call(*arguments, **settings)
    return str(error.value)


class TestCsv:
    def test_label_and_features_keep_their_types(self, tmp_path: Path) -> None:
        dataset = read_dataset([written(tmp_path, TABLE)], configured())
        assert dataset.features.to_dict("list") == {
            "Account Length": [132, 112, 91],
            "Day Mins": [113.2, 189.5, 89.25],
            "Plan": ["no", "yes", "no"],
        }
        assert dataset.label is not None
        assert (dataset.label.name, dataset.label.tolist()) == ("Churn", [0, 1, 0])
        assert [kind.kind for kind in dataset.features.dtypes[:2]] == ["i", "f"]
        assert dataset.scores is None

    @pytest.mark.parametrize(
        "text",
        [
            TABLE.split("\n", 1)[1],
            TABLE.replace("\n", "\r\n"),
            TABLE.replace("\n", "\r"),
            "\ufeff" + TABLE,
            TABLE.replace("\n", "\n\n"),
            TABLE.rstrip("\n"),
            TABLE.replace(",no", ',"no"'),
            '"Churn","Account Length","Day Mins","Plan"\n' + TABLE.split("\n", 1)[1],
        ],
        ids=["no header", "CRLF", "CR", "BOM", "blank lines", "no last newline", "quotes", "quoted header"],
    )
    def test_the_same_table_otherwise_written(self, tmp_path: Path, text: str) -> None:
        expected = read_dataset([written(tmp_path, TABLE, "expected.csv")], configured())
        found = read_dataset([written(tmp_path, text)], configured())
        assert found.features.equals(expected.features)
        assert found.label is not None
        assert found.label.equals(expected.label)

    def test_without_configured_headers_the_first_row_names_the_columns(self, tmp_path: Path) -> None:
        dataset = read_dataset([written(tmp_path, TABLE)], configured(headers=None))
        assert list(dataset.features.columns) == HEADERS[1:]

    def test_without_any_header_columns_go_by_number(self, tmp_path: Path) -> None:
        facet = [{"name_or_index": 1, "value_or_threshold": [100]}]
        config = configured(headers=None, label=0, facet=facet)
        dataset = read_dataset([written(tmp_path, TABLE.split("\n", 1)[1])], config)
        assert list(dataset.features.columns) == ["column_1", "column_2", "column_3"]
        assert dataset.label is not None
        assert dataset.label.name == "column_0"
        found = dataset.column(1)
        assert found is not None
        assert found.tolist() == [132, 112, 91]
        assert dataset.column(0) is None

    def test_numbers_are_read_exactly(self, tmp_path: Path) -> None:
        precise = [0.1 + 0.2, 1e-300, 123456789.123456789, 0.03333333333333333]
        lines = [f"0,1,{value!r},no" for value in precise]
        dataset = read_dataset([written(tmp_path, "\n".join(lines))], configured())
        assert dataset.features["Day Mins"].tolist() == precise

    def test_an_empty_feature_is_a_missing_value_and_words_such_as_none_are_not(self, tmp_path: Path) -> None:
        dataset = read_dataset([written(tmp_path, "0,132,,None\n1,112,189.5,NA\n")], configured())
        assert np.isnan(dataset.features["Day Mins"][0])
        assert dataset.features["Plan"].tolist() == ["None", "NA"]

    def test_several_files_make_one_table(self, tmp_path: Path) -> None:
        files = [written(tmp_path, TABLE, f"{i}.csv") for i in range(3)]
        assert len(read_dataset(files, configured())) == 9

    def test_columns_that_are_no_model_inputs(self, tmp_path: Path) -> None:
        config = configured(
            headers=["id", *HEADERS, "said"],
            predicted_label="said",
            excluded_columns=["Plan"],
            joinsource_name_or_index="id",
        )
        dataset = read_dataset([written(tmp_path, "a,0,132,113.2,no,1\nb,1,112,189.5,yes,0\n")], config)
        assert list(dataset.features.columns) == ["Account Length", "Day Mins"]
        assert list(dataset.table.columns) == ["Account Length", "Day Mins", "Plan"]
        assert dataset.predicted is not None
        assert dataset.predicted.tolist() == [1, 0]

    def test_a_row_that_is_too_wide(self, tmp_path: Path) -> None:
        file = written(tmp_path, TABLE + "1,2,3,no,5\n1,2\n")
        said = complaint(read_dataset, [file], configured())
        assert said.startswith("Headers in config do not match with the number of columns in the dataset.")
        assert f"{file}, line 5: 5 columns where 4 are expected" in said
        assert "2 of 5 rows differ" in said

    def test_a_row_that_is_too_narrow_in_the_second_file(self, tmp_path: Path) -> None:
        files = [written(tmp_path, TABLE, "one.csv"), written(tmp_path, "0,1,2,no\n\n0,1,2\n", "two.csv")]
        assert f"{files[1]}, line 3: 3 columns where 4 are expected" in complaint(read_dataset, files, configured())

    def test_lines_are_counted_in_quoted_text_too(self, tmp_path: Path) -> None:
        file = written(tmp_path, '0,1,2,"no\nor yes, perhaps"\n0,1,2\n')
        assert f"{file}, line 3: 3 columns" in complaint(read_dataset, [file], configured())

    def test_a_value_that_is_not_a_number(self, tmp_path: Path) -> None:
        file = written(tmp_path, TABLE.replace("189.5", "many"))
        assert complaint(read_dataset, [file], configured()) == (
            f"Could not convert string to float. {file}, line 3, column 'Day Mins': found 'many'; "
            "2 of 3 rows hold numbers there"
        )

    def test_a_column_of_mixed_codes_is_a_category(self, tmp_path: Path) -> None:
        rows = "".join(f"0,{i},1.5,{'AB'[i % 2] if i % 10 < 2 else i % 10}\n" for i in range(100))
        assert read_dataset([written(tmp_path, rows)], configured()).features["Plan"].nunique() == 10

    def test_a_label_without_a_value(self, tmp_path: Path) -> None:
        file = written(tmp_path, TABLE + ",80,1.5,no\n")
        assert complaint(read_dataset, [file], configured()).startswith(f"{file}, line 5, column 'Churn': no value")

    def test_headers_in_another_order_than_the_files(self, tmp_path: Path) -> None:
        file = written(tmp_path, TABLE.replace("Churn,Account Length", "Account Length,Churn"))
        said = complaint(read_dataset, [file], configured())
        assert "column 0 is 'Account Length' in the file and 'Churn' in the headers" in said

    def test_a_label_that_the_file_does_not_have(self, tmp_path: Path) -> None:
        said = complaint(read_dataset, [written(tmp_path, TABLE)], configured(headers=None, label="Left"))
        assert said == "Headers must contain label. No column 'Left'; columns are Churn, Account Length, Day Mins, Plan"

    @pytest.mark.parametrize(("text", "said"), [("", "no rows"), ("\n\n", "no rows"), (TABLE[:34], "no data")])
    def test_nothing_to_analyse(self, tmp_path: Path, text: str, said: str) -> None:
        assert said in complaint(read_dataset, [written(tmp_path, text)], configured())

    def test_not_utf8(self, tmp_path: Path) -> None:
        file = tmp_path / "data.csv"
        file.write_bytes(TABLE.encode() + "0,1,2,é\n".encode("latin-1"))
        assert complaint(read_dataset, [file], configured()) == f"{file}, line 5: not UTF-8"

    def test_a_header_row_with_other_names_is_told_from_data(self, tmp_path: Path) -> None:
        said = complaint(read_dataset, [written(tmp_path, TABLE)], configured(headers=[*HEADERS[:3], "Tariff"]))
        assert said.startswith("Headers in config do not match with the number of columns in the dataset.")
        assert "line 1: column 3 is 'Plan' in the file and 'Tariff' in the headers" in said

    def test_a_header_row_of_another_width_is_told_from_data(self, tmp_path: Path) -> None:
        said = complaint(read_dataset, [written(tmp_path, TABLE)], configured(headers=HEADERS[:3]))
        assert "line 1: 4 columns where 3 headers are configured" in said

    @pytest.mark.parametrize(
        ("digits", "value"),
        [("9" * 26, 1e26), ("-" + "9" * 26, -1e26), ("9" * 400, np.inf), ("-" + "9" * 400, -np.inf)],
    )
    def test_whole_numbers_beyond_64_bits_are_floats(self, tmp_path: Path, digits: str, value: float) -> None:
        dataset = read_dataset([written(tmp_path, f"{TABLE}0,{digits},1.5,no\n")], configured())
        assert dataset.features["Account Length"].tolist() == [132, 112, 91, value]

    def test_a_quote_left_open_at_the_end(self, tmp_path: Path) -> None:
        file = written(tmp_path, f'{TABLE}0,1,1.5,"no\n')
        assert complaint(read_dataset, [file], configured()).startswith(f"{file}, line 5: a quote is left open")

    def test_other_formats_are_refused(self, tmp_path: Path) -> None:
        said = complaint(read_dataset, [written(tmp_path, TABLE)], configured(dataset_type="application/x-image"))
        assert said.startswith("dataset_type 'application/x-image' cannot be read here; text/csv, ")


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
            (json.dumps(record('1,"2\n3",no')), "a quote left open"),
            (json.dumps(record("{}", "{}", encoding="JSON")), "say where the features are"),
            (json.dumps(record("?", "?", encoding="BASE64")), "in BASE64 is not text"),
        ],
    )
    def test_a_record_that_is_not_one(self, tmp_path: Path, line: str, said: str) -> None:
        file = written(tmp_path, f"{json.dumps(record('1,2,no'))}\n\n{line}\n", "captures.jsonl")
        found = complaint(read_captures, [file], configured())
        assert said in found
        assert f"{file}, line 3" in found

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


def test_a_dataset_made_by_hand_counts_columns_from_the_label() -> None:
    import pandas as pd

    dataset = Dataset(features=pd.DataFrame({"a": [1], "b": [2]}), label=pd.Series([0], name="y"))
    assert dataset.names == ("y", "a", "b")
    found = dataset.column(2)
    assert found is not None
    assert found.name == "b"
