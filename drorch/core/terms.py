"""Which control plane is in charge, where one was recovered while another lives. Pure.

Each is an *instance* in a *term*. Whoever has the highest rank works, the others stand back: terms
count before times, for clocks lie. What is known of others is what was seen of them in the regions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from drorch.core.plane import BEGINNING, Point

#: A living daemon tells of itself so often; heard of within this it lives, as far as can be known.
TELL_EVERY = timedelta(minutes=5)
ALIVE_FOR = timedelta(minutes=15)

#: One that was not heard of for so long, and never said that it stopped, is spoken of no more.
SPOKEN_OF = timedelta(days=1)

_DIGITS = 16
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TermBegun:
    """From now on these records are those of an instance in a term; `at` is when that was decided.

    `of` and `of_term` are whose they were before. `announced`: something worked in this term by
    itself, or somebody claimed it; a copy that was only looked at outranks nobody. `renamed`: they
    are of the same machine as before, which had to be told apart from a copy of it.
    """

    instance: str
    term: int
    at: datetime
    by: str
    why: str
    of: str = ""
    of_term: int = 0
    announced: bool = False
    renamed: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """What decides between two: the higher one is in charge."""

    term: int
    at: datetime
    instance: str


class Fate(StrEnum):
    """What is known of another: it was heard of lately, it was not, or it said that it stopped."""

    ALIVE = "alive"
    SILENT = "silent"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Presence:
    """What a daemon tells of itself in every region; `name` is that of the object, another for each
    process, and `count` says which of what it told is newer, whatever its clock does.

    `since` is when its term was decided, `began_at` when the daemon began, `at` when it said this,
    all by its own clock. `until` is where its records ended. `back`: it stands back.
    """

    name: str
    instance: str
    term: int
    since: datetime
    host: str
    began_at: datetime
    at: datetime
    until: Point = BEGINNING
    back: bool = False
    stopped: bool = False
    count: int = 0

    @property
    def rank(self) -> Rank:
        """By which it is compared with others."""
        return Rank(self.term, self.since, self.instance)


@dataclass(frozen=True, slots=True)
class OtherSeen:
    """Another control plane of the same records, as it was last seen in the regions.

    `heard_at` is when it last told of itself, by the region's clock. `clone`: it bears our own
    instance, and its records went on otherwise (an image that was started twice, a state put back
    from a copy); `ahead`: of the two it works and this one does not.
    """

    instance: str
    term: int
    since: datetime
    host: str
    fate: Fate
    heard_at: datetime
    back: bool = False
    clone: bool = False
    ahead: bool = False

    @property
    def rank(self) -> Rank:
        """By which it is compared with us."""
        return Rank(self.term, self.since, self.instance)

    @property
    def short(self) -> str:
        """What people call it by."""
        return self.instance[:8]

    def differs(self, before: "OtherSeen | None") -> bool:
        """Whether there is more to say than that it was heard of again."""
        if before is None:
            return True
        return _without_time(self) != _without_time(before)


def _without_time(one: OtherSeen) -> tuple[object, ...]:
    return (one.instance, one.term, one.host, one.fate, one.back, one.clone, one.ahead)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A presence, and how long ago it was told, by the clock of the region it was found in."""

    presence: Presence
    age: timedelta
    told_at: datetime

    @property
    def fate(self) -> Fate:
        """What that says of whoever told it."""
        if self.presence.stopped:
            return Fate.STOPPED
        return Fate.ALIVE if self.age <= ALIVE_FOR else Fate.SILENT


def first_term(lineage: str) -> TermBegun:
    """What holds of records that were never recovered nor claimed."""
    return TermBegun(lineage[:_DIGITS], 0, _EVER, "", "", announced=bool(lineage))


def rank_of(term: TermBegun) -> Rank:
    """By which it is compared with others."""
    return Rank(term.term, term.at, term.instance)


def told_term(term: TermBegun) -> int:
    """The term that copies of the records are told to be of: before anything worked in it, the one
    they were recovered from.
    """
    return term.term if term.announced else term.of_term


def leader(own: TermBegun, others: Iterable[OtherSeen]) -> OtherSeen | None:
    """The other that is in charge; None: nobody else is, as far as is known.

    A higher one counts whatever became of it: what it recorded, this one lacks.
    """
    ahead = [one for one in others if _ahead(own, one)]
    return max(ahead, key=lambda one: one.rank, default=None)


def _ahead(own: TermBegun, other: OtherSeen) -> bool:
    if other.rank == rank_of(own):
        return other.ahead
    return other.rank > rank_of(own)


def spoken_of(other: OtherSeen, now: datetime) -> bool:
    """Whether one that is not in charge is still something to be said: it may work, or come back; of
    a copy, that this journal lacks what it recorded.
    """
    if other.fate is Fate.STOPPED and not other.clone:
        return False
    return other.fate is Fate.ALIVE or now - other.heard_at <= SPOKEN_OF


def other_seen(sightings: Sequence[Sighting]) -> OtherSeen:
    """What is known of one instance by all that its daemons tell; there is at least one.

    Its term is the highest that was told lately: whoever claims says so, and goodbye, before the
    daemon beside it says anything.
    """
    newest = min(sightings, key=lambda s: (s.fate is not Fate.ALIVE, s.age))
    lately = [s for s in sightings if s.age <= ALIVE_FOR] or [newest]
    told = max((s.presence for s in lately), key=lambda p: (p.term, p.since))
    living = [s.presence for s in sightings if s.fate is Fate.ALIVE]
    return OtherSeen(
        told.instance,
        told.term,
        told.since,
        newest.presence.host,
        newest.fate,
        newest.told_at,
        back=bool(living) and all(p.back for p in living),
    )


def clone_seen(own: TermBegun, sightings: Sequence[Sighting], us: Presence) -> OtherSeen:
    """The same of one that bears our own instance. Terms cannot tell the two apart: the one that
    began earlier works on, and whoever has stood back does so while the other works.
    """
    seen = other_seen(sightings)
    living = [s.presence for s in sightings if s.fate is Fate.ALIVE]
    first = min(((p.began_at, p.name) for p in living if not p.back), default=None)
    works = first is not None and (us.back or first < (us.began_at, us.name))
    return replace(seen, clone=True, ahead=works and seen.rank == rank_of(own))
