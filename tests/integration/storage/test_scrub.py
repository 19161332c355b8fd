import os
from collections.abc import Iterator
from datetime import timedelta

import pytest

from drorch.core.scrubbing import PARTS, Turn, part_of, turns
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket, ObjectInfo
from drorch.storage.faults import Cause
from drorch.storage.scrub import configs_of, estimated_size, scrub
from tests.integration.storage.test_mirror import damage, first, make_repository, names, put_named
from tests.regions import bucket_of, credentials_of, kill_region, running_regions


class Asked(Bucket):
    """A bucket that remembers what it was asked to list and to read."""

    def __init__(self, bucket: Bucket, give_up_after: timedelta = timedelta(seconds=20)) -> None:
        super().__init__(bucket.region, bucket.credentials, give_up_after=give_up_after)
        self.lists: list[str] = []
        self.reads: list[str] = []

    def list_objects(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        self.lists.append(prefix)
        return super().list_objects(prefix, after=after)

    def stream(self, name: str):
        self.reads.append(name)
        return super().stream(name)


def proven_names(bucket: Bucket, repository: str) -> list[str]:
    return [n for n in names(bucket, repository) if not n.startswith(("config", "locks", "tmp"))]


@pytest.mark.parametrize("given", [None, turns([])], ids=["listed in one go", "part by part"])
def test_everything_is_hashed_and_found_whole(source, repository, given):
    make_repository(source, repository)
    done = scrub(source, repository, given)
    assert (done.trouble, done.damaged) == (None, ())
    assert sorted(p.turn.part for p in done.parts) == sorted(PARTS)
    assert all(p.whole and not p.through for p in done.parts)
    want = proven_names(source, repository)
    assert sum(p.objects for p in done.parts) == len(want) == 15
    sizes = names(source, repository)
    assert done.bytes == sum(p.bytes for p in done.parts) == sum(sizes[n] for n in want)


def test_an_empty_region_is_proven_to_be_empty(source, repository):
    done = scrub(source, repository, None)
    assert len([p for p in done.parts if p.whole]) == 259
    assert done.bytes == 0


@pytest.mark.parametrize("kind", ["keys", "data", "index", "snapshots"])
def test_a_flipped_byte_is_found_wherever_it_is(source, regions, repository, kind):
    make_repository(source, repository)
    name = first(source, repository, kind)
    damage(regions[0], repository, name)
    done = scrub(source, repository, None)
    assert done.damaged == (name,)
    (part,) = [p for p in done.parts if p.damaged]
    assert part.turn.part == part_of(name)
    assert part.whole


@pytest.mark.parametrize("content", [b"", b"x", bytes(300_000)], ids=["empty", "cut", "zeros"])
def test_what_was_cut_or_overwritten_is_found(source, repository, content):
    make_repository(source, repository)
    name = first(source, repository, "data")
    source.put(f"{repository}/{name}", content)
    assert scrub(source, repository, None).damaged == (name,)


def test_what_should_be_there_and_is_not_is_named(source, repository):
    make_repository(source, repository)
    name = first(source, repository, "snapshots")
    source.delete(f"{repository}/{name}")
    expected = {"snapshots": {name}}
    assert scrub(source, repository, None, expected=expected).damaged == (name,)


def test_a_budget_ends_it_and_the_next_goes_on_until_all_is_hashed_once(source, repository):
    make_repository(source, repository, packs=20, size=100_000)
    asked = Asked(source)
    budget, days = 450_000, 0
    todo, came = [*turns([])], 0
    while todo and days < 20:
        done = scrub(asked, repository, todo, budget=budget)
        assert done.trouble is None
        assert done.bytes <= budget
        came += done.bytes
        finished = {p.turn.part for p in done.parts if p.whole}
        begun = {p.turn.part: p.through for p in done.parts if not p.whole}
        todo = [t for t in todo if t.part not in finished]
        todo = [Turn(t.part, begun.get(t.part, t.after)) for t in todo]
        days += 1
    assert days == 5
    sizes = names(source, repository)
    assert came == sum(sizes[n] for n in proven_names(source, repository))
    assert sorted(asked.reads) == sorted(
        f"{repository}/{n}" for n in proven_names(source, repository)
    )


def test_a_part_is_continued_after_the_name_where_the_budget_ended(source, repository):
    for n in range(6):
        put_named(source, repository, "snapshots", bytes([n]) * 100)
    inside = sorted(names(source, repository))
    done = scrub(source, repository, [Turn("snapshots"), Turn("index")], budget=250)
    (part,) = done.parts
    assert (part.through, part.whole, part.objects, part.bytes) == (inside[1], False, 2, 200)
    asked = Asked(source)
    done = scrub(asked, repository, [Turn("snapshots", part.through)])
    (part,) = done.parts
    assert (part.whole, part.objects) == (True, 4)
    assert sorted(asked.reads) == [f"{repository}/{n}" for n in inside[2:]]


def test_an_object_larger_than_the_budget_is_hashed_if_it_is_the_first(source, repository):
    name = put_named(source, repository, "index", os.urandom(50_000))
    put_named(source, repository, "index", os.urandom(50_000))
    done = scrub(source, repository, [Turn("index")], budget=10)
    assert done.bytes == 50_000
    assert done.parts[0].through == min([name, *names(source, repository)])


def test_each_folder_is_listed_once_and_only_those_that_are_hashed(source, repository):
    make_repository(source, repository, packs=40, size=50_000)
    whole = Asked(source)
    scrub(whole, repository, None)
    assert sorted(whole.lists) == [
        f"{repository}/{k}/" for k in ("data", "index", "keys", "snapshots")
    ]
    some = Asked(source)
    done = scrub(some, repository, turns([]), budget=200_000)
    assert len(some.lists) == len(set(some.lists)) < 100
    assert len(done.parts) < 100


@pytest.fixture
def every_report(monkeypatch):
    """Ten in a second are too few to end anything half way where everything is hashed in one tenth."""
    monkeypatch.setattr("drorch.storage.scrub._REPORTING", 0.0)


@pytest.mark.usefixtures("every_report")
def test_stopped_half_way_it_keeps_what_was_proven(source, repository):
    make_repository(source, repository, packs=30, size=400_000)
    cancel = Cancellation()
    seen: list[Progress] = []

    def watch(progress: Progress) -> None:
        seen.append(progress)
        if (progress.bytes_done or 0) > 2_000_000:
            cancel.cancel("enough")

    done = scrub(source, repository, None, hands=2, progress=watch, cancel=cancel)
    assert done.trouble is not None
    assert done.trouble.cause == Cause.CANCELLED
    assert "enough" in done.trouble.message
    finished = {p.turn.part for p in done.parts if p.whole}
    assert {"keys", "snapshots", "index"} <= finished < set(PARTS)
    assert done.damaged == ()


@pytest.mark.usefixtures("every_report")
def test_a_region_that_dies_leaves_what_was_proven_until_then(repository):
    with running_regions(1) as (region,):
        bucket = Bucket(
            region.as_region(), credentials_of(region), give_up_after=timedelta(seconds=1)
        )
        make_repository(bucket, repository, packs=30, size=400_000)

        def watch(progress: Progress) -> None:
            if (progress.bytes_done or 0) > 2_000_000:
                kill_region(region)

        done = scrub(bucket, repository, None, hands=1, progress=watch)
        assert done.trouble is not None
        assert done.trouble.cause in (Cause.UNREACHABLE, Cause.SERVER_ERROR)
        assert {"keys", "snapshots", "index"} <= {p.turn.part for p in done.parts if p.whole}
        assert done.damaged == ()


def test_one_object_that_its_store_cannot_read_is_damaged_and_the_others_are_proven(
    source, regions, repository
):
    make_repository(source, repository)
    name = first(source, repository, "data")
    (regions[0].bucket / repository / name).unlink()  # the server answers 500 for a while
    asked = Asked(source, give_up_after=timedelta(seconds=0.5))
    done = scrub(asked, repository, None)
    assert (done.trouble, done.damaged) == (None, (name,))
    assert sum(p.objects for p in done.parts) == 15


def test_what_a_prune_removes_meanwhile_is_not_damaged(source, repository):
    make_repository(source, repository, packs=30, size=300_000)
    doomed = max(n for n in names(source, repository) if n.startswith("data/"))

    def watch(progress: Progress) -> None:
        source.delete(f"{repository}/{doomed}")

    done = scrub(source, repository, None, hands=1, progress=watch)
    assert (done.trouble, done.damaged) == (None, ())
    assert sum(p.objects for p in done.parts) == 32


def test_a_size_is_exact_on_one_page_and_about_right_beyond(source, repository):
    assert estimated_size(source, repository) == 0
    for n in range(30):
        put_named(source, repository, "data", n.to_bytes(2, "big") * 50)
    assert estimated_size(source, repository) == 3000
    for n in range(30, 1500):
        put_named(source, repository, "data", n.to_bytes(2, "big") * 50)
    assert estimated_size(source, repository) == pytest.approx(150_000, rel=0.15)


def test_configs_are_read_from_all_that_have_one(source, destination, repository):
    source.put(f"{repository}/config", b"the config")
    ours, theirs = configs_of([source, destination], repository)
    assert ours == b"the config"
    assert getattr(theirs, "cause", None) == Cause.NO_OBJECT


def test_a_bucket_below_a_prefix_is_scrubbed_below_it(regions, repository):
    bucket = bucket_of(regions[1], prefix="prod/east")
    make_repository(bucket, repository)
    assert sum(p.objects for p in scrub(bucket, repository, turns([])).parts) == 15
    bucket.close()
