import hashlib
import os
import threading
from datetime import timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.lab.regions import LabRegion
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause
from drorch.storage.mirror import mirror
from tests.faulty import in_front_of
from tests.harms import Asked, Plan
from tests.regions import bucket_of, credentials_of, kill_region, restart_region, running_regions


def put_named(bucket: Bucket, repository: str, kind: str, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()
    folder = f"data/{name[:2]}" if kind == "data" else kind
    bucket.put(f"{repository}/{folder}/{name}", content)
    return f"{folder}/{name}"


def make_repository(bucket: Bucket, repository: str, packs: int = 12, size: int = 700_000) -> None:
    """Objects as restic lays them out; what is in them does not matter to a mirror."""
    bucket.put(f"{repository}/config", b"config of " + repository.encode())
    put_named(bucket, repository, "keys", b"key " + repository.encode())
    for n in range(packs):
        put_named(bucket, repository, "data", n.to_bytes(4, "big") * (size // 4) + os.urandom(9))
    put_named(bucket, repository, "index", os.urandom(40))
    put_named(bucket, repository, "snapshots", os.urandom(41))
    put_named(bucket, repository, "locks", b"lock")
    bucket.put(f"{repository}/tmp/unfinished", b"tmp")


def names(bucket: Bucket, repository: str) -> dict[str, int]:
    return {
        o.name.removeprefix(repository + "/"): o.size for o in bucket.list_objects(repository + "/")
    }


def damage(region: LabRegion, repository: str, name: str) -> None:
    """Flip a byte at rest, as a bad disk does: same size, same time."""
    path = region.bucket / repository / name
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def first(bucket: Bucket, repository: str, kind: str) -> str:
    return next(n for n in names(bucket, repository) if n.startswith(kind + "/"))


def ids(bucket: Bucket, repository: str, kind: str) -> tuple[str, ...]:
    listed = names(bucket, repository)
    return tuple(sorted(n.split("/")[-1] for n in listed if n.startswith(kind + "/")))


def test_the_whole_repository_without_locks_arrives(source, destination, repository):
    make_repository(source, repository)
    done = mirror(source, destination, repository)
    want = {
        n: s for n, s in names(source, repository).items() if not n.startswith(("locks/", "tmp/"))
    }
    assert names(destination, repository) == want
    assert (done.copied, done.skipped, done.damaged, done.held_back) == (15, 0, (), ())
    assert done.bytes == sum(s for n, s in want.items() if n != "config")
    assert done.snapshots_present == ids(source, repository, "snapshots")
    assert done.whole
    for name in want:
        path = f"{repository}/{name}"
        assert destination.get(path) == source.get(path)


def test_again_only_what_is_new_and_nothing_is_deleted(source, destination, repository):
    make_repository(source, repository)
    mirror(source, destination, repository)
    gone = first(source, repository, "snapshots")
    source.delete(f"{repository}/{gone}")
    put_named(source, repository, "data", b"new")
    done = mirror(source, destination, repository)
    assert (done.copied, done.bytes, done.skipped) == (1, 3, 14)
    assert gone in names(destination, repository)
    assert gone.split("/")[-1] in done.snapshots_present


def test_an_object_of_another_size_is_replaced_by_the_true_one(source, destination, repository):
    make_repository(source, repository)
    mirror(source, destination, repository)
    name = first(source, repository, "data")
    destination.put(f"{repository}/{name}", b"cut short")
    done = mirror(source, destination, repository)
    assert done.copied == 1
    assert destination.get(f"{repository}/{name}") == source.get(f"{repository}/{name}")


def test_a_damaged_pack_stays_where_it_is_and_holds_back_what_may_need_it(
    source, destination, repository, regions
):
    make_repository(source, repository)
    mirror(source, destination, repository)
    before = names(destination, repository)
    bad = put_named(source, repository, "data", os.urandom(900_000))
    good = put_named(source, repository, "data", os.urandom(900_000))
    index = put_named(source, repository, "index", os.urandom(30))
    snapshot = put_named(source, repository, "snapshots", os.urandom(31))
    damage(regions[0], repository, bad)

    done = mirror(source, destination, repository)

    assert done.damaged == (("mtl", bad),)
    assert done.held_back == (snapshot.split("/")[-1],)
    assert not done.whole
    after = names(destination, repository)
    assert set(after) - set(before) == {good}
    assert index not in after
    assert done.snapshots_present == ids(destination, repository, "snapshots")


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(300_000)])
def test_an_object_cut_short_at_rest_is_never_accepted(source, destination, repository, content):
    """The store is whole, the object is not: its size is right for what it holds."""
    make_repository(source, repository, packs=1)
    name = first(source, repository, "data")
    source.put(f"{repository}/{name}", content)
    done = mirror(source, destination, repository)
    assert done.damaged == (("mtl", name),)
    assert name not in names(destination, repository)
    assert done.snapshots_present == ()


def test_what_the_replica_has_whole_is_not_held_back_by_the_sources_damage(
    source, destination, repository
):
    make_repository(source, repository)
    mirror(source, destination, repository)
    name = first(source, repository, "data")
    source.put(f"{repository}/{name}", b"cut short")
    snapshot = put_named(source, repository, "snapshots", os.urandom(31))
    done = mirror(source, destination, repository)
    assert done.damaged == (("mtl", name),)
    assert done.whole
    assert snapshot in names(destination, repository)


def test_a_damaged_snapshot_is_left_out_alone(source, destination, repository, regions):
    make_repository(source, repository)
    bad = put_named(source, repository, "snapshots", os.urandom(31))
    damage(regions[0], repository, bad)
    done = mirror(source, destination, repository)
    assert done.damaged == (("mtl", bad),)
    assert done.held_back == (bad.split("/")[-1],)
    assert len(done.snapshots_present) == 1


def test_without_a_whole_key_the_replica_shows_no_snapshot(
    source, destination, repository, regions
):
    make_repository(source, repository)
    damage(regions[0], repository, first(source, repository, "keys"))
    done = mirror(source, destination, repository)
    assert done.snapshots_present == ()
    assert len(done.held_back) == 1


def test_two_different_repositories_are_never_mixed(source, destination, repository):
    make_repository(source, repository)
    destination.put(f"{repository}/config", b"somebody else's")
    with pytest.raises(StorageError, match="different repositories") as caught:
        mirror(source, destination, repository)
    assert caught.value.cause == Cause.DIFFERENT_REPOSITORY
    assert list(names(destination, repository)) == ["config"]


def test_no_repository_to_mirror(source, destination, repository):
    with pytest.raises(StorageError) as caught:
        mirror(source, destination, repository)
    assert caught.value.cause == Cause.NO_REPOSITORY
    assert names(destination, repository) == {}


def test_what_has_no_name_of_restics_is_left_alone(source, destination, repository):
    make_repository(source, repository, packs=1)
    source.put(f"{repository}/data/ab/README", b"hello")
    source.put(f"{repository}/data/ff/{'0' * 64}", b"in the wrong folder")
    mirror(source, destination, repository)
    listed = names(destination, repository)
    assert not {n for n in listed if n.endswith(("README", "0" * 64))}


def test_progress_grows_to_the_whole(source, destination, repository):
    make_repository(source, repository)
    reports: list[Progress] = []
    done = mirror(source, destination, repository, progress=reports.append)
    assert reports[-1] == Progress(done.bytes, done.bytes, done.copied, done.copied)
    shown = [r.bytes_done or 0 for r in reports]
    assert shown == sorted(shown)


def test_a_cancelled_mirror_stops_and_goes_on_later(source, destination, repository):
    make_repository(source, repository, packs=30)
    cancel = Cancellation()

    def first_report(report: Progress) -> None:
        cancel.cancel("enough for today")

    with pytest.raises(StorageError, match="enough for today") as caught:
        mirror(source, destination, repository, hands=1, progress=first_report, cancel=cancel)
    assert caught.value.cause == Cause.CANCELLED
    assert ids(destination, repository, "snapshots") == ()
    done = mirror(source, destination, repository, cancel=Cancellation())
    assert done.copied < 33
    assert done.whole


class _Interrupter:
    """Kills a region while objects are on their way to or from it."""

    def __init__(self, region: LabRegion) -> None:
        self._region = region
        self._once = threading.Lock()
        self._done = False

    def __call__(self, report: Progress) -> None:
        with self._once:
            if not self._done and report.bytes_done:
                self._done = True
                kill_region(self._region)


@pytest.mark.parametrize("dies", [0, 1])
def test_a_region_that_dies_half_way_fails_the_mirror_which_later_goes_on(dies):
    with running_regions(2) as regions:
        impatient = [
            Bucket(r.as_region(), credentials_of(r), give_up_after=timedelta(seconds=0.5))
            for r in regions
        ]
        make_repository(impatient[0], "r", packs=40)
        with pytest.raises(StorageError, match=f"region {regions[dies].name} ") as caught:
            mirror(*impatient, "r", progress=_Interrupter(regions[dies]))
        assert caught.value.cause in {Cause.UNREACHABLE, Cause.SERVER_ERROR}
        restart_region(regions[dies])
        assert ids(impatient[1], "r", "snapshots") == ()
        done = mirror(*impatient, "r")
        assert done.whole
        assert done.damaged == ()
        source_names = names(impatient[0], "r")
        assert names(impatient[1], "r") == {
            n: s for n, s in source_names.items() if not n.startswith(("locks/", "tmp/"))
        }
        for bucket in impatient:
            bucket.close()


def test_a_dead_destination_fails_before_anything_is_read(source, repository):
    make_repository(source, repository, packs=1)
    with running_regions(1) as (other,):
        gone = Bucket(
            other.as_region(), credentials_of(other), give_up_after=timedelta(seconds=0.2)
        )
        kill_region(other)
        with pytest.raises(StorageError, match=r"region mtl .*connection refused"):
            mirror(source, gone, repository)
        gone.close()


def test_wrong_credentials_of_the_destination(source, regions, repository):
    make_repository(source, repository, packs=1)
    stranger = Bucket(regions[1].as_region(), credentials_of(regions[0]))
    with pytest.raises(StorageError, match="region qc") as caught:
        mirror(source, stranger, repository)
    assert caught.value.cause == Cause.CREDENTIALS
    stranger.close()


def test_both_ways_make_the_union(source, regions, repository):
    other = bucket_of(regions[1])
    make_repository(source, repository)
    mirror(source, other, repository)
    here = put_named(source, repository, "snapshots", b"taken here")
    there = put_named(other, repository, "snapshots", b"taken there")
    mirror(source, other, repository)
    mirror(other, source, repository)
    assert ids(source, repository, "snapshots") == ids(other, repository, "snapshots")
    assert {here, there} <= set(names(other, repository))
    other.close()


def test_no_listing_is_done_twice_in_one_replication(source, destination, regions, repository):
    make_repository(source, repository)
    asked: list[tuple[str, str]] = []

    def noting(side: str) -> Plan:
        def plan(request: Asked) -> None:
            if request.listing:
                asked.append((side, request.target))

        return plan

    with (
        in_front_of(regions[0], noting("source")) as here,
        in_front_of(regions[1], noting("destination")) as there,
    ):
        first = Bucket(here.as_region(), source.credentials)
        second = Bucket(there.as_region("prod/west"), destination.credentials)
        assert mirror(first, second, repository).whole
        first.close()
        second.close()
    assert len(asked) == len(set(asked)) == 8, "four kinds of objects on each side"
