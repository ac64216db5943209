"""From values to HTML: the templates, and what all of them can use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model_monitor.analysis.report_actions import FIRST_STEPS
from model_monitor.dashboard import addresses, static_files, texts
from model_monitor.dashboard.charts import Figure

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Crumb:
    """A step of the way to a page; the last one is the page itself."""

    text: str
    address: str | None = None


@dataclass(frozen=True)
class Site:
    """Where Airflow is: below `root`, which is empty unless Airflow has a path of its own."""

    root: str = ""

    def at(self, address: str) -> str:
        """A page of the dashboard's or of Airflow's."""
        return f"{self.root}{address}"

    def static(self, name: str) -> str:
        """A static file."""
        return f"{self.root}{addresses.static(name)}?v={static_files.version(name)}"

    def dag(self, dag_id: str) -> str:
        """Airflow's page of a DAG."""
        return f"{self.root}/dags/{quote(dag_id, safe='')}"

    def run(self, dag_id: str, run_id: str, task_id: str | None = None) -> str:
        """Airflow's page of a run, or of a task in it, which shows its log."""
        task = "" if task_id is None else f"/tasks/{quote(task_id, safe='')}"
        return f"{self.dag(dag_id)}/runs/{quote(run_id, safe='')}{task}"


@dataclass(frozen=True)
class Choice:
    """One of several ways to look at a page."""

    text: str
    address: str
    chosen: bool


@dataclass
class Plots:
    """The figures of a page, in the order in which the templates place them, and the lists that they share."""

    shared: Mapping[str, list[Any]] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def add(self, figure: Figure) -> int:
        """Place a figure; its number ties the place to the data, which come at the end of the page."""
        self.figures.append(figure)
        return len(self.figures) - 1


def choices(address: str, query: dict[str, str], key: str, options: list[tuple[str, str]], now: str) -> list[Choice]:
    """Links to the same page with another value of one key; `options` are (value, text)."""
    return [Choice(text, f"{address}?{urlencode({**query, key: value})}", value == now) for value, text in options]


def render(site: Site, template: str, shared: Mapping[str, list[Any]] | None = None, **values: Any) -> str:
    """A page."""
    return _environment().get_template(template).render(site=site, plots=Plots(shared or {}), **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    environment.globals |= {
        "addresses": addresses,
        "texts": texts,
        "first_steps": FIRST_STEPS,
        "plotly": static_files.PLOTLY,
        "embedded_style_ids": static_files.embedded_style_ids,
    }
    return environment
