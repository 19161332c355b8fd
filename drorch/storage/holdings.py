"""What the regions of one repository hold, each listed once, and what each lacks of the others'.

Listed snapshots → index → data → keys: whatever an earlier list names, a later one contains.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from drorch.core.errors import StorageError
from drorch.storage.bucket import Bucket
from drorch.storage.crew import Aside
from drorch.storage.faults import Cause, not_understood
from drorch.storage.layout import CONFIG, Kind, Named, listed
from drorch.storage.probe import Depth, probe_all

#: How often a config is read for two readings that agree.
_READINGS = 4

_READ_ORDER = (Kind.SNAPSHOTS, Kind.INDEX, Kind.DATA, Kind.KEYS)


@dataclass(slots=True)
class Holding:
    """One region: its objects by kind, digest to size in bytes, and its config (None: it has none).

    `trouble` is why it could not be listed; it then holds nothing for anybody.
    """

    bucket: Bucket
    objects: dict[Kind, dict[bytes, int]] = field(default_factory=lambda: {k: {} for k in Kind})
    config: bytes | None = None
    trouble: StorageError | None = None

    @property
    def region(self) -> str:
        """The region's name."""
        return self.bucket.region.name

    def has(self, named: Named) -> bool:
        """Whether it shows an object of that name, of whatever size."""
        return named.digest in self.objects[named.kind]


def take_stock(
    buckets: Sequence[Bucket], repository: str, checked: Callable[[], None] = lambda: None
) -> list[Holding]:
    """List every region's repository, side by side. `checked` is called now and then, and may
    raise to stop. A region that fails, or holds another repository than the first, has `trouble`;
    one that is dead is known by a probe, and what it was asked for is not waited for.
    """
    begun = [
        Aside(partial(_listed, bucket, repository, checked), f"stock-{bucket.region.name}")
        for bucket in buckets
    ]
    healths = probe_all(buckets, Depth.REACHABLE)
    holdings = [
        Holding(bucket, trouble=health.error) if health.error else listing.result()
        for bucket, health, listing in zip(buckets, healths, begun, strict=True)
    ]
    _refuse_others(holdings, repository)
    return holdings


def _listed(bucket: Bucket, repository: str, checked: Callable[[], None]) -> Holding:
    holding = Holding(bucket)
    config = Aside(partial(_config, bucket, repository), "config")
    try:
        for kind in _READ_ORDER:
            there = holding.objects[kind]
            for named in listed(bucket, repository, kind):
                there[named.digest] = named.size
                checked()
        holding.config = config.result()
    except StorageError as error:
        holding.trouble = error
    return holding


def _config(bucket: Bucket, repository: str) -> bytes | None:
    try:
        return bucket.get(f"{repository}/{CONFIG}")
    except StorageError as error:
        if error.cause == Cause.NO_OBJECT:
            return None
        raise


def confirmed_config(holding: Holding, repository: str) -> bytes | None:
    """The region's config as two readings agree on it: it is not named by what it holds.

    Raises StorageError when they do not come to agree.
    """
    for _ in range(_READINGS):
        again = _config(holding.bucket, repository)
        if again == holding.config:
            return again
        holding.config = again
    raise not_understood(holding.bucket.region, f"read {repository}/{CONFIG}")


def _refuse_others(holdings: Sequence[Holding], repository: str) -> None:
    """Two repositories must never be mixed: they would both be lost."""
    known = next((h for h in holdings if h.config is not None and h.trouble is None), None)
    if known is None:
        return
    for holding in holdings:
        try:
            if holding.trouble is None and _another(known, holding, repository):
                holding.trouble = _another_repository(known, holding, repository)
        except StorageError as error:
            holding.trouble = error


def _another(known: Holding, holding: Holding, repository: str) -> bool:
    """Whether they surely differ: what came damaged is read again."""
    if holding.config in (None, known.config):
        return False
    return confirmed_config(holding, repository) != confirmed_config(known, repository)


def _another_repository(known: Holding, holding: Holding, repository: str) -> StorageError:
    return StorageError(
        f"regions {known.region} and {holding.region} hold different repositories at {repository}",
        "give one of them another prefix or bucket, or `copy` instead of `mirror`; "
        "if `config` was overwritten in one of them, restore that object first",
        Cause.DIFFERENT_REPOSITORY,
        holding.region,
    )


def lacking(
    holding: Holding, others: Sequence[Holding], gone: frozenset[bytes]
) -> Mapping[Kind, list[Named]]:
    """What the others show and this region does not, or in another size, without what is gone."""
    return {kind: list(_lacking(holding, others, gone, kind)) for kind in Kind}


def _lacking(
    holding: Holding, others: Sequence[Holding], gone: frozenset[bytes], kind: Kind
) -> Iterator[Named]:
    ours = holding.objects[kind]
    seen: set[bytes] = set()
    for other in others:
        for digest, size in other.objects[kind].items():
            if ours.get(digest) != size and digest not in gone and digest not in seen:
                seen.add(digest)
                yield Named(kind, digest, size)
