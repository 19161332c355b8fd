"""Scrubbing as arithmetic: which part of a repository is hashed next, how much of it in a day, what
a part's proof is worth afterwards, and how a region stands.

A repository is proven in parts, which are its folders. A turn through a part may take several days.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from drorch.core.facts import Proven, Scrubbed

#: The folders that are listed and hashed one by one.
PARTS = ("keys", "snapshots", "index", *(f"data/{n:02x}" for n in range(256)))

#: The one object that no hash names; it is compared between mirrors.
CONFIG = "config"

#: How much more than its share is hashed each day, for days on which nothing is, and for growth.
MARGIN = 1.25

#: What is hashed in a day at least: a small repository costs nothing and is proven daily.
LEAST = 256 * 1024 * 1024

#: How soon a first scrub is awaited at the latest, once there is something to scrub.
FIRST_WITHIN = timedelta(days=1)

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """A part to hash, from the name after `after` on."""

    part: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Hashed:
    """What came of a turn: everything after `turn.after` up to `through` was hashed.

    `whole`: that is the end of the part. `damaged` may also name what lies beyond `through`.
    """

    turn: Turn
    through: str
    whole: bool
    objects: int
    bytes: int
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a region is proven.

    `oldest` is the moment after which every part was hashed (None: some part never was), `share`
    the share of parts, 0 to 1, hashed within the promised age (with no promise: ever), `damaged`
    the names of what is damaged or missing.
    """

    oldest: datetime | None
    share: float
    damaged: tuple[str, ...] = ()


def part_of(name: str) -> str:
    """The part that an object (below the repository's folder) lies in."""
    return name.rpartition("/")[0] or name


def turns(proofs: Iterable[Proven]) -> list[Turn]:
    """Every part of a region, the one with the oldest proof first.

    A turn that was begun is continued before others as old.
    """
    known = {proof.part: proof for proof in proofs}

    def order(part: str) -> tuple[datetime, bool]:
        proof = known.get(part)
        since = proof.since if proof else None
        return since or _NEVER, not (proof and proof.began)

    ordered = sorted(PARTS, key=order)  # among equals in their own order
    return [Turn(part, known[part].through if part in known else "") for part in ordered]


def advanced(
    before: Proven | None, hashed: Hashed, *, dataset: str, region: str, began: datetime
) -> Proven:
    """The proof of a part after a turn, or a piece of one, that began at `began`."""
    part, after = hashed.turn.part, hashed.turn.after
    continued = before if before is not None and before.began is not None and after else None
    turn_began = continued.began if continued else began
    found = set(hashed.damaged)
    if before is not None:
        found |= {n for n in before.damaged if not _looked_at(n, hashed)}
    return Proven(
        dataset,
        region,
        part,
        hashed.objects + (continued.objects if continued else 0),
        hashed.bytes + (continued.bytes if continued else 0),
        tuple(sorted(found)),
        through="" if hashed.whole else hashed.through,
        began=None if hashed.whole else turn_began,
        since=turn_began if hashed.whole else (before.since if before else None),
    )


def _looked_at(name: str, hashed: Hashed) -> bool:
    return name > hashed.turn.after and (hashed.whole or name <= hashed.through)


def with_damage(
    before: Proven | None, part: str, damaged: Iterable[str], *, dataset: str, region: str
) -> Proven:
    """The proof of a part of which somebody else found that these are damaged."""
    known = before or Proven(dataset, region, part, 0, 0)
    return replace(known, damaged=tuple(sorted({*known.damaged, *damaged})))


def without_damage(before: Proven, healed: Iterable[str]) -> Proven:
    """The proof of a part in which these are whole again."""
    return replace(before, damaged=tuple(sorted(set(before.damaged) - set(healed))))


def size_of(proofs: Iterable[Proven]) -> int | None:
    """About how many bytes a region's repository has, by its proofs; None as long as some part was
    never proven. A part in the middle of its turn is taken to be as large as another.
    """
    known = {proof.part: proof for proof in proofs}
    if any(part not in known or known[part].since is None for part in PARTS):
        return None
    sizes = [known[part].bytes for part in PARTS if not known[part].began]
    return sum(sizes) + (len(PARTS) - len(sizes)) * sum(sizes) // max(1, len(sizes))


def daily_budget(size: int, age: timedelta) -> int:
    """Bytes to hash in a day so that each of `size` bytes is hashed within `age`."""
    days = max(1.0, age / timedelta(days=1))
    return max(LEAST, round(size * MARGIN / days))


def spent_on(day: str, scrubbed: Scrubbed | None) -> int:
    """Bytes that were hashed on a local day already."""
    return scrubbed.bytes if scrubbed is not None and scrubbed.day == day else 0


def standing(proofs: Iterable[Proven], age: timedelta | None, now: datetime) -> Standing:
    """How far a region is proven at a moment, by the promised age."""
    known: Mapping[str, Proven] = {proof.part: proof for proof in proofs}
    since = [known[part].since if part in known else None for part in PARTS]
    told = [moment for moment in since if moment is not None]
    fresh = told if age is None else [moment for moment in told if now - moment <= age]
    damaged = sorted(name for proof in known.values() for name in proof.damaged)
    return Standing(
        min(told) if len(told) == len(PARTS) else None, len(fresh) / len(PARTS), tuple(damaged)
    )


def overdue_since(
    found: Standing, scrubbed: Scrubbed | None, age: timedelta, held_since: datetime
) -> datetime:
    """When the promise of `age` is broken, or was.

    A region that was never wholly proven counts from its first scrub; one that was never scrubbed
    from `held_since`, when it held the oldest snapshot it still holds, and then not for long.
    """
    if found.oldest is not None:
        return found.oldest + age
    if scrubbed is not None:
        return scrubbed.first_at + age
    return held_since + min(age, FIRST_WITHIN)


def doubtful(ours: bytes | None, theirs: Sequence[bytes]) -> bool:
    """Whether a region's `config` is gone, or is not the one that most mirrors agree on."""
    if ours is None:
        return True
    votes = Counter([ours, *theirs])
    return any(content != ours and count >= votes[ours] for content, count in votes.items())
