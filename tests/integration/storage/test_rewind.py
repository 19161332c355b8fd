"""A repository attacked and brought back in a real Ceph. Nobody here has its password."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.core.model import LockMode, ObjectLock
from drorch.ports import Cancellation
from drorch.storage.extension import extend, repository_parts
from drorch.storage.faults import Cause
from drorch.storage.rewind import Ours, rewind
from drorch.storage.versions import listed_versions
from tests.storage_objects import name_of, planted

DAY = timedelta(days=1)
KEEP = ObjectLock(LockMode.COMPLIANCE, 30 * DAY)
RULE = ObjectLock(LockMode.COMPLIANCE, DAY)
REPOSITORY = "datasets/docs"


@pytest.fixture
def bucket(ceph):
    made = ceph.bucket(ceph.region(lock=KEEP, default=RULE, prefix="prod"))
    yield made
    made.close()


@pytest.fixture
def names(bucket):
    """What was there while all was well."""
    return planted(bucket, REPOSITORY)


def now() -> datetime:
    return datetime.now(UTC)


def shown(bucket):
    """What shows below the repository, by name."""
    found = [e.name for e in bucket.list_objects(f"{REPOSITORY}/")]
    return {n.removeprefix(f"{REPOSITORY}/"): bucket.get(n) for n in found}


def versions(bucket):
    return {v.id for v in listed_versions(bucket) if not v.marker}


def deleted(bucket, *but):
    for name in [e.name for e in bucket.list_objects(f"{REPOSITORY}/")]:
        if name.removeprefix(f"{REPOSITORY}/") not in but:
            bucket.delete(name)


def put(bucket, name, content=b"evil"):
    bucket.put(f"{REPOSITORY}/{name}", content)


def one(names, kind):
    return next(n for n in sorted(names) if n.startswith(kind))


def test_after_deletion_and_overwriting_everything_shows_as_it_did(bucket, names):
    before, well = shown(bucket), now()
    pack, snapshot = one(names, "data/"), one(names, "snapshots/")
    put(bucket, "config")
    put(bucket, pack)
    put(bucket, pack, b"worse")
    deleted(bucket, "config")
    put(bucket, snapshot)
    there = versions(bucket)
    done = rewind(bucket, REPOSITORY, well, Ours())
    assert shown(bucket) == before
    assert (done.brought_back, done.overwritten, done.proven) == (8, 2, 8)
    assert (done.config, done.lost, done.hidden) == ("brought-back", (), ())
    assert done.bytes == sum(len(c) for n, c in before.items() if n != "config")
    assert {f"snapshots/{s}" for s in done.snapshots} == {n for n in names if "snap" in n}
    assert there <= versions(bucket)
    again = rewind(bucket, REPOSITORY, well, Ours())
    assert (again.brought_back, again.config, shown(bucket)) == (0, "kept", before)


def test_nothing_happened_nothing_is_read_or_changed(bucket, names):
    there = list(listed_versions(bucket))
    done = rewind(bucket, REPOSITORY, now(), Ours())
    assert (done.brought_back, done.proven, done.config) == (0, 0, "kept")
    assert list(listed_versions(bucket)) == there


def test_a_dry_one_says_it_and_changes_nothing(bucket, names):
    well = now()
    put(bucket, "config")
    put(bucket, one(names, "data/"))
    deleted(bucket)
    there = list(listed_versions(bucket))
    done = rewind(bucket, REPOSITORY, well, Ours(), dry=True)
    assert (done.brought_back, done.overwritten, done.config) == (8, 1, "brought-back")
    assert len(done.snapshots) == 2
    assert list(listed_versions(bucket)) == there


def test_what_was_deleted_before_stays_deleted(bucket, names):
    gone = one(names, "data/")
    bucket.delete(f"{REPOSITORY}/{gone}")
    before, well = shown(bucket), now()
    deleted(bucket)
    rewind(bucket, REPOSITORY, well, Ours())
    assert shown(bucket) == before
    assert gone not in before


def test_restics_locks_are_left_alone(bucket, names):
    put(bucket, "locks/" + "a" * 64, b"over")
    bucket.delete(f"{REPOSITORY}/locks/{'a' * 64}")
    put(bucket, "locks/" + "b" * 64, b"running")
    well = now()
    deleted(bucket)
    put(bucket, "locks/" + "c" * 64, b"new")
    rewind(bucket, REPOSITORY, well, Ours())
    assert set(shown(bucket)) == names | {"locks/" + "c" * 64}


def test_what_came_later_is_hidden_unless_it_is_ours(bucket, names):
    well = now()
    ours, strange = b"ours", b"strange"
    for kind in ("keys", "snapshots"):
        put(bucket, name_of(kind, ours), ours)
    for kind in ("keys", "index", "snapshots", "data"):
        put(bucket, name_of(kind, strange), strange)
    put(bucket, "index/" + "d" * 64, b"not of this name")
    known = frozenset({name_of("keys", ours), name_of("snapshots", ours)})
    done = rewind(bucket, REPOSITORY, well, Ours(known=known))
    hidden = dict(done.hidden)
    assert hidden.keys() == {
        name_of("keys", strange),
        name_of("index", strange),
        name_of("snapshots", strange),
        "index/" + "d" * 64,
    }
    assert "the journal does not know it" in hidden[name_of("snapshots", strange)]
    assert "nobody can tell" in hidden[name_of("keys", strange)]
    assert "not what its name says" in hidden["index/" + "d" * 64]
    assert set(shown(bucket)) == names | known | {name_of("data", strange)}
    assert set(done.unknown) == {n for n in names if n.startswith(("keys/", "snapshots/"))}


def test_index_that_younger_snapshots_of_ours_may_need_stays_and_is_told(bucket, names):
    well = now()
    put(bucket, name_of("index", b"ours"), b"ours")
    put(bucket, name_of("index", b"judged"), b"judged")

    def judge(named, content):
        return "not made with our key" if content == b"judged" else None

    done = rewind(bucket, REPOSITORY, well, Ours(newer=True, judge=judge))
    assert dict(done.hidden) == {name_of("index", b"judged"): "not made with our key"}
    assert name_of("index", b"ours") in done.unknown
    deleted(bucket)
    rewind(bucket, REPOSITORY, well, Ours(newer=True, judge=judge))
    assert name_of("index", b"ours") in shown(bucket)
    assert name_of("index", b"judged") not in shown(bucket)


def test_what_was_forgotten_or_revoked_does_not_come_back(bucket, names):
    well = now()
    deleted(bucket)
    snapshot, key = one(names, "snapshots/"), one(names, "keys/")
    put(bucket, key, b"keys 0 of datasets/docs")
    done = rewind(bucket, REPOSITORY, well, Ours(gone=frozenset({snapshot, key})))
    assert set(shown(bucket)) == names - {snapshot, key}
    assert dict(done.hidden) == {key: "it was forgotten or revoked"}


def test_what_is_ours_comes_back_although_it_came_later(bucket, names):
    well = now()
    put(bucket, name_of("snapshots", b"later"), b"later")
    deleted(bucket)
    known = frozenset({name_of("snapshots", b"later")})
    rewind(bucket, REPOSITORY, well, Ours(known=known))
    assert name_of("snapshots", b"later") in shown(bucket)


def test_an_object_without_a_good_version_is_told(bucket, names):
    put(bucket, "data/ee/" + "e" * 64, b"bad from the beginning")
    well = now()
    put(bucket, "data/ee/" + "e" * 64, b"and worse")
    deleted(bucket)
    done = rewind(bucket, REPOSITORY, well, Ours())
    assert done.lost == ("data/ee/" + "e" * 64,)
    assert set(shown(bucket)) == names


def test_a_key_that_may_not_delete_versions_brings_back_by_copying(ceph, bucket, names):
    before, well = shown(bucket), now()
    put(bucket, "config")
    deleted(bucket)
    ceph.deny(bucket, "s3:DeleteObjectVersion")
    markers = {v.id for v in listed_versions(bucket) if v.marker}
    done = rewind(bucket, REPOSITORY, well, Ours())
    assert (done.brought_back, shown(bucket)) == (8, before)
    assert {v.id for v in listed_versions(bucket) if v.marker} == markers


def test_locks_extended_since_do_not_make_it_look_as_if_it_had_come_later(bucket, names):
    """Ceph says of a version below a marker that it was written when its lock was extended."""
    before, well = shown(bucket), now()
    parts = repository_parts(REPOSITORY)
    extend(bucket, parts, KEEP, now=now())
    put(bucket, "config")
    deleted(bucket)
    extend(bucket, parts, KEEP, now=now() + 10 * DAY, hidden_too=True)
    strange = b"strange"
    for kind in ("index", "snapshots"):
        put(bucket, name_of(kind, strange), strange)
    done = rewind(bucket, REPOSITORY, well, Ours())
    assert shown(bucket) == before
    assert set(dict(done.hidden)) == {name_of("index", strange), name_of("snapshots", strange)}


def test_what_a_rewind_undid_is_not_locked_for_ever(bucket, names):
    well = now()
    put(bucket, one(names, "data/"))
    rewind(bucket, REPOSITORY, well, Ours())
    done = extend(bucket, repository_parts(REPOSITORY), KEEP, now=now())
    assert (done.objects, done.extended, done.overwritten) == (len(names), len(names), ())


def test_where_versioning_was_suspended_nothing_is_deleted_either(ceph):
    bucket = ceph.bucket(ceph.region())
    names = planted(bucket, REPOSITORY)
    before, well = shown(bucket), now()
    suspended = {"Status": "Suspended"}
    bucket.client.put_bucket_versioning(
        Bucket=bucket.region.bucket, VersioningConfiguration=suspended
    )
    deleted(bucket)
    there = versions(bucket)
    assert rewind(bucket, REPOSITORY, well, Ours()).brought_back == len(names) - 1
    assert shown(bucket) == before
    assert there <= versions(bucket)


def test_config_is_the_one_that_a_mirror_or_the_key_knows(bucket, names):
    """The attacker was there already, but nobody knew."""
    good = bucket.get(f"{REPOSITORY}/config")
    put(bucket, "config", b"evil")
    well = now()
    for ours in (Ours(configs=(good,)), Ours(judge_config=lambda c: "" if c == good else "no")):
        done = rewind(bucket, REPOSITORY, well, ours)
        assert (bucket.get(f"{REPOSITORY}/config"), done.config_doubt) == (good, "")
        put(bucket, "config", b"evil")
    done = rewind(bucket, REPOSITORY, well, Ours())
    assert bucket.get(f"{REPOSITORY}/config") == good
    assert "the oldest one was taken" in done.config_doubt


def test_a_bucket_that_keeps_no_versions_cannot_be_rewound(ceph):
    bucket = ceph.bucket(ceph.region(versioning=False))
    planted(bucket, REPOSITORY)
    with pytest.raises(StorageError, match="keeps no versions") as error:
        rewind(bucket, REPOSITORY, now(), Ours())
    assert error.value.cause == Cause.NO_VERSIONS
    assert "drorch replicate" in error.value.hint


def test_a_time_at_which_there_was_no_repository_is_refused(bucket):
    early = now() - DAY
    names = planted(bucket, REPOSITORY)
    known = frozenset(names)
    with pytest.raises(StorageError, match="held no repository at datasets/docs at") as error:
        rewind(bucket, REPOSITORY, early, Ours(known=known))
    assert error.value.cause == Cause.NO_REPOSITORY
    assert set(shown(bucket)) == names


def test_stopped_in_the_middle_it_goes_on_where_it_ended(bucket):
    planted(bucket, REPOSITORY, data=30)
    before, well = shown(bucket), now()
    put(bucket, "config")
    deleted(bucket)
    cancel, seen = Cancellation(), threading.Event()

    def stop(progress):
        if not seen.is_set():
            seen.set()
            cancel.cancel("enough")

    with pytest.raises(StorageError, match="stopped: enough") as error:
        rewind(bucket, REPOSITORY, well, Ours(), hands=2, progress=stop, cancel=cancel)
    assert error.value.cause == Cause.CANCELLED
    assert rewind(bucket, REPOSITORY, well, Ours()).brought_back > 0
    assert shown(bucket) == before
