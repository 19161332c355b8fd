from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.core.model import LockMode, ObjectLock, Region
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials
from drorch.storage.faults import Cause
from drorch.storage.probe import (
    DEADLINE,
    PROBING,
    Depth,
    Fact,
    Observation,
    RegionHealth,
    Standing,
    probe,
    probe_all,
)
from tests import storage_faults
from tests.regions import bucket_of, credentials_of

KEYS = Credentials("someone", "something-secret")


def at(endpoint: str, name: str = "far") -> Bucket:
    return Bucket(Region(name, endpoint, "drorch", "CA-QC"), KEYS)


def with_region(regions, **changes) -> Bucket:
    described = replace(regions[0].as_region(), **changes)
    return Bucket(described, credentials_of(regions[0]))


def test_timeouts_together_are_below_five_seconds():
    assert PROBING.connect + PROBING.read <= DEADLINE
    assert timedelta(seconds=5) > DEADLINE


def test_a_living_region_is_well(regions):
    health = probe(bucket_of(regions[0]))
    assert health.ok
    assert [f.fact for f in health.facts] == [Fact.REACHABLE, Fact.CREDENTIALS, Fact.BUCKET]
    assert all(f.standing is Standing.PASS for f in health.facts)
    health.raise_for_trouble()


def test_the_full_probe_tells_what_the_store_lacks(regions):
    health = probe(bucket_of(regions[0]), Depth.FULL)
    assert health.ok
    assert (health.location, health.versioning, health.lock_mode) == ("us-east-1", False, None)
    warned = [f.fact for f in health.facts if f.standing is Standing.WARN]
    assert warned == [Fact.VERSIONING, Fact.OBJECT_LOCK]
    assert all(f.message and f.hint for f in health.facts if f.standing is Standing.WARN)


def test_a_promised_lock_that_is_not_there_fails(regions):
    lock = ObjectLock(LockMode.COMPLIANCE, timedelta(days=30))
    health = probe(with_region(regions, object_lock=lock), Depth.FULL)
    assert health.trouble is not None
    assert (health.trouble.fact, health.trouble.cause) == (Fact.OBJECT_LOCK, Cause.NO_LOCK)


def test_a_bucket_elsewhere_than_configured_fails(regions):
    health = probe(with_region(regions, location="ca-central-1"), Depth.FULL)
    assert health.trouble is not None
    assert (health.trouble.fact, health.trouble.cause) == (Fact.LOCATION, Cause.WRONG_LOCATION)
    assert "us-east-1" in health.trouble.message
    assert "ca-central-1" in health.trouble.message


def test_a_missing_bucket(regions):
    trouble = probe(with_region(regions, bucket="nowhere")).trouble
    assert trouble is not None
    assert (trouble.fact, trouble.cause) == (Fact.BUCKET, Cause.NO_BUCKET)


@pytest.mark.parametrize("keys", [KEYS, Credentials(profile="no-such-profile")])
def test_wrong_credentials_are_known_and_not_shown(regions, keys):
    trouble = probe(Bucket(regions[0].as_region(), keys)).trouble
    assert trouble is not None
    assert (trouble.fact, trouble.cause) == (Fact.CREDENTIALS, Cause.CREDENTIALS)
    assert "something-secret" not in f"{trouble} {keys!r}"


def test_a_right_id_with_a_wrong_secret(regions):
    known = credentials_of(regions[0]).access_key
    trouble = probe(Bucket(regions[0].as_region(), Credentials(known, "wrong-secret"))).trouble
    assert trouble is not None
    assert trouble.cause == Cause.CREDENTIALS


@pytest.fixture
def dead(regions) -> Iterator[dict[str, str]]:
    with (
        storage_faults.refusing() as refusing,
        storage_faults.silent() as silent,
        storage_faults.blackhole() as blackhole,
        storage_faults.answering(b"HTTP/1.1 200 OK\r\n", byte_by_byte=True) as trickling,
        storage_faults.answering(b"SSH-2.0-OpenSSH_9.2\r\n") as not_http,
    ):
        yield {
            "refusing": refusing,
            "silent": silent,
            "blackhole": blackhole,
            "trickling": trickling,
            "not-http": not_http,
            "plain-for-tls": regions[0].endpoint.replace("http:", "https:"),
            "silent-tls": silent.replace("http:", "https:"),
        }


def test_every_kind_of_dead_region_is_known_in_time_all_together(dead):
    healths = probe_all([at(endpoint, name) for name, endpoint in dead.items()])
    assert {h.region: h.trouble.cause for h in healths if h.trouble} == {
        "refusing": Cause.UNREACHABLE,
        "silent": Cause.SLOW,
        "blackhole": Cause.UNREACHABLE,
        "trickling": Cause.SLOW,
        "not-http": Cause.UNREACHABLE,
        "plain-for-tls": Cause.TLS,
        "silent-tls": Cause.SLOW,
    }
    assert all(h.trouble and h.trouble.fact is Fact.REACHABLE and h.trouble.hint for h in healths)
    assert max(h.elapsed for h in healths) < timedelta(seconds=5)


def test_a_dead_region_does_not_hide_a_living_one(regions, dead):
    gone, here = probe_all([at(dead["refusing"]), bucket_of(regions[1])])
    assert not gone.ok
    assert here.ok
    with pytest.raises(StorageError, match=r"far .*connection refused"):
        gone.raise_for_trouble()


def test_a_server_error_is_told_apart():
    answer = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
    with storage_faults.answering(answer) as endpoint:
        trouble = probe(at(endpoint)).trouble
    assert trouble is not None
    assert trouble.cause == Cause.SERVER_ERROR


def test_a_clock_that_is_off_is_not_taken_for_wrong_keys():
    answer = (
        b"HTTP/1.1 403 Forbidden\r\nDate: Tue, 03 Jan 2017 10:00:00 GMT\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    with storage_faults.answering(answer) as endpoint:
        trouble = probe(at(endpoint)).trouble
    assert trouble is not None
    assert trouble.cause == Cause.CLOCK_SKEW


def test_an_answer_naming_another_location_is_a_wrong_location():
    answer = b"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: eu-west-3\r\nContent-Length: 0\r\n\r\n"
    with storage_faults.answering(answer) as endpoint:
        trouble = probe(at(endpoint)).trouble
    assert trouble is not None
    assert trouble.cause == Cause.WRONG_LOCATION
    assert "eu-west-3" in trouble.message


@pytest.mark.parametrize("endpoint", ["not an address", "http://", "ftp//x"])
def test_an_endpoint_that_is_none_is_trouble_and_never_well(endpoint):
    health = probe(at(endpoint))
    assert not health.ok
    assert health.trouble is not None
    assert health.trouble.cause == Cause.REFUSED
    assert "endpoint" in health.trouble.hint


def test_what_was_not_asked_is_not_well():
    facts = (Observation(Fact.REACHABLE, Standing.PASS),)
    assert not RegionHealth("far", Depth.REACHABLE, facts, timedelta()).ok
