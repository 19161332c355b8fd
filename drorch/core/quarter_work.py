"""What was due and done in a quarter, job by job: sums over what the journal counted. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo

from drorch.core.names import Outcome, RunKind, SlotFate
from drorch.core.posture import SlotRow
from drorch.core.quarter_datasets import Missed, Work
from drorch.core.schedules import Schedule
from drorch.core.slots import count_between
from drorch.core.spans import MissedCounted, RunsCounted, SlotsCounted

#: What starts a run for a slot; anything else is beside the schedule.
SCHEDULE = "schedule"

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything that was counted of a span from `since` up to `until`, and gaps over its borders.

    `schedules` are those of today's jobs by name: a gap is divided by its own, where it still is.
    """

    since: datetime
    until: datetime
    zone: tzinfo
    slots: Sequence[SlotsCounted] = ()
    missed: Sequence[MissedCounted] = ()
    across: Sequence[SlotRow] = ()
    runs: Sequence[RunsCounted] = ()
    schedules: Mapping[str, Schedule] = field(default_factory=dict)


def works(counts: Counts) -> dict[str, Work]:
    """What came of each job's slots, by the job's name (`backup:ehr-db`)."""
    found: dict[str, Work] = {}
    for one in counts.slots:
        found[one.job] = _with_slots(found.get(one.job, Work()), one)
    for missed in counts.missed:
        work = found.get(missed.job, Work())
        found[missed.job] = replace(
            work, missed_why=_more(work.missed_why, missed.why, missed.count)
        )
    for gap in counts.across:
        found[gap.job] = _with_gap(found.get(gap.job, Work()), gap, counts)
    return found


def _with_slots(work: Work, slots: SlotsCounted) -> Work:
    due = work.due + slots.count
    match slots.fate:
        case SlotFate.MISSED:
            return replace(work, due=due, missed=work.missed + slots.count)
        case SlotFate.LATE:
            work = replace(work, due=due, late=work.late + slots.count)
        case SlotFate.FIRED:
            work = replace(work, due=due, on_time=work.on_time + slots.count)
    if slots.outcome is Outcome.PASSED:
        return replace(work, done=work.done + slots.count)
    if slots.outcome is None:
        return replace(work, open=work.open + slots.count)
    return replace(work, failed=work.failed + slots.count)


def _with_gap(work: Work, gap: SlotRow, counts: Counts) -> Work:
    inside, estimated = share_of(gap, counts)
    if not inside:
        return replace(work, estimated=work.estimated or estimated)
    return replace(
        work,
        due=work.due + inside,
        missed=work.missed + inside,
        missed_why=_more(work.missed_why, gap.why, inside),
        estimated=work.estimated or estimated,
    )


def share_of(gap: SlotRow, counts: Counts) -> tuple[int, bool]:
    """How many slots of a gap lie in the span, and whether that is an estimate: by its schedule, or else
    as if they were at even distances.
    """
    first, last = max(gap.first_at, counts.since), min(gap.last_at, counts.until - _INSTANT)
    if first > last:
        return 0, False
    schedule = counts.schedules.get(gap.job)
    if schedule is not None:
        before = gap.first_at - _INSTANT
        if count_between(schedule, before, gap.last_at, counts.zone) == gap.count:
            return count_between(schedule, first - _INSTANT, last, counts.zone), False
    return _evenly(gap, first, last), True


def _evenly(gap: SlotRow, first: datetime, last: datetime) -> int:
    """Of slots at even distances over the gap, those from one moment to another."""
    length, steps = (gap.last_at - gap.first_at) // _INSTANT, gap.count - 1
    if not length:
        return gap.count
    lowest = -((gap.first_at - first) // _INSTANT * steps // length)  # rounded up
    highest = (last - gap.first_at) // _INSTANT * steps // length
    return max(0, highest - lowest + 1)


def _more(known: tuple[Missed, ...], why: str, count: int) -> tuple[Missed, ...]:
    """Most frequent first."""
    sums = {one.why: one.count for one in known}
    sums[why] = sums.get(why, 0) + count
    return tuple(Missed(w, n) for w, n in sorted(sums.items(), key=lambda one: (-one[1], one[0])))


def beside(work: Work, runs: Iterable[RunsCounted]) -> Work:
    """With what was done beside the schedule, and when the last that passed ended."""
    for one in runs:
        if one.passed_at is not None and (work.last_at is None or one.passed_at > work.last_at):
            work = replace(work, last_at=one.passed_at)
        if one.trigger == SCHEDULE:
            continue
        if one.outcome is Outcome.PASSED:
            work = replace(work, by_hand=work.by_hand + one.count)
        elif one.outcome is not None:
            work = replace(work, failed_by_hand=work.failed_by_hand + one.count)
    return work


def by_name(runs: Iterable[RunsCounted]) -> dict[tuple[RunKind, str], list[RunsCounted]]:
    """What was counted, by kind and name."""
    found: dict[tuple[RunKind, str], list[RunsCounted]] = {}
    for one in runs:
        found.setdefault((one.kind, one.name), []).append(one)
    return found


def total(all_of: Iterable[Work]) -> Work:
    """The sum; when the last ended is the newest of them, and what is promised is left out."""
    found = Work()
    for one in all_of:
        sums = {name: getattr(found, name) + getattr(one, name) for name in _SUMS}
        known = [at for at in (found.last_at, one.last_at) if at is not None]
        why = found.missed_why
        for missed in one.missed_why:
            why = _more(why, missed.why, missed.count)
        estimated = found.estimated or one.estimated
        last = max(known, default=None)
        found = replace(found, **sums, last_at=last, missed_why=why, estimated=estimated)
    return found


_SUMS = (
    "due",
    "on_time",
    "late",
    "missed",
    "done",
    "failed",
    "open",
    "by_hand",
    "failed_by_hand",
)
