"""Alarms about scheduled work that was not done at its time."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from drorch.app.alarm import alarm
from drorch.app.seen import Seen
from drorch.core.alarms import AlarmWord
from drorch.core.document import rfc3339
from drorch.core.names import SlotFate
from drorch.core.posture import SlotRow
from drorch.core.values import Value

#: For so long a missed slot stands, and lateness that nothing has followed.
NEWS = timedelta(days=1)

#: So many reasons of missed slots are named.
_REASONS = 3


def alarms(seen: Seen) -> Iterator[dict[str, Value]]:
    """What was missed of each job within a day, and jobs whose newest slot was late."""
    missed: dict[str, list[SlotRow]] = {}
    for row, accounted_at in seen.program.journal.whole.slots_off(seen.now - NEWS):
        if row.fate is SlotFate.MISSED:
            missed.setdefault(row.job, []).append(row)
        elif row.last_at == accounted_at:
            yield _late(row)
    for job, rows in missed.items():
        yield _missed(job, rows)


def _late(row: SlotRow) -> dict[str, Value]:
    return alarm(
        AlarmWord.SLOT_LATE,
        row.job,
        row.first_at,
        f"{row.job}, due at {rfc3339(row.first_at)}, began late: {row.why or 'nobody said why'}",
        f"see when it did: drorch run show {row.run}",
    )


def _missed(job: str, rows: list[SlotRow]) -> dict[str, Value]:
    """All of a day in one, with every reason: a new miss makes it a new one."""
    count, newest = sum(row.count for row in rows), rows[-1]
    span = _span(rows[0].first_at, newest.last_at)
    slots = "a slot" if count == 1 else f"{count} slots"
    return alarm(
        AlarmWord.SLOT_MISSED,
        job,
        newest.first_at,
        f"{slots} of {job} {span} {'was' if count == 1 else 'were'} missed: {_reasons(rows)}",
        "see that the daemon runs, and that what it is to do fits into the time",
        once=True,
    )


def _reasons(rows: list[SlotRow]) -> str:
    """Why, the newest reasons first; where there are several, for how many each."""
    counts: dict[str, int] = {}
    for row in reversed(rows):
        why = row.why or "nobody said why"
        counts[why] = counts.get(why, 0) + row.count
    if len(counts) == 1:
        return next(iter(counts))
    told = [f"{why} ({count})" for why, count in counts.items()][:_REASONS]
    rest = sum([*counts.values()][_REASONS:])
    return "; ".join([*told, f"other reasons ({rest})"] if rest else told)


def _span(first: datetime, last: datetime) -> str:
    return f"at {rfc3339(first)}" if first == last else f"from {rfc3339(first)} to {rfc3339(last)}"
