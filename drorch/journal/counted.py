"""What runs and slots have come to, counted, each inside the caller's transaction.

All of it is counted once; from then on the ledger, which has starts and ends in one order, tells
what has come since: a count over years of runs costs seconds.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from drorch.core.codec import decode
from drorch.core.names import Outcome, RunKind
from drorch.core.vitals import Counted, EndedRuns
from drorch.journal import statements
from drorch.journal.chain import Mark
from drorch.journal.connection import Connection, Found


def counted(connection: Connection, after: int | None) -> Counted:
    """What has come after an entry of the ledger; None: all."""
    slots: dict[tuple[str, str], int] = {}
    for job, fate, count in _slots(connection, after):
        key = (job.partition(":")[0], fate)
        slots[key] = slots.get(key, 0) + int(count)
    runs = tuple(_ended(row) for row in _runs(connection, after))
    return Counted(_newest_entry(connection), runs, slots)


def _newest_entry(connection: Connection) -> int:
    return next((row[0] for row in list(connection.execute(statements.LAST_ENTRY))), 0)


def _runs(connection: Connection, after: int | None) -> Found:
    if after is None:
        return connection.execute(statements.ENDED_COUNTED)
    return connection.execute(statements.ENDED_AFTER, {"after": after, "what": Mark.END.value})


def _slots(connection: Connection, after: int | None) -> Found:
    """What becomes of a slot is recorded with the start of a run."""
    if after is None:
        return connection.execute(statements.SLOTS_COUNTED)
    return connection.execute(statements.SLOTS_AFTER, {"after": after, "what": Mark.START.value})


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
