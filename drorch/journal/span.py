"""What is read of a span of time: a quarter of a journal of a million runs, in seconds."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from drorch.core.codec import NotDecodable, decode
from drorch.core.encoding import write_instant
from drorch.core.errors import JournalUntrusted
from drorch.core.names import Outcome, RunKind, SlotFate
from drorch.core.posture import RunRow, SlotRow
from drorch.core.spans import MissedCounted, RunsCounted, SlotsCounted
from drorch.journal import points, records, scheduled, statements
from drorch.journal.connection import Connection
from drorch.journal.points import Place

Reading = Callable[[], AbstractContextManager[Connection]]


class Span:
    """From `since` up to `until`, without it (aware). Each method reads in a transaction of its own:
    what is recorded meanwhile lies after a span that is over.
    """

    def __init__(self, reading: Reading, since: datetime, until: datetime) -> None:
        self._reading = reading
        self.since = since
        self.until = until
        self._asked = {"since": write_instant(since), "until": write_instant(until)}

    def runs(self) -> Sequence[RunsCounted]:
        """The runs that began in it."""
        asked = {**self._asked, "good": Outcome.PASSED.value}
        with self._reading() as connection:
            return [_runs(row) for row in connection.execute(statements.RUNS_COUNTED, asked)]

    def rows(self, kind: RunKind) -> Sequence[RunRow]:
        """The runs of a kind that began in it, oldest first."""
        asked = {**self._asked, "kind": kind.value}
        with self._reading() as connection:
            found = connection.execute(statements.RUNS_OF_KIND, asked)
            return [records.run_row(row) for row in found]

    def slots(self) -> Sequence[SlotsCounted]:
        """The slots in it, without gaps that reach over a border."""
        with self._reading() as connection:
            return [_slots(row) for row in connection.execute(statements.SLOTS_DONE, self._asked)]

    def missed(self) -> Sequence[MissedCounted]:
        """The missed ones among them, by reason."""
        asked = {**self._asked, "fate": SlotFate.MISSED.value}
        with self._reading() as connection:
            found = list(connection.execute(statements.SLOTS_MISSED, asked))
        return [MissedCounted(job, why, int(count)) for job, why, count in found]

    def across(self) -> Sequence[SlotRow]:
        """Gaps of missed slots that reach over one of its borders, or over both."""
        found: dict[tuple[str, datetime, str], SlotRow] = {}
        with self._reading() as connection:
            for border in ("since", "until"):
                asked = {"border": self._asked[border]}
                for row in connection.execute(statements.SLOTS_ACROSS, asked):
                    gap = scheduled.slot_of(row)
                    found[(gap.job, gap.first_at, gap.run)] = gap
        return list(found.values())

    def points(self, place: Place) -> Sequence[tuple[datetime, datetime | None]]:
        """Since when a region's newest snapshot was of when; the first row is the one that held
        already, if one did.
        """
        with self._reading() as connection:
            return points.points_between(connection, place, self.since, self.until)

    def places(self) -> Iterator[tuple[Place, datetime | None]]:
        """Every dataset and region of which anything was ever known, and when one first held
        something.
        """
        with self._reading() as connection:
            for place in list(points.places(connection)):
                yield place, points.first_point(connection, place)

    def first_run(self, kind: RunKind, name: str) -> tuple[datetime, str] | None:
        """When the first run of that kind and name ever began, and its id."""
        asked = {"kind": kind.value, "name": name}
        with self._reading() as connection:
            return _run(list(connection.execute(statements.FIRST_OF_NAME, asked)))

    def last_run(self, kind: RunKind, name: str) -> tuple[datetime, str] | None:
        """When the last run of that kind and name began before the span's end, and its id."""
        asked = {"kind": kind.value, "name": name, "until": self._asked["until"]}
        with self._reading() as connection:
            return _run(list(connection.execute(statements.LAST_OF_NAME, asked)))


def _run(found: list[Sequence[Any]]) -> tuple[datetime, str] | None:
    return (_instant(found[0][0]), found[0][1]) if found else None


def _runs(row: Sequence[Any]) -> RunsCounted:
    kind, name, trigger, outcome, count, passed = row
    return RunsCounted(
        RunKind(kind),
        name,
        trigger,
        Outcome(outcome) if outcome else None,
        count,
        _instant(passed) if passed else None,
    )


def _slots(row: Sequence[Any]) -> SlotsCounted:
    job, fate, outcome, count = row
    missed = fate == SlotFate.MISSED.value  # the run only told of it
    return SlotsCounted(
        job, SlotFate(fate), Outcome(outcome) if outcome and not missed else None, int(count)
    )


def _instant(text: str) -> datetime:
    try:
        return decode(datetime, text)
    except NotDecodable:
        raise JournalUntrusted(
            "the row of a run is damaged", "`drorch journal rebuild` makes it anew"
        ) from None
