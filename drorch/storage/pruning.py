"""What may be deleted in each region after restic has pruned one repository that lies in several.

restic was shown one region, wrote what is new to all, and named what it needs no more (gateway.py,
held back). A region follows only if it has everything that is still needed, and shows nothing new:
no snapshot or index that restic was not shown.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from drorch.storage.holdings import Holding
from drorch.storage.layout import Kind, Named
from drorch.storage.removal import ORDER


@dataclass(frozen=True, slots=True)
class Pruning:
    """What restic did in a repository, and what is known of it beside.

    `unneeded` are the names (below the repository) it would have deleted, `written` the ids of the
    data it wrote. `gone` are ids of snapshots that are no more, `strange` ids of what is not ours:
    it stays where it is. `once_pruned` are ids of indexes that earlier prunes took from others.
    """

    lead: Holding
    unneeded: Collection[str]
    written: Collection[str] = ()
    gone: Collection[str] = ()
    strange: Collection[str] = ()
    once_pruned: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Removable:
    """What may go in a region: names below the repository, and its data (bytes) before and after.

    `why` says why nothing may go there now; there are then no names.
    """

    region: str
    names: tuple[str, ...] = field(default=(), repr=False)
    objects_left: int = 0
    data_before: int = 0
    data_after: int = 0
    why: str = ""


def removable(pruning: Pruning, holding: Holding) -> Removable:
    """What may go in one region, listed like `lead` after restic had ended and under its lock."""
    shown = _sizes(pruning.lead)
    needed = shown.keys() - frozenset(pruning.unneeded)
    there = _sizes(holding)
    lacking = sum(there.get(name) != shown[name] for name in needed)
    if lacking:
        return Removable(holding.region, why=f"it lacks {lacking} object(s) that are needed")
    for kind, known in ((Kind.SNAPSHOTS, pruning.gone), (Kind.INDEX, pruning.once_pruned)):
        new = _ids(holding, kind) - _ids(pruning.lead, kind) - {*known, *pruning.strange}
        if new:
            return Removable(holding.region, why=f"it shows {len(new)} {kind} that are new")
    going = sorted(
        name for name in there.keys() - needed if name.rpartition("/")[2] not in pruning.strange
    )
    data = holding.objects[Kind.DATA]
    written = sum(data.get(bytes.fromhex(one), 0) for one in pruning.written)
    freed = sum(there[name] for name in going if name.startswith(f"{Kind.DATA}/"))
    total = sum(data.values())
    return Removable(
        holding.region, tuple(going), len(there) - len(going), total - written, total - freed
    )


def shows_nothing_new(
    holding: Holding,
    others: Collection[Holding],
    gone: frozenset[bytes],
    once_pruned: frozenset[bytes],
) -> bool:
    """Whether a region that missed a prune has no snapshot and no index but those that the others
    have, that are gone, or that were pruned: then nothing of its must flow back to them.
    """
    for kind, known in ((Kind.SNAPSHOTS, gone), (Kind.INDEX, once_pruned)):
        theirs = frozenset[bytes]().union(*(other.objects[kind] for other in others))
        if holding.objects[kind].keys() - theirs - known:
            return False
    return True


def _sizes(holding: Holding) -> dict[str, int]:
    """What a prune may delete, by name: sizes in bytes."""
    return {
        Named(kind, digest, size).name: size
        for kind in ORDER
        for digest, size in holding.objects[kind].items()
    }


def _ids(holding: Holding, kind: Kind) -> frozenset[str]:
    return frozenset(digest.hex() for digest in holding.objects[kind])
