"""The XGBoost image as a model server: `python -m local_aws.containers.xgboost_server`, with `OPT_ML_ROOT` as its "/".

CSV or libsvm in, CSV out; several rows are answered on one line, as SageMaker's XGBoost does outside batch transform.
With a script (SAGEMAKER_PROGRAM), in script mode: its `model_fn` loads the model, and its `predict_fn` gets a DMatrix
unless it has an `input_fn` of its own.
"""

from __future__ import annotations

import os
import sys
from http import HTTPStatus
from pathlib import Path

import xgboost

from local_aws.containers import array_payloads, script_server, xgboost_model
from local_aws.containers.model_server import Answer, CannotServe, Refused, Request, serve
from local_aws.containers.user_script import PROGRAM
from local_aws.containers.xgboost_rows import parse_csv, parse_libsvm

CSV = "text/csv"
ROWS = {CSV: parse_csv, "text/libsvm": parse_libsvm, "text/x-libsvm": parse_libsvm}
ANSWER_TYPE = "text/csv; charset=utf-8"


class XGBoost:
    """Answers with the scores of rows."""

    def __init__(self, model: xgboost_model.Model) -> None:
        self._model = model

    def answer(self, request: Request) -> Answer:
        """Scores as text.

        Raises:
            Refused: 415 for another content type, 400 for rows that are not the model's.
        """
        if request.media_type not in ROWS:
            raise Refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"Content type {request.content_type} is not supported; send {', '.join(ROWS)}.",
            )
        scores = self._model.predict(ROWS[request.media_type](request.body, self._model.features))
        if scores.ndim > 1:
            text = "\n".join(",".join(map(str, row)) for row in scores.tolist())
        else:
            text = ",".join(map(str, scores.tolist()))
        return Answer(text.encode(), ANSWER_TYPE)


def read_rows(content: str | bytes, content_type: str) -> xgboost.DMatrix:
    """The default `input_fn` of script mode.

    Raises:
        UnsupportedType: for a content type that is neither CSV nor libsvm.
        Refused: for rows that are none.
    """
    media_type = content_type.split(";")[0].strip().lower()
    if media_type not in ROWS:
        raise array_payloads.UnsupportedType(content_type)
    body = content.encode() if isinstance(content, str) else content
    return xgboost.DMatrix(ROWS[media_type](body, None))


def load(folder: Path) -> XGBoost | script_server.Script:
    """The model of an extracted archive, or what the script makes of it.

    Raises:
        CannotServe: there is none, or it cannot be read.
    """
    if os.environ.get(PROGRAM):
        os.environ.setdefault(script_server.DEFAULT_ACCEPT, CSV)
        return script_server.load(folder, read_rows)
    try:
        return XGBoost(xgboost_model.load(folder))
    except xgboost_model.BadModel as error:
        raise CannotServe(str(error)) from error


def main() -> int:
    """Serve."""
    return serve(load)


if __name__ == "__main__":
    sys.exit(main())
