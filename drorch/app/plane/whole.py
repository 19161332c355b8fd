"""Whole states: state, configuration, runbooks and evidence as one restic snapshot in every region.

The repository is one, mirrored, as a dataset's is: what a region missed is brought to it by the
next one, and what is not ours spreads to no other region.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from drorch import __version__
from drorch.actions.exclusive import clear
from drorch.actions.gateways import through_gateway
from drorch.actions.genuine import judge_of
from drorch.actions.places import address_of, bucket_of, restic_of
from drorch.adapters.evidence import make_private
from drorch.app.plane.copying import EVENTS, Brought, Copier
from drorch.app.plane.files import files_of
from drorch.app.plane.segments import Files, vault_folder
from drorch.app.plane.standing import (
    Place,
    Standing,
    Vault,
    alone,
    read_standing,
    write_standing,
)
from drorch.app.plane.terms import own_term
from drorch.app.program import Program
from drorch.app.repositories import initialise
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError, ResticError, StorageError
from drorch.core.model import CopyMode, CopyPolicy, Dataset, Region
from drorch.core.plane import NAME, WHOLE_EVERY, Point, plane_password, plane_regions
from drorch.core.terms import told_term
from drorch.journal.increments import copy_into
from drorch.journal.statements import REVISION
from drorch.ports import Cancellation
from drorch.restic.failure import Cause
from drorch.restic.process import Attempt
from drorch.sealing.vault import LARGEST_KEY
from drorch.storage.faults import OF_ONE_OBJECT
from drorch.storage.layout import CONFIG
from drorch.storage.mirror import unite
from drorch.storage.probe import Depth, probe_all

#: What a snapshot holds beside files: the state, and what it is.
STATE, MANIFEST, EVIDENCE = "state.db", "plane.json", "evidence"
FORMAT = 1

_TAG = "control-plane"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a whole state is, as its snapshot's tags and `plane.json` tell, and whose it is.

    `late` are the numbers up to `until` that it lacks: transactions may still have brought them.
    """

    until: Point
    made_at: datetime
    revision: str
    late: tuple[int, ...] = ()
    instance: str = ""
    term: int = 0

    @property
    def tags(self) -> tuple[str, ...]:
        """As restic keeps them."""
        return (
            _TAG,
            f"until={self.until.n}-{self.until.hash}",
            f"made={rfc3339(self.made_at)}",
            f"revision={self.revision}",
            *([f"late={'-'.join(map(str, self.late))}"] if self.late else []),
            f"instance={self.instance}",
            f"term={self.term}",
        )

    @classmethod
    def told(cls, tags: Sequence[str]) -> "Manifest | None":
        """What a snapshot's tags tell; None if it is no whole state."""
        found = dict(tag.split("=", 1) for tag in tags if "=" in tag)
        try:
            n, _, digest = found["until"].partition("-")
            made = datetime.fromisoformat(found["made"])
            late = tuple(map(int, found["late"].split("-"))) if "late" in found else ()
            whose = found.get("instance", ""), int(found.get("term", 0))
            return cls(Point(int(n), digest), made, found["revision"], late, *whose)
        except (KeyError, ValueError):
            return None


def repository_of_plane(
    configuration_password: str, regions: Sequence[Region], plane: str, vault: str
) -> Dataset:
    """The repository of whole states, as if it were a dataset's; the first region is its primary."""
    first, *others = (region.name for region in regions)
    return Dataset(
        name=NAME,
        password=configuration_password,
        primary=first,
        copies=tuple(CopyPolicy(r, CopyMode.MIRROR, configuration_password) for r in others),
        folder=f"{vault_folder(plane, vault)}/repository",
    )


def level(program: Program, repository: Dataset, cancel: Cancellation) -> None:
    """Bring its regions what they missed while they were away."""
    if len(repository.regions) < 2:
        return
    tools, configuration = program.tools, program.configuration
    judge = judge_of(tools, repository, repository.primary)
    buckets = [bucket_of(tools, configuration.regions[name]) for name in repository.regions]
    unite(
        buckets,
        repository.home,
        targets=buckets,
        judge=judge,
        judge_config=judge.config,
        cancel=cancel,
    )


def due(program: Program, standing: Standing, now: datetime) -> bool:
    """Whether a whole state is to be taken: a day is over, or configuration or runbooks are others."""
    files = files_of(program.configuration)
    if files is None:
        return False
    places = [standing.places.get(region.name) for region in plane_regions(program.configuration)]
    newest = max(
        (p for p in places if p is not None and p.whole_at is not None),
        key=lambda p: p.whole_at or now,
        default=None,
    )
    if newest is None or newest.whole_at is None:
        return True
    age = now - newest.whole_at
    return age >= WHOLE_EVERY or age.total_seconds() < 0 or newest.whole_files != files.digest


def take(copier: Copier, cancel: Cancellation | None = None) -> list[Brought]:
    """Take a whole state now and bring it to every region that lives; by region what came of it.

    Older segments than the whole state before it go. Raises DrorchError where there is no state, no
    region, or restic could not do it.
    """
    plane = copier.plane
    if not plane:
        return []
    with alone(copier.folder, 60.0, "whole.lock") as held:
        if not held:
            raise DrorchError(
                "another process is taking a whole state", "let it end, then try again"
            )
        with alone(copier.folder, 60.0):
            standing = copier.vaulted(plane)
            write_standing(copier.folder, standing)
        if standing.vault is None:
            return []
        work = _Whole(copier, standing, standing.vault, cancel or Cancellation())
        try:
            return work.taken()
        except OSError as error:
            hint = f"see that {copier.folder} can be written and has room for a copy of the state"
            message = f"a whole state cannot be put together: {error.strerror}"
            raise DrorchError(message, hint) from error
        finally:
            shutil.rmtree(copier.folder / "whole", ignore_errors=True)


class _Whole:
    def __init__(
        self, copier: Copier, standing: Standing, vault: Vault, cancel: Cancellation
    ) -> None:
        self._copier = copier
        self._program = copier.program
        self._standing = standing
        self._vault = vault
        self._cancel = cancel
        self._troubles: dict[str, DrorchError] = {}

    def taken(self) -> list[Brought]:
        regions = list(self._living())
        if not regions:
            raise next(iter(self._troubles.values()))
        files = files_of(self._program.configuration)
        if files is None:
            raise DrorchError(
                "drorch.yaml was changed and is not taken over yet",
                "let the daemon take it over (SIGHUP), or mend it",
            )
        repository = self._initialised(regions)
        level(self._program, repository, self._cancel)
        tree = self._copier.folder / "whole"
        manifest = self._staged(tree, files)
        holders = self._backed_up(repository, tree, manifest)
        self._note(holders, manifest, files)
        for name in holders:
            with suppress(DrorchError):
                self._key_there(name)
                self._expire(name, self._standing.places.get(name) or Place())
        return [
            self._told(region, holders) for region in plane_regions(self._program.configuration)
        ]

    def _living(self) -> Iterator[Region]:
        """The regions that answer, those that hold the repository before the others."""
        buckets = {}
        for region in plane_regions(self._program.configuration):
            try:
                buckets[region.name] = bucket_of(self._program.tools, region)
            except DrorchError as error:
                self._troubles[region.name] = error
        folder = f"{vault_folder(self._vault.plane, self._vault.name)}/repository"
        new = []
        for health, bucket in zip(
            probe_all(list(buckets.values()), Depth.REACHABLE), buckets.values(), strict=True
        ):
            try:
                if health.error is not None:
                    raise health.error
                if bucket.head(f"{folder}/{CONFIG}") is not None:
                    yield bucket.region
                else:
                    new.append(bucket.region)
            except StorageError as error:
                self._troubles[health.region] = error
        yield from new

    def _initialised(self, regions: Sequence[Region]) -> Dataset:
        """The repository in those regions that have it or could be given it."""
        secret = plane_password(self._program.configuration) or ""
        wanted = repository_of_plane(secret, regions, self._vault.plane, self._vault.name)
        made = initialise(self._program, [wanted])
        for one in made:
            if not one.ok:
                self._troubles[one.region] = DrorchError(one.message, one.hint)
        usable = [r for r in regions if r.name not in self._troubles]
        if not usable:
            raise next(iter(self._troubles.values()))
        return repository_of_plane(secret, usable, self._vault.plane, self._vault.name)

    def _staged(self, tree: Path, files: Files) -> Manifest:
        """Everything that is to be kept, in one folder; evidence by links, for it may be large."""
        shutil.rmtree(tree, ignore_errors=True)
        make_private(tree)
        made_at = self._program.clock.now().at
        copied = copy_into(self._program.journal, tree / STATE)
        for name, content in files.content.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _linked(self._program.configuration.work / "evidence", tree / EVIDENCE)
        term = own_term(self._program)
        manifest = Manifest(
            copied.until, made_at, REVISION, copied.late, term.instance, told_term(term)
        )
        told = {
            "format": FORMAT,
            "plane": self._vault.plane,
            "organization": self._program.configuration.organization,
            "version": __version__,
            "revision": REVISION,
            "made_at": rfc3339(made_at),
            "until": [copied.until.n, copied.until.hash],
            "late": list(copied.late),
            "instance": manifest.instance,
            "term": manifest.term,
            "left_out": list(files.left_out),
        }
        (tree / MANIFEST).write_text(json.dumps(told, indent=1) + "\n")
        return manifest

    def _backed_up(self, repository: Dataset, tree: Path, manifest: Manifest) -> list[str]:
        """The regions that hold it."""
        tools, regions = self._program.tools, self._program.configuration.regions
        mine = [regions[name] for name in repository.regions]
        # Old ones are let go under an exclusive lock, which a process that was killed has left.
        clear(tools, repository, [bucket_of(tools, region) for region in mine])
        try:
            return self._backup(repository, mine, tree, manifest)
        except ResticError as error:
            if error.cause != Cause.LOCKED:
                raise
        for region in mine:  # of a machine that is no more: restic knows what nobody refreshes
            restic_of(tools).unlock(address_of(tools, repository, region))
        return self._backup(repository, mine, tree, manifest)

    def _backup(
        self, repository: Dataset, regions: Sequence[Region], tree: Path, manifest: Manifest
    ) -> list[str]:
        tools = self._program.tools
        with through_gateway(tools, repository, regions, self._cancel) as passage:
            restic_of(tools).backup(
                passage.address,
                host="drorch",
                paths=(tree,),
                tags=manifest.tags,
                attempt=Attempt(passage.cancel),
            )
            self._troubles |= passage.troubles
            return [replica.region for replica in passage.holders]

    def _note(self, holders: Sequence[str], manifest: Manifest, files: Files) -> None:
        """Put down that they hold it. Segments went on meanwhile: how they stand is read again."""
        folder = self._copier.folder
        with alone(folder, 60.0):
            now = read_standing(folder)
            if now.vault != self._vault:
                return
            for name in holders:
                place = now.places.get(name) or Place()
                before = self._standing.places.get(name) or Place()
                if manifest.until.n - place.until.n > EVENTS:
                    # It lacks much: segments go on from there. Of a little they tell themselves, so
                    # that a whole state which is damaged later is no loss.
                    place = replace(place, until=manifest.until, late=manifest.late)
                noted = replace(
                    place,
                    whole=manifest.until,
                    whole_late=manifest.late,
                    whole_at=manifest.made_at,
                    whole_files=files.digest,
                    covered=(before.stream, before.number),
                )
                now = now.with_place(name, noted)
            write_standing(folder, now)

    def _key_there(self, name: str) -> None:
        """The vault's key lies there as it should, whatever was done to it."""
        bucket = bucket_of(self._program.tools, self._program.configuration.regions[name])
        path = f"{vault_folder(self._vault.plane, self._vault.name)}/key"
        try:
            good = bucket.get(path, most=LARGEST_KEY) == self._vault.file
        except StorageError as error:
            if error.cause not in OF_ONE_OBJECT:
                raise
            good = False
        if not good:
            bucket.put(path, self._vault.file)

    def _expire(self, name: str, place: Place) -> None:
        """Delete our own segments that the whole state before this one covers."""
        bucket = bucket_of(self._program.tools, self._program.configuration.regions[name])
        stream, number = place.covered
        if stream not in place.streams:
            return
        for one in place.streams[: place.streams.index(stream) + 1]:
            folder = f"{vault_folder(self._vault.plane, self._vault.name)}/segments/{one}/"
            last = f"{folder}{number:010}~" if one == stream else f"{folder}~"
            for entry in [e.name for e in bucket.list_objects(folder) if e.name <= last]:
                bucket.delete(entry)

    def _told(self, region: Region, holders: Sequence[str]) -> Brought:
        if region.name in holders:
            return Brought(region.name, "copied")
        trouble = self._troubles.get(region.name)
        message = trouble.message if trouble else f"region {region.name} is behind the others"
        hint = trouble.hint if trouble else "it is brought level by the next copy"
        return Brought(region.name, "away", message, hint)


def _linked(source: Path, target: Path) -> None:
    """A folder's files under another name, without copying them where that can be."""
    for folder, _, names in os.walk(source):
        into = target / Path(folder).relative_to(source)
        into.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = Path(folder) / name
            if path.is_symlink() or not path.is_file():
                continue
            try:
                os.link(path, into / name)
            except OSError:
                shutil.copyfile(path, into / name)
