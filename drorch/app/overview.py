"""What those who look from outside are told of datasets and runs, from the journal alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from drorch.app.program import Program
from drorch.core.values import Value
from drorch.core.vitals import EndedRuns, Overview, added


class Overlook:
    """Keeps count of the runs that have ended: all are counted once, then only what came since.

    One thread at a time.
    """

    def __init__(self) -> None:
        self._after: int | None = None
        self._runs: tuple[EndedRuns, ...] = ()

    def taken(self, program: Program, posture: Mapping[str, Value], at: datetime) -> Overview:
        """The overview, with the posture as it was taken at that moment."""
        return Overview(at, posture, self._counted(program))

    def _counted(self, program: Program) -> Sequence[EndedRuns]:
        self._after, since = program.journal.ended(self._after)
        self._runs = added(self._runs, since)
        return self._runs
