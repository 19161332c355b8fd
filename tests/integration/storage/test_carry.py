"""What is damaged on its way into a replica never appears there, whatever the store looks at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.storage import carry
from drorch.storage.bucket import Bucket, Checks
from drorch.storage.faults import Cause
from drorch.storage.layout import repository_of
from drorch.storage.mirror import mirror
from tests.faulty import Faulty, in_front_of
from tests.harms import Asked, Harm, Plan, first, well
from tests.integration.storage.test_mirror import make_repository, names, put_named
from tests.regions import credentials_of

NAME = "ab" * 32


@contextmanager
def behind(region, plan: Plan = well, **how) -> Iterator[tuple[Faulty, Bucket]]:
    with in_front_of(region, plan) as proxy:
        bucket = Bucket(proxy.as_region("prod/west"), credentials_of(region), **how)
        yield proxy, bucket
        bucket.close()


def data(asked: Asked) -> bool:
    return "/data/" in asked.target


def written(asked: Asked) -> bool:
    return asked.method == "PUT" and data(asked)


def looking_at_nothing(harmed: Plan) -> Plan:
    """A store that takes whatever it is sent."""

    def plan(asked: Asked) -> Harm | None:
        question = asked.method == "PUT" and asked.target.endswith("/tmp/asked")
        return Harm.TAKEN if question else harmed(asked)

    return plan


@pytest.mark.parametrize(
    ("path", "repository"),
    [
        (f"datasets/ehr/data/ab/{NAME}", "datasets/ehr"),
        (f"datasets/ehr/keys/{NAME}", "datasets/ehr"),
        ("datasets/ehr/config", "datasets/ehr"),
        (f"data/data/ab/{NAME}", "data"),
        (f"r/data/index/{NAME}", "r/data"),
    ],
)
def test_a_repository_is_known_from_its_objects(path, repository):
    assert repository_of(path) == repository


@pytest.mark.parametrize("store", [lambda plan: plan, looking_at_nothing])
def test_a_bit_flipped_while_it_is_written(
    store: Callable[[Plan], Plan], source, regions, repository
):
    make_repository(source, repository, packs=4)
    with behind(regions[1], store(first(4, Harm.FLIPPED, written))) as (proxy, replica):
        done = mirror(source, replica, repository)
        assert proxy.injected.pop(Harm.FLIPPED) == 4
        assert done.whole
        assert (done.copied, done.damaged) == (7, ())
        for name in names(replica, repository):
            path = f"{repository}/{name}"
            assert replica.get(path) == source.get(path)


def test_a_bit_flipped_on_the_way_to_ceph_is_refused_by_the_sha256(ceph, source, repository):
    make_repository(source, repository, packs=4)
    region = ceph.region("mtl")
    straight = ceph.bucket(region)
    with in_front_of(region, first(4, Harm.FLIPPED, written)) as proxy:
        replica = Bucket(proxy.as_region(), ceph.user("mtl"))
        done = mirror(source, replica, repository)
        assert replica.checks(repository) is Checks.SHA256
        assert proxy.injected == {Harm.FLIPPED: 4}
        replica.close()
    assert done.whole
    assert names(straight, repository).keys() == {
        n for n in names(source, repository) if not n.startswith(("locks", "tmp"))
    }
    straight.close()


@pytest.mark.parametrize("store", [lambda plan: plan, looking_at_nothing])
def test_what_never_comes_whole_is_not_there_afterwards(
    store: Callable[[Plan], Plan], source, regions, repository
):
    make_repository(source, repository, packs=2)
    limit = timedelta(seconds=0.3)
    plan = store(first(1_000, Harm.FLIPPED, written))
    with behind(regions[1], plan, give_up_after=limit) as (proxy, replica):
        impatient = Bucket(source.region, source.credentials, give_up_after=limit)
        with pytest.raises(StorageError) as caught:
            mirror(impatient, replica, repository)
        assert caught.value.cause == Cause.SERVER_ERROR
        assert caught.value.region == "qc"
        proxy.become(well)
        assert not [n for n in names(replica, repository) if n.startswith(("data", "tmp"))]
        impatient.close()


def test_an_object_that_is_too_large_to_be_held_is_read_twice(
    source, regions, repository, monkeypatch
):
    monkeypatch.setattr(carry, "_LARGEST", 500_000)
    make_repository(source, repository, packs=3, size=700_000)
    with behind(regions[1], first(1, Harm.FLIPPED, written)) as (proxy, replica):
        done = mirror(source, replica, repository)
        assert done.whole
        assert proxy.injected == {Harm.FLIPPED: 1}
        assert done.bytes == sum(s for n, s in names(replica, repository).items() if n != "config")


def test_objects_that_need_all_the_room_there_is_come_one_after_the_other(
    source, destination, repository, monkeypatch
):
    monkeypatch.setattr(carry, "_room", carry._Room(1_000_000))
    make_repository(source, repository, packs=6, size=700_000)
    assert mirror(source, destination, repository).whole


def test_a_damaged_config_does_not_spread(source, regions, repository):
    """It has no name to be held against: two readings must agree."""
    make_repository(source, repository, packs=1)
    right = source.get(f"{repository}/config")

    def config(asked: Asked) -> bool:
        return asked.target.endswith("/config") and asked.method == "GET"

    with in_front_of(regions[0], first(1, Harm.FLIPPED, config)) as proxy:
        here = Bucket(proxy.as_region(), credentials_of(regions[0]))
        with behind(regions[1]) as (_, replica):
            assert mirror(here, replica, repository).whole
            assert replica.get(f"{repository}/config") == right
            proxy.become(first(1, Harm.FLIPPED, config))
            put_named(source, repository, "data", b"new")
            assert mirror(here, replica, repository).copied == 1, "they are not two repositories"
        here.close()
