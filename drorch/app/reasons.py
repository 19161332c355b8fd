"""Why slots were not begun at their time: what was true of each of them, and not of the newest alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import groupby

from drorch.app.plane.telling import named
from drorch.app.program import Program
from drorch.core.jobs import Gap, Job, parted
from drorch.core.terms import OtherSeen, TermBegun

#: Why slots have not been fired that came while nobody was there.
DOWN = "no daemon was running"

#: The same, where a daemon was there and nothing held them up.
UNSEEN = "nobody looked: the machine slept, its clock was set, or the job was not configured"


@dataclass(slots=True)
class Charge:
    """That another control plane was in charge from `since` on, up to `until`; None: it still is."""

    since: datetime
    until: datetime | None
    why: str

    def holds(self, slot: datetime) -> bool:
        """Whether a slot came in that time."""
        return self.since <= slot and (self.until is None or slot < self.until)


@dataclass(slots=True)
class Reasons:
    """What is known of why slots were not begun. `since` is when this daemon began."""

    since: datetime
    charges: list[Charge] = field(default_factory=list)

    def seen(self, leader: OtherSeen | None, now: datetime) -> None:
        """Another is in charge, and nothing begins; None: this one is. It is since its term was decided,
        by its own clock; since when a copy of this very one works is not known: it counts from now.
        """
        why = _was_in_charge(leader) if leader is not None else ""
        last = self.charges[-1] if self.charges else None
        if last is not None and last.until is None:
            if last.why == why:
                return
            last.until = now
        if leader is not None:
            self.charges.append(Charge(now if leader.clone else leader.since, None, why))

    def of(self, slot: datetime, known: str) -> str:
        """Why a slot was not begun at its time, where `known` is what else held its job up; empty if
        nothing is known.
        """
        for charge in reversed(self.charges):
            if charge.holds(slot):
                return charge.why
        if slot < self.since:
            return DOWN
        # It had come, and not begun yet, when another took charge.
        return known or next((one.why for one in self.charges if slot < one.since), "")

    def of_gap(self, job: Job, gap: Gap, known: str, zone: tzinfo) -> Iterator[tuple[Gap, str]]:
        """A gap in parts, each with its reason."""
        borders = [self.since]
        for charge in self.charges:
            borders += [charge.since] if charge.until is None else [charge.since, charge.until]
        told = (
            (part, self.of(part.first, known) or UNSEEN) for part in parted(job, gap, borders, zone)
        )
        for why, parts in groupby(told, key=lambda one: one[1]):
            gaps = [part for part, _ in parts]
            yield Gap(gaps[0].first, gaps[-1].last, sum(one.count for one in gaps)), why


def reasons(program: Program, since: datetime) -> Reasons:
    """What the journal knows, as a daemon begins: who was in charge until somebody claimed."""
    for own in program.journal.facts(TermBegun, ""):
        claimed = own.fact.of == own.fact.instance or own.fact.renamed
        if claimed and (before := _outranked(program, own.fact)) is not None:
            return Reasons(since, [Charge(before.since, own.fact.at, _was_in_charge(before))])
    return Reasons(since)


def _outranked(program: Program, own: TermBegun) -> OtherSeen | None:
    """The other that was in charge before this one claimed, as far as is known."""
    known = (one.fact for one in program.journal.facts(OtherSeen, ""))
    found = (one for one in known if not one.clone and own.of_term <= one.term < own.term)
    return max(found, key=lambda one: one.rank, default=None)


def _was_in_charge(other: OtherSeen) -> str:
    return f"{named(other)} was in charge"
