"""The regions of one repository behind a gateway: which live, which lead, which are whole.

A region is whole for what is written now if it has every index that the leading region has: an
index is never written before the data it names, so such a region has that data, too. Only whole
regions are given new indexes and snapshots; the others are given data, and caught up later.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from drorch.core.errors import StorageError
from drorch.storage.bucket import Bucket
from drorch.storage.crew import Aside
from drorch.storage.faults import Cause
from drorch.storage.layout import CONFIG, Kind, Named, listed
from drorch.storage.probe import Depth, probe_all

#: What is compared between regions; data is not: whoever has an index has its data.
_COMPARED = (Kind.KEYS, Kind.INDEX, Kind.SNAPSHOTS)


@dataclass(slots=True)
class Replica:
    """One region as the gateway finds it. `trouble` is why it takes no part (any more).

    `whole`: it has all that the leading region's indexes name. `level`: it has every key, index
    and snapshot that any living region has. `config` and `keys` are as they were found at first.
    """

    bucket: Bucket
    trouble: StorageError | None = None
    whole: bool = False
    level: bool = False
    config: bytes = b""
    keys: tuple[Named, ...] = ()
    ids: dict[Kind, frozenset[str]] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The region's name."""
        return self.bucket.region.name

    @property
    def living(self) -> bool:
        """Whether it takes part."""
        return self.trouble is None


class Replicas:
    """The regions, in the order in which they are preferred. Thread-safe.

    `repository` is the folder below each region's prefix. `absent` are regions that cannot even be
    asked, and why. `gone` are ids that are no more although a region may still show them. `lost`
    is called, once, when no whole region is left.
    """

    def __init__(
        self,
        buckets: Sequence[Bucket],
        repository: str,
        *,
        absent: Mapping[str, StorageError] = MappingProxyType({}),
        gone: Collection[str] = (),
        lost: Callable[[StorageError], None] = lambda _: None,
    ) -> None:
        self.repository = repository.rstrip("/")
        self.all = [Replica(bucket) for bucket in buckets]
        self._absent = absent
        self.gone = frozenset(gone)
        self._lost: Callable[[StorageError], None] | None = lost
        self._lock = threading.Lock()

    def survey(self) -> None:
        """Find out how each region stands, side by side; known within seconds.

        Everything is asked at once, so that a region far away costs one way there and back. What
        a region would say that the probe has found dead is not waited for.
        """
        asked = {
            (n, kind): Aside(partial(self._asked, replica.bucket, kind), "survey")
            for n, replica in enumerate(self.all)
            for kind in (None, *_COMPARED)
        }
        healths = probe_all([replica.bucket for replica in self.all], Depth.REACHABLE)
        for replica, health in zip(self.all, healths, strict=True):
            replica.trouble = health.error
        for (n, kind), answer in asked.items():
            if self.all[n].living:
                self._note(self.all[n], kind, answer)
        for replica in self.all:
            self._no_keys(replica)
        self._compare()
        for replica in [r for r in self.all if r.living]:
            # Needed before the first object is written, which restic is not ready for yet.
            Aside(partial(self._ask_checks, replica), "ask-checks")

    def _ask_checks(self, replica: Replica) -> None:
        """One that takes no writing is of no use."""
        try:
            replica.bucket.checks(self.repository)
        except StorageError as error:
            self.drop(replica, error)

    def _asked(self, bucket: Bucket, kind: Kind | None) -> bytes | tuple[Named, ...]:
        if kind is not None:
            return tuple(listed(bucket, self.repository, kind))
        return bucket.get(self.path(CONFIG))

    def _note(
        self, replica: Replica, kind: Kind | None, answer: Aside[bytes | tuple[Named, ...]]
    ) -> None:
        try:
            found = answer.result()
        except StorageError as error:
            missing = kind is None and error.cause == Cause.NO_OBJECT
            replica.trouble = _no_repository(replica, self.repository) if missing else error
            return
        if isinstance(found, bytes):
            replica.config = found
        elif kind is not None:
            replica.ids[kind] = frozenset(n.id for n in found) - self.gone
            replica.keys = found if kind is Kind.KEYS else replica.keys

    def _no_keys(self, replica: Replica) -> None:
        """Without keys nobody opens it: somebody may have deleted them."""
        if replica.living and not replica.ids[Kind.KEYS]:
            replica.trouble = StorageError(
                f"region {replica.region} has no keys at {self.repository}",
                "somebody may have deleted them: bring them back from the bucket's versions, or from "
                "a mirror",
                Cause.NO_REPOSITORY,
                replica.region,
            )

    def _compare(self) -> None:
        leading = self.lead
        if leading is None:
            self._tell_lost()
            return
        for replica in [r for r in self.all if r.living]:
            if replica.config != leading.config:
                replica.trouble = _another_repository(leading, replica, self.repository)
        living = [r for r in self.all if r.living]
        union = {k: frozenset[str]().union(*(r.ids[k] for r in living)) for k in _COMPARED}
        for replica in living:
            replica.whole = replica.ids[Kind.INDEX] >= leading.ids[Kind.INDEX]
            replica.level = replica.ids == union

    @property
    def lead(self) -> Replica | None:
        """The region that is read from: the first that lives, and is whole once that is known."""
        living = [r for r in self.all if r.living]
        return next((r for r in living if r.whole), next(iter(living), None))

    def readers(self) -> Iterator[Replica]:
        """The regions to read from, one after the other until one has it."""
        yield from [r for r in self.all if r.living and r.whole]

    def takers(self, *, whole: bool) -> list[Replica]:
        """The living regions to write to; with `whole` only those that are."""
        return [r for r in self.all if r.living and (r.whole or not whole)]

    def drop(self, replica: Replica, trouble: StorageError) -> None:
        """The region takes no part any more."""
        with self._lock:
            replica.trouble = replica.trouble or trouble
        if not any(r.living and r.whole for r in self.all):
            self._tell_lost()

    @property
    def troubles(self) -> dict[str, StorageError]:
        """By region, why it takes no part."""
        found = {r.region: r.trouble for r in self.all if r.trouble is not None}
        return {**self._absent, **found}

    def _tell_lost(self) -> None:
        with self._lock:
            told, self._lost = self._lost, None
        first = next(iter(self.troubles.values()), None)
        if told is not None and first is not None:
            with suppress(Exception):
                told(first)

    def path(self, name: str) -> str:
        """An object's name below the regions' prefixes."""
        return f"{self.repository}/{name}"


def _no_repository(replica: Replica, repository: str) -> StorageError:
    return StorageError(
        f"region {replica.region} has no repository at {repository}",
        "run `drorch repo init`; if there was one, its config is gone: bring it back from the "
        "bucket's versions, or from a mirror",
        Cause.NO_REPOSITORY,
    )


def _another_repository(leading: Replica, replica: Replica, repository: str) -> StorageError:
    return StorageError(
        f"regions {leading.region} and {replica.region} hold different repositories at "
        f"{repository}",
        "give one of them another prefix or bucket, or `copy` instead of `mirror`; "
        "if `config` was overwritten in one of them, restore that object first",
        Cause.DIFFERENT_REPOSITORY,
    )
