"""Data sets from CSV files; each complaint names file, line and column."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from model_monitor.analysis.dataset_files import read_dataset
from tests.analysis.churn import HEADERS, TABLE, complaint, configured, written


def test_label_and_features_keep_their_types(tmp_path: Path) -> None:
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
def test_the_same_table_otherwise_written(tmp_path: Path, text: str) -> None:
    expected = read_dataset([written(tmp_path, TABLE, "expected.csv")], configured())
    found = read_dataset([written(tmp_path, text)], configured())
    assert found.features.equals(expected.features)
    assert found.label is not None
    assert found.label.equals(expected.label)


def test_without_configured_headers_the_first_row_names_the_columns(tmp_path: Path) -> None:
    dataset = read_dataset([written(tmp_path, TABLE)], configured(headers=None))
    assert list(dataset.features.columns) == HEADERS[1:]


def test_without_any_header_columns_go_by_number(tmp_path: Path) -> None:
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


def test_numbers_are_read_exactly(tmp_path: Path) -> None:
    precise = [0.1 + 0.2, 1e-300, 123456789.123456789, 0.03333333333333333]
    lines = [f"0,1,{value!r},no" for value in precise]
    dataset = read_dataset([written(tmp_path, "\n".join(lines))], configured())
    assert dataset.features["Day Mins"].tolist() == precise


def test_an_empty_feature_is_a_missing_value_and_words_such_as_none_are_not(tmp_path: Path) -> None:
    dataset = read_dataset([written(tmp_path, "0,132,,None\n1,112,189.5,NA\n")], configured())
    assert np.isnan(dataset.features["Day Mins"][0])
    assert dataset.features["Plan"].tolist() == ["None", "NA"]


def test_several_files_make_one_table(tmp_path: Path) -> None:
    files = [written(tmp_path, TABLE, f"{i}.csv") for i in range(3)]
    assert len(read_dataset(files, configured())) == 9


def test_columns_that_are_no_model_inputs(tmp_path: Path) -> None:
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


def test_a_row_that_is_too_wide(tmp_path: Path) -> None:
    file = written(tmp_path, TABLE + "1,2,3,no,5\n1,2\n")
    said = complaint(read_dataset, [file], configured())
    assert said.startswith("Headers in config do not match with the number of columns in the dataset.")
    assert f"{file}, line 5: 5 columns where 4 are expected" in said
    assert "2 of 5 rows differ" in said


def test_a_row_that_is_too_narrow_in_the_second_file(tmp_path: Path) -> None:
    files = [written(tmp_path, TABLE, "one.csv"), written(tmp_path, "0,1,2,no\n\n0,1,2\n", "two.csv")]
    assert f"{files[1]}, line 3: 3 columns where 4 are expected" in complaint(read_dataset, files, configured())


def test_lines_are_counted_in_quoted_text_too(tmp_path: Path) -> None:
    file = written(tmp_path, '0,1,2,"no\nor yes, perhaps"\n0,1,2\n')
    assert f"{file}, line 3: 3 columns" in complaint(read_dataset, [file], configured())


def test_a_value_that_is_not_a_number(tmp_path: Path) -> None:
    file = written(tmp_path, TABLE.replace("189.5", "many"))
    assert complaint(read_dataset, [file], configured()) == (
        f"Could not convert string to float. {file}, line 3, column 'Day Mins': found 'many'; "
        "2 of 3 rows hold numbers there"
    )


def test_a_column_of_mixed_codes_is_a_category(tmp_path: Path) -> None:
    rows = "".join(f"0,{i},1.5,{'AB'[i % 2] if i % 10 < 2 else i % 10}\n" for i in range(100))
    assert read_dataset([written(tmp_path, rows)], configured()).features["Plan"].nunique() == 10


def test_a_label_without_a_value(tmp_path: Path) -> None:
    file = written(tmp_path, TABLE + ",80,1.5,no\n")
    assert complaint(read_dataset, [file], configured()).startswith(f"{file}, line 5, column 'Churn': no value")


def test_headers_in_another_order_than_the_files(tmp_path: Path) -> None:
    file = written(tmp_path, TABLE.replace("Churn,Account Length", "Account Length,Churn"))
    said = complaint(read_dataset, [file], configured())
    assert "column 0 is 'Account Length' in the file and 'Churn' in the headers" in said


def test_a_label_that_the_file_does_not_have(tmp_path: Path) -> None:
    said = complaint(read_dataset, [written(tmp_path, TABLE)], configured(headers=None, label="Left"))
    assert said == "Headers must contain label. No column 'Left'; columns are Churn, Account Length, Day Mins, Plan"


@pytest.mark.parametrize(("text", "said"), [("", "no rows"), ("\n\n", "no rows"), (TABLE[:34], "no data")])
def test_nothing_to_analyse(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(read_dataset, [written(tmp_path, text)], configured())


def test_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(TABLE.encode() + "0,1,2,é\n".encode("latin-1"))
    assert complaint(read_dataset, [file], configured()) == f"{file}, line 5: not UTF-8"


def test_a_header_row_with_other_names_is_told_from_data(tmp_path: Path) -> None:
    said = complaint(read_dataset, [written(tmp_path, TABLE)], configured(headers=[*HEADERS[:3], "Tariff"]))
    assert said.startswith("Headers in config do not match with the number of columns in the dataset.")
    assert "line 1: column 3 is 'Plan' in the file and 'Tariff' in the headers" in said


def test_a_header_row_of_another_width_is_told_from_data(tmp_path: Path) -> None:
    said = complaint(read_dataset, [written(tmp_path, TABLE)], configured(headers=HEADERS[:3]))
    assert "line 1: 4 columns where 3 headers are configured" in said


@pytest.mark.parametrize(
    ("digits", "value"),
    [("9" * 26, 1e26), ("-" + "9" * 26, -1e26), ("9" * 400, np.inf), ("-" + "9" * 400, -np.inf)],
)
def test_whole_numbers_beyond_64_bits_are_floats(tmp_path: Path, digits: str, value: float) -> None:
    dataset = read_dataset([written(tmp_path, f"{TABLE}0,{digits},1.5,no\n")], configured())
    assert dataset.features["Account Length"].tolist() == [132, 112, 91, value]


def test_a_quote_left_open_at_the_end(tmp_path: Path) -> None:
    file = written(tmp_path, f'{TABLE}0,1,1.5,"no\n')
    assert complaint(read_dataset, [file], configured()).startswith(f"{file}, line 5: a quote is left open")


def test_other_formats_are_refused(tmp_path: Path) -> None:
    said = complaint(read_dataset, [written(tmp_path, TABLE)], configured(dataset_type="application/x-image"))
    assert said.startswith("dataset_type 'application/x-image' cannot be read here; text/csv, ")


def test_a_name_that_two_columns_have(tmp_path: Path) -> None:
    file = written(tmp_path, "Churn,Plan,Plan\n0,1,2\n1,2,3\n")
    said = complaint(read_dataset, [file], configured(headers=None, facet=[{"name_or_index": "Plan"}]))
    assert said == f"{file}, line 2: 'Plan' names more than one column; rename one, or give 'headers'"


def test_a_header_over_several_lines(tmp_path: Path) -> None:
    file = written(tmp_path, TABLE.replace("Day Mins", '"Day\nMins ""all"""'))
    dataset = read_dataset([file], configured(headers=None))
    assert list(dataset.features.columns) == ["Account Length", 'Day\nMins "all"', "Plan"]
    assert dataset.features["Account Length"].tolist() == [132, 112, 91]


def test_gzip_is_told(tmp_path: Path) -> None:
    file = tmp_path / "data.csv.gz"
    file.write_bytes(gzip.compress(TABLE.encode()))
    assert complaint(read_dataset, [file], configured()) == f"{file}, line 1: not UTF-8; it is gzip: unpack it"
