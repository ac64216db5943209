"""The XGBoost image as a model server: `python -m local_aws.containers.xgboost_server`, with `OPT_ML_ROOT` as its "/".

Serves the model of `/opt/ml/model`: GET /ping, POST /invocations. CSV in, CSV out; several rows are answered on one
line, as SageMaker's XGBoost does outside batch transform. A line of its output says where it listens.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import numpy as np
from cheroot.wsgi import Server

from local_aws.containers.job_container import exit_with_parent, root
from local_aws.containers.xgboost_model import BadModel, Model, load

log = logging.getLogger(__name__)

READY = "listening on "
THREADS = 4
LARGEST = float(np.finfo(np.float32).max)
CSV = "text/csv"
ANSWER_TYPE = "text/csv; charset=utf-8"
TEXT_TYPE = "text/html; charset=utf-8"


class Refused(Exception):
    """A request that the model cannot answer, and the status that says so."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def answer(model: Model, body: bytes, content_type: str | None) -> str:
    """Scores of a CSV without header, as text.

    Raises:
        Refused: 415 for another content type, 400 for rows that are not the model's.
    """
    media_type = (content_type or "").split(";")[0].strip().lower()
    if media_type != CSV:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content type {content_type} is not supported; send {CSV}.")
    scores = model.predict(parse_csv(body, model.features))
    if scores.ndim > 1:
        return "\n".join(",".join(map(str, row)) for row in scores.tolist())
    return ",".join(map(str, scores.tolist()))


def parse_csv(body: bytes, features: int) -> np.ndarray:
    """Rows (n, features) of a CSV; an empty value is a missing one.

    Raises:
        Refused: naming the first row, and the column, that is wrong.
    """
    try:
        lines = body.decode("utf-8").strip("\r\n").splitlines()
    except UnicodeDecodeError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"Unable to evaluate payload provided: not UTF-8: {error}") from error
    if not lines:
        raise Refused(HTTPStatus.BAD_REQUEST, "Unable to evaluate payload provided: it is empty.")
    rows = np.empty((len(lines), features))
    for number, line in enumerate(lines):
        values = line.split(",")
        if len(values) != features:
            raise Refused(
                HTTPStatus.BAD_REQUEST,
                f"Unable to evaluate payload provided: Feature size of csv inference data {len(values)} is not "
                f"consistent with feature size of trained model {features} (row {number + 1}).",
            )
        try:
            rows[number] = [value.strip() or "nan" for value in values]
        except ValueError:
            raise _not_a_number(values, number) from None
    too_large = np.argwhere(np.abs(rows) > LARGEST)
    if len(too_large):
        row, column = too_large[0] + 1
        message = f"Unable to evaluate payload provided: row {row}, column {column}: the number is too large."
        raise Refused(HTTPStatus.BAD_REQUEST, message)
    return rows


def _not_a_number(values: list[str], number: int) -> Refused:
    for column, value in enumerate(values):
        try:
            float(value.strip() or "nan")
        except ValueError as error:
            message = f"Unable to evaluate payload provided: row {number + 1}, column {column + 1}: {error}."
            return Refused(HTTPStatus.BAD_REQUEST, message)
    return Refused(HTTPStatus.BAD_REQUEST, f"Unable to evaluate payload provided: row {number + 1} is not numeric.")


def application(model: Model) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The container contract as a WSGI application."""

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, content_type, text = HTTPStatus.NOT_FOUND, TEXT_TYPE, "Not Found"
        match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
            case "GET", "/ping":
                status, text = HTTPStatus.OK, ""
            case "POST", "/invocations":
                body = environ["wsgi.input"].read()
                status, content_type, text = _invocation(model, body, environ.get("CONTENT_TYPE"))
        content = text.encode()
        headers = [("Content-Type", content_type), ("Content-Length", str(len(content)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [content]

    return respond


def _invocation(model: Model, body: bytes, content_type: str | None) -> tuple[HTTPStatus, str, str]:
    try:
        return HTTPStatus.OK, ANSWER_TYPE, answer(model, body, content_type)
    except Refused as refusal:
        log.error("%s", refusal)
        return refusal.status, TEXT_TYPE, str(refusal)
    except Exception as error:
        log.exception("The model failed.")
        return HTTPStatus.INTERNAL_SERVER_ERROR, TEXT_TYPE, f"The model failed: {error}"


def main() -> int:
    """Serve until stopped, or until the platform that started this program is gone."""
    exit_with_parent()
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        model = load(root() / "opt/ml/model")
    except BadModel as error:
        print(error, flush=True)
        return 1
    server = Server(("127.0.0.1", 0), application(model), numthreads=THREADS)
    server.prepare()
    print(f"{READY}http://127.0.0.1:{server.bind_addr[1]}", flush=True)
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
