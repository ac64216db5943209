"""What README says about adding a kind of model, done."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest

from local_aws import runners
from tests.local_aws.embedded import BUCKET, embedded
from tests.polling import until
from tests.running_aws import ROLE, ROOT


def program_of_readme() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("### 9. Host another kind of model", 1)[1]
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def archive(text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as members:
        member = tarfile.TarInfo("linear.json")
        member.size = len(text)
        members.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_the_runner_of_readme_serves_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(program_of_readme().splitlines()) < 100
    (tmp_path / "linear_server.py").write_text(program_of_readme())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(runners.MODEL_SERVERS, "linear", "linear_server")
    with embedded(tmp_path / "aws") as aws:
        s3, sagemaker, runtime = (aws.client(name) for name in ("s3", "sagemaker", "sagemaker-runtime"))
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

        def endpoint(name: str, text: str) -> dict[str, str]:
            s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=archive(text))
            container = {"Image": "linear:1", "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz"}
            sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
            variant = {"VariantName": "All", "ModelName": name, "InstanceType": "ml.m5.large"}
            sagemaker.create_endpoint_config(
                EndpointConfigName=name, ProductionVariants=[variant | {"InitialInstanceCount": 1}]
            )
            sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
            return until(
                lambda: sagemaker.describe_endpoint(EndpointName=name),
                lambda described: described["EndpointStatus"] != "Creating",
            )

        assert endpoint("good", '{"weights": [0.5, -1], "bias": 2}')["EndpointStatus"] == "InService"
        answer = runtime.invoke_endpoint(EndpointName="good", Body="1,1\n4,0", ContentType="text/csv")
        assert answer["Body"].read() == b"1.5\n4.0"
        with pytest.raises(runtime.exceptions.ModelError) as error:
            runtime.invoke_endpoint(EndpointName="good", Body="1,1,1", ContentType="text/csv")
        assert error.value.response["OriginalStatusCode"] == 400
        bad = endpoint("bad", '{"weights": [0.5]}')
        assert bad["EndpointStatus"] == "Failed"
        assert "no usable linear.json: KeyError('bias')" in bad["FailureReason"]
