"""restic's locks in a dataset's regions: looked at without starting restic, the stale ones removed.

Only what is proven stale is removed, and never a live lock: see core/staleness.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from drorch.actions.gateways import buckets_of
from drorch.actions.genuine import Keyring
from drorch.actions.places import region_named, repository_folder
from drorch.core.errors import ConfigurationError, ResticError, StorageError
from drorch.core.facts import LocksSeen
from drorch.core.model import Dataset
from drorch.core.staleness import OLD, Seen, Standing, in_words, judge
from drorch.core.values import Finding
from drorch.ports import Tools
from drorch.restic.authentic import NotGenuine
from drorch.restic.reading import read_lock
from drorch.restic.results import Lock
from drorch.storage.bucket import Bucket, ObjectInfo
from drorch.storage.faults import Cause
from drorch.storage.layout import LOCKS, is_id
from drorch.storage.probe import Depth, probe_all

#: A lock of restic's is a few hundred bytes long.
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class FoundLock:
    """A lock as it lies in a region; `says` is what its owner wrote, None if it cannot be read."""

    region: str
    seen: Seen
    says: Lock | None
    standing: Standing
    why: str

    @property
    def holder(self) -> str:
        """Who holds it, for people."""
        if self.says is None:
            return "unknown"
        kind = "exclusive, " if self.says.exclusive else ""
        return f"{kind}{self.says.user}@{self.says.host}, process {self.says.pid}"


@dataclass(frozen=True, slots=True)
class Looked:
    """All locks that the living regions show, what is to be kept of that, and who is away."""

    found: tuple[FoundLock, ...]
    lost: Mapping[str, StorageError]
    facts: tuple[LocksSeen, ...]

    def standing(self, standing: Standing) -> tuple[FoundLock, ...]:
        """Those that stand so."""
        return tuple(lock for lock in self.found if lock.standing is standing)


def look_at_locks(
    tools: Tools, dataset: Dataset, regions: Sequence[str], earlier: Looked | None = None
) -> Looked:
    """Look at the locks in these regions; costs a key derivation only where there are any.

    `earlier` is a look of this same run, of which the journal knows nothing yet.
    """
    before = {(f.region, f.seen.lock): f.seen for f in earlier.found} if earlier else {}
    buckets, absent = buckets_of(tools, [region_named(tools, region) for region in regions])
    lost = dict(absent)
    found: list[FoundLock] = []
    facts: list[LocksSeen] = []
    for bucket, health in zip(buckets, probe_all(buckets, Depth.REACHABLE), strict=True):
        try:
            health.raise_for_trouble()
            locks = _Looking(tools, dataset, bucket, before).run()
        except StorageError as error:
            lost[health.region] = error
            continue
        found += locks
        facts += noted(tools, dataset, health.region, [lock.seen for lock in locks])
    return Looked(tuple(found), lost, tuple(facts))


def noted(
    tools: Tools, dataset: Dataset, region: str, seen: Sequence[Seen]
) -> tuple[LocksSeen, ...]:
    """The fact that these locks were seen in a region; empty if that is known already."""
    old = sorted((s for s in seen if tools.clock.now().at - s.written >= OLD), key=_id_of)
    known = [k.fact for k in tools.knowledge.facts(LocksSeen, dataset.name)]
    before = next((fact.locks for fact in known if fact.region == region), ())
    if tuple(old) == before:
        return ()
    return (LocksSeen(dataset.name, region, tuple(old)),)


def first_seen(tools: Tools, dataset: Dataset, region: str, lock: str, written: datetime) -> Seen:
    """The lock as it was first seen: in an earlier run, or now."""
    for known in tools.knowledge.facts(LocksSeen, dataset.name):
        if known.fact.region == region:
            for seen in known.fact.locks:
                if seen.lock == lock:
                    return seen
    return Seen(lock, written, tools.clock.now())


def remove_locks(tools: Tools, dataset: Dataset, locks: Sequence[FoundLock]) -> list[FoundLock]:
    """Delete stale locks by name; returns those that are gone. Raises nothing for regions.

    A lock's object never changes: what was proven stale is still what is deleted.
    """
    gone = []
    for lock in locks:
        bucket = buckets_of(tools, [region_named(tools, lock.region)])[0]
        try:
            if lock.standing is Standing.STALE and bucket:
                bucket[0].delete(f"{repository_folder(dataset)}/{LOCKS}/{lock.seen.lock}")
                gone.append(lock)
        except StorageError:
            continue
    return gone


def free_of_stale_locks(
    tools: Tools, dataset: Dataset, regions: Sequence[str]
) -> tuple[tuple[Finding, ...], tuple[LocksSeen, ...]]:
    """What work that needs a repository alone does first: remove the locks that are proven stale.

    Locks that could be stale are noted, so that the next time tells; nothing is waited for.
    """
    looked = look_at_locks(tools, dataset, regions)
    gone = remove_locks(tools, dataset, looked.standing(Standing.STALE))
    removed = tuple(
        Finding(
            "lock.removed",
            f"{dataset.name} in {lock.region}",
            f"a stale lock was removed ({lock.holder}): {lock.why}",
            "find out why its restic ended without removing it",
        )
        for lock in gone
    )
    return (*removed, *standing_findings(dataset, looked.standing(Standing.DOUBTFUL))), looked.facts


def standing_findings(dataset: Dataset, locks: Sequence[FoundLock]) -> tuple[Finding, ...]:
    """A finding for each lock that is old and not yet proven stale."""
    return tuple(
        Finding(
            "lock.stale",
            f"{dataset.name} in {lock.region}",
            f"a lock stands there ({lock.holder}): {lock.why}",
            f"have it looked at again, and removed if it is stale: drorch repo unlock {dataset.name}",
        )
        for lock in locks
    )


def lingering(
    tools: Tools, dataset: Dataset, others: Mapping[str, Mapping[str, datetime]]
) -> tuple[tuple[Finding, ...], tuple[LocksSeen, ...]]:
    """What a gateway saw of other people's locks, by region: those that are old are told of, and
    noted for the next look. No request is made.
    """
    now = tools.clock.now().at
    findings: list[Finding] = []
    facts: list[LocksSeen] = []
    for region, locks in others.items():
        seen = [first_seen(tools, dataset, region, name, at) for name, at in locks.items()]
        facts += noted(tools, dataset, region, seen)
        old = [s for s in seen if now - s.written >= OLD]
        if old:
            subject = f"{dataset.name} in {region}"
            findings.append(Finding("lock.stale", subject, *in_words(dataset.name, old, now)))
    return tuple(findings), tuple(facts)


class _Looking:
    """A look at one region's locks."""

    def __init__(
        self,
        tools: Tools,
        dataset: Dataset,
        bucket: Bucket,
        before: Mapping[tuple[str, str], Seen],
    ) -> None:
        self._tools = tools
        self._before = before
        self._dataset = dataset
        self._bucket = bucket
        self._keyring = Keyring(tools, dataset, bucket.region.name)

    def run(self) -> list[FoundLock]:
        """All of them; StorageError if the region fails."""
        folder = f"{repository_folder(self._dataset)}/{LOCKS}/"
        entries = [e for e in self._bucket.list_objects(folder) if is_id(_last(e))]
        return [lock for entry in entries if (lock := self._look(entry)) is not None]

    def _look(self, entry: ObjectInfo) -> FoundLock | None:
        name, region = _last(entry), self._bucket.region.name
        seen = self._before.get((region, name)) or first_seen(
            self._tools, self._dataset, region, name, entry.modified
        )
        try:
            says, ours = self._says(entry)
        except StorageError as error:
            if error.cause == Cause.NO_OBJECT:  # its restic has just ended, or refreshed it
                return None
            raise
        gone = None if says is None else self._gone(says)
        standing, why = judge(seen, self._tools.clock.now(), gone=gone, ours=ours)
        return FoundLock(region, seen, says, standing, why)

    def _says(self, entry: ObjectInfo) -> tuple[Lock | None, bool]:
        """What its owner wrote; and whether it may be a lock of a restic that works here."""
        if entry.size > _LARGEST:
            return None, False
        content = self._bucket.get(entry.name)
        try:
            return read_lock(_last(entry), self._keyring.master.document(content)), True
        except NotGenuine:
            return None, not is_id(_last(entry), content)
        except (ResticError, ConfigurationError, KeyError, TypeError, ValueError):
            return None, True  # it cannot be read: nothing but its age counts

    def _gone(self, says: Lock) -> bool | None:
        return self._tools.commands.vanished(says.host, says.pid, says.time, "restic")


def _last(entry: ObjectInfo) -> str:
    return entry.name.rsplit("/", 1)[-1]


def _id_of(seen: Seen) -> str:
    return seen.lock
