"""Objects deleted many at a time, in real stores."""

import threading

import pytest

from drorch.core.errors import StorageError
from drorch.ports import Cancellation
from drorch.storage.removal import HANDS, remove
from tests.ceph import running_ceph
from tests.regions import bucket_of, running_regions

FOLDER = "datasets/docs"


@pytest.fixture(params=["rclone", "ceph"])
def bucket(request):
    """A bucket without anything in it."""
    if request.param == "rclone":
        with running_regions(1) as (region,):
            yield bucket_of(region, "below")
    else:
        with running_ceph() as ceph:
            yield ceph.bucket(ceph.region(prefix="below"))


def names(kind, count):
    return [f"{kind}/{n:064x}" for n in range(count)]


def listed(bucket):
    return {o.name.removeprefix(f"{FOLDER}/") for o in bucket.list_objects(FOLDER)}


def test_what_is_named_goes_and_nothing_else_again_and_again(bucket):
    wanted = [*names("snapshots", 2), *names("index", 3), *names("data/00", 4)]
    others = ["config", "keys/" + "a" * 64, "data/ff/" + "f" * 64]
    for name in (*wanted, *others):
        bucket.put(f"{FOLDER}/{name}", b"x")
    told = []
    remove(bucket, FOLDER, wanted, progress=told.append)
    assert listed(bucket) == set(others)
    assert (told[-1].files_done, told[-1].files_total) == (9, 9)
    remove(bucket, FOLDER, wanted)
    assert listed(bucket) == set(others)


def test_more_than_one_request_takes_are_deleted_snapshots_first(bucket):
    wanted = [*names("data/00", 1500), *names("snapshots", 1), *names("index", 1)]
    for name in wanted[-3:]:
        bucket.put(f"{FOLDER}/{name}", b"x")
    cancel = Cancellation()
    seen = []

    def first(progress):
        seen.append(listed(bucket))
        cancel.cancel("enough")

    before = set(threading.enumerate())
    with pytest.raises(StorageError, match="was stopped: enough") as stopped:
        remove(bucket, FOLDER, wanted, progress=first, cancel=cancel)
    assert stopped.value.cause == "cancelled"
    assert seen[0] == {wanted[-1], wanted[-3]}
    assert len(set(threading.enumerate()) - before) <= HANDS
    remove(bucket, FOLDER, wanted)
    assert listed(bucket) == set()


def test_a_refusal_of_single_objects_is_told_with_its_reason():
    with running_ceph() as ceph:
        bucket = ceph.bucket(ceph.region())
        (name,) = names("snapshots", 1)
        bucket.put(f"{FOLDER}/{name}", b"x")
        ceph.deny(bucket, "s3:DeleteObject")
        with pytest.raises(StorageError) as refused:
            remove(bucket, FOLDER, [name])
        assert refused.value.cause == "credentials"
        assert "s3:DeleteObject" in refused.value.hint
        assert listed(bucket) == {name}
