"""Retention in buckets with object lock: deletions are markers, and every version is still there."""

import pytest

from drorch.storage.bucket import Bucket
from drorch.storage.versions import histories
from tests.ceph import running_ceph
from tests.integration.app.history import let_go, rules
from tests.integration.app.locked import LockedPremises
from tests.integration.app.premises import restics
from tests.integration.app.quick_keys import made_quick


@pytest.fixture
def locked(tmp_path):
    """docs, backed up twice to two locked buckets."""
    with running_ceph() as ceph:
        premises = LockedPremises.in_ceph(tmp_path / "here", restics()[-1], ceph)
        rules(premises, keep={"last": 1}, brake="95%", prune="weekly")
        with premises.program() as program:
            made_quick(program, [program.dataset("docs")])
        for turn in range(2):
            (premises.folder / "src" / "docs" / "turn").write_bytes(bytes([turn]) * 90_000)
            assert premises.back_up()["outcome"] == "passed"
        yield premises


def shown(premises, region):
    bucket = Bucket(premises.buckets[region], premises.ceph.user(region))
    names = {o.name for o in bucket.list_objects("datasets/docs/")}
    return {n for n in names if "/locks/" not in n}


def test_what_goes_is_hidden_and_its_versions_stay(locked):
    before = {region: shown(locked, region) for region in ("mtl", "qc")}
    assert let_go(locked)["outcome"] == "passed"
    for region, names in before.items():
        now = shown(locked, region)
        gone = names - now
        assert any("/snapshots/" in name for name in gone)
        bucket = Bucket(locked.buckets[region], locked.ceph.user(region))
        versions = (v for history in histories(bucket, "datasets/docs/") for v in history)
        kept = {v.name for v in versions if not v.marker}
        assert gone <= kept
    assert shown(locked, "mtl") == shown(locked, "qc")
