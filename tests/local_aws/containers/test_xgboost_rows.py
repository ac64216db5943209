from __future__ import annotations

import warnings
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
import xgboost

from local_aws.containers.model_server import Refused
from local_aws.containers.xgboost_rows import parse_csv, parse_libsvm


def test_an_empty_value_is_a_missing_one() -> None:
    assert np.isnan(parse_csv(b"1,,3,4", 4)[0, 1])
    assert parse_csv(b"1, 2,3,4\r\n5,6,7,8\r\n", 4).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2,3,4\n1,2,3", "Feature size of csv inference data 3 is not consistent .* model 4 .row 2."),
        (b"1,2,3,4,5", "Feature size of csv inference data 5 is not consistent"),
        (b"1,2,3,4\n1,abc,3,4", "row 2, column 2: could not convert string to float: 'abc'"),
        (b"1e300,2,3,4", "row 1, column 1: the number is too large"),
        (b"", "it is empty"),
        (b"\xff\xfe,2,3,4", "not UTF-8"),
    ],
)
def test_bad_rows_of_csv_are_refused_by_name(body: bytes, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        parse_csv(body, 4)
    assert refused.value.status == HTTPStatus.BAD_REQUEST


LIBSVM = b"0 0:1.5 2:-0.25 3:1e-3\n1 1:2\n0.5\n1:0.5 0:1\n# nothing\n1 qid:3 3:4 # said\n"


def test_libsvm_is_read_as_xgboost_reads_it(tmp_path: Path, booster: xgboost.Booster) -> None:
    lines = b"\n".join(line for line in LIBSVM.splitlines() if not line.startswith((b"1:", b"#", b"1 qid")))
    file = tmp_path / "rows.libsvm"
    file.write_bytes(lines)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = booster.predict(xgboost.DMatrix(f"{file}?format=libsvm"), validate_features=False)
    read = parse_libsvm(lines, 4)
    np.testing.assert_array_equal(read[0], [1.5, np.nan, -0.25, 1e-3])
    assert booster.predict(xgboost.DMatrix(read)).tolist() == expected.tolist()


def test_comments_and_query_ids_are_left_out() -> None:
    np.testing.assert_array_equal(parse_libsvm(b"# nothing\n1 qid:3 3:4 # said\n", 4), [[np.nan, np.nan, np.nan, 4.0]])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1 0:1\n0:1.5 1:2", "row 2 starts with '0:1.5' where its label stands"),
        (b"1 4:1", "Feature size of libsvm inference data 5 is larger than feature size of trained model 4 .row 1."),
        (b"1 0:x", "row 1: '0:x' is no <index>:<value>"),
        (b"1 -1:2", "index -1"),
        (b"1 3", "'3' is no <index>:<value>"),
        (b"1 0:1e300", "row 1, column 1: the number is too large"),
        (b"# nothing", "it is empty"),
        (b"", "it is empty"),
    ],
)
def test_bad_rows_of_libsvm_are_refused_by_name(body: bytes, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        parse_libsvm(body, 4)
    assert refused.value.status == HTTPStatus.BAD_REQUEST


def test_without_a_model_rows_are_as_wide_as_they_say() -> None:
    np.testing.assert_array_equal(parse_csv(b"1,2,3\n4,,6\n", None), [[1, 2, 3], [4, np.nan, 6]])
    np.testing.assert_array_equal(
        parse_libsvm(b"0 0:1\n1 2:5\n0\n", None), [[1, np.nan, np.nan], [np.nan, np.nan, 5], [np.nan] * 3]
    )
