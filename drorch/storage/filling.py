"""One region brought what it lacks, from whichever other region has it whole and genuine.

Written keys → data → index → snapshots, and an index only once all data has come: the region can
be opened and checked at every moment.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from drorch.core.errors import StorageError
from drorch.storage.carry import Damaged, carry, deliver
from drorch.storage.crew import Stop, each
from drorch.storage.faults import Cause
from drorch.storage.genuine import JUDGED, Judge, too_large
from drorch.storage.holdings import Holding, confirmed_config
from drorch.storage.layout import CONFIG, Kind, Named

#: How often an object with the wrong hash is read before it is called damaged: the network may lie.
_READINGS = 2


class Stopped(Exception):
    """The crew was told to stop."""


@dataclass(slots=True)
class Tally:
    """Counts of one region's filling, shared by its hands; names are below the repository."""

    objects: int = 0
    bytes: int = 0
    damaged: dict[str, list[str]] = field(default_factory=dict)
    quarantined: dict[tuple[str, str], str] = field(default_factory=dict)


class Filling:
    """Brings one region what it lacks of the others. `passing` is told of bytes on their way, and
    `piece` says how many to handle at once.

    `tally.damaged` tells by region which of its objects are not what their names say;
    `tally.quarantined` by region and object why it is not ours. `lost` are snapshots that may not
    come yet, or not at all.
    """

    def __init__(
        self,
        target: Holding,
        sources: Sequence[Holding],
        missing: Mapping[Kind, list[Named]],
        repository: str,
        *,
        judge: Judge,
        judge_config: Callable[[bytes], str],
        stop: Stop,
        passing: Callable[[int], None],
        piece: Callable[[int], int],
        hands: int,
    ) -> None:
        self.target = target
        self.missing = missing
        self.tally = Tally()
        self.lost: list[Named] = []
        self._sources = sources
        self._repository = repository
        self._judge = judge
        self._judge_config = judge_config
        self._stop = stop
        self._passing = passing
        self._piece = piece
        self._hands = hands
        self._lock = threading.Lock()

    @property
    def there(self) -> int:
        """How many objects of the others it had already."""
        ours = self.target.objects
        lacked = {(kind, n.digest) for kind, names in self.missing.items() for n in names}
        return sum(
            any(digest in s.objects[kind] for s in self._sources)
            for kind in Kind
            for digest in ours[kind]
            if (kind, digest) not in lacked
        )

    def run(self) -> None:
        """Do it; raises StorageError of the region, or of the last source that could have helped."""
        if self.target.config is None:
            self._bring_config()
        lost_keys = self._bring_all(Kind.KEYS)
        theirs = self.target.objects[Kind.KEYS]
        usable = bool(theirs) or len(lost_keys) < len(self.missing[Kind.KEYS])
        usable = not self._bring_all(Kind.DATA) and usable
        usable = usable and not self._bring_all(Kind.INDEX)
        snapshots = self.missing[Kind.SNAPSHOTS]
        self.lost = self._bring_all(Kind.SNAPSHOTS) if usable else list(snapshots)

    def _bring_config(self) -> None:
        for source in [s for s in self._sources if s.config is not None]:
            config = confirmed_config(source, self._repository)
            if config is None:
                continue
            if why := self._judge_config(config):
                self.tally.quarantined[source.region, CONFIG] = why
                continue
            deliver(self.target.bucket, self._path(CONFIG), config, only_new=True)
            return
        genuine = "a genuine config" if self.tally.quarantined else "a repository"
        raise StorageError(
            f"no region has {genuine} at {self._repository}",
            "run `drorch repo init`, or replicate from the region that has it; if `config` was "
            "overwritten, bring it back from the bucket's versions: drorch rewind",
            Cause.NO_REPOSITORY,
        )

    def _bring_all(self, kind: Kind) -> list[Named]:
        """Draw names as hands are free; returns those that the region does not have whole now.

        What is not ours is missed by nobody.
        """
        lost: list[Named] = []
        each(self.missing[kind], partial(self._bring, lost), hands=self._hands, stop=self._stop)
        return lost

    def _bring(self, lost: list[Named], named: Named) -> None:
        if self._stop.asked:
            raise Stopped
        failure: StorageError | None = None
        for source in [s for s in self._sources if s.has(named)]:
            try:
                came = self._from(source, named)
            except StorageError as error:
                if error.region != source.region:
                    raise
                failure = error
                continue
            if came is not False:
                return
        if failure is not None:
            raise failure
        if not self._whole_already(named):
            with self._lock:
                lost.append(named)

    def _from(self, source: Holding, named: Named) -> bool | None:
        """Whether it came from there; None: what is there is not ours."""
        once = self._judged if named.kind in JUDGED else self._carried
        for _ in range(_READINGS):
            try:
                return once(source, named)
            except Damaged:
                continue
        with self._lock:
            self.tally.damaged.setdefault(source.region, []).append(named.name)
        return False

    def _carried(self, source: Holding, named: Named) -> bool:
        path = self._path(named.name)

        def once() -> int:
            buckets = (source.bucket, self.target.bucket)
            return carry(*buckets, path, named.digest, self._passing, self._piece)

        self._count(source.bucket.attempt(f"copy {named.name}", once))
        return True

    def _judged(self, source: Holding, named: Named) -> bool | None:
        """Keys, indexes and snapshots are small: held as a whole, hashed, judged, then written."""
        content = b"" if too_large(named) else source.bucket.get(self._path(named.name))
        if not too_large(named) and not named.is_of(content):
            raise Damaged
        if why := too_large(named) or self._judge(named, content):
            with self._lock:
                self.tally.quarantined[source.region, named.name] = why
            return None
        deliver(self.target.bucket, self._path(named.name), content)
        self._passing(len(content))
        self._count(len(content))
        return True

    def _count(self, size: int) -> None:
        with self._lock:
            self.tally.objects += 1
            self.tally.bytes += size

    def _whole_already(self, named: Named) -> bool:
        """Whether the region's own object of that name, whatever its size, is the true one."""

        def read() -> bytes:
            digest = hashlib.sha256()
            with self.target.bucket.stream(self._path(named.name)) as reading:
                for chunk in reading.chunks:
                    if self._stop.asked:
                        raise Stopped
                    digest.update(chunk)
            return digest.digest()

        try:
            return self.target.bucket.attempt(f"read {named.name}", read) == named.digest
        except StorageError as error:
            if error.cause == Cause.NO_OBJECT:
                return False
            raise

    def _path(self, name: str) -> str:
        return f"{self._repository}/{name}"
