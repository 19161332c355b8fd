"""Drorch's own records in a real bucket with object lock: kept for years, and never written over."""

from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.core.model import LockMode, ObjectLock
from drorch.storage.faults import Cause
from drorch.storage.records import keep, newest
from drorch.storage.versions import listed_versions, retention_of

RULE = ObjectLock(LockMode.GOVERNANCE, timedelta(days=1))
YEARS = timedelta(days=6 * 365.25)


@pytest.mark.parametrize("mode", list(LockMode))
def test_a_record_is_locked_for_as_long_as_evidence_is_kept(ceph, mode):
    bucket = ceph.bucket(ceph.region(lock=ObjectLock(mode, timedelta(days=30)), default=RULE))
    until = datetime.now(UTC) + YEARS
    assert keep(bucket, "evidence/runs/a.zip", b"sealed", until)
    assert not keep(bucket, "evidence/runs/a.zip", b"sealed", until)
    (version,) = listed_versions(bucket, "evidence/")
    held = retention_of(bucket, version)
    assert held.mode is mode
    assert until <= held.until <= until + timedelta(days=1)


def test_another_content_is_refused_and_left(ceph):
    bucket = ceph.bucket(ceph.region(lock=RULE))
    bucket.put("evidence/runs/a.zip", b"another")
    with pytest.raises(StorageError, match="holds something else than was sealed") as raised:
        keep(bucket, "evidence/runs/a.zip", b"sealed", datetime.now(UTC) + YEARS)
    assert raised.value.cause == Cause.DAMAGED
    assert bucket.get("evidence/runs/a.zip") == b"another"
    assert newest(bucket, "evidence/runs/") == ["evidence/runs/a.zip"]
