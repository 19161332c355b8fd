"""Versions in a real store with object lock: Ceph."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.core.model import LockMode, ObjectLock
from drorch.storage.faults import Cause
from drorch.storage.versions import (
    Retention,
    copy_to_top,
    hide,
    histories,
    keeps_versions,
    listed_versions,
    reading,
    remove_marker,
    retain,
    retention_of,
)

DAY = timedelta(days=1)
COMPLIANCE = ObjectLock(LockMode.COMPLIANCE, 30 * DAY)
GOVERNANCE = ObjectLock(LockMode.GOVERNANCE, 30 * DAY)


def in_(days: float) -> datetime:
    return datetime.now(UTC) + days * DAY


@pytest.fixture
def locked(ceph):
    bucket = ceph.bucket(ceph.region(lock=COMPLIANCE, prefix="prod/west"))
    yield bucket
    bucket.close()


@pytest.fixture
def governed(ceph):
    bucket = ceph.bucket(ceph.region(lock=GOVERNANCE))
    yield bucket
    bucket.close()


def only(bucket, name):
    (history,) = [h for h in histories(bucket, name) if h[0].name == name]
    return history


def content(bucket, version):
    with reading(bucket, version) as chunks:
        return b"".join(chunks)


def test_what_was_written_and_deleted_comes_in_its_order(locked):
    locked.put("a", b"first")
    locked.delete("a")
    locked.put("a", b"second")
    locked.delete("a")
    locked.put("b", b"other")
    a, b = histories(locked)
    assert [v.marker for v in a] == [True, False, True, False]
    assert [content(locked, v) for v in a if not v.marker] == [b"second", b"first"]
    assert [(v.name, v.size, v.marker) for v in b] == [("b", 5, False)]
    assert b[0].etag.strip('"') == hashlib.md5(b"other").hexdigest()


@pytest.mark.parametrize("page", [1, 2, 3])
def test_pages_cut_anywhere_lose_and_double_nothing(locked, page):
    for name in ("a", "b", "é +%"):
        for number in range(3):
            locked.put(name, f"{name} {number}".encode())
        locked.delete(name)
    whole = list(listed_versions(locked))
    assert [v.name for v in whole] == ["a"] * 4 + ["b"] * 4 + ["é +%"] * 4
    assert list(listed_versions(locked, page=page)) == whole


def test_a_locked_version_cannot_be_deleted_nor_its_lock_weakened(locked):
    locked.put("a", b"x")
    (version,) = only(locked, "a")
    assert retention_of(locked, version) is None
    until = in_(3).replace(microsecond=0)
    retain(locked, version, Retention(LockMode.COMPLIANCE, until))
    assert retention_of(locked, version) == Retention(LockMode.COMPLIANCE, until)
    for weaker in (
        Retention(LockMode.COMPLIANCE, in_(2)),
        Retention(LockMode.GOVERNANCE, in_(5)),
    ):
        with pytest.raises(StorageError) as refused:
            retain(locked, version, weaker, bypass=True)
        assert refused.value.cause == Cause.CREDENTIALS
        assert "s3:PutObjectRetention" in refused.value.hint
    for passing in ({}, {"BypassGovernanceRetention": True}):
        with pytest.raises(Exception, match="AccessDenied"):
            locked.client.delete_object(
                Bucket=locked.region.bucket, Key="prod/west/a", VersionId=version.id, **passing
            )
    assert retention_of(locked, version) == Retention(LockMode.COMPLIANCE, until)


def test_ceph_moves_the_time_of_a_version_whose_retention_changes(locked):
    """The reason why nothing here trusts `modified` alone; other stores leave it."""
    locked.put("a", b"x")
    (before,) = only(locked, "a")
    retain(locked, before, Retention(LockMode.COMPLIANCE, in_(3)))
    assert only(locked, "a") == (before,)
    locked.delete("a")
    marker, after = only(locked, "a")
    assert before.modified < after.modified < marker.modified


def test_governance_is_extended_by_anybody_and_passed_over_by_whoever_may(governed):
    governed.put("a", b"x")
    (version,) = only(governed, "a")
    retain(governed, version, Retention(LockMode.GOVERNANCE, in_(3)))
    retain(governed, version, Retention(LockMode.GOVERNANCE, in_(4)))
    with pytest.raises(StorageError):
        retain(governed, version, Retention(LockMode.GOVERNANCE, in_(1)))
    retain(governed, version, Retention(LockMode.COMPLIANCE, in_(5)), bypass=True)
    with pytest.raises(StorageError):
        retain(governed, version, Retention(LockMode.GOVERNANCE, in_(9)), bypass=True)


def test_what_was_hidden_comes_back(locked):
    locked.put("a", b"good")
    hide(locked, "a")
    assert locked.head("a") is None
    marker, version = only(locked, "a")
    remove_marker(locked, marker)
    remove_marker(locked, marker)
    assert only(locked, "a") == (version,)
    assert locked.get("a") == b"good"


def test_what_was_overwritten_comes_to_the_top_beside_what_overwrote_it(locked):
    locked.put("a", b"good")
    locked.put("a", b"evil")
    evil, good = only(locked, "a")
    copy_to_top(locked, good)
    copied, *rest = only(locked, "a")
    assert rest == [evil, good]
    assert locked.get("a") == content(locked, copied) == b"good"


def test_a_version_is_never_deleted(locked):
    locked.put("a", b"x")
    (version,) = only(locked, "a")
    with pytest.raises(ValueError, match="not deleted"):
        remove_marker(locked, version)


def test_a_version_that_is_not_there(locked):
    locked.put("a", b"x")
    (version,) = only(locked, "a")
    gone = type(version)("b", version.id, version.modified)
    for ask in (
        lambda: retention_of(locked, gone),
        lambda: retain(locked, gone, Retention(LockMode.COMPLIANCE, in_(3))),
        lambda: content(locked, gone),
        lambda: copy_to_top(locked, gone),
    ):
        with pytest.raises(StorageError) as error:
            ask()
        assert error.value.cause == Cause.NO_OBJECT


def test_a_bucket_without_lock_or_versions_says_so(ceph):
    bucket = ceph.bucket(ceph.region(versioning=False))
    assert not keeps_versions(bucket)
    bucket.put("a", b"x")
    (version,) = only(bucket, "a")
    for ask in (
        lambda: retention_of(bucket, version),
        lambda: retain(bucket, version, Retention(LockMode.COMPLIANCE, in_(3))),
    ):
        with pytest.raises(StorageError, match="InvalidRequest") as error:
            ask()
        assert error.value.cause == Cause.NO_LOCK
    assert keeps_versions(ceph.bucket(ceph.region()))


def test_a_store_that_knows_no_versions_keeps_none(source):
    assert not keeps_versions(source)


@pytest.mark.parametrize("mode", LockMode)
def test_a_bucket_that_is_made_for_a_locked_region_locks_what_is_new_for_whole_days(ceph, mode):
    lock = ObjectLock(mode, timedelta(days=2, hours=1))
    made = replace(ceph.region(lock=lock), bucket=f"made-{mode}")
    bucket = ceph.bucket(made)
    assert bucket.create()
    assert not bucket.create()
    bucket.put("a", b"x")
    (version,) = only(bucket, "a")
    kept = retention_of(bucket, version)
    assert kept is not None
    assert kept.mode is mode
    assert timedelta(seconds=-2) < kept.until - version.modified - 3 * DAY < timedelta(seconds=2)


def test_somebody_else_sees_nothing_and_is_told_which_right_is_missing(ceph, locked):
    stranger = ceph.bucket(locked.region, "stranger")
    with pytest.raises(StorageError) as refused:
        list(histories(stranger))
    assert refused.value.cause == Cause.CREDENTIALS
    assert "s3:ListBucketVersions" in refused.value.hint
