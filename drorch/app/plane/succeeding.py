"""A recovered control plane among others: its term, who else was seen, and which histories there are."""

from collections.abc import Iterator, Sequence

from drorch.app.plane.choosing import Candidate
from drorch.app.plane.judging import newest
from drorch.app.plane.looking import Opened
from drorch.app.plane.recovered import Elsewhere
from drorch.app.plane.terms import decided_at, new_instance, own_term
from drorch.app.program import Program
from drorch.core.terms import OtherSeen, Sighting, TermBegun, first_term, other_seen, told_term


def next_term(program: Program, chosen: Candidate, found: Sequence[Opened]) -> TermBegun:
    """The term after all that were seen, for records that are from now on those of an instance of
    their own.
    """
    before = own_term(program)
    told = [one.term for one in _ends(found)]
    present = [one.presence.term for opened in found for one in opened.present]
    return TermBegun(
        new_instance(),
        max((before.term, *told, *present)) + 1,
        decided_at(program),
        program.owner.user,
        f"recovered as of {chosen.at:%Y-%m-%d %H:%M:%S} UTC from region {chosen.region}",
        of=before.instance,
        of_term=told_term(before),
    )


def others_present(found: Sequence[Opened]) -> tuple[OtherSeen, ...]:
    """What daemons told of themselves in the regions that were looked at, by instance."""
    by_instance: dict[str, list[Sighting]] = {}
    for one in newest(opened.present for opened in found):
        by_instance.setdefault(one.presence.instance, []).append(one)
    return tuple(other_seen(many) for many in by_instance.values())


def histories(chosen: Candidate, found: Sequence[Opened]) -> tuple[Elsewhere, ...]:
    """Histories of others that go on to a later time than what was brought back, each once."""
    best: dict[str, Elsewhere] = {}
    for one in _ends(found):
        known = best.get(one.instance)
        later = one.at > (known.at if known is not None else chosen.at)
        if later and one.instance != chosen.instance:
            best[one.instance] = one
    return tuple(best.values())


def _ends(found: Sequence[Opened]) -> Iterator[Elsewhere]:
    """Where streams and whole states end, and whose they are."""
    for opened in found:
        region, first = opened.bucket.region.name, first_term(opened.plane).instance
        for many in opened.streams.values():
            last = many[-1]
            yield Elsewhere(last.instance or first, last.term, region, last.made_at)
        for whole in opened.wholes:
            told = whole.manifest
            yield Elsewhere(told.instance or first, told.term, region, told.made_at)
