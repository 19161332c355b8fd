"""Reports of drills and failovers that nobody wrote when the run ended: its process was killed in
between, or it was gone on with by another. The daemon's round makes them up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drorch.adapters.logs import Log
from drorch.app.apart import apart
from drorch.app.program import Program
from drorch.app.reports import lacks_report
from drorch.core.errors import DrorchError
from drorch.core.posture import RunRow
from drorch.core.quarter_story import DRILLS

#: Who carried the run writes its report, and is left so much time for it.
PATIENCE = timedelta(minutes=2)

#: What ended longer ago is left: somebody may have removed its report.
BACK = timedelta(days=7)

#: How long a run may have taken that is looked for by its beginning.
_LONGEST = timedelta(days=30)

#: One that could not be written is tried again after this.
_AGAIN = timedelta(hours=1)


def unwritten(program: Program, now: datetime) -> Iterator[RunRow]:
    """Runs of this machine whose report is not there, the oldest first."""
    span = program.journal.span(now - BACK - _LONGEST, now)
    for row in sorted(
        (row for kind in DRILLS for row in span.rows(kind)), key=lambda row: row.started_at
    ):
        ended = row.finished_at
        if ended is None or not now - BACK <= ended <= now - PATIENCE:
            continue
        if row.owner_host == program.owner.host and lacks_report(program, row.run):
            yield row


@dataclass(slots=True)
class Unwritten:
    """Belongs to one thread."""

    program: Program
    log: Log
    _tried: dict[str, datetime] = field(default_factory=dict)

    def go(self) -> None:
        """Write what is missing; what is wrong is logged, and tried again in an hour."""
        now = self.program.clock.now().at
        for row in unwritten(self.program, now):
            tried = self._tried.get(row.run)
            if tried is not None and now - tried < _AGAIN:
                continue
            self._tried[row.run] = now
            try:
                apart(self.program, "report", "run", row.run, "--kept")
                self.log.info("report.made-up", f"the report of {row.run} was missing", run=row.run)
            except DrorchError as error:
                self.log.warning("report.unwritten", error.message, run=row.run, hint=error.hint)
