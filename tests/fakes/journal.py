"""A journal in memory that keeps every promise of ports.Journal but durability."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from drorch.core.codec import canonical, decode_event, encode_event, parse
from drorch.core.errors import FenceLost, JournalUntrusted, UsageError
from drorch.core.events import (
    AttemptFinished,
    Event,
    Recorded,
    RunFinished,
    RunStarted,
    SlotsMissed,
    SlotTaken,
    Stamped,
)
from drorch.core.facts import WORDS, F, Known, Place, place_of
from drorch.core.posture import KnownCopy, RunRow, SlotRow
from drorch.journal.chain import RUN_GENESIS, Row, seal, unseal
from drorch.journal.projection import CopyFold, Standing, account, fold, opening, slot_row
from drorch.ports import Head


class MemoryJournal:
    """Holds rows as the real one does, encoded and chained, so what cannot be kept shows here too."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rows: dict[str, list[Row]] = {}
        self._standings: dict[str, Standing] = {}
        self._of_subject: dict[str, list[Standing]] = {}
        self._copies = CopyFold()
        self._facts: dict[Place, Known] = {}
        self._accounted: dict[str, datetime] = {}
        self._slots: list[SlotRow] = []
        self._posted: dict[int, tuple[str, str, str]] = {}
        self._last_posted = 0

    def begin(
        self, run: str, events: Sequence[Stamped], may_begin: Callable[[RunRow], None]
    ) -> Head:
        if not events or not isinstance(events[0].event, RunStarted):
            raise ValueError("a run begins with run.started")
        with self._lock:
            subject = events[0].event.plan.subject
            for standing in self._of_subject.get(subject, ()):
                if standing.outcome is None:
                    may_begin(standing.row())
            if run in self._rows:
                raise FenceLost(f"another process has carried run {run} on", "look at it")
            return self._record(run, 0, RUN_GENESIS, events)

    def append(self, run: str, after: int, events: Sequence[Stamped], taken: int = 0) -> Head:
        with self._lock:
            standing = self._standings.get(run)
            if standing is None:
                raise UsageError(f"there is no run {run!r}", "list them")
            if standing.seq > after or standing.outcome is not None:
                raise FenceLost(f"another process has carried run {run} on", "look at it")
            if standing.seq < after:
                raise JournalUntrusted(f"run {run} ends before event {after}", "verify it")
            head = self._record(run, after, standing.head, events)
            self._posted = {
                number: posted
                for number, posted in self._posted.items()
                if posted[0] != run or (number > taken and standing.outcome is None)
            }
            return head

    def _record(self, run: str, after: int, prev: str, events: Sequence[Stamped]) -> Head:
        known = dict(self._accounted)
        for stamped in events:  # refused before anything is kept
            known.update(account(known, stamped.event))
        rows: list[Row] = []
        for seq, stamped in enumerate(events, after + 1):
            rows.append(seal(run, stamped, seq, prev))
            prev = rows[-1].hash
        self._rows.setdefault(run, []).extend(rows)
        for row, stamped in zip(rows, events, strict=True):
            self._project(row, stamped)
        self._accounted = known
        return Head(self._standings[run].seq, self._standings[run].head)

    def _project(self, row: Row, stamped: Stamped) -> None:
        if row.seq == 1:
            standing = opening(row.run, stamped, row.hash)
            self._standings[row.run] = standing
            self._of_subject.setdefault(standing.subject, []).append(standing)
        else:
            recorded = Recorded(row.run, row.seq, stamped.at, stamped.event, row.hash)
            fold(self._standings[row.run], recorded)
        if isinstance(stamped.event, AttemptFinished):
            for fact in stamped.event.copies:
                self._copies.learn(fact, stamped.at.at)
        if isinstance(stamped.event, AttemptFinished | RunFinished):
            for fact in stamped.event.facts:
                self._facts[place_of(fact)] = Known(fact, stamped.at.at)
        if isinstance(stamped.event, SlotTaken | SlotsMissed):
            self._slots.append(slot_row(row.run, stamped.event))

    def read(self, run: str) -> Iterator[Recorded]:
        with self._lock:
            rows = list(self._rows.get(run, []))
        if not rows:
            raise UsageError(f"there is no run {run!r}", "list them")
        yield from unseal(rows)

    def recorded(self, run: str) -> bool:
        return run in self._standings

    def find(self, run: str) -> RunRow:
        with self._lock:
            if run in self._standings:
                return self._standings[run].row()
            ids = [i for i in self._standings if run and (i.startswith(run) or i.endswith(run))]
            if len(ids) != 1:
                raise UsageError(f"{run!r} is not one run but {len(ids)}", "give a whole id")
            return self._standings[ids[0]].row()

    def rows(
        self, *, unfinished: bool = False, name: str | None = None, limit: int | None = None
    ) -> Sequence[RunRow]:
        with self._lock:
            found = [
                standing.row()
                for standing in self._standings.values()
                if not (unfinished and standing.outcome is not None)
                and name in (None, standing.name)
            ]
        return sorted(found, key=lambda r: (r.started_at, r.run), reverse=True)[:limit]

    def copies(self, dataset: str) -> Sequence[KnownCopy]:
        with self._lock:
            found = [copy for copy in self._copies.known.values() if copy.dataset == dataset]
        found.sort(key=lambda c: (c.snapshot, c.region))
        return sorted(found, key=lambda c: c.snapshot_at, reverse=True)

    def facts(self, wanted: type[F], dataset: str) -> Sequence[Known[F]]:
        with self._lock:
            found = {
                place: known
                for place, known in self._facts.items()
                if place.word == WORDS[wanted] and place.dataset == dataset
            }
        return [found[place] for place in sorted(found, key=lambda p: (p.region, p.subject))]

    def accounted(self) -> Mapping[str, datetime]:
        return dict(self._accounted)

    def slots(
        self, *, job: str | None = None, since: datetime | None = None, limit: int | None = None
    ) -> Sequence[SlotRow]:
        with self._lock:
            found = [
                slot
                for slot in self._slots
                if job in (None, slot.job) and (since is None or slot.last_at >= since)
            ]
        return sorted(found, key=lambda s: (s.last_at, s.job, s.run), reverse=True)[:limit]

    def newest_slots(self) -> Mapping[str, SlotRow]:
        return {s.job: s for s in self._slots if s.last_at == self._accounted[s.job]}

    def post(self, run: str, request: Event) -> None:
        with self._lock:
            standing = self._standings.get(run)
            if standing is None or standing.outcome is not None:
                raise UsageError(f"run {run} cannot take requests", "list the runs")
            kind, value = encode_event(request)
            self._last_posted += 1
            self._posted[self._last_posted] = (run, kind, canonical(value).decode())

    def take_posted(self, run: str, after: int) -> Sequence[tuple[int, Event]]:
        with self._lock:
            return [
                (number, decode_event(kind, parse(body)))
                for number, (owner, kind, body) in sorted(self._posted.items())
                if owner == run and number > after
            ]
