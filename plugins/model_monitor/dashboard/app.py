"""The dashboard's FastAPI application, which Airflow's API server mounts at `/model-monitor`.

Every route, the catch-all for unknown addresses included, asks Airflow's auth manager who is there.
"""

from __future__ import annotations

from functools import cache, partial
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from model_monitor.dashboard import addresses, endpoint_page, runs, static_files, texts
from model_monitor.dashboard.access import ReaderDep
from model_monitor.dashboard.asking import Answer, ask
from model_monitor.dashboard.configured import configured
from model_monitor.dashboard.downloads import attachment, shown_report
from model_monitor.dashboard.endpoint_page import DAYS, DEFAULT_DAYS
from model_monitor.dashboard.execution_page import baseline_page, execution_page
from model_monitor.dashboard.job_log import job_log
from model_monitor.dashboard.next_runs import SCHEDULED, next_verdict
from model_monitor.dashboard.overview import cards
from model_monitor.dashboard.pages import Crumb, Site, choices, render
from model_monitor.dashboard.security_headers import HEADERS, SecurityHeaders
from model_monitor.errors import InputError
from model_monitor.names import Kind
from model_monitor.range_reports import render_range
from model_monitor.windows import moment

T = TypeVar("T")
HOME = Crumb("Model monitor", addresses.overview())
WINDOW = "/endpoints/{name}/{kind}/executions/{year}/{month}/{day}/{hour}"
IMMUTABLE = "private, max-age=31536000, immutable"


@cache
def application() -> FastAPI:
    """The application."""
    app = FastAPI(
        title="Model monitor", openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(get_user)]
    )
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(Exception, _failed)
    page = partial(app.api_route, methods=["GET", "HEAD"])
    page("/static/{name}")(static)
    page("/")(overview)
    page("/endpoints/{name}")(endpoint)
    page("/endpoints/{name}/{kind}/range/report.html")(range_report)
    page("/endpoints/{name}/{kind}/baseline")(baseline)
    page("/endpoints/{name}/{kind}/baseline/files/{file:path}")(baseline_file)
    page(WINDOW)(execution)
    page(WINDOW + "/files/{file:path}")(execution_file)
    page(WINDOW + "/log")(execution_log)
    page("/dags/{dag_id}")(of_dag)
    page("/dags/{dag_id}/runs/{run_id}")(of_run)
    page("/dags/{dag_id}/runs/{run_id}/tasks/{task_id}")(of_task)
    page("/dags/{dag_id}/tasks/{task_id}")(of_dags_task)
    app.api_route("/{unknown:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(nowhere)
    return app


def site(request: Request) -> Site:
    """Where Airflow is, by where this application was mounted."""
    return Site(str(request.scope.get("root_path", "")).removesuffix(addresses.PREFIX).rstrip("/"))


SiteDep = Annotated[Site, Depends(site)]


def static(name: str, request: Request) -> Response:
    """The dashboard's own files, and plotly.js."""
    if name not in static_files.names():
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no file '{name}'.")
    file = static_files.static_file(name)
    headers = {"etag": file.etag, "cache-control": IMMUTABLE, "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(file.content, media_type=file.media_type, headers=headers)
    return Response(file.compressed, media_type=file.media_type, headers={**headers, "content-encoding": "gzip"})


def overview(site: SiteDep, reader: ReaderDep) -> HTMLResponse:
    """Every endpoint."""
    errors = configured().errors if reader.may_read_import_errors() else []
    content = render(
        site, "overview.html.j2", crumbs=[Crumb("Model monitor")], cards=cards(reader.endpoints()), errors=errors
    )
    return HTMLResponse(content)


def endpoint(
    name: str,
    site: SiteDep,
    reader: ReaderDep,
    days: int = DEFAULT_DAYS,
    facet: Annotated[int | None, Query(ge=0)] = None,
    label: Annotated[int, Query(ge=0)] = 0,
    every: bool = False,
) -> HTMLResponse:
    """One endpoint over time."""
    monitored = reader.endpoint(name)
    days = days if days in DAYS else DEFAULT_DAYS
    query = {"days": str(days), **({"facet": str(facet)} if facet is not None else {}), "label": str(label)}
    here = site.at(addresses.endpoint(name))
    answer = ask(monitored, lambda history: endpoint_page.known(history, days))
    values: dict[str, Any] = {
        "crumbs": [HOME, Crumb(name)],
        "endpoint": monitored,
        "problem": answer.problem,
        "days": days,
        "ranges": choices(here, query, "days", [(str(one), _days(one)) for one in DAYS], str(days)),
        "query": query,
        "here": here,
    }
    if answer.value is None:
        return HTMLResponse(render(site, "endpoint.html.j2", page=None, **values), answer.status)
    page = endpoint_page.page(monitored, answer.value, facet, label)
    next_ones = runs.next_runs(f"{name}.{kind}" for kind in SCHEDULED)
    values |= {
        "page": page,
        "shared": page.shared,
        "service_problem": answer.value.service_problem,
        "next": {
            kind: next_verdict(monitored, newest, page.known.end, next_ones)
            for kind, newest in page.known.newest.items()
        },
        "runs": runs.judged_by(monitored, reader.telling_dags(monitored)),
        "shows_job_logs": reader.may_read_job_logs(monitored),
        "rows": None if every else endpoint_page.ROWS,
        "facets": choices(here, query, "facet", _facets(page), "" if facet is None else str(facet)),
        "labels": choices(here, query, "label", [(str(n), one) for n, one in enumerate(page.labels)], str(label)),
    }
    return HTMLResponse(render(site, "endpoint.html.j2", **values))


def execution(
    name: str, kind: Kind, year: str, month: str, day: str, hour: str, site: SiteDep, reader: ReaderDep
) -> HTMLResponse:
    """One judged window."""
    monitored, window = reader.endpoint(name), f"{year}/{month}/{day}/{hour}"
    answer = ask(monitored, lambda history: execution_page(monitored, history, kind, window))
    _require(answer)
    if answer.value is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"The {kind} monitor of {name} has no execution {window}, or its files are gone.",
        )
    judged = runs.judged_by(monitored, reader.telling_dags(monitored)).get((kind, window))
    crumbs = [HOME, Crumb(name, addresses.endpoint(name)), Crumb(f"{kind} {window}")]
    content = render(
        site,
        "execution.html.j2",
        crumbs=crumbs,
        endpoint=monitored,
        kind=kind,
        page=answer.value,
        judged=judged,
        shows_job_log=reader.may_read_job_logs(monitored),
    )
    return HTMLResponse(content)


def execution_file(
    name: str,
    kind: Kind,
    year: str,
    month: str,
    day: str,
    hour: str,
    file: str,
    reader: ReaderDep,
    download: bool = False,
) -> Response:
    """A file of a judged window."""
    monitored, window = reader.endpoint(name), f"{year}/{month}/{day}/{hour}"
    answer = ask(monitored, lambda history: history.read(kind, window, file))
    return _file(file, _require(answer), download=download)


def execution_log(
    name: str, kind: Kind, year: str, month: str, day: str, hour: str, site: SiteDep, reader: ReaderDep
) -> HTMLResponse:
    """What the managed job that judged a window wrote."""
    monitored, window = reader.endpoint(name), f"{year}/{month}/{day}/{hour}"
    if not reader.may_read_job_logs(monitored):
        raise HTTPException(HTTPStatus.FORBIDDEN, f"You may not read what tasks of the DAGs that judge {name} log.")
    log = _require(ask(monitored, lambda history: job_log(monitored, history, kind, window)))
    if log is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"SageMaker ran no job for the window {window} of the {kind} monitor of {name}."
        )
    crumbs = [
        HOME,
        Crumb(name, addresses.endpoint(name)),
        Crumb(f"{kind} {window}", addresses.execution(name, kind, window)),
        Crumb("Log"),
    ]
    return HTMLResponse(render(site, "job_log.html.j2", crumbs=crumbs, endpoint=monitored, kind=kind, log=log))


def baseline(name: str, kind: Kind, site: SiteDep, reader: ReaderDep) -> HTMLResponse:
    """What a monitor compares with."""
    monitored = reader.endpoint(name)
    answer = ask(monitored, lambda history: history.baseline(kind))
    _require(answer)
    if answer.value is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"The {kind} monitor of {name} has no baseline yet: {name}.deploy makes it."
        )
    crumbs = [HOME, Crumb(name, addresses.endpoint(name)), Crumb(f"{kind} baseline")]
    page = baseline_page(monitored, answer.value)
    return HTMLResponse(render(site, "baseline.html.j2", crumbs=crumbs, endpoint=monitored, kind=kind, page=page))


def baseline_file(name: str, kind: Kind, file: str, reader: ReaderDep, download: bool = False) -> Response:
    """A file of a baseline."""
    monitored = reader.endpoint(name)
    answer = ask(monitored, lambda history: history.read_baseline(kind, file))
    return _file(file, _require(answer), download=download)


def range_report(name: str, kind: Kind, start: str, end: str, reader: ReaderDep, download: bool = False) -> Response:
    """A report on several windows."""
    monitored = reader.endpoint(name)
    try:
        begins, ends = moment(start), moment(end)
    except InputError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from error
    answer = ask(monitored, lambda history: render_range(history, kind, begins, ends))
    content = str(_require(answer)).encode()
    if download:
        return attachment(f"{name}-{kind}-{begins:%Y%m%dT%H%M}-{ends:%Y%m%dT%H%M}.html", content)
    return shown_report(content)


def of_dag(dag_id: str, site: SiteDep, reader: ReaderDep) -> Response:
    """What Airflow's page of a DAG shows."""
    name = dag_id.rpartition(".")[0]
    if name not in {one.name for one in reader.endpoints()}:
        return _not_ours(site, f"{dag_id} judges no endpoint that you may see.")
    return RedirectResponse(site.at(addresses.endpoint(name)), HTTPStatus.SEE_OTHER)


def of_dags_task(dag_id: str, task_id: str, site: SiteDep, reader: ReaderDep) -> Response:
    """What Airflow's page of a task shows: its part of the endpoint's page."""
    answer = of_dag(dag_id, site, reader)
    group = task_id.partition(".")[0]
    if isinstance(answer, RedirectResponse) and group in ("bias", "explainability"):
        answer.headers["location"] += f"#{group}"
    return answer


def of_run(dag_id: str, run_id: str, site: SiteDep, reader: ReaderDep) -> Response:
    """What Airflow's page of a run shows: what it judged."""
    return _judged(dag_id, run_id, None, site, reader)


def of_task(dag_id: str, run_id: str, task_id: str, site: SiteDep, reader: ReaderDep) -> Response:
    """What Airflow's page of a task instance shows: what it judged, or its run where it is not a judge."""
    return _judged(dag_id, run_id, task_id, site, reader)


def nowhere(unknown: str) -> Response:
    """Whatever else is asked for."""
    raise HTTPException(HTTPStatus.NOT_FOUND, f"The dashboard has no page '{unknown}'.")


def _judged(dag_id: str, run_id: str, task_id: str | None, site: Site, reader: ReaderDep) -> Response:
    name = dag_id.rpartition(".")[0]
    monitored = next((one for one in reader.endpoints() if one.name == name), None)
    if monitored is None:
        return _not_ours(site, f"{dag_id} judges no endpoint that you may see.")
    if not reader.may_read_runs(dag_id):
        return _not_ours(site, f"You may not read what runs of {dag_id} came to.", name)
    found = runs.judged_in(monitored, dag_id, run_id, task_id)
    if len(found) == 1:
        address = addresses.execution(name, found[0].kind, found[0].window)
        return RedirectResponse(site.at(address), HTTPStatus.SEE_OTHER)
    crumbs = [HOME, Crumb(name, addresses.endpoint(name)), Crumb("Run")]
    return HTMLResponse(
        render(site, "run.html.j2", crumbs=crumbs, endpoint=monitored, run_id=run_id, dag_id=dag_id, judged=found)
    )


def _not_ours(site: Site, why: str, name: str | None = None) -> HTMLResponse:
    crumbs = [HOME, *([Crumb(name, addresses.endpoint(name))] if name else []), Crumb("Nothing to show")]
    return HTMLResponse(render(site, "message.html.j2", crumbs=crumbs, title="Nothing to show", text=why, login=None))


def _file(name: str, content: bytes | None, *, download: bool) -> Response:
    if content is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no file '{name}' in this report's folder.")
    if name == addresses.REPORT and not download:
        return shown_report(content)
    return attachment(name, content)


def _require(answer: Answer[T]) -> T | None:
    """What was asked for.

    Raises:
        HTTPException: when something was in the way.
    """
    if answer.problem is not None:
        raise HTTPException(answer.status, answer.problem)
    return answer.value


def _facets(page: endpoint_page.EndpointPage) -> list[tuple[str, str]]:
    if page.bias is None or len(page.bias.groups) < 2:
        return []
    return [
        (str(number), f"{group.facet} {group.text}: {texts.SUBJECTS.get(group.section, group.section)}")
        for number, group in enumerate(page.bias.groups)
    ]


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    login = None
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        login = get_auth_manager().get_url_login(next_url=str(request.url))
    return _message(request, error.status_code, str(error.detail), login)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
    return _message(request, HTTPStatus.BAD_REQUEST, wrong)


async def _failed(request: Request, error: Exception) -> Response:
    text = f"The page could not be made: {type(error).__name__}. The API server's log says more."
    answer = _message(request, HTTPStatus.INTERNAL_SERVER_ERROR, text)
    answer.headers.update(HEADERS)
    return answer


def _message(request: Request, status: int, text: str, login: str | None = None) -> Response:
    title = HTTPStatus(status).phrase
    crumbs = [HOME, Crumb(title)]
    return HTMLResponse(
        render(site(request), "message.html.j2", crumbs=crumbs, title=title, text=text, login=login), status
    )
