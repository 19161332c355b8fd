"""Rows of the tables `slots` and `jobs` from and to values, each inside the caller's transaction."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from drorch.core.codec import NotDecodable, decode, encode
from drorch.core.errors import JournalUntrusted
from drorch.core.events import Event, JobsSeen, SlotsMissed, SlotTaken
from drorch.core.names import SlotFate
from drorch.core.posture import SlotRow
from drorch.journal import statements
from drorch.journal.chain import Row
from drorch.journal.connection import Connection, Found
from drorch.journal.projection import account, slot_row

#: A limit that is none, and a moment before all others.
_ALL, _EVER = 2**63 - 1, ""


def note_of_schedule(
    connection: Connection, run: str, event: SlotTaken | SlotsMissed | JobsSeen
) -> None:
    """Let an event of a run account for slots; SlotGone if they were already.

    The caller holds the lock against other writers: nobody accounts for them meanwhile.
    """
    if isinstance(event, JobsSeen):
        _move(connection, accounted(connection), event)
        return
    _move(connection, _accounted_of(connection, event.job), event)
    connection.execute(statements.INSERT_SLOT, _columns(slot_row(run, event)))


def _move(connection: Connection, known: Mapping[str, datetime], event: Event) -> None:
    moved = account(known, event)
    changed = [
        {"the_job": job, "accounted_at": encode(moved[job])} for job in moved if job in known
    ]
    new = [{"job": job, "accounted_at": encode(moved[job])} for job in moved if job not in known]
    if changed:
        connection.execute_each(statements.UPDATE_JOB, changed)
    if new:
        connection.execute_each(statements.INSERT_JOB, new)


def _accounted_of(connection: Connection, job: str) -> dict[str, datetime]:
    return _accounted(connection.execute(statements.JOB, {"job": job}))


def accounted(connection: Connection) -> dict[str, datetime]:
    """Up to when the slots of every job are accounted for."""
    return _accounted(connection.execute(statements.JOBS))


def _accounted(found: Found) -> dict[str, datetime]:
    return {job: _instant(at, job) for job, at in found}


def replace_accounted(connection: Connection, told: Mapping[str, datetime]) -> None:
    """Make this what is accounted for."""
    connection.execute(statements.DELETE_JOBS)
    if told:
        rows = [{"job": job, "accounted_at": encode(at)} for job, at in told.items()]
        connection.execute_each(statements.INSERT_JOB, rows)


def slots(
    connection: Connection, *, job: str | None, since: datetime | None, limit: int | None
) -> list[SlotRow]:
    """What became of slots, newest first."""
    asked = {
        "since": _EVER if since is None else encode(since),
        "limit": _ALL if limit is None else limit,
    }
    if job is None:
        found = connection.execute(statements.SLOTS, asked)
    else:
        found = connection.execute(statements.SLOTS_OF, {**asked, "job": job})
    return [slot_of(row) for row in found]


def newest_slots(connection: Connection) -> dict[str, SlotRow]:
    """The slot, or gap, up to which each job is accounted for; not of jobs that had none yet."""
    found = (row for row in connection.execute(statements.NEWEST_SLOTS) if row[0] is not None)
    return {row[0]: slot_of(row) for row in found}


def slots_off(connection: Connection, since: datetime) -> list[tuple[SlotRow, datetime]]:
    """The slots since then that were late or missed, by job, the oldest first; and up to when the
    job's slots are accounted for.
    """
    asked = {"since": encode(since), "fate": SlotFate.FIRED.value}
    rows = connection.execute(statements.SLOTS_OFF, asked)
    found = [(slot_of(row[:-1]), _instant(row[-1], row[0])) for row in rows]
    return sorted(found, key=lambda one: (one[0].job, one[0].first_at, one[0].run))


def slots_by(connection: Connection, run: str) -> list[SlotRow]:
    """What a run recorded of slots."""
    return [slot_of(row) for row in connection.execute(statements.SLOTS_BY, {"run": run})]


def replace_slots_by(connection: Connection, run: str, told: Sequence[SlotRow]) -> None:
    """Make this all that a run recorded of slots."""
    connection.execute(statements.DELETE_SLOTS_BY, {"run": run})
    if told:
        connection.execute_each(statements.INSERT_SLOT, [_columns(row) for row in told])


def slots_without_events(connection: Connection) -> list[str]:
    """Runs that are said to have recorded slots, and of which no event is there."""
    return [run for (run,) in connection.execute(statements.SLOTS_WITHOUT_EVENTS)]


def rows_of_schedules(connection: Connection) -> Iterator[Row]:
    """Every event that accounts for slots or tells of jobs, in the order of recording."""
    telling = {"taken": "slot.taken", "missed": "slots.missed", "seen": "jobs.seen"}
    return (Row(*row) for row in connection.execute(statements.EVENTS_OF_SCHEDULES, telling))


def _columns(row: SlotRow) -> dict[str, Any]:
    return {
        "job": row.job,
        "first_at": encode(row.first_at),
        "last_at": encode(row.last_at),
        "count": row.count,
        "fate": row.fate.value,
        "why": row.why,
        "run": row.run,
    }


def slot_of(found: Sequence[Any]) -> SlotRow:
    """SlotRow from its columns."""
    job, first, last, count, fate, why, run = found
    try:
        return SlotRow(
            job, _instant(first, job), _instant(last, job), count, SlotFate(fate), why, run
        )
    except ValueError:
        raise _damaged(job) from None


def _instant(text: str, job: str) -> datetime:
    try:
        return decode(datetime, text)
    except NotDecodable:
        raise _damaged(job) from None


def _damaged(job: str) -> JournalUntrusted:
    return JournalUntrusted(
        f"a row of the slots of {job} is damaged", "`drorch journal rebuild` makes it anew"
    )
