import pytest

from drorch.core.errors import ConfigurationError, Problem
from drorch.core.model import Region
from drorch.storage.access import Access
from drorch.storage.client import Credentials, Patience
from drorch.storage.faults import Cause

REGION = Region("mtl", "http://127.0.0.1:1", "drorch", "CA-QC")
OLD, NEW = Credentials("old", "old-secret"), Credentials("new", "new-secret")


def access(credentials: Credentials, *fresh: Credentials) -> Access:
    answers = iter(fresh)
    return Access(REGION, credentials, Patience(), lambda: next(answers))


def test_replaced_credentials_are_taken_up_with_a_new_client():
    one = access(OLD, NEW)
    first = one.client
    assert one.renewed(one.generation, Cause.CREDENTIALS)
    assert one.credentials == NEW
    assert one.client is not first


def test_they_are_read_once_for_all_hands_that_were_refused():
    one = access(OLD, NEW)
    refused = one.generation
    assert [one.renewed(refused, Cause.EXPIRED) for _ in range(8)] == [True] * 8


@pytest.mark.parametrize("cause", [Cause.CREDENTIALS, Cause.EXPIRED])
def test_the_same_keys_are_no_new_ones_and_are_not_read_again_at_once(cause):
    one = access(OLD, OLD)
    assert not one.renewed(one.generation, cause)
    assert not one.renewed(one.generation, cause)
    assert one.generation == 0


def test_a_profile_is_looked_up_again_when_it_expired():
    profile = Credentials(profile="toronto")
    assert access(profile, profile).renewed(0, Cause.EXPIRED)
    assert not access(profile, profile).renewed(0, Cause.CREDENTIALS)


def test_a_secret_that_cannot_be_had_or_nobody_to_ask_is_no_renewal():
    def lost() -> Credentials:
        raise ConfigurationError([Problem("lost")])

    assert not Access(REGION, OLD, Patience(), lost).renewed(0, Cause.EXPIRED)
    assert not Access(REGION, OLD, Patience()).renewed(0, Cause.EXPIRED)
