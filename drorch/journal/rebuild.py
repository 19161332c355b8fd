"""The projections folded anew from the events, and held against what is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from drorch.core.errors import JournalUntrusted
from drorch.core.events import (
    AttemptFinished,
    Recorded,
    RunFinished,
    SlotsMissed,
    SlotTaken,
)
from drorch.core.facts import Fact, Known, Place
from drorch.core.posture import KnownCopy, SlotRow
from drorch.journal import noted, records, scheduled
from drorch.journal.chain import TAMPERED, Row, opened, unseal
from drorch.journal.connection import Connection
from drorch.journal.points import PointFold, differences_of_points, replace_points
from drorch.journal.projection import (
    CopyFold,
    CopyKey,
    Standing,
    account,
    fold,
    opening,
    slot_row,
)
from drorch.journal.stocks import differences_of_stocks, replace_stocks
from drorch.journal.store import SqlJournal


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many runs and copies there are, and in words what was not as the events say."""

    runs: int
    copies: int
    differences: tuple[str, ...]


def rebuild(journal: SqlJournal) -> Rebuilt:
    """Bring every projection to what the events say; changes nothing that is right.

    Raises JournalUntrusted when a run's chain is broken: there is nothing to rebuild from.
    """
    with journal.reading(whole=True) as connection:
        runs = records.runs_with_events(connection)
        orphans = records.rows_without_events(connection)
        strays = scheduled.slots_without_events(connection)
        suspects = [run for run in runs if _difference(connection, run)]
    differences: list[str] = []
    # What seemed off is looked at again under the lock: its run may just have gone on.
    for run in suspects:
        with journal.writing(alone=True) as connection:
            differences += _mend_run(connection, run)
    with journal.writing(alone=True) as connection:
        for run in orphans:
            records.remove_standing(connection, run)
            differences.append(f"run {run}: there are no events")
        for run in strays:
            scheduled.replace_slots_by(connection, run, ())
            differences.append(f"slots of run {run}: there are no events")
        told = Told.by(connection)
        off_copies = differences_of_copies(connection, told.copies)
        if off_copies:
            records.replace_copies(connection, told.copies.values())
        off_stocks = differences_of_stocks(connection)
        if off_stocks:
            replace_stocks(connection)
        off_facts = differences_of_facts(connection, told.facts)
        if off_facts:
            noted.replace_facts(connection, told.facts.values())
        off_points = differences_of_points(connection, told.points)
        if off_points:
            replace_points(connection, told.points)
        off_jobs = differences_of_jobs(connection, told.accounted)
        if off_jobs:
            scheduled.replace_accounted(connection, told.accounted)
    off = (*differences, *off_copies, *off_stocks, *off_points, *off_facts, *off_jobs)
    return Rebuilt(len(runs), len(told.copies), off)


def _mend_run(connection: Connection, run: str) -> list[str]:
    difference = _difference(connection, run)
    if not difference:
        return []
    story = Story.by(records.all_rows(connection, run))
    if records.has_row(connection, run):
        records.replace_standing(connection, story.standing)
    else:
        records.insert_standing(connection, story.standing)
    scheduled.replace_slots_by(connection, run, story.slots)
    return [f"run {run}: {difference}"]


def _difference(connection: Connection, run: str) -> str:
    return difference_of(connection, Story.by(records.all_rows(connection, run)))


@dataclass(frozen=True, slots=True)
class Story:
    """What a run's own events tell: its row, and what it recorded of slots by job and time."""

    standing: Standing
    slots: tuple[SlotRow, ...]

    @classmethod
    def by(cls, rows: Iterable[Row], *, checked: bool = False) -> "Story":
        """From a run's first event on; JournalUntrusted if the chain is broken. `checked`: it is not."""
        standing: Standing | None = None
        slots: list[SlotRow] = []
        for recorded in unseal(rows, checked=checked):
            if standing is None:
                standing = opening(recorded.run, recorded, recorded.head)
            else:
                fold(standing, recorded)
            slots += _slots_of(recorded)
        if standing is None:
            raise JournalUntrusted("a run has no events", TAMPERED)
        return cls(standing, tuple(sorted(slots, key=lambda s: (s.job, s.first_at))))


def _slots_of(recorded: Recorded) -> Iterator[SlotRow]:
    if isinstance(recorded.event, SlotTaken | SlotsMissed):
        yield slot_row(recorded.run, recorded.event)


def difference_of(connection: Connection, told: Story) -> str:
    """In words, where what is kept of a run differs from what its events tell; empty if nowhere."""
    row = _difference_of_row(connection, told.standing)
    return "; ".join(d for d in (row, _difference_of_slots(connection, told)) if d)


def _difference_of_slots(connection: Connection, told: Story) -> str:
    try:
        kept = scheduled.slots_by(connection, told.standing.run)
    except JournalUntrusted as error:
        return error.message
    return "" if kept == list(told.slots) else "its slots are not what the events tell"


def _difference_of_row(connection: Connection, told: Standing) -> str:
    try:
        kept = records.standing_of(connection, told.run)
    except JournalUntrusted as error:
        return error.message
    if kept is None:
        return "its row is missing"
    differing = [
        f"{f.name} is {getattr(kept, f.name)!s}, by the events {getattr(told, f.name)!s}"
        for f in fields(Standing)
        if getattr(kept, f.name) != getattr(told, f.name)
    ]
    return "; ".join(differing)


@dataclass(frozen=True, slots=True)
class Told:
    """What all runs told together, folded in the order it was recorded."""

    copies: dict[CopyKey, KnownCopy]
    facts: dict[Place, Known[Fact]]
    points: PointFold
    accounted: dict[str, datetime]

    @classmethod
    def by(cls, connection: Connection) -> "Told":
        """By the events, each read once."""
        copies, points = CopyFold(), PointFold()
        facts: list[tuple[Fact, datetime]] = []
        for row in records.rows_with_facts(connection):
            recorded = opened(row)
            if isinstance(recorded.event, AttemptFinished):
                for copy in recorded.event.copies:
                    copies.learn(copy, recorded.at.at)
                points.note(copies, recorded.event.copies, recorded.at.at)
            if isinstance(recorded.event, AttemptFinished | RunFinished):
                facts += [(fact, recorded.at.at) for fact in recorded.event.facts]
        accounted: dict[str, datetime] = {}
        for row in scheduled.rows_of_schedules(connection):
            accounted.update(account(accounted, opened(row).event))
        return cls(copies.known, noted.folded(facts), points, accounted)


def differences_of_jobs(connection: Connection, told: dict[str, datetime]) -> list[str]:
    """In words, where what is kept as accounted for differs from what the events tell."""
    try:
        kept = scheduled.accounted(connection)
    except JournalUntrusted as error:
        return [error.message]
    return [
        f"slots of {job} are accounted for up to {kept.get(job)}, by the events {told.get(job)}"
        for job in sorted({*kept, *told})
        if kept.get(job) != told.get(job)
    ]


def differences_of_facts(connection: Connection, told: dict[Place, Known[Fact]]) -> list[str]:
    """In words, where the kept facts differ from what the events tell."""
    try:
        kept = noted.every_fact(connection)
    except JournalUntrusted as error:
        return [error.message]
    return [
        f"{place.word} {place.subject} of {place.dataset} {place.region}".rstrip()
        + (": no event tells of it" if place not in told else ": it is not what the events tell")
        for place in sorted({*kept, *told}, key=astuple)
        if kept.get(place) != told.get(place)
    ]


def differences_of_copies(connection: Connection, known: dict[CopyKey, KnownCopy]) -> list[str]:
    """In words, where the kept copies differ from what the events tell."""
    try:
        kept = {(c.dataset, c.region, c.snapshot): c for c in records.every_copy(connection)}
    except JournalUntrusted as error:
        return [error.message]
    return [
        f"copy of {key[0]} in {key[1]} ({key[2][:8]}): {_copy_words(kept.get(key), known.get(key))}"
        for key in sorted({*kept, *known})
        if kept.get(key) != known.get(key)
    ]


def _copy_words(kept: KnownCopy | None, told: KnownCopy | None) -> str:
    if kept is None:
        return "its row is missing"
    if told is None:
        return "no event tells of it"
    differing = (
        f.name for f in fields(KnownCopy) if getattr(kept, f.name) != getattr(told, f.name)
    )
    return f"{', '.join(differing)} is not what the events tell"
