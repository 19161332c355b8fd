"""New rows of the journal, brought to every living region of the control plane at once.

On nobody's path: it takes what time it is given, a region that does not answer is left until later,
and nothing of it is recorded in the journal, so that it never has itself to copy.
"""

import secrets as entropy
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from drorch.app.plane.files import files_of
from drorch.app.plane.segments import Files, sealed_segment, segment_name, vault_folder
from drorch.app.plane.standing import (
    Place,
    Standing,
    Vault,
    alone,
    folder_of,
    read_standing,
    write_standing,
)
from drorch.app.plane.terms import own_term
from drorch.app.program import Program
from drorch.core.errors import ConfigurationError, DrorchError, StorageError, UsageError
from drorch.core.model import Region
from drorch.core.plane import BEGINNING, FOLDER, plane_password, plane_regions
from drorch.journal.increments import Increment, hash_at, increment, lineage
from drorch.sealing.vault import LARGEST_KEY, NotOpened, new_vault, open_vault
from drorch.storage.bucket import Bucket
from drorch.storage.client import Patience, credentials_of
from drorch.storage.crew import Aside
from drorch.storage.faults import OF_ONE_OBJECT
from drorch.storage.folders import folders

#: One request of a copy that nobody is to notice; and of one that somebody waits for.
QUICK = Patience(connect=timedelta(seconds=1), read=timedelta(seconds=2.5), connections=2)
PATIENT = Patience(connections=4)

#: How many events go into one segment.
EVENTS = 2000

#: A region that failed is left alone for so long, unless somebody asks for it.
_AGAIN = timedelta(minutes=1)

_PLANE_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a copy may take, in seconds, all in all; and how long a region may be given one
    segment after the other. Whether regions that failed lately are tried, too.
    """

    within: float = 5.0
    going_on: float = 2.0
    patience: Patience = QUICK
    insist: bool = False


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of one region: `copied`, `current` (it lacked nothing), `away` or `waits` (it was
    away moments ago, and was not asked).
    """

    region: str
    result: str
    message: str = ""
    hint: str = ""


class Copier:
    """Copies one program's control plane. One thread at a time; processes keep apart by a lock."""

    def __init__(self, program: Program, pace: Pace | None = None) -> None:
        self.program = program
        self.pace = pace or Pace()
        self.folder = folder_of(program.configuration)
        self._buckets: dict[Region, Bucket] = {}

    @property
    def wanted(self) -> bool:
        """Whether there is anything to copy to, and a password to seal it with."""
        configuration = self.program.configuration
        return plane_password(configuration) is not None and bool(plane_regions(configuration))

    @property
    def plane(self) -> str:
        """What the control plane is called in the regions; empty where nothing is to be copied, or
        nothing was run yet.
        """
        return lineage(self.program.journal)[:_PLANE_DIGITS] if self.wanted else ""

    def copy(self) -> list[Brought]:
        """Bring every region what it lacks, as far as it lives; by region what came of it.

        Raises DrorchError only where nothing can be sealed at all.
        """
        plane = self.plane
        if not plane:
            return []
        began = time.monotonic()
        with alone(self.folder, self.pace.within) as held:
            if not held:
                return []
            try:
                standing = self.vaulted(plane)
            except DrorchError as error:
                self._unsealed(plane, error)
                raise
            return self._brought(standing, began + self.pace.within)

    def _unsealed(self, plane: str, error: DrorchError) -> None:
        """Put down why nothing can be sealed, where nothing ever was: `status` would know of nothing."""
        standing = read_standing(self.folder)
        if standing.vault is not None and standing.vault.plane == plane:
            return
        now = self.program.clock.now().at
        why = Place(tried_at=now, why=error.message, hint=error.hint)
        regions = plane_regions(self.program.configuration)
        with suppress(DrorchError):
            write_standing(self.folder, Standing(places={region.name: why for region in regions}))

    def vaulted(self, plane: str) -> Standing:
        """How it stands, with a vault that the passphrase opens: the one at hand, one of a region,
        or a new one.
        """
        standing = read_standing(self.folder)
        secret = plane_password(self.program.configuration) or ""
        vault = standing.vault
        if vault is not None and vault.plane == plane and self._still(vault, secret):
            return standing
        found = self._found(plane, self.program.secrets.get(secret))
        return Standing(found)

    def bucket(self, region: Region) -> Bucket:
        """The region's bucket, as patient as this copy is; ConfigurationError without its secrets."""
        known = self._buckets.get(region)
        if known is None:
            credentials = credentials_of(region, self.program.secrets)
            renew = partial(credentials_of, region, self.program.secrets, anew=True)
            known = self._buckets[region] = Bucket(
                region,
                credentials,
                patience=self.pace.patience,
                give_up_after=timedelta(seconds=5 if self.pace.insist else 0),
                renew=renew,
            )
        return known

    def _still(self, vault: Vault, secret: str) -> bool:
        """Whether the passphrase still opens it: that costs a quarter of a second, so it is only
        looked at where somebody waits, and before each whole state.
        """
        if not self.pace.insist:
            return True
        try:
            return open_vault(vault.file, self.program.secrets.get(secret)) == vault.key
        except NotOpened:
            return False

    def _found(self, plane: str, passphrase: str) -> Vault:
        asides = [
            Aside(partial(self._vaults, region, plane), "vaults")
            for region in plane_regions(self.program.configuration)
        ]
        until = time.monotonic() + self.pace.within / 2
        for aside in asides:
            if not aside.over.wait(max(0.0, until - time.monotonic())):
                continue  # of one that takes too long: a vault more does no harm
            with suppress(DrorchError):
                for name, file in aside.result():
                    if time.monotonic() > until:  # somebody planted very many
                        break
                    with suppress(NotOpened):
                        key = open_vault(file, passphrase)
                        return Vault(plane, name, key, file)
        key, file = new_vault(passphrase)
        return Vault(plane, entropy.token_hex(8), key, file)

    def _vaults(self, region: Region, plane: str) -> list[tuple[str, bytes]]:
        """The key files that lie there; a folder without one, which anybody can put there, is none."""
        bucket = self.bucket(region)
        found = []
        for name in folders(bucket, f"{FOLDER}/{plane}/"):
            try:
                file = bucket.get(f"{vault_folder(plane, name)}/key", most=LARGEST_KEY)
            except StorageError as error:
                if error.cause not in OF_ONE_OBJECT:
                    raise
            else:
                found.append((name, file))
        return found

    def _brought(self, standing: Standing, until: float) -> list[Brought]:
        vault, now = standing.vault, self.program.clock.now().at
        if vault is None:
            raise UsageError("the control plane has no vault", "this is a fault of drorch's own")
        files = files_of(self.program.configuration)
        found: dict[str, Aside[tuple[Place, Brought]] | Brought] = {}
        for region in plane_regions(self.program.configuration):
            place = standing.places.get(region.name) or Place()
            if place.why and not self.pace.insist and _lately(place, now):
                found[region.name] = Brought(region.name, "waits", place.why, place.hint)
                continue
            work = _Region(self, vault, region, place, files)
            found[region.name] = Aside(work.bring, "control-plane")
        told: list[Brought] = []
        for name, aside in found.items():
            if isinstance(aside, Brought):
                told.append(aside)
                continue
            place, one = self._waited(standing, name, aside, until)
            standing = standing.with_place(name, place)
            told.append(one)
        with suppress(DrorchError):
            write_standing(self.folder, standing)
        return told

    def _waited(
        self,
        standing: Standing,
        name: str,
        aside: "Aside[tuple[Place, Brought]]",
        until: float,
    ) -> tuple[Place, Brought]:
        """What came of a region; one that takes too long is left behind, and is away."""
        if aside.over.wait(max(0.0, until - time.monotonic())):
            return aside.result()
        place = standing.places.get(name) or Place()
        message, hint = f"region {name} takes too long to answer", "it is tried again later"
        away = replace(place, tried_at=self.program.clock.now().at, why=message, hint=hint)
        return away, Brought(name, "away", message, hint)


class _Region:
    """One region's part of a copy."""

    def __init__(
        self,
        copier: Copier,
        vault: Vault,
        region: Region,
        place: Place,
        files: Files | None,
    ) -> None:
        self._copier = copier
        self._vault = vault
        self._region = region
        self._place = place
        self._began_with = place.number
        self._files = files

    def bring(self) -> tuple[Place, Brought]:
        """Bring what it lacks; never raises for what the region does."""
        now = self._copier.program.clock.now().at
        name = self._region.name
        try:
            done = self._all()
        except (StorageError, ConfigurationError) as error:
            # Where some of it was brought, the next copy goes on at once.
            tried_at = now if self._place.number == self._began_with else None
            away = replace(self._place, tried_at=tried_at, why=error.message, hint=error.hint)
            return away, Brought(name, "away", error.message, error.hint)
        current = replace(self._place, at=now, tried_at=now, why="", hint="")
        return current, Brought(name, "copied" if done else "current")

    def _all(self) -> bool:
        bucket = self._copier.bucket(self._region)
        self._continued()
        done = False
        until = time.monotonic() + self._copier.pace.going_on
        while not done or time.monotonic() < until:
            place = self._place
            found = increment(self._copier.program.journal, place.until, EVENTS, place.late)
            files = self._files
            if files is not None and files.digest == place.files:
                files = None
            if not found.events and files is None:
                return done
            self._put(bucket, found, files)
            done = True
        raise StorageError(
            f"region {self._region.name} lacks more than could be brought at once",
            "it is brought by and by; at once with: drorch replicate --control-plane",
            "slow",
            self._region.name,
        )

    def _continued(self) -> None:
        """Begin a new stream where there is none, or where the journal is no more what it was when
        the last one was written: the state was put back to an earlier one.
        """
        place, journal = self._place, self._copier.program.journal
        if place.stream and hash_at(journal, place.until.n) == place.until.hash:
            return
        known = hash_at(journal, place.whole.n) == place.whole.hash
        stream = entropy.token_hex(8)
        self._place = replace(
            place,
            stream=stream,
            began_at=place.began_at or self._copier.program.clock.now().at,
            number=0,
            until=place.whole if known else BEGINNING,
            files="",
            late=place.whole_late if known else (),
            streams=(*place.streams, stream),
        )

    def _put(self, bucket: Bucket, found: Increment, files: Files | None) -> None:
        vault, place = self._vault, self._place
        if not place.keyed:
            bucket.put(f"{vault_folder(vault.plane, vault.name)}/key", vault.file)
        number = place.number + 1
        name = segment_name(vault.plane, vault.name, place.stream, number)
        sealed = sealed_segment(
            vault.key,
            name,
            found,
            made_at=self._copier.program.clock.now().at,
            organization=self._copier.program.configuration.organization,
            files=files,
            term=own_term(self._copier.program),
        )
        bucket.put(name, sealed)
        self._place = replace(
            place,
            keyed=True,
            number=number,
            until=found.until,
            late=found.late,
            files=files.digest if files is not None else place.files,
        )


def copied(program: Program, pace: Pace | None = None) -> Sequence[Brought]:
    """Copy once, and never raise: whatever went wrong stands in what `status` says."""
    try:
        return Copier(program, pace).copy()
    except DrorchError:
        return ()


def _lately(place: Place, now: datetime) -> bool:
    return place.tried_at is not None and timedelta() <= now - place.tried_at < _AGAIN
