from __future__ import annotations

import io
import json
import pickle

import numpy as np
import pytest

from local_aws.containers.array_payloads import CSV, JSON, NPY, UnsupportedType, decode, encode

ROWS = np.array([[1.5, -2.0], [0.25, 4.0]])


@pytest.mark.parametrize("content_type", [JSON, CSV, NPY])
def test_what_is_written_can_be_read(content_type: str) -> None:
    np.testing.assert_array_equal(decode(encode(ROWS, content_type), content_type), ROWS)


def test_each_format_is_the_usual_one() -> None:
    assert json.loads(encode(ROWS, JSON)) == ROWS.tolist()
    assert encode(ROWS, CSV) == b"1.5,-2.0\n0.25,4.0\n"
    np.testing.assert_array_equal(np.load(io.BytesIO(encode(ROWS, NPY))), ROWS)


def test_lists_and_nested_arrays_can_be_written() -> None:
    assert json.loads(encode({"scores": ROWS[0], "n": np.int64(2)}, JSON)) == {"scores": [1.5, -2.0], "n": 2}
    assert encode(["yes", "no"], CSV) == b"yes\nno\n"
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        encode(object(), JSON)


def test_a_csv_of_one_row_has_one_dimension() -> None:
    assert decode("1,2,3", CSV).tolist() == [1, 2, 3]


def test_a_pickle_in_a_request_is_not_loaded() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}]), allow_pickle=True)
    for content in (buffer.getvalue(), pickle.dumps(ROWS)):
        with pytest.raises(ValueError, match="pickle"):
            decode(content, NPY)


def test_other_types_are_named() -> None:
    with pytest.raises(UnsupportedType, match=r"image/png is not supported .* Implement input_fn"):
        decode(b"", "image/png")
    with pytest.raises(UnsupportedType, match="image/png"):
        encode(ROWS, "image/png")
