from __future__ import annotations

import pytest

from model_monitor.lineage.values import identity


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/a/b.csv", ("s3://bucket", "a/b.csv")),
        (
            "arn:aws:sagemaker:us-west-2:123456789012:endpoint/churn",
            ("arn:aws:sagemaker:us-west-2:123456789012", "endpoint/churn"),
        ),
        ("/data/test.csv", ("file", "/data/test.csv")),
    ],
)
def test_data_sets_are_named_as_openlineage_names_them(uri: str, expected: tuple[str, str]) -> None:
    assert identity(uri) == expected
