"""The projections folded anew from the events, and held against what is kept."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from drorch.core.errors import JournalUntrusted
from drorch.core.events import AttemptFinished, RunFinished
from drorch.core.facts import Fact, Known, Place
from drorch.core.posture import KnownCopy
from drorch.journal import noted, records
from drorch.journal.chain import TAMPERED, Row, opened, unseal
from drorch.journal.connection import Connection
from drorch.journal.projection import CopyFold, CopyKey, Standing, fold, opening
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
        told = Told.by(connection)
        off_copies = differences_of_copies(connection, told.copies)
        if off_copies:
            records.replace_copies(connection, told.copies.values())
        off_facts = differences_of_facts(connection, told.facts)
        if off_facts:
            noted.replace_facts(connection, told.facts.values())
    return Rebuilt(len(runs), len(told.copies), (*differences, *off_copies, *off_facts))


def _mend_run(connection: Connection, run: str) -> list[str]:
    difference = _difference(connection, run)
    if not difference:
        return []
    standing = standing_from(records.all_rows(connection, run))
    if records.has_row(connection, run):
        records.replace_standing(connection, standing)
    else:
        records.insert_standing(connection, standing)
    return [f"run {run}: {difference}"]


def _difference(connection: Connection, run: str) -> str:
    return difference_of(connection, standing_from(records.all_rows(connection, run)))


def standing_from(rows: Iterable[Row]) -> Standing:
    """A run's row as its events tell it; JournalUntrusted if the chain is broken."""
    standing: Standing | None = None
    for recorded in unseal(rows):
        if standing is None:
            standing = opening(recorded.run, recorded, recorded.head)
        else:
            fold(standing, recorded)
    if standing is None:
        raise JournalUntrusted("a run has no events", TAMPERED)
    return standing


def difference_of(connection: Connection, told: Standing) -> str:
    """In words, where the kept row differs from what the events tell; empty if nowhere."""
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
    """What the attempts of all runs told, folded in the order it was recorded."""

    copies: dict[CopyKey, KnownCopy]
    facts: dict[Place, Known[Fact]]

    @classmethod
    def by(cls, connection: Connection) -> "Told":
        """By the events, each read once."""
        copies = CopyFold()
        facts: list[tuple[Fact, datetime]] = []
        for row in records.rows_with_facts(connection):
            recorded = opened(row)
            if isinstance(recorded.event, AttemptFinished):
                for copy in recorded.event.copies:
                    copies.learn(copy, recorded.at.at)
            if isinstance(recorded.event, AttemptFinished | RunFinished):
                facts += [(fact, recorded.at.at) for fact in recorded.event.facts]
        return cls(copies.known, noted.folded(facts))


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
