"""Whole states that no rule of `control_plane.keep` keeps: let go in every region, so that years of
daily ones do not fill it.

As retention does it (actions/pruning.py), but with nothing in the journal: under restic's exclusive
lock in every region restic forgets and prunes through the gateway, which deletes nothing; then each
region is freed of what nobody needs, snapshots before indexes before data. Killed at any moment,
every region holds a whole repository with something too much in it, and the next time goes on.

With retention's brake: rules count days that have states, but `within` counts from the newest, and a
clock that runs ahead would make all the others old at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from drorch.actions.exclusive import Exclusive, let_go, renew_lock, stands, take_lock
from drorch.actions.gateways import buckets_of, through_gateway
from drorch.actions.genuine import judge_of
from drorch.actions.places import address_of, restic_of
from drorch.actions.staleness import free_of_stale_locks
from drorch.app.plane.copying import Copier
from drorch.app.plane.standing import Standing, Vault, alone, read_standing, write_standing
from drorch.app.plane.terms import alone_in_charge, own_term
from drorch.app.plane.whole import Manifest, level, repository_of_plane
from drorch.app.program import Program
from drorch.app.records import record
from drorch.app.runs import Request
from drorch.core.errors import DrorchError, StorageError
from drorch.core.events import FindingRecorded
from drorch.core.model import BRAKE, Dataset
from drorch.core.plane import plane_password, plane_regions
from drorch.core.retention import Brake, Candidate, Judged, judge
from drorch.core.settings import Keep
from drorch.core.values import Finding
from drorch.ports import Cancellation
from drorch.restic.process import Attempt
from drorch.restic.results import Snapshot
from drorch.storage.bucket import Bucket
from drorch.storage.gateway import Deletions
from drorch.storage.holdings import take_stock
from drorch.storage.layout import CONFIG
from drorch.storage.layout import Kind as ObjectKind
from drorch.storage.probe import Depth, probe_all
from drorch.storage.pruning import Pruning, Removable, removable
from drorch.storage.removal import remove

#: Whole states are gone through so often: a prune reads every index, and rewrites packs.
THIN_EVERY = timedelta(days=7)

#: For a region that is away it is put off so long: what it still has would come back to the others
#: with it, whole, and go again the next time.
_WAIT = timedelta(days=28)

#: So many newest ones stay in any case: the newest may be damaged, and segments go on from the one
#: before it.
_NEWEST = 2

_BRAKE = Brake(BRAKE, least=1)

_MEANT = (
    "see that this machine's clock is right, and `control_plane.keep`; if it is meant: "
    "drorch replicate --control-plane --force-brake REASON"
)


@dataclass(frozen=True, slots=True)
class Thinned:
    """How many whole states went, of how many, and by region why what they needed did not go there;
    `left` counts those of this instance that stay.
    """

    forgotten: int
    of: int
    owed: Mapping[str, str]
    left: int

    @property
    def sentences(self) -> list[str]:
        """What there is to say of it, if anything."""
        went = f"{self.forgotten} of {self.of} whole states went: no rule of control_plane.keep keeps them"
        lies = (
            f"in {region} what they needed lies yet: {why}" for region, why in self.owed.items()
        )
        return [went, *lies] if self.forgotten else []


def thin(copier: Copier, cancel: Cancellation | None = None, *, force: str = "") -> Thinned | None:
    """Let whole states go that no rule keeps, if it is time to look; None if it is not, not all
    regions can take part yet, or another control plane of these records may live. `force` says why
    the brake is not to stop it; then it is time.

    Raises DrorchError where it could not be done: nothing is lost by it, the next time goes on.
    """
    with alone(copier.folder, 60.0, "whole.lock") as held:
        standing = read_standing(copier.folder)
        now = copier.program.clock.now().at
        if not held or standing.vault is None or not (force or _due(standing, now)):
            return None
        if not alone_in_charge(copier.program):
            return None
        work = _Thinning(copier, standing.vault, cancel or Cancellation())
        if not work.ready(patient=not _since(standing, now, _WAIT)):
            return None
        try:
            done = work.done(now, standing.left, force)
        except _Braked as error:
            _note(copier.folder, braked=(error.message, error.hint))
            raise
        if not done.owed:
            _note(copier.folder, thinned_at=now, left=done.left, braked=None)
        return done


class _Braked(DrorchError):
    """Too many would go at once, and nobody said that it is meant."""


def _note(folder: Path, **what: Any) -> None:
    with alone(folder, 60.0):
        write_standing(folder, replace(read_standing(folder), **what))


def _due(standing: Standing, now: datetime) -> bool:
    if standing.thinned_at is None:
        return True
    return not timedelta() <= now - standing.thinned_at < THIN_EVERY


def _since(standing: Standing, now: datetime, age: timedelta) -> bool:
    """Whether it is so long ago that they were gone through, or that the first copy was made."""
    began = [p.began_at for p in standing.places.values() if p.began_at is not None]
    last = standing.thinned_at or min(began, default=now)
    return now - last >= age


def judged(
    found: Sequence[Snapshot], instance: str, keep: Keep, now: datetime, zone: tzinfo
) -> tuple[Judged, ...]:
    """What becomes of this instance's whole states among these snapshots: those no rule keeps need not
    stay; never the newest, nor the one before it. What is no whole state, or another instance's, is
    not judged, and stays. States later than `now` stay too, and none goes because of them.
    """
    told = [(one.id, Manifest.told(one.tags)) for one in found]
    ours = [(one, m.made_at) for one, m in told if m is not None and m.instance in ("", instance)]
    newest = sorted((at for _, at in ours if at <= now), reverse=True)[:_NEWEST]
    listed = (Candidate(n, at, shields=("newest",) if at in newest else ()) for n, at in ours)
    return judge(listed, keep, now=now, zone=zone)


def braked(judgement: Sequence[Judged], left: int | None) -> str:
    """Why these must not go all at once; empty if they may. `left` is how many the last time left."""
    staying = sum(one.keep for one in judgement)
    return _BRAKE.stops("whole states", len(judgement), staying, left)


def holding(program: Program, vault: Vault) -> list[Bucket]:
    """The buckets that answer and hold the whole states' repository."""
    buckets, _ = buckets_of(program.tools, plane_regions(program.configuration))
    healths = zip(probe_all(buckets, Depth.REACHABLE), buckets, strict=True)
    living = [bucket for health, bucket in healths if health.error is None]
    return [bucket for bucket in living if _holds(program, vault, bucket)]


def _holds(program: Program, vault: Vault, bucket: Bucket) -> bool:
    try:
        return bucket.head(f"{repository_in(program, vault, [bucket]).home}/{CONFIG}") is not None
    except StorageError:
        return False


def repository_in(program: Program, vault: Vault, buckets: Sequence[Bucket]) -> Dataset:
    """The whole states' repository, in these."""
    secret = plane_password(program.configuration) or ""
    regions = [bucket.region for bucket in buckets]
    return repository_of_plane(secret, regions, vault.plane, vault.name)


class _Thinning:
    def __init__(self, copier: Copier, vault: Vault, cancel: Cancellation) -> None:
        self._program = copier.program
        self._tools = copier.program.tools
        self._vault = vault
        self._cancel = cancel
        self._buckets: list[Bucket] = []

    def ready(self, *, patient: bool) -> bool:
        """Whether the regions that hold the repository answer: all of them, while one is waited for."""
        self._buckets = holding(self._program, self._vault)
        regions = plane_regions(self._program.configuration)
        return bool(self._buckets) and (not patient or len(self._buckets) == len(regions))

    def done(self, now: datetime, left: int | None, force: str) -> Thinned:
        repository = repository_in(self._program, self._vault, self._buckets)
        address = address_of(self._tools, repository, self._buckets[0].region)
        found = restic_of(self._tools).snapshots(address, locks=False)
        configuration = self._program.configuration
        zone = ZoneInfo(configuration.timezone)
        instance = own_term(self._program).instance
        judgement = judged(found, instance, configuration.control_plane.keep, now, zone)
        old = [one.candidate.snapshot for one in judgement if not one.keep]
        staying = len(judgement) - len(old)
        if not old:
            return Thinned(0, len(found), {}, staying)
        if why := braked(judgement, left):
            self._overridden(why, force)
        return Thinned(len(old), len(found), self._forgotten(repository, old), staying)

    def _overridden(self, why: str, force: str) -> None:
        """DrorchError where nobody said that it is meant; else that stands in the journal."""
        if not force:
            raise _Braked(f"nothing was deleted: {why}", _MEANT)
        said = f"let go although {why}; the reason given: {force}"
        finding = FindingRecorded(Finding("control-plane.forced", "whole states", said, ""))
        record(self._program, finding, request=Request(reason=force))

    def _forgotten(self, repository: Dataset, old: Sequence[str]) -> dict[str, str]:
        """Let them go; by region why it could not be freed of them."""
        tools = self._tools
        master = judge_of(tools, repository, repository.primary).keyring.master
        free_of_stale_locks(tools, repository, [b.region.name for b in self._buckets])
        lock = take_lock(tools, repository, self._buckets, master)
        try:
            level(self._program, repository, self._cancel)
            freed = self._pruned(repository, lock, old)
            _refuse_lost(repository, lock)
            lock = renew_lock(tools, repository, lock, master)
            owed = {name: error.message for name, error in lock.troubles.items()}
            for bucket in lock.buckets:
                why = self._freed(repository, bucket, freed[bucket.region.name])
                owed |= {bucket.region.name: why} if why else {}
            return owed
        finally:
            let_go(repository, lock.buckets, [lock.id])

    def _pruned(
        self, repository: Dataset, lock: Exclusive, old: Sequence[str]
    ) -> dict[str, Removable]:
        """What restic needs no more, by region; nothing is deleted yet."""
        regions = [bucket.region for bucket in lock.buckets]
        with through_gateway(
            self._tools,
            repository,
            regions,
            self._cancel,
            deletions=Deletions.HOLD,
            own_locks=(lock.id,),
        ) as passage:
            restic, attempt = restic_of(self._tools), Attempt(passage.cancel)
            restic.forget(passage.address, list(old), attempt=attempt)
            restic.prune(passage.address, attempt=attempt)
            lead = next(iter(passage.holders)).region
            unneeded = passage.gateway.held | {f"snapshots/{one}" for one in old}
            written = passage.gateway.traffic.of(ObjectKind.DATA)
        stock = {h.region: h for h in take_stock(lock.buckets, repository.home)}
        pruning = Pruning(stock[lead], unneeded, written, gone=frozenset(old))
        return {
            region: Removable(region, why=holding.trouble.message)
            if holding.trouble
            else removable(pruning, holding)
            for region, holding in stock.items()
        }

    def _freed(self, repository: Dataset, bucket: Bucket, what: Removable) -> str:
        """Delete what a region need not hold; why it was not done, if it was not."""
        if what.why:
            return what.why
        try:
            remove(bucket, repository.home, what.names, cancel=self._cancel)
        except DrorchError as error:
            return error.message
        return ""


def _refuse_lost(repository: Dataset, lock: Exclusive) -> None:
    """StorageError if somebody took the lock away in a region: a backup may rest there on what goes."""
    for bucket in lock.buckets:
        if not stands(repository, bucket, lock.id):
            raise StorageError(
                f"the lock in region {bucket.region.name} is gone: somebody may have written there",
                "nothing was deleted; the next time goes on",
                "lock-lost",
                bucket.region.name,
            )
