"""Regions that heal each other: what any of them has whole, all have whole afterwards."""

import hashlib
import os
import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drorch.core.errors import ResticError
from drorch.core.model import LockMode, ObjectLock
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket
from drorch.storage.heal import Case, HealDone, heal
from drorch.storage.layout import Named
from tests.integration.storage.test_mirror import make_repository, names, put_named
from tests.regions import bucket_of, credentials_of, kill_region, running_regions
from tests.storage_objects import name_of, planted


def fine(_: Named, __: bytes) -> str:
    return ""


def healed(buckets, repository, *, suspects=None, targets=None, judge=fine, config=None, **how):
    """Heal all of them, every object but what is told in `suspects` taken for what it is called."""
    case = Case(
        targets or [b.region.name for b in buckets],
        suspects or {},
        how.pop("expected", ()),
        how.pop("gone", ()),
    )
    right = b"config of " + repository.encode()
    judged = config or (lambda found: "" if found == right else "not ours")
    return heal(buckets, repository, case, judge=judge, judge_config=judged, **how)


def everything(bucket: Bucket, repository: str) -> set[str]:
    return {n for n in names(bucket, repository) if not n.startswith(("locks/", "tmp/", "config"))}


def truths(bucket: Bucket, repository: str) -> dict[str, bool]:
    """Whether each object is what its name says."""
    found = {}
    for name in everything(bucket, repository):
        content = bucket.get(f"{repository}/{name}")
        found[name] = hashlib.sha256(content).hexdigest() == name.rpartition("/")[2]
    return found


@pytest.fixture
def three(regions, repository):
    buckets = [bucket_of(regions[0]), bucket_of(regions[1]), bucket_of(regions[1], "third")]
    # Names of regions tell them apart.
    object.__setattr__(buckets[2].region, "name", "third")
    yield buckets
    for bucket in buckets:
        bucket.close()


def flipped(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


HARMS: dict[str, Callable[[Bucket, str], None]] = {
    "gone": lambda bucket, path: bucket.delete(path),
    "cut": lambda bucket, path: bucket.put(path, bucket.get(path)[:-1]),
    "emptied": lambda bucket, path: bucket.put(path, b""),
    "grown": lambda bucket, path: bucket.put(path, bucket.get(path) + b"x"),
    "flipped": lambda bucket, path: bucket.put(path, flipped(bucket.get(path))),
}

#: What a listing shows by itself.
SHOWING = ("gone", "cut", "emptied", "grown")


@pytest.mark.parametrize("harm", SHOWING)
@pytest.mark.parametrize("kind", ["keys", "data", "index", "snapshots"])
def test_what_a_listing_shows_is_mended_without_being_told(
    source, destination, repository, harm, kind
):
    for bucket in (source, destination):
        planted(bucket, repository)
    before = names(source, repository)
    name = next(n for n in before if n.startswith(kind))
    HARMS[harm](source, f"{repository}/{name}")
    done = healed([source, destination], repository)
    assert [(m.region, m.name, m.source) for m in done.healed] == [("mtl", name, "qc")]
    assert (done.lost, done.damaged, done.trouble, done.troubles) == ([], [], None, {})
    assert names(source, repository) == before
    assert all(truths(source, repository).values())


def test_a_flipped_bit_is_mended_once_somebody_is_suspected(source, destination, repository):
    for bucket in (source, destination):
        planted(bucket, repository)
    (bad, good, *_) = (n for n in everything(source, repository) if n.startswith("data"))
    HARMS["flipped"](source, f"{repository}/{bad}")
    assert healed([source, destination], repository).healed == []
    done = healed([source, destination], repository, suspects={"mtl": [bad, good]})
    assert [(m.region, m.name) for m in done.healed] == [("mtl", bad)]
    assert ("mtl", good) in done.sound
    assert all(truths(source, repository).values())


def test_two_regions_damaged_in_different_places_heal_each_other(source, destination, repository):
    for bucket in (source, destination):
        planted(bucket, repository, data=12)
    want = names(source, repository)
    packs = sorted(n for n in want if n.startswith("data"))
    for bucket, theirs in ((source, packs[:6]), (destination, packs[6:])):
        for name, harm in zip(theirs, [*SHOWING, "gone", "cut"], strict=True):
            HARMS[harm](bucket, f"{repository}/{name}")
    done = healed([source, destination], repository)
    assert sorted(m.name for m in done.healed) == packs
    assert names(source, repository) == names(destination, repository) == want
    assert all({**truths(source, repository), **truths(destination, repository)}.values())


def test_what_is_damaged_everywhere_is_lost_and_named_and_never_overwrites(
    source, destination, repository
):
    for bucket in (source, destination):
        planted(bucket, repository)
    lost, cut, *_ = sorted(n for n in everything(source, repository) if n.startswith("data"))
    for bucket in (source, destination):
        HARMS["flipped"](bucket, f"{repository}/{lost}")
    HARMS["cut"](source, f"{repository}/{lost}")
    HARMS["gone"](destination, f"{repository}/{cut}")
    before = source.get(f"{repository}/{lost}")
    done = healed([source, destination], repository)
    assert done.lost == [lost]
    assert sorted(done.damaged) == [("mtl", lost), ("qc", lost)]
    assert [(m.region, m.name) for m in done.healed] == [("qc", cut)]
    assert source.get(f"{repository}/{lost}") == before


def test_a_source_that_turns_out_damaged_is_passed_over_and_mended_too(three, repository):
    for bucket in three:
        planted(bucket, repository)
    name = next(n for n in everything(three[0], repository) if n.startswith("data"))
    HARMS["gone"](three[2], f"{repository}/{name}")
    HARMS["flipped"](three[0], f"{repository}/{name}")
    done = healed(three, repository)
    assert sorted((m.region, m.source) for m in done.healed) == [("mtl", "qc"), ("third", "qc")]
    assert all(truths(three[0], repository).values())
    assert done.damaged == []


def test_only_the_regions_asked_for_are_mended(source, destination, repository):
    for bucket in (source, destination):
        planted(bucket, repository)
    ours, theirs, *_ = sorted(n for n in everything(source, repository) if n.startswith("data"))
    HARMS["gone"](source, f"{repository}/{ours}")
    HARMS["gone"](destination, f"{repository}/{theirs}")
    done = healed([source, destination], repository, targets=["mtl"])
    assert [(m.region, m.name) for m in done.healed] == [("mtl", ours)]
    assert theirs not in names(destination, repository)


def test_an_empty_region_is_filled(source, destination, repository):
    planted(source, repository)
    done = healed([source, destination], repository)
    assert names(destination, repository) == names(source, repository)
    assert done.shown["qc"] == done.shown["mtl"] != set()


def test_what_was_forgotten_or_revoked_does_not_come_back(source, destination, repository):
    for bucket in (source, destination):
        planted(bucket, repository)
    gone = [n for n in everything(source, repository) if n.startswith(("snapshots", "keys"))]
    for name in gone:
        HARMS["gone"](source, f"{repository}/{name}")
    ids = [n.rpartition("/")[2] for n in gone]
    done = healed([source, destination], repository, gone=ids)
    assert (done.healed, done.lost) == ([], [])
    assert not set(gone) & set(names(source, repository))


def test_what_is_not_ours_is_copied_nowhere(source, destination, repository):
    for bucket in (source, destination):
        planted(bucket, repository)
    evil = put_named(destination, repository, "snapshots", b"planted")

    def judge(named: Named, content: bytes) -> str:
        return "it was not made with the repository's key" if content == b"planted" else ""

    done = healed([source, destination], repository, judge=judge)
    assert done.strange == {("qc", evil): "it was not made with the repository's key"}
    assert (done.healed, done.lost) == ([], [])
    assert evil not in names(source, repository)


def test_who_cannot_judge_copies_nothing_that_must_be_judged(source, destination, repository):
    for bucket in (source, destination):
        planted(bucket, repository)
    for kind in ("data", "index"):
        name = next(n for n in everything(source, repository) if n.startswith(kind))
        HARMS["gone"](source, f"{repository}/{name}")

    def judge(named: Named, content: bytes) -> str:
        raise ResticError("the password opens no key", "check it", "wrong-password")

    done = healed([source, destination], repository, judge=judge)
    assert [m.name.partition("/")[0] for m in done.healed] == ["data"]
    assert done.trouble is not None
    assert done.trouble.message == "the password opens no key"


@pytest.mark.parametrize("harm", ["gone", "overwritten"])
def test_a_config_is_brought_back_by_what_is_ours(source, destination, repository, harm):
    for bucket in (source, destination):
        planted(bucket, repository)
    path = f"{repository}/config"
    right = destination.get(path)
    if harm == "gone":
        source.delete(path)
    else:
        source.put(path, b"somebody else's")
    done = healed([source, destination], repository)
    assert [(m.region, m.name, m.source) for m in done.healed] == [("mtl", "config", "qc")]
    assert source.get(path) == right


def test_a_config_that_is_ours_nowhere_is_lost_and_left_alone(source, destination, repository):
    for bucket, content in ((source, b"forged"), (destination, b"forged too")):
        planted(bucket, repository)
        bucket.put(f"{repository}/config", content)
    done = healed([source, destination], repository)
    assert done.lost == ["config"]
    assert destination.get(f"{repository}/config") == b"forged too"


def test_a_dead_region_takes_no_part_and_the_others_heal(repository):
    with running_regions(3) as regions:
        buckets = [
            Bucket(r.as_region(), credentials_of(r), give_up_after=timedelta(seconds=0.5))
            for r in regions
        ]
        for bucket in buckets:
            planted(bucket, repository)
        name = next(n for n in everything(buckets[0], repository) if n.startswith("data"))
        HARMS["gone"](buckets[0], f"{repository}/{name}")
        kill_region(regions[1])
        done = healed(buckets, repository)
        assert list(done.troubles) == ["qc"]
        assert [(m.region, m.source) for m in done.healed] == [("mtl", "tor")]
        assert done.lost == []


def test_stopped_half_way_what_was_healed_stays_and_the_next_goes_on(
    source, destination, repository
):
    make_repository(source, repository, packs=30, size=300_000)
    cancel = Cancellation()

    def watch(progress: Progress) -> None:
        if (progress.files_done or 0) >= 5:
            cancel.cancel("enough")

    done = healed([source, destination], repository, hands=2, progress=watch, cancel=cancel)
    assert done.trouble is not None
    assert "enough" in done.trouble.message
    first = len(done.healed)
    assert 0 < first < 34
    done = healed([source, destination], repository)
    assert len(done.healed) == 34 - first
    assert everything(destination, repository) == everything(source, repository)


REGIONS = 3
OBJECTS = 9


@given(
    st.lists(
        st.tuples(
            st.integers(0, OBJECTS - 1), st.integers(0, REGIONS - 1), st.sampled_from(sorted(HARMS))
        ),
        max_size=20,
        unique_by=lambda one: one[:2],
    ),
    st.integers(0, 1 << 32),
)
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_is_whole_somewhere_is_whole_everywhere_afterwards(three, repository, harms, seed):
    """Any object harmed in any way in any regions, all of them suspected."""
    chance = random.Random(seed)
    folder = f"{repository}/{seed:08x}{len(harms)}"
    kinds = ["keys", "data", "data", "data", "data", "index", "index", "snapshots", "snapshots"]
    objects = {}
    for n, kind in enumerate(kinds):
        content = chance.randbytes(chance.randrange(1, 2000)) + bytes([n])
        objects[name_of(kind, content)] = content
    for bucket in three:
        bucket.put(f"{folder}/config", b"config of " + folder.encode())
        for name, content in objects.items():
            bucket.put(f"{folder}/{name}", content)
    ordered = list(objects)
    harmed: dict[str, set[int]] = {}
    for which, region, harm in harms:
        HARMS[harm](three[region], f"{folder}/{ordered[which]}")
        harmed.setdefault(ordered[which], set()).add(region)

    done = healed(
        three,
        folder,
        suspects={b.region.name: list(objects) for b in three},
        expected=list(objects),
    )

    lost = sorted(name for name, regions in harmed.items() if len(regions) == REGIONS)
    assert sorted(done.lost) == lost
    assert (done.trouble, done.troubles) == (None, {})
    for bucket in three:
        for name, content in objects.items():
            if name not in lost:
                assert bucket.get(f"{folder}/{name}") == content
    mended = sum(len(regions) for name, regions in harmed.items() if name not in lost)
    assert len(done.healed) == mended


LOCK = ObjectLock(LockMode.COMPLIANCE, timedelta(days=1))


@pytest.fixture
def locked(ceph):
    found = []
    for name in ("mtl", "qc"):
        bucket = ceph.bucket(ceph.region(name, lock=LOCK))
        found.append(bucket)
    yield found
    for bucket in found:
        bucket.close()


def test_an_older_version_is_taken_where_no_region_shows_it_whole(locked, repository):
    for bucket in locked:
        planted(bucket, repository)
    found = sorted(everything(locked[0], repository))
    overwritten, deleted, elsewhere = (
        next(n for n in found if n.startswith(kind)) for kind in ("data", "snapshots", "index")
    )
    for bucket in locked:
        HARMS["flipped"](bucket, f"{repository}/{overwritten}")
        HARMS["gone"](bucket, f"{repository}/{deleted}")
        bucket.put(f"{repository}/config", b"somebody else's")
    HARMS["cut"](locked[0], f"{repository}/{elsewhere}")
    done = healed(
        locked,
        repository,
        suspects={"mtl": [overwritten], "qc": [overwritten]},
        expected=[deleted],
    )
    assert (done.lost, done.damaged, done.trouble) == ([], [], None)
    sources = {(m.name, m.region, m.source) for m in done.healed}
    assert {(overwritten, "mtl", "mtl"), (overwritten, "qc", "mtl")} <= sources
    assert (elsewhere, "mtl", "qc") in sources
    for bucket in locked:
        assert all(truths(bucket, repository).values())
        assert deleted in names(bucket, repository)
        assert bucket.get(f"{repository}/config") == b"config of " + repository.encode()


def test_what_has_no_whole_version_either_is_lost(locked, repository):
    for bucket in locked:
        bucket.put(f"{repository}/config", b"config of " + repository.encode())
    name = name_of("data", os.urandom(100))
    for bucket in locked:
        bucket.put(f"{repository}/{name}", b"never was what it says")
    done: HealDone = healed(locked, repository, suspects={"mtl": [name], "qc": [name]})
    assert done.lost == [name]
