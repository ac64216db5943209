"""From a window's folder, and what the managed service says of it, to an execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from model_monitor.history import folders
from model_monitor.history.documents import Analysis, Content, Uncertainty, Violations, parse
from model_monitor.history.folders import Due
from model_monitor.history.judged import Compared, Past, judged, violation
from model_monitor.history.model import Baseline, Execution, File
from model_monitor.history.service import UNDER_WAY, Managed
from model_monitor.names import Kind
from model_monitor.verdicts import ANALYSIS, COMPLETED, UNCERTAINTY, VIOLATED, VIOLATIONS

RESULT_BYTES = 4 * 2**20
RESULTS = (ANALYSIS, VIOLATIONS, UNCERTAINTY)
ENDED_WELL = frozenset({COMPLETED, VIOLATED})

Read = Callable[[File], bytes]


def outline(
    endpoint: MonitoredEndpoint, kind: Kind, window: str, due: Due, files: tuple[File, ...], managed: Managed | None
) -> Execution:
    """What is known before any file is read: whether there are violations is told by whether there is such a file.

    The service's word counts, unless the window was judged by Airflow since: an execution that failed left no analysis,
    and `uncertainty.json` is Airflow's.
    """
    names = {file.name for file in files}
    start, end = folders.stretch(endpoint, due, managed is not None)
    if managed is None or _judged_since(managed, names):
        state = VIOLATED if VIOLATIONS in names else COMPLETED
    else:
        state = managed.state
    return Execution(
        kind=kind,
        window=window,
        scheduled=due.scheduled,
        state=state,
        start=start,
        end=end,
        reason=managed.reason if managed else None,
        job=managed.job if managed else None,
        files=files,
    )


def understood(known: Execution, past: Past, read: Read) -> Execution:
    """The execution with what its files hold.

    Args:
        known: its outline.
        past: the monitor's baselines; it is set beside the one that was there when it was judged.
        read: reads a file of the folder; what it raises is raised.
    """
    if known.state in UNDER_WAY:
        return known
    results = _Results(known.files, read)
    if not results.has(ANALYSIS):
        missing = f"There is no {ANALYSIS} in its folder" if known.state in ENDED_WELL else None
        return replace(known, problem=missing)
    analysis = results.parsed(ANALYSIS, Analysis)
    # An earlier execution of the same hour can have left its own file in the folder.
    violations = results.parsed(VIOLATIONS, Violations) if known.state == VIOLATED else None
    uncertainty = results.parsed(UNCERTAINTY, Uncertainty)
    entries = violations.violations if violations else []
    state = known.state
    if violations is not None and not entries:
        state = COMPLETED
    if state == VIOLATED and not results.has(VIOLATIONS):
        results.problems.append(f"The service found violations, and there is no {VIOLATIONS} in its folder")
    if analysis is not None and analysis.is_empty:
        results.problems.append(f"{ANALYSIS} holds neither bias metrics nor explanations")
    baseline = past.at(results.file(ANALYSIS).modified)
    replaced = baseline is None and bool(past.baselines)
    found = judged(analysis, baseline, entries, uncertainty, replaced) if analysis else None
    if found and found.problem:
        results.problems.append(found.problem)
    return replace(
        known,
        state=state,
        problem="; ".join(results.problems) or None,
        baseline_replaced=replaced,
        metrics=found.metrics if found else (),
        explanations=found.explanations if found else (),
        violations=tuple(map(violation, entries)),
    )


def understood_baseline(kind: Kind, files: tuple[File, ...], read: Read) -> tuple[Baseline, Compared | None]:
    """A baseline's folder, and what windows are compared with."""
    results = _Results(files, read)
    if not results.has(ANALYSIS):
        return Baseline(kind, files, problem=f"There is no {ANALYSIS} in its folder"), None
    analysis = results.parsed(ANALYSIS, Analysis)
    if analysis is None:
        return Baseline(kind, files, problem="; ".join(results.problems)), None
    found, made = judged(analysis), results.file(ANALYSIS).modified
    return Baseline(kind, files, found.metrics, found.explanations, made), Compared.of(analysis)


def _judged_since(managed: Managed, names: set[str]) -> bool:
    if managed.state in UNDER_WAY or ANALYSIS not in names:
        return False
    return managed.state not in ENDED_WELL or UNCERTAINTY in names


class _Results:
    """The result files of a folder, and what is wrong with them."""

    def __init__(self, files: tuple[File, ...], read: Read) -> None:
        self._files = {file.name: file for file in files}
        self._read = read
        self.problems: list[str] = []

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._files

    def file(self, name: str) -> File:
        """A file that is there."""
        return self._files[name]

    def parsed(self, name: str, as_type: type[Content]) -> Content | None:
        """A file's content; None where there is none, or none that can be read: `problems` says so."""
        if name not in self._files:
            return None
        file = self._files[name]
        if file.size > RESULT_BYTES:
            self.problems.append(f"{name} has {file.size:,} bytes; more than {RESULT_BYTES:,} are not read")
            return None
        content = self._read(file)
        try:
            return parse(name, content, as_type)
        except InputError as problem:
            self.problems.append(str(problem))
            return None
