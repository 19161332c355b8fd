"""What `doctor` says of versions and locks: whether an attacker with our keys could end the copies."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from drorch.actions.places import bucket_of
from drorch.app.diagnosis import Check, Diagnosis, good
from drorch.app.program import Program
from drorch.core.durations import format_duration
from drorch.core.errors import StorageError
from drorch.core.locking import interval
from drorch.core.model import Dataset, LockMode, ObjectLock, Region
from drorch.core.schedules import promised_age
from drorch.storage.deletion import Power, power_to_delete
from drorch.storage.probe import RegionHealth

_RIGHT = "take the right to s3:DeleteObjectVersion from it; drorch needs it for nothing"

_POWERS: Mapping[Power, tuple[Diagnosis, str, str]] = {
    Power.NOTHING: (Diagnosis.PASS, "our key can delete no version", ""),
    Power.UNLOCKED: (
        Diagnosis.WARN,
        "our key can delete versions for good, unless they are locked",
        _RIGHT,
    ),
    Power.GOVERNED: (
        Diagnosis.WARN,
        "our key deletes locked versions, too: it may pass over locks in governance mode",
        "take the right to s3:BypassGovernanceRetention from it, or lock in compliance mode",
    ),
    Power.LOCKED: (
        Diagnosis.FAIL,
        "our key deleted a locked version: the store does not keep its locks",
        "do not rely on this store's object lock; ask whoever runs it",
    ),
}


def deletions(program: Program, healths: Mapping[str, RegionHealth]) -> Iterator[Check]:
    """What our keys could delete for good, tried in each bucket that keeps versions."""
    versioned = [health for health in healths.values() if health.versioning]
    with ThreadPoolExecutor(8) as pool:
        yield from pool.map(lambda health: _deletion(program, health), versioned)


def _deletion(program: Program, health: RegionHealth) -> Check:
    region = program.region(health.region)
    mode = _mode(region, health)
    try:
        power = power_to_delete(bucket_of(program.tools, region), mode, program.clock.now().at)
    except StorageError as error:
        message = f"what our key can delete could not be tried: {error.message}"
        return Check("region.deletion", region.name, Diagnosis.WARN, message, error.hint)
    result, message, hint = _POWERS[power]
    if power is Power.UNLOCKED and mode is None:
        message = "our key can delete every version for good, and nothing is locked"
    return Check("region.deletion", region.name, result, message, hint)


def _mode(region: Region, health: RegionHealth) -> LockMode | None:
    if not health.locks:
        return None
    if region.object_lock is not None:
        return region.object_lock.mode
    return health.lock_mode or LockMode.COMPLIANCE


def locks(program: Program, healths: Mapping[str, RegionHealth]) -> Iterator[Check]:
    """Whether buckets lock what is new, and locks are long enough for each dataset."""
    for name, health in healths.items():
        if health.locks:
            yield from _rule(program.region(name), health)
    for dataset in program.configuration.datasets.values():
        for name in dataset.regions:
            lock = program.region(name).object_lock
            if lock is not None:
                yield _length(dataset, name, lock)


def _rule(region: Region, health: RegionHealth) -> Iterator[Check]:
    lock = region.object_lock
    if lock is None:
        yield _warned(
            region,
            "its bucket has an object lock that the configuration does not name: nobody extends "
            "the locks in it",
            "set the region's `object_lock: {mode, keep}`",
        )
        return
    days = format_duration(lock.keep)
    hint = f"give the bucket a rule of its own: {lock.mode}, {days} (PutObjectLockConfiguration)"
    if health.lock_keep is None:
        says = (
            "its bucket has no rule that locks new objects: until `drorch lock-extend` they are not"
        )
        yield _warned(region, says, hint)
    elif health.lock_keep < lock.keep / 2:
        says = (
            f"its bucket locks new objects for {format_duration(health.lock_keep)}; that lapses "
            f"before `drorch lock-extend` has to come by, every {format_duration(interval(lock))}, "
            "with time to spare"
        )
        yield _warned(region, says, hint)
    if health.lock_mode is LockMode.GOVERNANCE and lock.mode is LockMode.COMPLIANCE:
        says = "its bucket locks new objects in governance mode; compliance is configured"
        yield _warned(region, says, hint)


def _warned(region: Region, message: str, hint: str) -> Check:
    return Check("region.object-lock", region.name, Diagnosis.WARN, message, hint)


def _length(dataset: Dataset, region: str, lock: ObjectLock) -> Check:
    """A lock is at its shortest half of `keep`; it has to outlast the time until somebody notices."""
    subject = f"{dataset.name} in {region}"
    often = format_duration(interval(lock))
    word, gap = _noticed(dataset)
    if gap <= lock.keep / 2:
        return good("lock", subject, f"call `drorch lock-extend` at least every {often}")
    before_the_next = word == "schedule" and gap >= lock.keep
    result = Diagnosis.FAIL if before_the_next else Diagnosis.WARN
    return Check(
        "lock",
        subject,
        result,
        f"a lock of {format_duration(lock.keep)} is too short for `{word}`, which comes every "
        f"{format_duration(gap)}: what is attacked could have lapsed before anybody notices",
        f"make the region's object_lock.keep at least {format_duration(2 * gap)}, or do {word} "
        "more often",
    )


def _noticed(dataset: Dataset) -> tuple[str, timedelta]:
    """What looks at the copies at the longest intervals, of what is scheduled; the first if equal."""
    verify = dataset.verify
    scheduled = {
        "schedule": dataset.schedule,
        "verify.check": verify.check,
        "verify.restore_test": verify.restore_test,
    }
    gaps = {word: promised_age(text) for word, text in scheduled.items() if text}
    return max(gaps.items(), key=lambda item: item[1], default=("schedule", timedelta()))
