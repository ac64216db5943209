from __future__ import annotations

import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from local_aws.containers import script_server, sklearn_server
from local_aws.containers.array_payloads import CSV, JSON, NPY, encode
from local_aws.containers.model_server import Answer, CannotServe, Refused, Request
from local_aws.containers.script_server import Script

MODEL = "def model_fn(model_dir):\n    return lambda: None\n"

Serve = Callable[..., Script]


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A container's "/" with an empty model folder; what scripts change of the interpreter is undone."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.setenv("OPT_ML_ROOT", str(tmp_path))
    for name in ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "opt/ml/model").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def serve(container: Path) -> Serve:
    """Loads the model folder after writing these files to it."""

    def with_files(load: Callable[[Path], Script] = script_server.load, **files: str) -> Script:
        for name, text in files.items():
            file = container / "opt/ml/model" / name.replace("__", "/").replace("_py", ".py").replace("_txt", ".txt")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return load(container / "opt/ml/model")

    return with_files


def ask(script: Script, body: bytes, content_type: str | None = JSON, accept: str | None = None) -> Answer:
    return script.answer(Request(body, content_type, accept))


def test_all_four_functions_get_what_they_are_promised(serve: Serve, container: Path) -> None:
    script = serve(
        code__inference_py=(
            "def model_fn(model_dir):\n    return ['model', model_dir]\n"
            "def input_fn(data, content_type):\n    return ['input', data, content_type]\n"
            "def predict_fn(data, model):\n    return ['predicted', data, model]\n"
            "import json\n"
            "def output_fn(prediction, accept):\n    return json.dumps([prediction, accept]), 'text/mine'\n"
        )
    )
    answer = ask(script, b"1,2", "text/csv", "application/x-thing")
    assert answer.content_type == "text/mine"
    model = ["model", str(container / "opt/ml/model")]
    assert json.loads(answer.body) == [["predicted", ["input", "1,2", "text/csv"], model], "application/x-thing"]


def test_transform_fn_alone(serve: Serve) -> None:
    transform = "def transform_fn(model, data, content_type, accept):\n    return data.upper(), accept\n"
    script = serve(code__inference_py=MODEL + transform)
    assert ask(script, b"abc", "text/csv", "text/plain") == Answer(b"ABC", "text/plain")
    assert ask(script, b"\xff\x01", "application/octet-stream", "x/y") == Answer(b"\xff\x01", "x/y"), "bytes stay bytes"


def test_functions_may_take_the_context(serve: Serve, container: Path) -> None:
    script = serve(
        code__inference_py=(
            "def model_fn(model_dir, context):\n    return context.system_properties['model_dir']\n"
            "def transform_fn(model, data, content_type, accept, context):\n"
            "    return str(model == context.system_properties['model_dir'])\n"
        )
    )
    assert ask(script, b"") == Answer(b"True", JSON)


LINEAR = (
    "def model_fn(model_dir):\n    import joblib, os\n    return joblib.load(os.path.join(model_dir, 'm.joblib'))\n"
)
ROWS = np.random.default_rng(0).normal(size=(20, 3)).round(3)


@pytest.fixture
def classifier(container: Path) -> LogisticRegression:
    import joblib

    fitted = LogisticRegression().fit(ROWS, ROWS[:, 0] > 0)
    joblib.dump(fitted, container / "opt/ml/model/m.joblib")
    return fitted


@pytest.mark.parametrize("content_type", [JSON, CSV, NPY])
def test_defaults_answer_as_scikit_learn_predicts(
    serve: Serve, classifier: LogisticRegression, content_type: str
) -> None:
    script = serve(sklearn_server.load, code__inference_py=LINEAR)
    answer = ask(script, encode(ROWS, content_type), content_type, "*/*")
    assert answer.content_type == JSON
    assert json.loads(answer.body) == classifier.predict(ROWS).tolist()


def test_the_scikit_learn_image_reads_single_precision_and_the_general_one_does_not(serve: Serve) -> None:
    show = "def model_fn(model_dir):\n    return None\ndef predict_fn(data, model):\n    return [str(data.dtype)]\n"
    assert ask(serve(sklearn_server.load, code__inference_py=show), b"[1.5]").body == b'["float32"]'
    assert ask(serve(code__inference_py=show), b"[1.5]").body == b'["float64"]'


def test_the_answer_is_what_the_caller_accepts(
    serve: Serve, classifier: LogisticRegression, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = serve(code__inference_py=LINEAR)
    body = encode(ROWS[:2], JSON)
    expected = classifier.predict(ROWS[:2])
    assert ask(script, body, JSON, CSV).body == b"".join(f"{value}\n".encode() for value in expected)
    monkeypatch.setenv("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)
    assert ask(serve(code__inference_py=LINEAR), body).content_type == CSV


def test_types_that_no_default_knows(serve: Serve) -> None:
    script = serve(code__inference_py=MODEL + "def predict_fn(data, model):\n    return [1]\n")
    with pytest.raises(Refused, match="image/png is not supported") as refused:
        ask(script, b"", "image/png")
    assert refused.value.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    with pytest.raises(Refused, match="image/png is not supported") as refused:
        ask(script, b"[1]", JSON, "image/png")
    assert refused.value.status == HTTPStatus.NOT_ACCEPTABLE


def test_what_a_function_raises_is_told_with_its_place(serve: Serve, container: Path) -> None:
    script = serve(
        code__inference_py=MODEL + "def input_fn(data, content_type):\n    raise ValueError('no such thing')\n"
    )
    with pytest.raises(Refused) as refused:
        ask(script, b"1")
    assert refused.value.status == HTTPStatus.INTERNAL_SERVER_ERROR
    told = str(refused.value).splitlines()
    assert told[0] == "no such thing"
    assert told[1].strip() == 'File "/opt/ml/model/code/inference.py", line 4, in input_fn'
    assert told[-1] == "ValueError: no such thing"
    assert str(container) not in str(refused.value)


def test_an_answer_that_is_neither_text_nor_bytes(serve: Serve) -> None:
    script = serve(code__inference_py=MODEL + "def transform_fn(model, data, content_type, accept):\n    return {}\n")
    with pytest.raises(Refused, match="returned dict; return text or bytes"):
        ask(script, b"1")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"weights_txt": ""}, r"There is no inference\.py in /opt/ml/model/code; the archive holds: weights\.txt"),
        (
            {"code__inference_py": "x = 1"},
            r"Please provide a model_fn implementation: inference\.py defines no",
        ),
        ({"code__inference_py": "x = "}, r"inference\.py cannot be imported: SyntaxError"),
        ({"code__inference_py": "1 / 0"}, r"inference\.py cannot be imported: ZeroDivisionError"),
        (
            {"code__inference_py": "import no_such_package"},
            r"needs the package no_such_package, .* installs no",
        ),
        ({"code__inference_py": "def model_fn(model_dir):\n    raise OSError('no weights')"}, "OSError: no weights"),
        ({"code__inference_py": "def model_fn():\n    return 1"}, "model_fn takes 0 arguments but 1 were given"),
        (
            {"code__inference_py": f"{MODEL}def transform_fn(a, b, c, d): ...\ndef predict_fn(a, b): ..."},
            "Cannot use transform_fn implementation in conjunction with",
        ),
    ],
    ids=["none", "no model_fn", "syntax", "raises", "import", "model_fn raises", "parameters", "both"],
)
def test_what_cannot_be_served_says_why(serve: Serve, files: dict[str, str], reason: str) -> None:
    with pytest.raises(CannotServe, match=reason):
        serve(**files)


def test_the_program_and_its_folder_can_be_named(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "deep/serve.py")
    monkeypatch.setenv("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/source")
    script = serve(
        source__deep__serve_py="from helper import model_fn\ndef predict_fn(data, model):\n    return model\n",
        source__helper_py="def model_fn(model_dir):\n    return 'helped'\n",
    )
    assert ask(script, b"1").body == b'"helped"'


@pytest.mark.parametrize("name", ["SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"])
def test_neither_leads_out_of_the_container(serve: Serve, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "../../../../../outside.py")
    with pytest.raises(CannotServe, match=r"There is no|outside the container"):
        serve(code__inference_py=MODEL)


def test_a_script_called_as_a_module_that_is_there_already(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "json.py")
    script = serve(
        code__json_py="def model_fn(model_dir):\n    return 1\ndef predict_fn(data, model):\n    return [2]\n"
    )
    assert ask(script, b"[1]").body == b"[2]"


def test_requirements_that_are_not_met_are_named(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    requirements = "numpy>=1\n# a comment\nno-such-package>=3  # why\nnumpy<1\nother; python_version < '3'\n"
    serve(code__inference_py=MODEL, code__requirements_txt=requirements)
    (told,) = [record.getMessage() for record in caplog.records if "requirements.txt" in record.getMessage()]
    assert "wanting are: no-such-package>=3, numpy<1. " in told
