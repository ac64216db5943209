"""The baselines that windows were compared with: the one that is there, and those that it has replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.earlier_baselines import made_at
from model_monitor.errors import InputError, MonitorError
from model_monitor.history.documents import Analysis, parse, shortened
from model_monitor.history.executions import Read, understood_baseline
from model_monitor.history.judged import Compared, Past
from model_monitor.history.kept import Kept
from model_monitor.history.listing import Ask, Listing
from model_monitor.history.model import Baseline, File
from model_monitor.names import KINDS, Kind
from model_monitor.verdicts import ANALYSIS

if TYPE_CHECKING:
    from collections.abc import Hashable

FRESH_SECONDS = 30.0
MOST_EARLIER = 50
"""Of more, the oldest are not read."""

Files = tuple[File, ...]


@dataclass(frozen=True)
class Known:
    """What is there to compare with, and what was; `identity` is another one when any of it is."""

    present: Baseline | None = None
    past: Past = field(default_factory=Past)
    identity: Hashable = ()


class Baselines:
    """One endpoint's baselines, listed anew when they are no longer fresh, each read once.

    Args:
        ask: lists the files of a folder.
        reader: reads a folder's files.
        clock: seconds that pass.
    """

    def __init__(
        self,
        endpoint: MonitoredEndpoint,
        ask: Callable[[str], Ask[File]],
        reader: Callable[[str], Read],
        clock: Callable[[], float],
    ) -> None:
        self._endpoint, self._reader = endpoint, reader
        self._present, self._earlier = (
            {kind: Listing(ask(folder(endpoint, kind)), fresh=FRESH_SECONDS, clock=clock) for kind in KINDS}
            for folder in (names.baseline_output, names.earlier_baselines)
        )
        self._understood: Kept[Known] = Kept(len(KINDS))

    def of(self, kind: Kind) -> Known:
        """A monitor's baselines; errors of AWS's in listing them are raised."""
        files = tuple(self._present[kind].since(f"{names.baseline_output(self._endpoint, kind)}/"))
        if not files:
            return Known()
        earlier = tuple(self._earlier[kind].since(f"{names.earlier_baselines(self._endpoint, kind)}/"))[-MOST_EARLIER:]
        try:
            return self._understood.get((kind, files, earlier), lambda: self._understand(kind, files, earlier))
        except (MonitorError, ClientError, BotoCoreError) as problem:
            return Known(Baseline(kind, files, problem=shortened(str(problem))))

    def settle(self) -> None:
        """Wait until nothing is asked beside those who read."""
        for listing in (*self._present.values(), *self._earlier.values()):
            listing.settle()

    def _understand(self, kind: Kind, files: Files, earlier: Files) -> Known:
        present, compared = understood_baseline(kind, files, self._reader(names.baseline_output(self._endpoint, kind)))
        if present.made is None or compared is None:
            return Known(present)
        replaced = [one for one in self._read(kind, earlier) if one[0] < present.made]
        constraints = tuple(file for file in files if file.name == ANALYSIS)
        return Known(present, Past((*replaced, (present.made, compared))), (constraints, earlier))

    def _read(self, kind: Kind, earlier: Sequence[File]) -> Iterator[tuple[datetime, Compared | None]]:
        read = self._reader(names.earlier_baselines(self._endpoint, kind))
        for file in earlier:
            if (made := made_at(file.name)) is not None:
                try:
                    yield made, Compared.of(parse(file.name, read(file), Analysis))
                except InputError:
                    yield made, None
