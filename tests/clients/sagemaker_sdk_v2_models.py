"""Models with an inference script of the user's own, deployed with SageMaker's Python SDK v2 as its guide shows it.

Runs in the oracle environment: `sagemaker_sdk_v2_models.py <url> <data folder>`. Prints one JSON line of what was seen.
"""

from __future__ import annotations

import json
from typing import Any

from sagemaker import Session
from sagemaker.deserializers import JSONDeserializer
from sagemaker.s3 import S3Uploader
from sagemaker.serializers import JSONSerializer
from sagemaker.sklearn import SKLearnModel
from sagemaker.xgboost import XGBoostModel
from sagemaker_sdk_v2 import DATA, ROLE, complaints


def sklearn(session: Session, archive: str) -> dict[str, Any]:
    """NumPy arrays there and back, and JSON."""
    model = SKLearnModel(
        model_data=archive,
        role=ROLE,
        entry_point="inference.py",
        source_dir=str(DATA / "sklearn"),
        framework_version="1.2-1",
        py_version="py3",
        env={"OFFSET": "10"},
        sagemaker_session=session,
    )
    predictor = model.deploy(initial_instance_count=1, instance_type="ml.m5.large", endpoint_name="sdk-sklearn")
    arrays = predictor.predict([[1.0, 2.0], [3.0, 4.0]])
    predictor.serializer, predictor.deserializer = JSONSerializer(), JSONDeserializer()
    answer = {"arrays": arrays.tolist(), "json": predictor.predict([[5.0, 6.0]])}
    predictor.delete_model()
    predictor.delete_endpoint()
    return answer


def xgboost(session: Session, archive: str) -> dict[str, Any]:
    """The SDK's libsvm rows, through a script of the user's own."""
    model = XGBoostModel(
        model_data=archive,
        role=ROLE,
        entry_point="inference.py",
        source_dir=str(DATA / "xgboost"),
        framework_version="1.7-1",
        sagemaker_session=session,
    )
    predictor = model.deploy(initial_instance_count=1, instance_type="ml.m5.large", endpoint_name="sdk-xgboost")
    answer = predictor.predict("0 0:1.0 1:2.0 2:3.0 3:4.0\n0 0:-1.0 1:0.0 2:0.0 3:0.0")
    predictor.delete_model()
    predictor.delete_endpoint()
    return {"rows": answer}


def main() -> None:
    session = Session()
    root = f"s3://{session.default_bucket()}/sdk-models"
    seen = {
        "sklearn": sklearn(session, S3Uploader.upload(str(DATA / "weights" / "model.tar.gz"), f"{root}/weights")),
        "xgboost": xgboost(session, S3Uploader.upload(str(DATA / "booster" / "model.tar.gz"), f"{root}/booster")),
    }
    seen["complaints"] = complaints
    print(f"\n{json.dumps(seen)}")


if __name__ == "__main__":
    main()
