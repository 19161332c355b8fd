"""Alarms about who can read and write: strange objects, keys that should be gone, stale locks."""

from collections.abc import Iterator

from drorch.app.alarm import alarm
from drorch.app.seen import Seen
from drorch.core import guard, staleness
from drorch.core.alarms import AlarmWord
from drorch.core.facts import Guarded, KeyRemoved, KeyRevoked, LocksSeen, Quarantined, Rotation
from drorch.core.mirrors import same_repository
from drorch.core.model import Dataset
from drorch.core.revocation import still_held
from drorch.core.values import Value

_LOOKED_AT = (Quarantined, KeyRevoked, Rotation, LocksSeen, Guarded)


def suspicions(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    """The dataset's alarms, from the journal alone; of most datasets there is nothing to look at."""
    if not seen.anything(_LOOKED_AT, dataset.name):
        return
    yield from _strangers(seen, dataset)
    yield from _owed_revocations(seen, dataset)
    yield from _open_rotations(seen, dataset)
    yield from _stale_locks(seen, dataset)
    yield from _tripped(seen, dataset)


def _strangers(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    found = [k for k in seen.facts(Quarantined, dataset.name) if not k.fact.gone]
    for region in dict.fromkeys(k.fact.region for k in found):
        strange = [k for k in found if k.fact.region == region]
        first = strange[0].fact
        more = f", and {len(strange) - 1} more" if len(strange) > 1 else ""
        yield alarm(
            AlarmWord.OBJECT_QUARANTINED,
            f"{dataset.name} in {region}",
            min(k.recorded_at for k in strange),
            f"{region} holds what is not ours: {first.name} ({first.why}){more}; it is copied "
            "nowhere",
            "find out who else can write there and change the region's access key; keep the "
            "object as evidence elsewhere, then delete it there",
        )


def _owed_revocations(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    since = {k.fact.key: k.recorded_at for k in seen.facts(KeyRevoked, dataset.name)}
    if not since:
        return
    revoked = [k.fact for k in seen.facts(KeyRevoked, dataset.name)]
    removed = [k.fact for k in seen.facts(KeyRemoved, dataset.name)]
    for home in dict.fromkeys(same_repository(dataset, r)[0] for r in dataset.regions):
        for region, keys in still_held(revoked, removed, same_repository(dataset, home)).items():
            yield alarm(
                AlarmWord.KEY_OWED,
                f"{dataset.name} in {region}",
                min(since[key] for key in keys),
                f"{region} may still hold what was revoked: key {', '.join(k[:8] for k in keys)}",
                f"delete it there: drorch replicate --dataset {dataset.name}",
            )


def _open_rotations(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    for known in seen.facts(Rotation, dataset.name):
        if known.fact.done:
            continue
        copy = known.fact.region != dataset.primary
        region = f" --region {known.fact.region}" if copy else ""
        yield alarm(
            AlarmWord.KEY_ROTATION_OPEN,
            f"{dataset.name} in {known.fact.region}",
            known.recorded_at,
            f"the password of {dataset.name} is half changed: the old one opens it still",
            "let the dataset use the new password, then: drorch repo rotate-key "
            f"{dataset.name}{region}",
        )


def _stale_locks(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    for known in seen.facts(LocksSeen, dataset.name):
        if known.fact.locks and known.fact.region in dataset.regions:
            where = f"{dataset.name} in {known.fact.region}"
            message, hint = staleness.in_words(dataset.name, known.fact.locks, seen.now)
            since = min(seen.written for seen in known.fact.locks)
            yield alarm(AlarmWord.LOCK_STALE, where, since, message, hint)


def _tripped(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    """One alarm for all suspicious backups: accepting the newest accepts those before it."""
    found = seen.facts(Guarded, dataset.name)
    waiting = sorted((k for k in found if not k.fact.accepted), key=lambda k: k.fact.at)
    if waiting:
        message, hint = guard.in_words(waiting[-1].fact.snapshot, waiting[-1].fact.why)
        yield alarm(AlarmWord.GUARD_TRIPPED, dataset.name, waiting[0].recorded_at, message, hint)
