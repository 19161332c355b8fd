"""What a key could delete for good, tried in a real Ceph without leaving more behind each time."""

from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.core.model import LockMode, ObjectLock
from drorch.storage.deletion import TRIED, Power, power_to_delete
from drorch.storage.faults import Cause
from drorch.storage.versions import Retention, listed_versions, put_retained, retention_of

DAY = timedelta(days=1)
COMPLIANCE = ObjectLock(LockMode.COMPLIANCE, 30 * DAY)
GOVERNANCE = ObjectLock(LockMode.GOVERNANCE, 30 * DAY)


def tried(bucket, mode):
    """Three times, for what it finds must not depend on what it left."""
    found = {power_to_delete(bucket, mode, datetime.now(UTC)) for _ in range(3)}
    (power,) = found
    return power


def left(bucket):
    return [v.marker for v in listed_versions(bucket)]


def test_in_compliance_it_deletes_what_is_not_locked(ceph):
    bucket = ceph.bucket(ceph.region(lock=COMPLIANCE, default=COMPLIANCE, prefix="prod"))
    assert tried(bucket, LockMode.COMPLIANCE) is Power.UNLOCKED
    assert left(bucket) == [False]
    (version,) = listed_versions(bucket)
    assert version.name == TRIED
    assert retention_of(bucket, version).until < datetime.now(UTC) + timedelta(minutes=2)


def test_a_key_without_the_right_deletes_nothing(ceph):
    bucket = ceph.bucket(ceph.region(lock=COMPLIANCE))
    ceph.deny(bucket, "s3:DeleteObjectVersion")
    assert tried(bucket, LockMode.COMPLIANCE) is Power.NOTHING
    assert left(bucket) == [True, False]


def test_in_governance_it_passes_over_locks_if_it_may(ceph):
    bucket = ceph.bucket(ceph.region(lock=GOVERNANCE))
    assert tried(bucket, LockMode.GOVERNANCE) is Power.GOVERNED
    assert left(bucket) == []
    ceph.deny(bucket, "s3:BypassGovernanceRetention")
    assert tried(bucket, LockMode.GOVERNANCE) is Power.UNLOCKED
    assert left(bucket) == [False]


def test_a_lock_of_an_earlier_trial_that_has_lapsed_is_renewed(ceph):
    bucket = ceph.bucket(ceph.region(lock=COMPLIANCE))
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    put_retained(bucket, TRIED, b"x", Retention(LockMode.COMPLIANCE, soon))
    assert tried(bucket, LockMode.COMPLIANCE) is Power.UNLOCKED
    (version,) = listed_versions(bucket)
    assert retention_of(bucket, version).until > soon


def test_without_a_lock_every_version_can_go(ceph):
    bucket = ceph.bucket(ceph.region())
    assert tried(bucket, None) is Power.UNLOCKED
    assert left(bucket) == []


def test_what_cannot_be_tried_says_why(ceph):
    bucket = ceph.bucket(ceph.region(lock=COMPLIANCE))
    ceph.deny(bucket, "s3:PutObject")
    with pytest.raises(StorageError) as refused:
        power_to_delete(bucket, LockMode.COMPLIANCE, datetime.now(UTC))
    assert refused.value.cause == Cause.CREDENTIALS
    with pytest.raises(StorageError, match="no delete marker"):
        power_to_delete(ceph.bucket(ceph.region(versioning=False)), None, datetime.now(UTC))
