"""restic's exclusive lock, held by drorch itself in several regions, over more than one command.

Whatever respects restic's locks, on whatever machine, then neither writes nor deletes there.
"""

import getpass
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from drorch.actions.genuine import Keyring
from drorch.actions.places import repository_folder
from drorch.core.errors import ResticError, StorageError
from drorch.core.model import Dataset
from drorch.ports import Tools
from drorch.restic.authentic import SealingKey
from drorch.restic.failure import Cause, problem
from drorch.restic.locking import exclusive_lock, open_lock, own_host
from drorch.restic.results import Lock
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause as Fault
from drorch.storage.probe import Depth, probe_all

FOLDER = "locks"


@dataclass(frozen=True, slots=True)
class Exclusive:
    """A lock that stands: its id (64 digits), where, and why other regions do not have it."""

    id: str
    buckets: tuple[Bucket, ...]
    troubles: Mapping[str, StorageError]

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions it stands in."""
        return tuple(bucket.region.name for bucket in self.buckets)


def take_lock(
    tools: Tools, dataset: Dataset, buckets: Sequence[Bucket], master: SealingKey
) -> Exclusive:
    """Take it in every region that lives; what a drorch of this machine left is removed.

    As restic does it: write, then look whether anybody else has one, and give way if so. Raises
    ResticError `locked`; StorageError if it can be written nowhere.
    """
    taken = _written(tools, dataset, buckets, master)
    if not taken.buckets:
        raise next(iter(taken.troubles.values()))
    try:
        _look_around(dataset, taken, master)
    except BaseException:
        let_go(dataset, taken.buckets, [taken.id])
        raise
    return taken


def _look_around(dataset: Dataset, taken: Exclusive, master: SealingKey) -> None:
    """Remove what we left before; ResticError `locked` if anything else stands beside ours."""
    for bucket in taken.buckets:
        for other in _standing(dataset, bucket, master):
            if other.id == taken.id:
                continue
            # Our own can only be left from before: no two of us work on one dataset.
            if not other.ours:
                raise other.trouble(dataset)
            bucket.delete(_path(dataset, other.id))


def renew_lock(tools: Tools, dataset: Dataset, held: Exclusive, master: SealingKey) -> Exclusive:
    """The same lock with the present time; a region that fails has it no more."""
    renewed = _written(tools, dataset, held.buckets, master)
    let_go(dataset, held.buckets, [held.id])
    return Exclusive(renewed.id, renewed.buckets, {**held.troubles, **renewed.troubles})


def let_go(dataset: Dataset, buckets: Iterable[Bucket], locks: Iterable[str]) -> None:
    """Remove our own locks. A region that does not answer keeps one of a process that will be gone."""
    asked = list(buckets)
    for bucket, health in zip(asked, probe_all(asked, Depth.REACHABLE), strict=True):
        for lock in locks if health.error is None else ():
            with suppress(StorageError):
                bucket.delete(_path(dataset, lock))


def clear(tools: Tools, dataset: Dataset, buckets: Sequence[Bucket]) -> None:
    """Remove every lock that this process left, or a drorch of this machine that was killed.

    A region that does not answer is passed over.
    """
    for bucket, health in zip(buckets, probe_all(buckets, Depth.REACHABLE), strict=True):
        with suppress(StorageError):
            if health.error is None and any(bucket.list_objects(_path(dataset, ""))):
                master = Keyring(tools, dataset, bucket.region.name).master
                for lock in _standing(dataset, bucket, master):
                    if lock.ours:
                        bucket.delete(_path(dataset, lock.id))


def stands(dataset: Dataset, bucket: Bucket, lock: str) -> bool:
    """Whether the lock is still there: then nobody has written since it was taken."""
    return bucket.head(_path(dataset, lock)) is not None


def _written(
    tools: Tools, dataset: Dataset, buckets: Sequence[Bucket], master: SealingKey
) -> Exclusive:
    content = exclusive_lock(
        master,
        now=tools.clock.now().at,
        user=getpass.getuser(),
        pid=os.getpid(),
    )
    lock = hashlib.sha256(content).hexdigest()
    failed = _each(buckets, lambda bucket: bucket.put(_path(dataset, lock), content))
    good = tuple(b for b in buckets if b.region.name not in failed)
    return Exclusive(lock, good, failed)


def _each(buckets: Sequence[Bucket], work: Callable[[Bucket], None]) -> dict[str, StorageError]:
    """Do it in every region side by side; by region, why it failed."""

    def one(bucket: Bucket) -> StorageError | None:
        try:
            work(bucket)
        except StorageError as error:
            return error
        return None

    with ThreadPoolExecutor(max(1, len(buckets))) as pool:
        results = list(pool.map(one, buckets))
    return {
        b.region.name: error for b, error in zip(buckets, results, strict=True) if error is not None
    }


@dataclass(frozen=True, slots=True)
class _Other:
    """A lock of somebody else's; `told` is None if it does not open with the repository's key."""

    bucket: Bucket
    id: str
    told: Lock | None

    @property
    def ours(self) -> bool:
        """Whether this process wrote it, or a drorch of this machine that is certainly no more."""
        if self.told is None or self.told.host != own_host():
            return False
        return self.told.pid == os.getpid() or _is_dead(self.told.pid)

    def trouble(self, dataset: Dataset) -> ResticError:
        """Why nothing can be done beside it."""
        by = "a lock that does not open with its key"
        if self.told is not None:
            since = f"{self.told.time:%Y-%m-%d %H:%M} UTC"
            by = f"process {self.told.pid} on {self.told.host} since {since}"
        where = f"{dataset.name} in region {self.bucket.region.name}"
        return problem(Cause.LOCKED, f"the repository of {where} is locked by {by}")


def _is_dead(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _standing(dataset: Dataset, bucket: Bucket, master: SealingKey) -> Iterator[_Other]:
    """Every lock that stands in a region."""
    for entry in bucket.list_objects(_path(dataset, "")):
        lock = entry.name.rsplit("/", 1)[-1]
        content = _content(bucket, entry.name)
        if content is not None:
            yield _Other(bucket, lock, open_lock(master, lock, content))


def _content(bucket: Bucket, name: str) -> bytes | None:
    """A lock as it lies there; None if it is gone: then it is in nobody's way."""
    try:
        return bucket.get(name)
    except StorageError as error:
        if error.cause == Fault.NO_OBJECT:
            return None
        raise


def _path(dataset: Dataset, lock: str) -> str:
    return f"{repository_folder(dataset)}/{FOLDER}/{lock}"
