"""One region's part of looking for other control planes: which presences lie there, and our own."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from drorch.app.plane.copying import Copier
from drorch.app.plane.presence import (
    LARGEST,
    opened_presence,
    presence_folder,
    sealed_presence,
)
from drorch.app.plane.segments import vault_folder
from drorch.app.plane.standing import Vault
from drorch.core.errors import DrorchError, StorageError
from drorch.core.model import Region
from drorch.core.plane import FOLDER, plane_password
from drorch.core.terms import TELL_EVERY, Presence, Sighting
from drorch.sealing.vault import LARGEST_KEY, NotOpened, open_vault
from drorch.storage.bucket import Bucket, ObjectInfo
from drorch.storage.crew import Aside
from drorch.storage.dated import listed_at
from drorch.storage.faults import OF_ONE_OBJECT, Cause
from drorch.storage.folders import folders

T = TypeVar("T")

#: A region that did not answer is asked again after so long, in seconds.
_AGAIN = 60.0

#: Which vaults there are is asked so often, in seconds: listing them costs as much as what they hold,
#: and until then another that was begun meanwhile is not looked into.
_VAULTS_EVERY = TELL_EVERY.total_seconds()

#: So many are looked into: trying a passphrase costs a quarter of a second, and anybody who may write
#: can make more of them.
_MOST_VAULTS = 20

#: So many new ones are tried in one look, which has seconds; the next one goes on.
_TRIED_AT_ONCE = 4

#: What was put there so shortly before it was read may be another by the same time.
_SETTLED = timedelta(seconds=2)


class Keys:
    """The keys of a control plane's vaults that one passphrase opens: each is derived once."""

    def __init__(self, known: Mapping[str, bytes], passphrase: Callable[[], str]) -> None:
        self._known: dict[str, bytes | None] = dict(known)
        self._passphrase = passphrase
        self._not_given: set[str] = set()
        self._left = _TRIED_AT_ONCE

    def of(self, bucket: Bucket, plane: str, vault: str) -> bytes | None:
        """A vault's key; None if it does not open, or was not tried yet. StorageError where the region
        does not answer.
        """
        if vault not in self._known:
            if self._left == 0:
                return None
            self._left -= 1
            try:
                file = bucket.get(f"{vault_folder(plane, vault)}/key", most=LARGEST_KEY)
                self._known[vault] = open_vault(file, self._passphrase())
            except NotOpened:
                self._known[vault] = None
            except StorageError as error:
                if error.cause not in OF_ONE_OBJECT:
                    raise
                self._known[vault] = None
                self._not_given.add(vault)
        return self._known[vault]

    def look_begins(self) -> None:
        """From here on further ones are tried."""
        self._left = _TRIED_AT_ONCE

    def asked_anew(self) -> None:
        """A key that was not there may have come: a vault's first presence may come before it."""
        for vault in self._not_given:
            del self._known[vault]
        self._not_given.clear()


@dataclass(slots=True)
class _Remembered:
    """A presence as it was first read; `told_at` is when it was put there, by the store's clock.

    `settled`: stores tell times in whole seconds, and it was older than that when it was read.
    """

    modified: datetime
    settled: bool
    told_at: datetime
    presence: Presence


class Post:
    """One region, for one process. One thread at a time; every method raises StorageError."""

    def __init__(self, bucket: Bucket, plane: str, keys: Keys) -> None:
        self.bucket = bucket
        self.plane = plane
        self._keys = keys
        self._vaults: Sequence[str] = ()
        self._asked_at: float | None = None
        self._known: dict[str, _Remembered] = {}
        self._strange: dict[str, datetime] = {}
        self._said: tuple[object, ...] = ()
        self._said_at = 0.0

    def sightings(self, vault: str, now: datetime) -> list[Sighting]:
        """Every presence that lies there and opens; `now` is for stores that do not say their time."""
        self._keys.look_begins()
        vaults = dict.fromkeys((vault, *self._others()))
        return [found for one in vaults for found in self.of_vault(one, now)]

    def of_vault(self, vault: str, now: datetime) -> Iterator[Sighting]:
        """Those of one vault. What alone is not given, while others are, is none of ours."""
        date, entries = listed_at(self.bucket, presence_folder(self.plane, vault))
        refused: dict[str, datetime] = {}
        why: StorageError | None = None
        given = False
        for entry in entries:
            try:
                known = self._read(vault, entry, date or now)
            except StorageError as error:
                if error.cause not in OF_ONE_OBJECT:
                    raise
                refused[entry.name], why = entry.modified, error
                continue
            if known is not None:
                given = True
                age = max(timedelta(), (date or now) - known.told_at)
                yield Sighting(known.presence, age, known.told_at)
        if why is not None and not given:
            raise why
        self._strange |= refused

    def _others(self) -> Sequence[str]:
        if self._asked_at is None or time.monotonic() - self._asked_at > _VAULTS_EVERY:
            self._vaults = folders(self.bucket, f"{FOLDER}/{self.plane}/", _MOST_VAULTS)
            self._asked_at = time.monotonic()
            self._keys.asked_anew()
        return self._vaults

    def _read(self, vault: str, entry: ObjectInfo, now: datetime) -> _Remembered | None:
        """What it says. One that was put there again and says nothing newer is no sign of life:
        anybody who may write can put an older one back.
        """
        known = self._known.get(entry.name)
        if known is not None and known.settled and known.modified == entry.modified:
            return known
        key = self._keys.of(self.bucket, self.plane, vault)
        if key is None or self._strange.get(entry.name) == entry.modified:
            return known
        try:
            sealed = self.bucket.get(entry.name, most=LARGEST)
            presence = opened_presence(key, entry.name, sealed)
        except NotOpened:
            self._strange[entry.name] = entry.modified
            return known
        except StorageError as error:
            if error.cause == Cause.DAMAGED:
                self._strange[entry.name] = entry.modified
            elif error.cause != Cause.NO_OBJECT:  # it went this very moment
                raise
            return known
        settled = now - entry.modified > _SETTLED
        if known is not None and presence.count <= known.presence.count:
            known.modified, known.settled = entry.modified, settled
            return known
        fresh = _Remembered(entry.modified, settled, entry.modified, presence)
        self._known[entry.name] = fresh
        return fresh

    def tell(self, vault: str, key: bytes, own: Presence) -> None:
        """Put our own presence there, if there is something new to say or it has grown old."""
        says = (own.instance, own.term, own.since, own.back, own.stopped)
        old = time.monotonic() - self._said_at > TELL_EVERY.total_seconds()
        if says == self._said and not old:
            return
        name = presence_folder(self.plane, vault) + own.name
        self.bucket.put(name, sealed_presence(key, name, own))
        self._said, self._said_at = says, time.monotonic()

    def tidy(self, names: Collection[str]) -> None:
        """Delete presences that say nothing any more, by their short names."""
        for name in [n for n in self._known if n.rsplit("/", 1)[1] in names]:
            self.bucket.delete(name)
            del self._known[name]


class Posts:
    """The posts of every region, asked side by side. One thread at a time."""

    def __init__(self, copier: Copier, within: float) -> None:
        self._copier = copier
        self._within = within
        self._posts: dict[str, Post] = {}
        self._busy: dict[str, Aside[Any]] = {}
        self._failed: dict[str, tuple[float, str]] = {}

    def renewed(self, copier: Copier) -> None:
        """From now on by another configuration: what was read of regions stays known."""
        self._copier = copier

    def ask(
        self, regions: Sequence[Region], vault: Vault, work: Callable[[Post], T]
    ) -> tuple[dict[str, T], dict[str, str]]:
        """What came of it by region, and why nothing did of the others; never raises for those."""
        until = time.monotonic() + self._within
        begun = {}
        why = {name: w for region in regions if (w := self._away(name := region.name))}
        for region in regions:
            if region.name not in why:
                begun[region.name] = Aside(partial(self._done, region, vault, work), "presence")
        done: dict[str, T] = {}
        for name, aside in begun.items():
            try:
                if not aside.over.wait(max(0.0, until - time.monotonic())):
                    self._busy[name] = aside
                    raise StorageError(f"region {name} takes too long to answer", "", "slow", name)
                done[name] = aside.result()
                self._failed.pop(name, None)
            except DrorchError as error:
                self._failed[name] = (time.monotonic(), error.message)
                why[name] = error.message
        return done, why

    def _away(self, name: str) -> str:
        """Why a region is not asked now; empty if it is. One that hangs is not asked a second time."""
        busy = self._busy.get(name)
        if busy is not None and not busy.over.is_set():
            return f"region {name} takes too long to answer"
        failed_at, why = self._failed.get(name, (0.0, ""))
        return why if time.monotonic() - failed_at < _AGAIN else ""

    def _done(self, region: Region, vault: Vault, work: Callable[[Post], T]) -> T:
        post = self._posts.get(region.name)
        bucket = self._copier.bucket(region)
        if post is None or post.plane != vault.plane:
            keys = Keys({vault.name: vault.key}, self._passphrase)
            post = self._posts[region.name] = Post(bucket, vault.plane, keys)
        post.bucket = bucket
        return work(post)

    def _passphrase(self) -> str:
        program = self._copier.program
        return program.secrets.get(plane_password(program.configuration) or "")
