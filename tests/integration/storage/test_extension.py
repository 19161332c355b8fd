"""Locks of a repository's objects extended in a real Ceph."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.core.locking import until
from drorch.core.model import LockMode, ObjectLock
from drorch.ports import Cancellation
from drorch.storage.extension import extend, repository_parts
from drorch.storage.faults import Cause
from drorch.storage.versions import Retention, histories, retain, retention_of
from tests.storage_objects import planted

DAY = timedelta(days=1)
KEEP = ObjectLock(LockMode.COMPLIANCE, 30 * DAY)
RULE = ObjectLock(LockMode.COMPLIANCE, DAY)
REPOSITORY = "datasets/docs"
PARTS = repository_parts(REPOSITORY)


@pytest.fixture
def bucket(ceph):
    made = ceph.bucket(ceph.region(lock=KEEP, default=RULE, prefix="prod"))
    yield made
    made.close()


def full(end: datetime | None, now: datetime) -> bool:
    """Whether a lock was extended at that time: each one from when its turn came."""
    earliest = until(KEEP, now)
    return end is not None and earliest <= end <= earliest + timedelta(minutes=5)


def ends(bucket, below=REPOSITORY):
    """By name below the repository: when the locks of its versions end, newest first."""
    found = {}
    for history in histories(bucket, f"{below}/"):
        kept = [retention_of(bucket, v) for v in history if not v.marker]
        found[history[0].name.removeprefix(f"{below}/")] = [k.until if k else None for k in kept]
    return found


def test_everything_live_but_restics_locks_is_locked_for_as_long_as_configured(bucket):
    names = planted(bucket, REPOSITORY)
    bucket.put(f"{REPOSITORY}/locks/{'a' * 64}", b"lock")
    bucket.put(f"{REPOSITORY}/config-of-another", b"x")
    bucket.put("elsewhere", b"x")
    now = datetime.now(UTC)
    done = extend(bucket, PARTS, KEEP, now=now)
    assert (done.objects, done.extended, done.already) == (len(names), len(names), 0)
    assert full(done.horizon, now)
    assert (done.weak, done.overwritten) == (0, ())
    found = ends(bucket)
    assert {name for name, (end,) in found.items() if full(end, now)} == names
    assert not full(*found["locks/" + "a" * 64], now)


def test_what_is_locked_for_long_enough_is_left_and_nothing_is_ever_shortened(bucket):
    names = planted(bucket, REPOSITORY)
    now = datetime.now(UTC)
    extend(bucket, PARTS, KEEP, now=now)
    before = ends(bucket)
    again = extend(bucket, PARTS, KEEP, now=now + 7 * DAY)
    assert (again.extended, again.already) == (0, len(names))
    assert full(again.horizon, now)
    shorter = ObjectLock(LockMode.COMPLIANCE, 2 * DAY)
    assert extend(bucket, PARTS, shorter, now=now).extended == 0
    assert ends(bucket) == before
    later = now + 8 * DAY
    assert extend(bucket, PARTS, KEEP, now=later).extended == len(names)
    assert all(full(end, later) for (end,) in ends(bucket).values())


def test_a_lock_that_was_set_for_longer_holds_for_longer(bucket):
    planted(bucket, REPOSITORY)
    (first, *_), *_ = histories(bucket, f"{REPOSITORY}/data/")
    far = datetime.now(UTC).replace(microsecond=0) + 400 * DAY
    retain(bucket, first, Retention(LockMode.COMPLIANCE, far))
    done = extend(bucket, PARTS, KEEP, now=datetime.now(UTC))
    assert done.already == 1
    assert [far] in ends(bucket).values()


def test_what_was_deleted_lapses_unless_it_is_asked_for(bucket):
    names = planted(bucket, REPOSITORY)
    gone = next(n for n in sorted(names) if n.startswith("data/"))
    bucket.delete(f"{REPOSITORY}/{gone}")
    now = datetime.now(UTC)
    assert extend(bucket, PARTS, KEEP, now=now).objects == len(names) - 1
    assert ends(bucket)[gone][0] < now + 2 * DAY
    done = extend(bucket, PARTS, KEEP, now=now, hidden_too=True)
    assert (done.objects, done.extended) == (len(names), 1)
    assert full(*ends(bucket)[gone], now)


def test_what_was_written_over_is_kept_below_and_named(bucket):
    """The good content may be the lower one, and must not lapse while nobody looks."""
    names = planted(bucket, REPOSITORY)
    evil = next(n for n in sorted(names) if n.startswith("data/"))
    for _ in range(3):
        bucket.put(f"{REPOSITORY}/{evil}", b"evil")
    bucket.put(f"{REPOSITORY}/{evil}", b"worse")
    now = datetime.now(UTC)
    done = extend(bucket, PARTS, KEEP, now=now)
    assert done.overwritten == (f"{REPOSITORY}/{evil}",)
    assert done.objects == len(names)
    worse, last, *others, good = ends(bucket)[evil]
    assert all(full(end, now) for end in (worse, last, good))
    assert all(other < now + 2 * DAY for other in others)


def test_what_was_written_twice_is_no_finding(bucket):
    names = planted(bucket, REPOSITORY)
    twice = f"{REPOSITORY}/{min(names)}"
    bucket.put(twice, bucket.get(twice))
    assert extend(bucket, PARTS, KEEP, now=datetime.now(UTC)).overwritten == ()


def test_governance_is_extended_and_told_where_compliance_is_configured(ceph):
    rule = ObjectLock(LockMode.GOVERNANCE, DAY)
    bucket = ceph.bucket(ceph.region(lock=KEEP, default=rule))
    names = planted(bucket, REPOSITORY)
    now = datetime.now(UTC)
    governed = extend(bucket, PARTS, replace(KEEP, mode=LockMode.GOVERNANCE), now=now)
    assert (governed.extended, governed.weak) == (len(names), 0)
    ceph.deny(bucket, "s3:BypassGovernanceRetention")
    later = now + 10 * DAY
    weak = extend(bucket, PARTS, KEEP, now=later)
    assert (weak.extended, weak.weak) == (len(names), len(names))
    assert full(weak.horizon, later)
    bucket.client.delete_bucket_policy(Bucket=bucket.region.bucket)
    strong = extend(bucket, PARTS, KEEP, now=later)
    assert (strong.extended, strong.weak) == (len(names), 0)
    assert full(strong.horizon, later)


def test_a_key_without_the_right_is_told_which_one_it_needs(ceph, bucket):
    planted(bucket, REPOSITORY)
    ceph.deny(bucket, "s3:PutObjectRetention")
    with pytest.raises(StorageError) as refused:
        extend(bucket, PARTS, KEEP, now=datetime.now(UTC))
    assert refused.value.cause == Cause.CREDENTIALS
    assert "s3:PutObjectRetention" in refused.value.hint


def test_a_bucket_without_lock_says_so(ceph):
    bucket = ceph.bucket(ceph.region())
    planted(bucket, REPOSITORY)
    with pytest.raises(StorageError) as error:
        extend(bucket, PARTS, KEEP, now=datetime.now(UTC))
    assert error.value.cause == Cause.NO_LOCK
    assert "object lock" in error.value.hint


def test_nothing_there_is_nothing_to_lock(bucket):
    done = extend(bucket, PARTS, KEEP, now=datetime.now(UTC))
    assert (done.objects, done.horizon) == (0, None)


def test_stopped_in_the_middle_it_goes_on_where_it_ended(bucket):
    names = planted(bucket, REPOSITORY, data=40)
    cancel, seen = Cancellation(), threading.Event()

    def stop(progress):
        if not seen.is_set():
            seen.set()
            cancel.cancel("enough")

    now = datetime.now(UTC)
    with pytest.raises(StorageError, match="stopped: enough") as error:
        extend(bucket, PARTS, KEEP, now=now, hands=2, progress=stop, cancel=cancel)
    assert error.value.cause == Cause.CANCELLED
    done = extend(bucket, PARTS, KEEP, now=now)
    assert done.extended + done.already == len(names)
    assert done.already > 0
    assert all(full(end, now) for (end,) in ends(bucket).values())
