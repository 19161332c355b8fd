"""Runs that have ended, counted, each inside the caller's transaction.

All of them are counted once; from then on the ledger, which has starts and ends in one order, tells
what has ended since: a count over years of runs costs seconds.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from drorch.core.codec import decode
from drorch.core.names import Outcome, RunKind
from drorch.core.vitals import EndedRuns
from drorch.journal import statements
from drorch.journal.chain import Mark
from drorch.journal.connection import Connection


def ended(connection: Connection, after: int | None) -> list[EndedRuns]:
    """Those that ended after an entry of the ledger; None: all."""
    if after is None:
        found = connection.execute(statements.ENDED_COUNTED)
    else:
        asked = {"after": after, "what": Mark.END.value}
        found = connection.execute(statements.ENDED_AFTER, asked)
    return [_ended(row) for row in found]


def newest_entry(connection: Connection) -> int:
    """The number of the ledger's last entry; 0 if it has none."""
    return next((row[0] for row in list(connection.execute(statements.LAST_ENTRY))), 0)


def _ended(row: Sequence[Any]) -> EndedRuns:
    kind, name, outcome, count, times = row
    half = len(times) // 2
    return EndedRuns(
        RunKind(kind),
        name,
        Outcome(outcome),
        count,
        started_at=decode(datetime, times[half:]),
        finished_at=decode(datetime, times[:half]),
    )
