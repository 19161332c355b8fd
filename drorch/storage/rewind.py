"""The rewind: a repository in a bucket that keeps versions, as it last was good at a moment.

Of every object that its hash names, the good version is the one whose content hashes to its name:
no password is needed. What showed at the moment shows again, what was deleted by then stays
deleted, restic's locks are left alone. What came later is hidden unless it is known to be ours.
Nothing is ever deleted but delete markers, so that a rewind can itself be taken back.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from drorch.core.errors import StorageError
from drorch.core.locking import may_be_moved
from drorch.ports import Cancellation, Progress
from drorch.storage.bringing import Bringing
from drorch.storage.bucket import Bucket
from drorch.storage.crew import Stop, each
from drorch.storage.faults import Cause
from drorch.storage.layout import CONFIG, Kind, Named, named_in
from drorch.storage.past import Fate, History, choose_config, content, contents, fate
from drorch.storage.versions import Version, hide, histories, keeps_versions, retention_of

#: How many objects are looked at, read or brought back at once.
HANDS = 8

#: Seconds between two reports of progress.
_REPORTING = 0.1

#: Keys, index and snapshots larger than this (bytes) are not restic's; config is far smaller still.
_LARGEST = 1 << 26

#: In this order a repository can be opened at every moment: see mirror.py.
_ORDER = (Kind.KEYS, Kind.DATA, Kind.INDEX, Kind.SNAPSHOTS)


@dataclass(frozen=True, slots=True)
class Ours:
    """What is known of a repository beside what lies in its bucket.

    `known` names keys and snapshots (below the repository's folder) that are ours, `gone` those
    that were revoked or forgotten. `newer` says whether a known snapshot is younger than the
    moment. `configs` are those of living mirrors. `judge` says of an object why it is not ours,
    `judge_config` of a config: empty if it is, None if nobody can tell.
    """

    known: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    newer: bool = False
    configs: tuple[bytes, ...] = ()
    judge: Callable[[Named, bytes], str | None] = lambda _named, _content: None
    judge_config: Callable[[bytes], str | None] = lambda _content: None


@dataclass(frozen=True, slots=True)
class Rewound:
    """What a rewind came to (or, of a dry one, would come to).

    `brought_back` counts objects that show again, or show their good content again; `overwritten`
    those among them that something else was written over. `proven` counts the versions that were
    read and hashed, `bytes` what they hold. `hidden` are names below the repository's folder, and
    why they were hidden. `lost` names objects none of whose versions is good. `unknown` names keys,
    index and snapshots that show and that nobody knows. `config` is what happened to it (`kept`,
    `brought-back`), `config_doubt` why that may be wrong. `snapshots` are the ids that show now.
    """

    brought_back: int
    overwritten: int
    proven: int
    bytes: int
    hidden: tuple[tuple[str, str], ...]
    lost: tuple[str, ...]
    unknown: tuple[str, ...]
    config: str
    config_doubt: str
    snapshots: tuple[str, ...]


def rewind(
    bucket: Bucket,
    repository: str,
    moment: datetime,
    ours: Ours,
    *,
    dry: bool = False,
    hands: int = HANDS,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> Rewound:
    """Bring the repository in that folder back to what it was at the moment (aware).

    With `dry` nothing is changed, and only small objects are read. Run again, it does what is left.
    Memory does not grow with the number of objects, but with those worth a word. Raises
    StorageError, its cause one of `faults.Cause`: `no-versions` for a bucket that keeps none;
    `no-repository` if there was none at that moment; `cancelled`.
    """
    if not keeps_versions(bucket):
        raise StorageError(
            f"region {bucket.region.name}: its bucket keeps no versions, so nothing deleted or "
            "overwritten in it can be brought back",
            "bring the objects from a region that has them: drorch replicate; and make a bucket "
            "with versioning and object lock",
            Cause.NO_VERSIONS,
        )
    run = _Rewind(bucket, repository, moment, ours, progress, dry=dry)
    unregister = cancel.on_cancel(run.stop) if cancel else lambda: None
    try:
        for kind in _ORDER:
            found = histories(bucket, f"{repository}/{kind}/")
            each(found, partial(run.see, kind), hands=hands, stop=run.stop)
            if cancel is not None and cancel.cancelled:
                raise _stopped(bucket, cancel)
            if kind is Kind.KEYS:
                run.see_config()
    finally:
        unregister()
    return run.done()


def _stopped(bucket: Bucket, cancel: Cancellation) -> StorageError:
    return StorageError(
        f"rewinding region {bucket.region.name} was stopped: {cancel.reason}",
        "run the same `drorch rewind` again: it goes on where this ended",
        Cause.CANCELLED,
    )


@dataclass(slots=True)
class _Tally:
    """Counts of one rewind, shared by its hands."""

    brought_back: int = 0
    overwritten: int = 0
    proven: int = 0
    bytes: int = 0
    hidden: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)
    config: str = "kept"
    config_doubt: str = ""


class _Rewind:
    def __init__(
        self,
        bucket: Bucket,
        repository: str,
        moment: datetime,
        ours: Ours,
        progress: Callable[[Progress], None] | None,
        *,
        dry: bool,
    ) -> None:
        self._bucket = bucket
        self._repository = repository
        self._moment = moment
        self._ours = ours
        self._progress = progress
        self._dry = dry
        self._reported = 0.0
        self._bringing = Bringing(bucket)
        self._counting = threading.Lock()
        self._tally = _Tally()
        self.stop = Stop()

    # --- what becomes of an object that its hash names

    def see(self, kind: Kind, history: History) -> None:
        """Do for one object whatever has to be done."""
        name = history[0].name.removeprefix(f"{self._repository}/")
        named = named_in(kind, name, history[0].size)
        if named is not None:
            self._show(named, history)

    def _show(self, named: Named, history: History) -> bool:
        """Whether it shows in the end."""
        if named.name in self._ours.gone:
            return self._hide(named, history, "it was forgotten or revoked")
        match fate(history, self._moment, partial(self._later, named)):
            case Fate.ABSENT:
                return False
            case Fate.NEW:
                return self._hide(named, history, self._stranger(named, history[0], surely=True))
            case Fate.KEPT:
                return self._hide(named, history, self._stranger(named, history[0]))
            case Fate.DELETED | Fate.DOUBTFUL:
                return self._bring_back(named, history)

    def _later(self, named: Named, version: Version) -> bool:
        """Whether a version was surely written after the moment: its time is later.

        Of data it does not matter: too much of it does no harm. What is known to be ours is
        welcome whenever it was written, and so is index that snapshots of ours may need.
        """
        if named.kind is Kind.DATA or named.name in self._ours.known:
            return False
        if named.kind is Kind.INDEX and self._ours.newer:
            return False
        return self._written_at_its_time(version)

    def _written_at_its_time(self, version: Version) -> bool:
        """False if extending its lock may have moved the time."""
        try:
            kept = retention_of(self._bucket, version)
        except StorageError as error:
            if error.cause == Cause.NO_LOCK:
                return True
            raise
        return kept is None or not may_be_moved(version.modified, kept.until)

    def _stranger(self, named: Named, version: Version, *, surely: bool = False) -> str:
        """Why what came after the moment (`surely`, or perhaps) is not to show; empty if it is."""
        early = version.modified <= self._moment
        if early or named.kind is Kind.DATA or named.name in self._ours.known:
            return ""
        if surely and named.kind is Kind.SNAPSHOTS:
            return "it was written after that time, and the journal does not know it"
        if version.size > _LARGEST:
            return "it is larger than anything of its kind"
        written = self._bringing.read(version)
        if not named.is_of(written):
            return "its content is not what its name says"
        why = self._ours.judge(named, written)
        if why is None and surely:
            return "it was written after that time, and nobody can tell whether it is ours"
        if why is None and named.kind is Kind.INDEX:
            self._tell_unknown(named)
        return why or ""

    def _hide(self, named: Named, history: History, why: str) -> bool:
        """Hide it if there is a reason; whether it shows then."""
        if why and not history[0].marker:
            if not self._dry:
                hide(self._bucket, history[0].name)
            with self._counting:
                self._tally.hidden[named.name] = why
        if why or history[0].marker:
            return False
        self._note(named)
        return True

    def _note(self, named: Named) -> None:
        """Take notice of what shows."""
        if named.kind is Kind.SNAPSHOTS:
            with self._counting:
                self._tally.snapshots.append(named.id)
        strange = named.kind in (Kind.SNAPSHOTS, Kind.KEYS) and named.name not in self._ours.known
        if strange:
            self._tell_unknown(named)

    def _tell_unknown(self, named: Named) -> None:
        with self._counting:
            self._tally.unknown.append(named.name)

    # --- bringing back

    def _bring_back(self, named: Named, history: History) -> bool:
        """Make the good content show, once it is proven; whether it does then."""
        several = len(contents(history)) > 1
        if self._dry and named.kind is Kind.DATA:
            self._count_back(overwritten=several, size=contents(history)[0].size)
            return True
        good = next((v for v in contents(history) if self._proven(named, v)), None)
        if good is None:
            with self._counting:
                self._tally.lost.append(named.name)
            return self._hide(named, history, "")
        if why := self._stranger(named, good):
            return self._hide(named, history, why)
        if history[0].marker or content(history[0]) != content(good):
            if not self._dry:
                self._bringing.put_on_top(good, history)
            self._count_back(overwritten=several)
        self._note(named)
        return True

    def _proven(self, named: Named, version: Version) -> bool:
        if self.stop.asked or not self._bringing.is_good(version, named.digest):
            return False
        with self._counting:
            self._tally.proven += 1
            self._tally.bytes += version.size
        self._report()
        return True

    def _count_back(self, *, overwritten: bool, size: int = 0) -> None:
        with self._counting:
            self._tally.brought_back += 1
            self._tally.overwritten += overwritten
            self._tally.bytes += size

    # --- the one object that its hash does not name

    def see_config(self) -> None:
        """Make the right config show."""
        path = f"{self._repository}/{CONFIG}"
        found = (h for h in histories(self._bucket, path) if h[0].name == path)
        history = next(found, ())
        versions = [v for v in contents(history) if v.size <= _LARGEST]
        early = {content(v) for v in history if not (v.marker or self._config_later(v))}
        then = [v for v in versions if content(v) in early]
        if not then:
            raise StorageError(
                f"region {self._bucket.region.name} held no repository at {self._repository} at "
                f"{self._moment:%Y-%m-%d %H:%M:%S} UTC",
                "take a later time",
                Cause.NO_REPOSITORY,
            )
        written = {v: self._bringing.read(v) for v in versions}
        right, doubt = choose_config(
            list(written.values()),
            [written[v] for v in then],
            self._ours.configs,
            self._ours.judge_config,
        )
        good = next(v for v in versions if written[v] == right)
        if history[0].marker or content(history[0]) != content(good):
            if not self._dry:
                self._bringing.put_on_top(good, history)
            self._tally.config = "brought-back"
        self._tally.config_doubt = doubt

    def _config_later(self, version: Version) -> bool:
        return version.modified > self._moment and self._written_at_its_time(version)

    # --- telling

    def _report(self) -> None:
        if self._progress is None:
            return
        now = time.monotonic()
        with self._counting:
            if now - self._reported < _REPORTING:
                return
            self._reported = now
            report = Progress(bytes_done=self._tally.bytes, files_done=self._tally.proven)
        self._progress(report)

    def done(self) -> Rewound:
        """What it came to."""
        tally = self._tally
        return Rewound(
            tally.brought_back,
            tally.overwritten,
            tally.proven,
            tally.bytes,
            tuple(sorted(tally.hidden.items())),
            tuple(sorted(tally.lost)),
            tuple(sorted(tally.unknown)),
            tally.config,
            tally.config_doubt,
            tuple(sorted(tally.snapshots)),
        )
