"""Every harm to every kind of request, against a real region behind the proxy that does it."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.storage.bucket import Bucket, Checks, close_buckets, open_bucket
from drorch.storage.client import Patience
from drorch.storage.faults import Cause
from drorch.storage.layout import Kind, listed
from tests import harms
from tests.faulty import Faulty, in_front_of
from tests.harms import Asked, Harm, Plan, first, once, well
from tests.integration.storage.test_bucket import FileSecrets
from tests.regions import credentials_of

#: Shorter than the proxy's stall.
IMPATIENT = Patience(read=timedelta(seconds=0.3))

PASSING = sorted({*harms.PASSING, Harm.EXPIRED} - {Harm.SHORT_AS_TOLD, Harm.FLIPPED})
CONTENT = bytes(range(256)) * 1_000


@contextmanager
def behind(region, plan: Plan = well, **how) -> Iterator[tuple[Faulty, Bucket]]:
    with in_front_of(region, plan, stall=0.6) as proxy:
        bucket = Bucket(proxy.as_region(), credentials_of(region), patience=IMPATIENT, **how)
        yield proxy, bucket
        bucket.close()


#: What can be asked of an object at `path`, and how the proxy sees it.
REQUESTS = {
    "write": (lambda bucket, path: bucket.put(path, CONTENT), Asked("PUT", "/x", 1)),
    "read": (lambda bucket, path: bucket.get(path), Asked("GET", "/x", 0)),
    "look": (lambda bucket, path: bucket.head(path), Asked("HEAD", "/x", 0)),
    "list": (lambda bucket, path: list(bucket.list_objects(path)), Asked("GET", "?list-type=2", 0)),
}


#: To be looked at and refused is an answer without a body: nobody can tell expired from wrong.
SURVIVED = [(w, h) for w in REQUESTS for h in PASSING if (w, h) != ("look", Harm.EXPIRED)]


@pytest.mark.parametrize(("what", "harm"), SURVIVED)
def test_what_passes_is_survived(what, harm, regions, repository):
    request, asked = REQUESTS[what]
    times = 1 if harm is Harm.SLOW_DOWN_AFTER else 2
    path = f"{repository}/x"
    with behind(regions[0]) as (proxy, bucket):
        bucket.put(path, CONTENT)
        proxy.become(first(times, harm))
        request(bucket, path)
        assert proxy.injected == ({harm: times} if asked.can_suffer(harm) else {})
        proxy.become(well)
        assert bucket.get(path) == CONTENT


def test_a_flipped_bit_in_what_is_written_is_refused_by_the_store(regions, repository):
    with behind(regions[0], once(Harm.FLIPPED)) as (proxy, bucket):
        bucket.put(f"{repository}/x", CONTENT)
        assert proxy.requests == 2
        assert proxy.injected == {Harm.FLIPPED: 1}
        assert bucket.get(f"{repository}/x") == CONTENT


def test_the_embedded_region_checks_an_md5_and_is_found_out_once(regions, repository):
    with behind(regions[0]) as (proxy, bucket):
        assert bucket.checks(repository) is Checks.MD5
        assert bucket.checks(repository) is Checks.MD5
        assert proxy.requests == 3, "written twice and removed"
        assert list(bucket.list_objects(repository)) == []


def test_ceph_checks_the_sha256(ceph):
    region = ceph.region("mtl")
    bucket = ceph.bucket(region)
    assert bucket.checks("datasets/x") is Checks.SHA256
    assert list(bucket.list_objects()) == []
    bucket.close()


def test_a_store_that_is_asked_while_it_fails_is_asked_again(regions, repository):
    with behind(regions[0], first(3, Harm.SERVER_ERROR)) as (_, bucket):
        assert bucket.checks(repository) is Checks.MD5


def test_a_listing_with_a_flipped_bit_never_lacks_an_object_in_silence(regions, repository):
    """Nothing proves a listing: one that contradicts itself is an error, which is tried again."""
    name, places = hashlib.sha256(b"x").hexdigest(), 120
    found: Counter[str] = Counter()
    with behind(regions[0], give_up_after=timedelta()) as (proxy, bucket):
        bucket.put(f"{repository}/keys/{name}", b"x")
        for n in range(places):
            proxy.place = n / places
            proxy.become(once(Harm.FLIPPED, lambda asked: asked.listing))
            with suppress(StorageError):
                # A digit may have become another: then somebody asks for what is not there.
                found[",".join(n.id for n in listed(bucket, repository, Kind.KEYS))] += 1
        assert proxy.injected == {Harm.FLIPPED: places}
    assert set(map(len, found)) == {64}
    assert found[name] < places


def test_expired_credentials_that_are_replaced_meanwhile(regions, repository):
    secrets = FileSecrets(regions[0].folder / "secrets")
    file = regions[0].secret_file
    right = file.read_text()
    file.write_text("what-it-was-yesterday\n")
    try:
        bucket = open_bucket(regions[0].as_region(), secrets)
        file.write_text(right)
        bucket.put(f"{repository}/x", b"1")
        assert bucket.get(f"{repository}/x") == b"1"
    finally:
        file.write_text(right)
        close_buckets()


def test_wrong_credentials_that_are_still_the_same_are_not_tried_again(regions, repository):
    secrets = FileSecrets(regions[0].folder / "secrets")
    file = regions[0].secret_file
    right = file.read_text()
    file.write_text("what-it-was-yesterday\n")
    try:
        with pytest.raises(StorageError) as caught:
            open_bucket(regions[0].as_region(), secrets).put(f"{repository}/x", b"1")
        assert caught.value.cause == Cause.CREDENTIALS
    finally:
        file.write_text(right)
        close_buckets()


def test_expired_for_good_is_told_within_the_limit(regions, repository):
    limit = timedelta(seconds=0.3)
    with (
        behind(regions[0], first(1_000, Harm.EXPIRED), give_up_after=limit) as (_, bucket),
        pytest.raises(StorageError, match="ExpiredToken") as caught,
    ):
        bucket.get(f"{repository}/x")
    assert caught.value.cause == Cause.EXPIRED
    assert "renew the region's credentials" in caught.value.hint


def test_a_region_that_died_and_came_back_is_found_again(regions, repository):
    with behind(regions[0]) as (proxy, bucket):
        bucket.put(f"{repository}/x", b"1")
        proxy.die()
        with pytest.raises(StorageError) as caught:
            Bucket(bucket.region, bucket.credentials, give_up_after=timedelta(seconds=0.2)).get(
                f"{repository}/x"
            )
        assert caught.value.cause == Cause.UNREACHABLE
        proxy.revive()
        assert bucket.get(f"{repository}/x") == b"1"
