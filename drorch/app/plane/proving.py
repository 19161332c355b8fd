"""The whole states' repository, hashed against its names: whole states share what has not changed, so
that one object that rots in a region makes all of them worthless there, and nothing would tell before
the loss. What is damaged is brought back from a region that has it whole.

As the datasets' scrub does it, but with nothing in the journal: a share each day, the next one from
another place.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from drorch.actions.genuine import judge_of
from drorch.app.plane.copying import Copier
from drorch.app.plane.forgetting import holding, repository_in
from drorch.app.plane.standing import Place, Standing, alone, read_standing, write_standing
from drorch.app.program import Program
from drorch.core.errors import StorageError
from drorch.core.model import Dataset
from drorch.core.plane import damaged_wholes
from drorch.core.scrubbing import LEAST, PARTS, Turn
from drorch.ports import Cancellation
from drorch.storage.bucket import Bucket
from drorch.storage.heal import Case, Mended, heal
from drorch.storage.scrub import estimated_size, scrub

#: Whole states are looked at so often, and in each region so many bytes of them.
_EVERY = timedelta(days=1)
_BUDGET = LEAST

#: So many parts further each day begins; it shares no divisor with their number.
_STRIDE = 61


@dataclass(frozen=True, slots=True)
class Proved:
    """What was brought back, and by region what is damaged and was not."""

    healed: tuple[Mended, ...] = ()
    damaged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sentences(self) -> list[str]:
        """What there is to say of it, if anything."""
        healed = (
            f"{one.name} of the whole states was damaged in {one.region}, and was brought back from "
            f"{one.source}"
            for one in self.healed
        )
        damaged = (f"{r}: {damaged_wholes(names)}" for r, names in self.damaged.items() if names)
        return [*healed, *damaged]


def prove(copier: Copier, cancel: Cancellation | None = None) -> Proved:
    """Hash today's share in every region that answers, if it was not done yet, and heal what is damaged.

    Raises DrorchError where that cannot be noted.
    """
    with alone(copier.folder, 60.0, "whole.lock") as held:
        standing, now = read_standing(copier.folder), copier.program.clock.now().at
        if not held or standing.vault is None or not _due(standing, now):
            return Proved()
        buckets = holding(copier.program, standing.vault)
        if not buckets:
            return Proved()
        repository = repository_in(copier.program, standing.vault, buckets)
        suspects = {
            bucket.region.name: {
                *(standing.places.get(bucket.region.name) or Place()).damaged,
                *_hashed(bucket, repository.home, now, cancel),
            }
            for bucket in buckets
        }
        proved = _healed(copier.program, repository, buckets, suspects, cancel)
        _note(copier.folder, proved, now)
        return proved


def _due(standing: Standing, now: datetime) -> bool:
    """Once a day, and whenever something is known to be damaged."""
    if standing.proved_at is None or any(place.damaged for place in standing.places.values()):
        return True
    return not timedelta() <= now - standing.proved_at < _EVERY


def turns_on(now: datetime) -> list[Turn]:
    """In which order the parts are hashed today: each one comes first once in as many days as there are."""
    first = now.toordinal() * _STRIDE % len(PARTS)
    return [Turn(part) for part in (*PARTS[first:], *PARTS[:first])]


def _hashed(
    bucket: Bucket, repository: str, now: datetime, cancel: Cancellation | None
) -> tuple[str, ...]:
    try:
        large = estimated_size(bucket, repository) > _BUDGET
    except StorageError:
        return ()
    turns = turns_on(now) if large else None
    return scrub(bucket, repository, turns, budget=_BUDGET, cancel=cancel).damaged


def _healed(
    program: Program,
    repository: Dataset,
    buckets: Sequence[Bucket],
    suspects: Mapping[str, Collection[str]],
    cancel: Cancellation | None,
) -> Proved:
    if not any(suspects.values()):
        return Proved((), dict.fromkeys(suspects, ()))
    judge = judge_of(program.tools, repository, buckets[0].region.name)
    case = Case(list(suspects), suspects)
    home = repository.home
    done = heal(buckets, home, case, judge=judge, judge_config=judge.config, cancel=cancel)
    good = {*done.sound, *((one.region, one.name) for one in done.healed)}
    damaged = {
        region: tuple(sorted(name for name in names if (region, name) not in good))
        for region, names in suspects.items()
    }
    return Proved(tuple(done.healed), damaged)


def _note(folder: Path, proved: Proved, now: datetime) -> None:
    with alone(folder, 60.0):
        standing = read_standing(folder)
        for region, names in proved.damaged.items():
            place = standing.places.get(region) or Place()
            standing = standing.with_place(region, replace(place, damaged=names))
        write_standing(folder, replace(standing, proved_at=now))
