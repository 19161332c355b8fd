"""The journal on a SQL database: append, read, and the projections beside.

One connection writes, guarded by a lock; readers take their own. Safe to use from many threads
and, on the same database, from many processes.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from drorch.core.codec import canonical, decode_event, encode_event, parse
from drorch.core.errors import FenceLost, JournalFailing, JournalUntrusted, UsageError
from drorch.core.events import (
    AttemptFinished,
    Event,
    JobsSeen,
    Recorded,
    RunFinished,
    RunStarted,
    SlotsMissed,
    SlotTaken,
    Stamped,
)
from drorch.core.facts import F, Known
from drorch.core.posture import KnownCopy, RunRow, SlotRow
from drorch.core.vitals import Counted
from drorch.journal import counted, noted, records, scheduled
from drorch.journal.chain import RUN_GENESIS, TAMPERED, Mark, Row, seal, unseal
from drorch.journal.connection import Connection, Transaction
from drorch.journal.failures import hinting
from drorch.journal.opening import open_state
from drorch.journal.points import note_points
from drorch.journal.projection import Standing, fold, opening
from drorch.journal.span import Span
from drorch.journal.stocks import renew_stocks
from drorch.journal.whole import Whole
from drorch.ports import Head

#: How long a writer waits for other processes' transactions, which take a millisecond each.
PATIENCE = timedelta(seconds=30)

_PAGE = 500


class SqlJournal:
    """ports.Journal on SQLite or PostgreSQL.

    `url` is SQLAlchemy's; a relative path in it counts from `folder`. With `create` (default) an
    empty or older state is brought to this version's schema, else it is refused. Every method
    raises JournalUntrusted when the database cannot do what is asked.
    """

    def __init__(
        self,
        url: str,
        *,
        folder: Path = Path(),
        patience: timedelta = PATIENCE,
        create: bool = True,
    ) -> None:
        #: What another one is opened by: URL and folder.
        self.address = (url, folder.absolute())
        self._url = url
        self._database = open_state(url, folder, patience, create=create)
        self._writer: Connection | None = None
        self._lock = threading.RLock()
        self._standings: dict[str, Standing] = {}
        #: Whether anything was recorded through it.
        self.wrote = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def database(self) -> str:
        """SQLite's file, or the name of PostgreSQL's database."""
        return self._database.name

    @property
    def file(self) -> Path | None:
        """SQLite's file; None of another database."""
        return Path(self._database.name) if self._url.startswith("sqlite") else None

    @property
    def hindered(self) -> JournalFailing | None:
        """Why nothing can be recorded, where that was seen: what is read comes from a copy, then."""
        return self._database.hindered

    def close(self) -> None:
        """Let go of the database; what was recorded is durable already."""
        with self._lock:
            if self._writer is not None:
                self._writer.release()
                self._writer = None
            self._database.close()

    # --- writing

    def begin(
        self, run: str, events: Sequence[Stamped], may_begin: Callable[[RunRow], None]
    ) -> Head:
        """Record a new run's first events; see ports.Journal."""
        if not events or not isinstance(events[0].event, RunStarted):
            raise ValueError("a run begins with run.started")
        rows = _seal_all(run, events, 0, RUN_GENESIS)
        standing = opening(run, events[0], rows[0].hash)
        nothing_begun = hinting(lambda hint: f"nothing was begun: {hint}")
        with nothing_begun, self._lock, self.writing(run, alone=True) as connection:
            for other in records.unfinished(connection, standing.subject):
                may_begin(other)
            _record(connection, rows)
            records.insert_standing(connection, standing)
            project(connection, standing, rows, events)
            records.update_standing(connection, standing)
        return self._keep(standing)

    def append(self, run: str, after: int, events: Sequence[Stamped], taken: int = 0) -> Head:
        """Record events of a run after sequence number `after`; see ports.Journal."""
        alone = any(_concerns_all(stamped.event) for stamped in events)
        goes_on = hinting(lambda hint: f"{hint}; the run goes on by: drorch run resume {run}")
        with goes_on, self.writing(run, alone=alone) as connection:
            standing = self._standing(connection, run, after)
            if events:
                rows = _seal_all(run, events, after, standing.head)
                _record(connection, rows)
                project(connection, standing, rows, events)
                records.update_standing(connection, standing)
            if taken:
                records.clear_requests(connection, run, taken)
        return self._keep(standing)

    def post(self, run: str, request: Event) -> None:
        """Leave a request for the run's living owner; UsageError if the run is not there or over."""
        kind, body = encode_event(request)
        # Alone, so that numbers become visible in their order: the owner asks for what came after
        # the last it took, and would never see one that was given before and committed after.
        with self.writing(alone=True) as connection:
            standing = records.standing_of(connection, run)
            if standing is None:
                raise _unknown(run)
            if standing.outcome is not None:
                raise UsageError(f"run {run} is finished", "`drorch run show` tells how it ended")
            records.post(connection, run, kind, canonical(body).decode())

    # --- reading

    def read(self, run: str) -> Iterator[Recorded]:
        """A run's events in order, each checked against the chain; see ports.Journal."""
        with self.reading() as connection:
            standing = records.standing_of(connection, run)
        last = 0
        for recorded in unseal(self.sealed(run)):
            last = recorded.seq
            yield recorded
        if standing is None and not last:
            raise _unknown(run)
        if standing is not None and last < standing.seq:
            raise JournalUntrusted(
                f"the journal of run {run} is broken: its last events are missing", TAMPERED
            )

    def sealed(self, run: str) -> Iterator[Row]:
        """A run's rows as they lie there, unchecked, in order."""
        # Each page is a transaction of its own: a reader that dawdles holds up nothing.
        after = 0
        while True:
            with self.reading() as connection:
                rows = records.page(connection, run, after, _PAGE)
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1].seq

    def recorded(self, run: str) -> bool:
        """Whether there is a run of exactly this id."""
        with self.reading() as connection:
            return records.standing_of(connection, run) is not None

    def find(self, run: str) -> RunRow:
        """The run with this id, or the only one whose id begins or ends so; UsageError otherwise."""
        with self.reading() as connection:
            found = records.like(connection, run) if run else []
        exact = [row for row in found if row.run == run]
        if len(found) == 1 or exact:
            return (exact or found)[0]
        if not found:
            raise _unknown(run)
        raise UsageError(
            f"{run!r} may be any of {', '.join(row.run for row in found[:3])}"
            + (" …" if len(found) > 3 else ""),
            "give more of the id",
        )

    def rows(
        self, *, unfinished: bool = False, name: str | None = None, limit: int | None = None
    ) -> Sequence[RunRow]:
        """Runs in short, newest first."""
        with self.reading() as connection:
            return records.rows(connection, unfinished=unfinished, name=name, limit=limit)

    def counted(self, after: int | None = None) -> Counted:
        """What runs and slots have come to: all, or since the entry that was told the last time."""
        with self.reading(whole=True) as connection:
            return counted.counted(connection, after)

    def copies(self, dataset: str) -> Sequence[KnownCopy]:
        """Every known snapshot of the dataset in every region, newest snapshot first."""
        with self.reading() as connection:
            return records.copies_of(connection, dataset)

    def facts(self, wanted: type[F], dataset: str) -> Sequence[Known[F]]:
        """The facts of one kind about a dataset that stand, by region and subject."""
        with self.reading() as connection:
            return noted.facts_of(connection, wanted, dataset)

    @property
    def whole(self) -> Whole:
        """What is read of all datasets at once."""
        return Whole(self.reading)

    def span(self, since: datetime, until: datetime) -> Span:
        """What is read of a span of time."""
        return Span(self.reading, since, until)

    def accounted(self) -> Mapping[str, datetime]:
        """Up to when the slots of each job that was ever seen are accounted for; see ports.Journal."""
        with self.reading() as connection:
            return scheduled.accounted(connection)

    def slots(
        self, *, job: str | None = None, since: datetime | None = None, limit: int | None = None
    ) -> Sequence[SlotRow]:
        """What became of slots, newest first."""
        with self.reading() as connection:
            return scheduled.slots(connection, job=job, since=since, limit=limit)

    def newest_slots(self) -> Mapping[str, SlotRow]:
        """The last slot, or gap, of each job that had one; see ports.Journal."""
        with self.reading() as connection:
            return scheduled.newest_slots(connection)

    def take_posted(self, run: str, after: int) -> Sequence[tuple[int, Event]]:
        """Requests left for the run with an id above `after`, oldest first, with their ids."""
        with self.reading() as connection:
            found = records.requests(connection, run, after)
        return [(number, decode_event(kind, parse(body))) for number, kind, body in found]

    # --- transactions

    @contextmanager
    def reading(self, *, whole: bool = False) -> Iterator[Connection]:
        """A reading transaction; with `whole` all its statements see one state of everything."""
        with self._database.told():
            connection = self._database.connect()
            try:
                connection.begin(Transaction.READ_WHOLE if whole else Transaction.READ)
                yield connection
            except BaseException:
                connection.discard()
                raise
            connection.release()

    @contextmanager
    def writing(self, run: str = "", *, alone: bool = False) -> Iterator[Connection]:
        """A durable transaction, on the one connection that writes; `alone`: no other starts or ends."""
        with self._lock, self._database.told():
            if self._writer is None:
                self._writer = self._database.connect()
            writer = self._writer
            try:
                writer.begin(Transaction.WRITE_ALONE if alone else Transaction.WRITE)
                yield writer
                writer.commit()
                self.wrote = self.wrote or bool(run)
            except BaseException:
                # What was folded for this transaction did not come to be; a connection that
                # failed is not used again.
                self._standings.pop(run, None)
                self._writer = None
                writer.discard()
                raise

    def _standing(self, connection: Connection, run: str, after: int) -> Standing:
        known = self._standings.get(run)
        if known is not None and known.seq == after:
            return known
        found = records.standing_of(connection, run)
        if found is None:
            raise _unknown(run)
        if found.seq < after:
            raise JournalUntrusted(
                f"run {run} ends at event {found.seq}, but event {after} was recorded", TAMPERED
            )
        if found.seq > after or found.outcome is not None:
            raise FenceLost.of(run)
        return found

    def _keep(self, standing: Standing) -> Head:
        if standing.outcome is None:
            self._standings[standing.run] = standing
        else:
            self._standings.pop(standing.run, None)
        return Head(standing.seq, standing.head)


def _record(connection: Connection, rows: Sequence[Row]) -> None:
    try:
        records.insert_events(connection, rows)
    except connection.refusal:
        raise FenceLost.of(rows[0].run) from None


def project(
    connection: Connection, standing: Standing, rows: Sequence[Row], events: Sequence[Stamped]
) -> None:
    """Fold the events just recorded into everything that is kept beside them."""
    for row, stamped in zip(rows, events, strict=True):
        event = stamped.event
        if row.seq > 1:
            fold(standing, Recorded(row.run, row.seq, stamped.at, event, row.hash))
        match event:
            case RunStarted():
                records.note_in_ledger(connection, Mark.START, row)
            case RunFinished(facts=facts):
                records.note_in_ledger(connection, Mark.END, row)
                records.clear_requests(connection, row.run)
                for fact in facts:
                    noted.note_fact(connection, fact, stamped.at.at)
            case AttemptFinished(copies=copies, facts=facts):
                for copy in copies:
                    records.learn_copy(connection, copy, stamped.at.at)
                renew_stocks(connection, copies)
                note_points(connection, copies, stamped.at.at)
                for fact in facts:
                    noted.note_fact(connection, fact, stamped.at.at)
            case SlotTaken() | SlotsMissed() | JobsSeen():
                scheduled.note_of_schedule(connection, row.run, event)


def _concerns_all(event: Event) -> bool:
    """Whether it goes into what all runs have in common: the ledger, what is known of copies, slots."""
    match event:
        case RunFinished() | SlotTaken() | SlotsMissed() | JobsSeen():
            return True
        case AttemptFinished(copies=copies, facts=facts):
            return bool(copies or facts)
        case _:
            return False


def _seal_all(run: str, events: Sequence[Stamped], after: int, prev: str) -> list[Row]:
    rows = []
    for seq, stamped in enumerate(events, after + 1):
        rows.append(seal(run, stamped, seq, prev))
        prev = rows[-1].hash
    return rows


def _unknown(run: str) -> UsageError:
    return UsageError(f"there is no run {run!r}", "`drorch run list` names them")
