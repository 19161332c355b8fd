"""What those who look from outside are told of datasets and runs, from the journal alone."""

from collections.abc import Mapping
from datetime import datetime

from drorch.app.program import Program
from drorch.core.values import Value
from drorch.core.vitals import Counted, Overview


class Overlook:
    """Keeps count of what runs and slots came to: all is counted once, then only what came since.

    One thread at a time.
    """

    def __init__(self) -> None:
        self._counted = Counted()

    def taken(self, program: Program, posture: Mapping[str, Value], at: datetime) -> Overview:
        """The overview, with the posture as it was taken at that moment."""
        since = program.journal.counted(self._counted.entry)
        self._counted = self._counted.with_more(since)
        return Overview(at, posture, self._counted)
