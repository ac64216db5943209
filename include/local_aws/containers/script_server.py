"""Models in script mode: `python -m local_aws.containers.script_server`, with `OPT_ML_ROOT` as its "/".

The archive's `code/inference.py` (or what SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY name) says how its model is
loaded and asked, as for SageMaker's inference toolkit: `model_fn(model_dir)`, then either `transform_fn(model, data,
content_type, accept)` or `input_fn(data, content_type)`, `predict_fn(data, model)` and `output_fn(prediction, accept)`,
each with a default and each with a further parameter `context` if it wants one. One request is answered at a time.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from local_aws.containers import array_payloads
from local_aws.containers.job_container import root
from local_aws.containers.model_server import Answer, CannotServe, Refused, Request, serve
from local_aws.containers.user_script import import_script

log = logging.getLogger(__name__)

ANY = "*/*"
DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
_OWN_TRANSFORM = ("input_fn", "predict_fn", "output_fn")

InputFunction = Callable[[Any, str], Any]


def predict(data: Any, model: Any) -> Any:
    """The default `predict_fn`."""
    return model.predict(data)


class Script:
    """A user's script with the model that it loaded."""

    def __init__(self, script: ModuleType, model_folder: Path, default_input: InputFunction) -> None:
        if hasattr(script, "transform_fn") and any(hasattr(script, name) for name in _OWN_TRANSFORM):
            raise CannotServe(
                "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or output_fn "
                "implementation"
            )
        if not hasattr(script, "model_fn"):
            raise CannotServe(
                f"Please provide a model_fn implementation: {Path(str(script.__file__)).name} defines no "
                "model_fn(model_dir), which loads the model."
            )
        self._context = SimpleNamespace(system_properties={"model_dir": str(model_folder), "gpu_id": None})
        self._transform: Callable[..., Any] | None = getattr(script, "transform_fn", None)
        self._input = getattr(script, "input_fn", default_input)
        self._predict = getattr(script, "predict_fn", predict)
        self._output = getattr(script, "output_fn", array_payloads.encode)
        self._default_accept = os.environ.get(DEFAULT_ACCEPT, array_payloads.JSON)
        self._one_at_a_time = threading.Lock()
        self._model = self._call(script.model_fn, str(model_folder))

    def answer(self, request: Request) -> Answer:
        """What the script makes of a request.

        Raises:
            Refused: 415 and 406 for types that the defaults do not know, 500 for what the script raises.
        """
        accept = request.accept if request.accept not in (None, "", ANY) else self._default_accept
        try:
            with self._one_at_a_time:
                result = self._result(request, str(accept))
        except Refused:
            raise
        except Exception as error:
            raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, _told(error)) from error
        body, content_type = result if isinstance(result, tuple) else (result, str(accept))
        return Answer(_content(body), str(content_type))

    def _result(self, request: Request, accept: str) -> Any:
        content_type = request.content_type or array_payloads.JSON
        data: Any = request.body
        if content_type in array_payloads.TEXTS:
            data = request.body.decode("utf-8")
        if self._transform is not None:
            return self._call(self._transform, self._model, data, content_type, accept)
        try:
            read = self._call(self._input, data, content_type)
        except array_payloads.UnsupportedType as error:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(error)) from error
        prediction = self._call(self._predict, read, self._model)
        try:
            return self._call(self._output, prediction, accept)
        except array_payloads.UnsupportedType as error:
            raise Refused(HTTPStatus.NOT_ACCEPTABLE, str(error)) from error

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        wanted = len(inspect.signature(function).parameters)
        if wanted == len(arguments) + 1:
            return function(*arguments, self._context)
        if wanted != len(arguments):
            raise TypeError(f"{function.__name__} takes {wanted} arguments but {len(arguments)} were given.")
        return function(*arguments)


def load(model_folder: Path, default_input: InputFunction = array_payloads.decode) -> Script:
    """Import the script and let it load its model.

    Raises:
        CannotServe: it cannot be imported, lacks what it must have, or fails to load the model.
    """
    script = import_script(root(), model_folder)
    try:
        return Script(script, model_folder, default_input)
    except CannotServe:
        raise
    except Exception as error:
        log.exception("model_fn failed.")
        raise CannotServe(f"model_fn failed: {type(error).__name__}: {error}") from error


def _told(error: Exception) -> str:
    """What was raised, and where in the user's own files."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(f"{root()}/")]
    places = "".join(traceback.format_list(own)).replace(f"{root()}/", "/")
    return f"{error}\n{places}{type(error).__name__}: {error}"


def _content(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    raise Refused(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"output_fn or transform_fn returned {type(body).__name__}; return text or bytes, or those and a content type.",
    )


def main() -> int:
    """Serve."""
    return serve(load)


if __name__ == "__main__":
    sys.exit(main())
