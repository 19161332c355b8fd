"""Locks extended before they lapse: every object that a live snapshot needs, many at a time.

What is live is what a listing shows, except locks of restic. All contents of such an object are
kept, also one that another was written over: the good one may be the lower one.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drorch.core import locking
from drorch.core.errors import StorageError
from drorch.core.model import LockMode, ObjectLock
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket
from drorch.storage.crew import Stop, each
from drorch.storage.faults import Cause
from drorch.storage.layout import CONFIG, Kind
from drorch.storage.past import History, content, contents
from drorch.storage.versions import Retention, Version, histories, retain, retention_of

#: How many objects are asked for at once.
HANDS = 16

#: Seconds between two reports of progress.
_REPORTING = 0.1

#: How many objects are named where only some are wanted.
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Extended:
    """What an extension came to.

    `objects` counts the objects kept, `extended` and `already` their versions. `horizon` is the
    earliest end of a lock among them, None if there are none. `weak` counts versions that stay in
    governance although compliance is configured. `overwritten` names objects (some of them, below
    the region's prefix) that have several contents.
    """

    objects: int
    extended: int
    already: int
    horizon: datetime | None
    weak: int
    overwritten: tuple[str, ...]


def repository_parts(repository: str) -> tuple[str, ...]:
    """Where a repository's objects lie that are to be kept: all but restic's locks."""
    return (f"{repository}/{CONFIG}", *(f"{repository}/{kind}/" for kind in Kind))


def extend(
    bucket: Bucket,
    parts: Iterable[str],
    lock: ObjectLock,
    *,
    now: datetime,
    hidden_too: bool = False,
    hands: int = HANDS,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> Extended:
    """Lock everything in these parts (folders end with a slash, else names) for `lock.keep` from
    now, where less than `locking.at_least` is left; never shorten a lock.

    With `hidden_too` also what was deleted and whose versions are still there. Run again, it does
    what is left. Memory does not grow with the number of objects. Raises StorageError, its cause
    one of `faults.Cause`: `no-lock` where the bucket cannot lock; `cancelled`.
    """
    run = _Extension(bucket, lock, now, progress)
    unregister = cancel.on_cancel(run.stop) if cancel else lambda: None
    try:
        each(run.wanted(parts, hidden_too=hidden_too), run.keep, hands=hands, stop=run.stop)
    finally:
        unregister()
    if cancel is not None and cancel.cancelled:
        raise StorageError(
            f"extending locks in region {bucket.region.name} was stopped: {cancel.reason}",
            "run `drorch lock-extend`: it goes on where this ended",
            Cause.CANCELLED,
        )
    return run.done()


def _worth_keeping(history: History) -> tuple[Version, ...]:
    """The newest version of each content. Of an object that shows what was first written into it,
    that alone: what was written over it meanwhile was undone, by a rewind say.
    """
    found = contents(history)
    first = next((v for v in reversed(history) if not v.marker), None)
    undone = first is not None and content(history[0]) == content(first)
    return found[:1] if undone and not history[0].marker else found


@dataclass(slots=True)
class _Tally:
    """Counts of one extension, shared by its hands."""

    objects: int = 0
    extended: int = 0
    already: int = 0
    weak: int = 0
    horizon: datetime | None = None
    overwritten: list[str] = field(default_factory=list)


class _Extension:
    def __init__(
        self,
        bucket: Bucket,
        lock: ObjectLock,
        now: datetime,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._bucket = bucket
        self._lock = lock
        self._now = now
        self._started = time.monotonic()
        self._progress = progress
        self._reported = 0.0
        self._counting = threading.Lock()
        self._tally = _Tally()
        self.stop = Stop()

    def wanted(self, parts: Iterable[str], *, hidden_too: bool) -> Iterator[Version]:
        """Every version to keep, as the listing goes on."""
        for part in parts:
            for history in histories(self._bucket, part):
                if not part.endswith("/") and history[0].name != part:
                    continue
                if history[0].marker and not hidden_too:
                    continue
                if wanted := _worth_keeping(history):
                    self._count(history[0].name, len(wanted))
                    yield from wanted

    def _count(self, name: str, contents: int) -> None:
        with self._counting:
            self._tally.objects += 1
            if contents > 1 and len(self._tally.overwritten) < _NAMED:
                self._tally.overwritten.append(name)

    def keep(self, version: Version) -> None:
        """Lock one version for long enough, if it is not."""
        try:
            found = retention_of(self._bucket, version)
            held = self._held(version, found)
        except StorageError as error:
            if error.cause == Cause.NO_OBJECT:
                return  # a version that was not locked, and is gone since it was listed
            raise
        with self._counting:
            tally = self._tally
            tally.extended += held != found
            tally.already += held == found
            tally.weak += self._weak(held)
            tally.horizon = min(tally.horizon or held.until, held.until)
        self._report()

    def _weak(self, held: Retention) -> bool:
        return held.mode is not self._lock.mode and held.mode is LockMode.GOVERNANCE

    def _held(self, version: Version, found: Retention | None) -> Retention:
        """How it is locked in the end."""
        now = self._now + timedelta(seconds=time.monotonic() - self._started)
        longest = locking.until(self._lock, now)
        if found is None:
            return self._retain(version, Retention(self._lock.mode, longest))
        enough = found.until >= now + locking.at_least(self._lock)
        end = found.until if enough else longest
        if self._weak(found):
            stronger = Retention(self._lock.mode, end)
            try:
                return self._retain(version, stronger, bypass=True)
            except StorageError as error:
                if error.cause != Cause.CREDENTIALS:
                    raise
        longer = Retention(found.mode, end)
        return found if longer == found else self._retain(version, longer)

    def _retain(self, version: Version, retention: Retention, *, bypass: bool = False) -> Retention:
        retain(self._bucket, version, retention, bypass=bypass)
        return retention

    def _report(self) -> None:
        if self._progress is None:
            return
        now = time.monotonic()
        with self._counting:
            if now - self._reported < _REPORTING:
                return
            self._reported = now
            done = self._tally.extended + self._tally.already
        self._progress(Progress(files_done=done))

    def done(self) -> Extended:
        """What it came to."""
        tally = self._tally
        return Extended(
            tally.objects,
            tally.extended,
            tally.already,
            tally.horizon,
            tally.weak,
            tuple(tally.overwritten),
        )
