from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

from tests.local_aws.conftest import Running, create_endpoint, create_model, new_name, tar_gz, wait_for_endpoint


@pytest.fixture(scope="module")
def served(local_aws: Running, model_archive: bytes) -> str:
    """An endpoint in service."""
    from tests.local_aws.conftest import make_bucket

    return create_endpoint(local_aws, create_model(local_aws, make_bucket(local_aws), model_archive))


def test_it_answers_with_the_models_scores(local_aws: Running, served: str, booster: xgboost.Booster) -> None:
    rows = np.array([[1.5, 0, 0, 0], [-1.5, 0.5, 2, 1], [0.1, 0, 0, 0]])
    body = "\n".join(",".join(map(str, row)) for row in rows)
    answer = local_aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=served, Body=body, ContentType="text/csv"
    )
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["Body"].read().decode() == ",".join(map(str, booster.predict(xgboost.DMatrix(rows)).tolist()))
