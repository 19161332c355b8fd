"""What presences in the regions come to: which of them are ours, and which are another's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from drorch.app.program import Program
from drorch.core.terms import (
    ALIVE_FOR,
    Fate,
    OtherSeen,
    Presence,
    Sighting,
    TermBegun,
    clone_seen,
    other_seen,
)
from drorch.journal.increments import hash_at


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges for one control plane: `us` is what it tells, `known` what it had recorded of others."""

    program: Program
    own: TermBegun
    us: Presence
    known: Mapping[str, OtherSeen]

    def others(self, seen: Collection[Sequence[Sighting]], now: datetime) -> dict[str, OtherSeen]:
        """Everything that is known of others, by their instances, after regions showed this; none
        answered if it is empty.
        """
        by_instance: dict[str, list[Sighting]] = {}
        for one in newest(seen):
            if not self._ours(one.presence):
                by_instance.setdefault(one.presence.instance, []).append(one)
        found = {name: self._other(many) for name, many in by_instance.items()}
        known = {n: o for n, o in self.known.items() if n not in found}
        unseen = {n: _unheard(o, now, shown=bool(seen)) for n, o in known.items()}
        return {**unseen, **found}

    def over(self, seen: Iterable[Sequence[Sighting]]) -> frozenset[str]:
        """Names of presences on these records whose daemons are no more: they tell nobody anything."""
        return frozenset(
            one.presence.name
            for one in newest(seen)
            if one.fate is not Fate.ALIVE
            and one.presence.instance == self.own.instance
            and one.presence.name != self.us.name
            and self._ours(one.presence)
        )

    def _ours(self, told: Presence) -> bool:
        """Whether it is told by this process (perhaps before somebody claimed the schedule), or by
        another on the same records: what it had recorded stands here.
        """
        names = {self.own.instance, self.own.of if self.own.renamed else self.own.instance}
        if told.name != self.us.name and told.instance not in names:
            return False
        n = told.until.n
        return n == 0 or hash_at(self.program.journal, n) == told.until.hash

    def _other(self, sightings: Sequence[Sighting]) -> OtherSeen:
        if sightings[0].presence.instance == self.own.instance:
            return clone_seen(self.own, sightings, self.us)
        return other_seen(sightings)


def newest(seen: Iterable[Sequence[Sighting]]) -> list[Sighting]:
    """Each presence once: regions that were away show older ones."""
    found: dict[str, Sighting] = {}
    for one in (s for many in seen for s in many):
        known = found.get(one.presence.name)
        if known is None or _newer(one, known):
            found[one.presence.name] = one
    return list(found.values())


def _newer(one: Sighting, known: Sighting) -> bool:
    if one.presence.count != known.presence.count:
        return one.presence.count > known.presence.count
    return one.age < known.age


def _unheard(other: OtherSeen, now: datetime, *, shown: bool) -> OtherSeen:
    """One that no region shows any more; where none answers, a copy that works counts as doing so."""
    if other.fate is Fate.ALIVE and now - other.heard_at > ALIVE_FOR:
        return replace(other, fate=Fate.SILENT, ahead=other.ahead and not shown)
    return other
