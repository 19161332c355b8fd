"""The hash chains: one per run, and the ledger over all runs' starts and ends. Pure.

    hash of an event         SHA-256 over the canonical JSON of {run, seq, at, boot, ticks, kind, body, prev}
    hash of a ledger entry   SHA-256 over the canonical JSON of {n, run, what, head, at, prev}

`prev` is the hash before; before the first stands a constant that names what is chained.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from json.encoder import encode_basestring

from drorch import __version__
from drorch.core.codec import (
    NewerFormat,
    NotDecodable,
    canonical,
    decode,
    decode_event,
    encode_event,
    parse,
)
from drorch.core.encoding import write_instant
from drorch.core.errors import JournalUntrusted
from drorch.core.events import Event, Recorded, Stamped
from drorch.core.moment import Moment

#: What stands before the first event of a run, and before the first entry of the ledger.
RUN_GENESIS = hashlib.sha256(b"drorch journal 1: events of a run").hexdigest()
LEDGER_GENESIS = hashlib.sha256(b"drorch journal 1: ledger of runs").hexdigest()

TAMPERED = "keep the file as it is, run `drorch journal verify`, and compare with a region's copy"


@dataclass(frozen=True, slots=True)
class Row:
    """An event as it lies in the journal. `body` is canonical JSON; hashes are hex."""

    run: str
    seq: int
    at: str
    boot: str
    ticks: float
    kind: str
    body: str
    prev: str
    hash: str = ""

    def columns(self) -> dict[str, str | int | float]:
        """By name; dataclasses.asdict would copy deeply, and this is on the hot path."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def intact(self) -> bool:
        """Whether the hash is right. A database may hold what is not even text."""
        try:
            return self.hash == self.computed()
        except TypeError:
            return False

    def computed(self) -> str:
        """What the hash must be."""
        return hash_of(
            self.run, self.seq, self.at, self.boot, self.ticks, self.kind, self.body, self.prev
        )


def hash_of(
    run: str, seq: int, at: str, boot: str, ticks: float, kind: str, body: str, prev: str
) -> str:
    """SHA-256 (hex) of an event; written out, because the body is canonical JSON already."""
    text = (
        f'{{"at":{_quoted(at)},"body":{body},"boot":{_quoted(boot)},"kind":{_quoted(kind)},'
        f'"prev":{_quoted(prev)},"run":{_quoted(run)},"seq":{seq},"ticks":{ticks!r}}}'
    )
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _quoted(text: str) -> str:
    return encode_basestring(text)


class Mark(StrEnum):
    """What of a run the ledger notes."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: `head` is the hash of the run's first or last event."""

    n: int
    run: str
    what: Mark
    head: str
    at: str
    prev: str
    hash: str = ""

    @property
    def intact(self) -> bool:
        """Whether the hash is right. A database may hold what is not even text."""
        try:
            return self.hash == self.computed()
        except TypeError:
            return False

    def computed(self) -> str:
        """What the hash must be."""
        return hashlib.sha256(
            canonical(
                {
                    "n": self.n,
                    "run": self.run,
                    "what": self.what,
                    "head": self.head,
                    "at": self.at,
                    "prev": self.prev,
                }
            )
        ).hexdigest()


def seal(run: str, stamped: Stamped, seq: int, prev: str) -> Row:
    """The event as a row, chained to the hash before it."""
    kind, value = encode_event(stamped.event)
    body = canonical(value).decode()
    at, ticks, boot = write_instant(stamped.at.at), float(stamped.at.ticks), stamped.at.boot
    sealed = hash_of(run, seq, at, boot, ticks, kind, body, prev)
    return Row(run, seq, at, boot, ticks, kind, body, prev, sealed)


def note(previous: Entry | None, what: Mark, row: Row) -> Entry:
    """The ledger's entry for a run's first or last event."""
    n, prev = (previous.n + 1, previous.hash) if previous else (1, LEDGER_GENESIS)
    entry = Entry(n, row.run, what, row.hash, row.at, prev)
    return replace(entry, hash=entry.computed())


def unseal(rows: Iterable[Row], *, checked: bool = False) -> Iterator[Recorded]:
    """A run's rows, from its first, as events; raises JournalUntrusted where the chain breaks, which
    is looked at unless it was `checked` already.

    What a newer version of drorch wrote is read as far as this one understands it.
    """
    prev, newer = RUN_GENESIS, False
    for seq, row in enumerate(rows, 1):
        flaw = "" if checked else flaw_of(row, seq, prev)
        if flaw:
            raise JournalUntrusted(f"the journal of run {row.run} is broken: {flaw}", TAMPERED)
        prev = row.hash
        newer = _written_by_newer(row) or newer
        yield opened(row, tolerant=newer)


def opened(row: Row, *, tolerant: bool = True) -> Recorded:
    """One row as an event, its chain unchecked; JournalUntrusted if it is no event."""
    return Recorded(row.run, row.seq, _moment(row), _event(row, tolerant=tolerant), row.hash)


def flaw_of(row: Row, seq: int, prev: str) -> str:
    """What is wrong with the row as the one after `prev`; empty if nothing is."""
    if row.seq != seq:
        return f"event {seq} is missing"
    if row.prev != prev:
        return f"event {seq} does not follow the one before it"
    if not row.intact:
        return f"event {seq} was changed"
    return ""


def _moment(row: Row) -> Moment:
    try:
        return Moment(decode(datetime, row.at), row.boot, row.ticks)
    except NotDecodable as error:
        raise JournalUntrusted(f"{_place(row)}: {error}", TAMPERED) from None


def _event(row: Row, *, tolerant: bool) -> Event:
    try:
        return decode_event(row.kind, parse(row.body), tolerant=tolerant)
    except NewerFormat as error:
        raise JournalUntrusted(
            f"{_place(row)} is not known to this version: {error}",
            "use the version of drorch that wrote it, or a newer one",
        ) from None
    except NotDecodable as error:
        raise JournalUntrusted(f"{_place(row)}: {error}", TAMPERED) from None


def _place(row: Row) -> str:
    return f"event {row.seq} of run {row.run} ({row.kind})"


def _written_by_newer(row: Row) -> bool:
    if row.kind not in ("run.started", "run.taken"):
        return False
    try:
        body = parse(row.body)
    except NotDecodable:
        return False  # whoever opens the row says so
    owner = body.get("owner") if isinstance(body, dict) else None
    version = owner.get("version") if isinstance(owner, dict) else None
    return isinstance(version, str) and _version(version) > _version(__version__)


def _version(text: str) -> tuple[int, ...]:
    release = text.split("+", 1)[0].split(".")
    return tuple(int(part) for part in release if part.isdigit())
