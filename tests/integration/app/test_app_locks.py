"""Object locks extended, and what is alarming about them, in real buckets with object lock."""

from datetime import UTC, datetime, timedelta

import pytest

from drorch.app.posture import status
from drorch.core.facts import Locked
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.storage.versions import histories, retention_of
from tests.fakes.facts import begun, ended, stamped, started
from tests.integration.app.locked import LockedPremises
from tests.integration.app.premises import restics
from tests.integration.app.quick_keys import made_quick


@pytest.fixture(scope="module")
def locked(ceph, tmp_path_factory):
    """`docs` backed up to two locked regions."""
    folder = tmp_path_factory.mktemp("locked") / "here"
    made = LockedPremises.in_ceph(folder, restics()[-1], ceph)
    del made.configuration["datasets"]["db"]
    made.save()
    with made.program() as program:
        done = made_quick(program, list(program.configuration.datasets.values()))
    assert all(m.ok for m in done)
    assert made.back_up()["outcome"] == "passed"
    return made


def test_locks_are_extended_in_each_region_and_the_horizon_is_known(locked):
    never = [("lock.never-extended", f"docs in {region}") for region in ("mtl", "qc")]
    assert locked.alarms() == never
    said = locked.cli("lock-extend", "--dataset", "docs", "--region", "mtl")
    (step,) = said.document["steps"]
    outputs = step["outputs"]
    assert (said.code, outputs["objects"], outputs["extended"]) == (0, 6, 6)
    horizon = datetime.fromisoformat(outputs["horizon"])
    assert timedelta(days=30) < horizon - datetime.now(UTC) < timedelta(days=31)
    assert "locks extended: 6" in step["message"]
    until = locked.status(region="mtl")["locked_until"]
    assert abs(datetime.fromisoformat(until) - horizon) < timedelta(seconds=1)
    assert locked.status(region="qc")["locked_until"] is None
    assert locked.alarms() == never[1:]
    docs, records = locked.cli("lock-extend").document
    assert [s["outputs"]["extended"] for s in docs["steps"]] == [0, 6]
    assert [s["status"] for s in records["steps"]] == ["passed"] * 2
    assert locked.alarms() == []


def test_records_beside_the_repositories_are_locked_too(locked):
    bucket = locked.bucket("qc")
    for name in ("control-plane/segment-1", "evidence/report.html"):
        bucket.put(name, b"x")
    said = locked.cli("lock-extend", "--region", "qc")
    assert [r["name"] for r in said.document] == ["docs", "records"]
    assert said.document[1]["steps"][0]["outputs"]["objects"] >= 2  # and those of the control plane
    (version,), *_ = histories(bucket, "evidence/")
    kept = retention_of(bucket, version)
    assert kept.until > datetime.now(UTC) + timedelta(days=29)


def test_a_backup_does_not_wait_for_locks_to_be_extended(locked):
    plans = []
    with locked.program() as program:
        from drorch.app.locks import extensions

        plans = extensions(program, [], None)
    assert [p.subject for p in plans] == ["lock:docs", "lock:records"]


def test_locks_that_lapse_are_told_before_and_after_from_the_journal_alone(ceph, tmp_path):
    here = LockedPremises.in_ceph(tmp_path / "here", restics()[-1], ceph)
    now = datetime.now(UTC)
    held = [
        CopyFact(CopyFactKind.HELD, name, region, "a" * 64, now)
        for name in ("docs", "db")
        for region in ("mtl", "qc")
    ]
    facts = [
        Locked("docs", "mtl", 6, now + timedelta(days=14)),
        Locked("docs", "qc", 6, now - timedelta(days=1)),
        Locked("db", "mtl", 6, None),
        Locked("db", "qc", 6, now + timedelta(days=16)),
        Locked("", "qc", 6, now + timedelta(days=1)),
    ]
    with here.program() as program:
        told = stamped(started("rumour"), begun(), ended(copies=held, facts=facts))
        program.journal.begin("rumour", told, lambda _: None)
        found = [a for a in status(program)["alarms"] if a["what"].startswith("lock.")]
    assert [(a["what"], a["subject"]) for a in found] == [
        ("lock.lapsing", "docs in mtl"),
        ("lock.lapsed", "docs in qc"),
        ("lock.unlocked", "db in mtl"),
        ("lock.lapsing", "records in qc"),
    ]
    assert "nobody extended them in time" in found[0]["message"]
    assert (
        "at least every 7d 12h: drorch lock-extend --dataset docs --region mtl" in found[0]["hint"]
    )
    assert found[3]["hint"].endswith("drorch lock-extend --region qc")


def test_where_no_lock_is_configured_there_is_none_to_extend(locked, premises):
    said = premises.cli("lock-extend")
    assert said.code == 2
    assert "no object_lock is configured for mtl, qc" in said.error
    assert "object_lock: {mode: compliance" in said.hint
    assert locked.cli("lock-extend", "--dataset", "doc").code == 2
    assert locked.cli("lock-extend", "--region", "mlt").hint == "hint: did you mean 'mtl'?"


def test_snapshots_deleted_behind_our_back_are_told_and_what_lies_below_is_kept(locked):
    bucket = locked.bucket("mtl")
    gone = {e.name for e in bucket.list_objects("datasets/docs/") if "/locks/" not in e.name}
    for name in gone:
        bucket.delete(name)
    said = locked.cli("lock-extend", "--dataset", "docs", "--region", "mtl")
    (step,) = said.document["steps"]
    assert (said.code, step["cause"], step["outputs"]["objects"]) == (1, "deleted", 6)
    assert "drorch rewind --region mtl --dataset docs --to TIME" in step["hint"]
    assert ("copy.deleted", "docs in mtl") in locked.alarms()
    for name in gone:
        ((marker, version),) = histories(bucket, name)
        assert marker.marker
        assert retention_of(bucket, version).until > datetime.now(UTC) + timedelta(days=29)
