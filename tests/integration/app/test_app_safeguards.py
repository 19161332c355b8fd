"""What `drorch doctor` says of versions, locks, and what our own keys could delete."""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.app.doctor import doctor
from drorch.core.model import LockMode, ObjectLock
from tests.integration.app.locked import LockedPremises
from tests.integration.app.premises import restics

DAY = timedelta(days=1)


def compliance(days):
    return ObjectLock(LockMode.COMPLIANCE, days * DAY)


def governance(days):
    return ObjectLock(LockMode.GOVERNANCE, days * DAY)


@pytest.fixture
def looked(ceph, tmp_path):
    """Looks at premises whose buckets have these locks; what is said of `docs` and region mtl."""

    def look(lock, rule, prepare=lambda premises: None, **settings):
        folder = Path(tempfile.mkdtemp(dir=tmp_path)) / "here"
        here = LockedPremises.in_ceph(folder, restics()[-1], ceph, locks=(lock, rule))
        del here.configuration["datasets"]["db"]
        here.configuration["datasets"]["docs"] |= settings
        here.save()
        prepare(here)
        with here.program() as program:
            found = doctor(program)
        words = ("region.versioning", "region.object-lock", "region.deletion", "lock")
        return {
            (c["check"], c["result"]): (c["message"], c["hint"])
            for c in found["checks"]
            if c["check"] in words and c["subject"] in ("mtl", "docs in mtl")
        }

    return look


def test_all_is_locked_as_configured_and_our_key_can_delete_nothing(ceph, looked):
    def deny(premises):
        ceph.deny(premises.bucket("mtl"), "s3:DeleteObjectVersion")

    found = looked(compliance(30), compliance(30), deny, schedule="every 15m")
    assert found == {
        ("region.deletion", "pass"): ("our key can delete no version", ""),
        ("lock", "pass"): ("call `drorch lock-extend` at least every 7d 12h", ""),
    }


def test_our_key_could_delete_what_is_not_locked(looked):
    found = looked(compliance(30), compliance(30))
    message, hint = found["region.deletion", "warn"]
    assert "can delete versions for good, unless they are locked" in message
    assert "s3:DeleteObjectVersion" in hint


def test_our_key_passes_over_governance(looked):
    message, hint = looked(governance(30), governance(30))["region.deletion", "warn"]
    assert "deletes locked versions, too" in message
    assert "s3:BypassGovernanceRetention" in hint


def test_a_bucket_without_lock_or_without_versions(ceph, looked):
    found = looked(None, None)
    assert "has no object lock" in found["region.object-lock", "warn"][0]
    assert "every version for good, and nothing is locked" in found["region.deletion", "warn"][0]

    def forgets(premises):
        bare = ceph.region("mtl", versioning=False)
        premises.configuration["regions"]["mtl"]["bucket"] = bare.bucket
        premises.save()

    found = looked(None, None, forgets)
    assert "keeps no versions" in found["region.versioning", "warn"][0]
    assert ("region.deletion", "warn") not in found


def test_a_lock_that_the_configuration_does_not_name_is_extended_by_nobody(looked):
    def unnamed(premises):
        del premises.configuration["regions"]["mtl"]["object_lock"]
        premises.save()

    message, hint = looked(compliance(30), compliance(30), unnamed)["region.object-lock", "warn"]
    assert "nobody extends the locks in it" in message
    assert "object_lock: {mode, keep}" in hint


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (None, "has no rule that locks new objects"),
        (compliance(7), "locks new objects for 7d; that lapses before `drorch lock-extend`"),
        (governance(30), "in governance mode; compliance is configured"),
    ],
)
def test_a_bucket_whose_own_rule_is_too_weak(looked, rule, message):
    assert message in looked(compliance(30), rule)["region.object-lock", "warn"][0]


def test_a_lock_has_to_outlast_the_time_until_somebody_notices(looked):
    long = {"schedule": "every 15m", "verify": {"check": "weekly", "restore_test": "quarterly"}}
    message, hint = looked(compliance(30), compliance(30), **long)["lock", "warn"]
    assert "a lock of 30d is too short for `verify.restore_test`, which comes every 92d" in message
    assert "at least 184d" in hint
    message, _ = looked(compliance(5), compliance(5), schedule="weekly")["lock", "fail"]
    assert "a lock of 5d is too short for `schedule`, which comes every 7d" in message


def test_what_could_not_be_tried_is_told(ceph, looked):
    def deny(premises):
        ceph.deny(premises.bucket("mtl"), "s3:PutObject")

    message, hint = looked(compliance(30), compliance(30), deny)["region.deletion", "warn"]
    assert "what our key can delete could not be tried" in message
    assert "s3:PutObject" in hint
