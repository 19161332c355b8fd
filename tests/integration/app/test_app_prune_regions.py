"""Prunes across regions: mirrors that went apart, regions that were away, or die in the middle."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from drorch.core.events import AttemptFinished
from drorch.core.facts import Forgotten, PruneOwed
from tests.integration.app.history import (
    imagined,
    let_go,
    locks,
    repository,
    rules,
    snapshots,
    whole,
)
from tests.integration.app.premises import Premises, restics
from tests.integration.app.quick_keys import made_quick
from tests.integration.app.seeing import findings, step


class Killer:
    """Looks on, and kills a region once a step has ended."""

    def __init__(self, premises, region, after):
        self.premises, self.region, self.after = premises, region, after

    def happened(self, state, event, at):
        if isinstance(event, AttemptFinished) and event.step == self.after:
            self.premises.kill(self.region)

    def progress(self, step, progress):
        pass


def content(premises, name, size=120_000):
    """A file of the source, of random content."""
    path = premises.folder / "src" / "docs" / name
    path.write_bytes(os.urandom(size))
    return path


def owed(premises):
    with premises.program() as program:
        found = program.journal.facts(PruneOwed, "docs")
        return {k.fact.region for k in found if not k.fact.paid}


@pytest.mark.every_restic
def test_mirrors_that_went_apart_around_a_prune_come_together_right(any_premises):
    """mtl takes a snapshot alone and is pruned; qc then takes one alone that needs what mtl no
    longer has.
    """
    premises = any_premises
    rules(premises, keep={"last": 1}, brake="95%")
    ward = content(premises, "ward.bin")
    kept = ward.read_bytes()
    premises.back_up()
    ward.unlink()
    premises.back_up()  # the newest that qc will know of
    premises.kill("qc")
    content(premises, "only-in-mtl.bin")
    premises.back_up()
    run = let_go(premises, prune="yes")
    assert run["outcome"] == "passed"
    assert findings(run) == ["prune.owed"]
    assert premises.alarms() == [("copy.owed", "docs in qc"), ("prune.owed", "docs in qc")]
    pruned = {f.name for f in premises.files("qc", "docs", "data")}
    pruned -= {f.name for f in premises.files("mtl", "docs", "data")}
    assert pruned
    premises.kill("mtl")
    premises.revive("qc")
    ward.write_bytes(kept)
    assert premises.back_up()["outcome"] == "passed"
    forgotten = {s["id"] for s in premises.listed("qc")} - set(snapshots(premises, "mtl"))
    premises.revive("mtl")

    assert premises.replicate()["outcome"] == "passed"
    mtl, qc = whole(premises, "mtl", "qc")
    newest = qc[-1]
    assert newest in mtl
    assert pruned & {f.name for f in premises.files("mtl", "docs", "data")}
    assert mtl == [s for s in qc if s in mtl]
    assert len(forgotten & set(mtl)) == 1  # the newest, taken in qc alone

    assert let_go(premises)["outcome"] == "passed"
    assert owed(premises) == set()
    (mtl, qc) = whole(premises, "mtl", "qc")
    assert mtl == qc == [newest]
    assert repository(premises, "mtl") == repository(premises, "qc")
    assert premises.alarms() == []


def test_a_region_that_was_away_follows_and_nothing_pruned_flows_back(premises):
    rules(premises, keep={"last": 1}, brake="95%")
    content(premises, "a.bin")
    premises.back_up()
    (premises.folder / "src" / "docs" / "a.bin").unlink()
    premises.back_up()
    premises.kill("qc")
    let_go(premises, prune="yes")
    premises.revive("qc")
    before = repository(premises, "mtl")
    premises.forget_starts()
    assert premises.replicate()["outcome"] == "passed"
    assert repository(premises, "mtl") == before
    assert repository(premises, "qc") > before
    run = let_go(premises)
    assert step(run, "delete-qc")["outputs"]["objects"] > 0
    assert repository(premises, "mtl") == repository(premises, "qc")
    assert premises.alarms() == []
    whole(premises, "mtl", "qc")


def test_a_region_that_dies_in_the_middle_owes_what_is_left_and_the_others_go_on(any_premises):
    premises = any_premises
    rules(premises, keep={"last": 1}, brake="95%")
    content(premises, "a.bin")
    premises.back_up()
    run = let_go(premises, prune="yes", watcher=Killer(premises, "qc", "prepare"))
    assert run["outcome"] == "failed"
    assert step(run, "delete-qc")["cause"] == "unreachable"
    assert step(run, "delete-mtl")["status"] == "passed"
    assert "prune.owed" in findings(run)
    assert owed(premises) == {"qc"}
    assert premises.alarms() == [("prune.owed", "docs in qc")]
    assert premises.status(region="qc")["prune_owed"] is True
    assert len(whole(premises, "mtl")[0]) == 1
    premises.revive("qc")
    # Our lock is still there. restic's own way to see whether it is stale must not reach us: a
    # SIGHUP to the process that a lock of this host names.
    premises.restic("unlock", region="qc")
    assert len(locks(premises, "qc")) == 1
    premises.restic("check", "--read-data", "--no-lock", region="qc")
    assert len(snapshots(premises, "qc")) == 2
    assert let_go(premises)["outcome"] == "passed"
    assert repository(premises, "mtl") == repository(premises, "qc")
    assert locks(premises, "qc") == []
    assert premises.alarms() == []
    assert premises.status(region="qc")["prune_owed"] is False


def test_a_region_that_dies_while_restic_prunes_is_left_out(premises):
    rules(premises, keep={"last": 1}, brake="95%")
    content(premises, "a.bin")
    premises.back_up()
    run = let_go(premises, prune="yes", watcher=Killer(premises, "qc", "decide"))
    assert run["outcome"] == "passed"
    assert findings(run) == ["prune.owed"]
    assert owed(premises) == {"qc"}
    premises.revive("qc")
    assert let_go(premises)["outcome"] == "passed"
    assert repository(premises, "mtl") == repository(premises, "qc")
    whole(premises, "mtl", "qc")


def test_without_any_region_nothing_is_decided(premises):
    rules(premises, keep={"last": 1}, brake="95%")
    premises.kill("mtl")
    premises.kill("qc")
    run = let_go(premises, prune="yes")
    assert step(run, "decide")["outputs"]["needed"] is False
    (told,) = premises.cli("retention", "plan").document[0]["repositories"]
    assert list(told["unreachable"]) == ["mtl", "qc"]


def test_one_region_alone_is_freed_and_the_other_owes(premises):
    rules(premises, keep={"last": 1}, brake="95%")
    imagined(premises, datetime.now(UTC) - timedelta(days=1))
    said = premises.cli("retention", "apply", "--region", "qc", "--prune")
    assert said.code == 0
    assert [s["step"] for s in said.document[0]["steps"]] == [
        "decide",
        "prepare",
        "delete-qc",
        "release",
    ]
    assert (len(snapshots(premises, "mtl")), len(snapshots(premises, "qc"))) == (2, 1)
    assert premises.alarms() == [("prune.owed", "docs in mtl")]
    assert let_go(premises)["outcome"] == "passed"
    assert repository(premises, "mtl") == repository(premises, "qc")


def test_a_prune_is_not_undone_by_evidence_that_is_lost(premises):
    """Without the lists more flows back than need be, and is pruned again: never too little."""
    rules(premises, keep={"last": 1}, brake="95%")
    content(premises, "a.bin")
    premises.back_up()
    premises.kill("qc")
    let_go(premises, prune="yes")
    for file in (premises.folder / "var" / "evidence").rglob("deletions-*"):
        file.unlink()
    premises.revive("qc")
    assert premises.replicate()["outcome"] == "passed"
    assert let_go(premises)["outcome"] == "passed"
    assert repository(premises, "mtl") == repository(premises, "qc")
    assert [len(ids) for ids in whole(premises, "mtl", "qc")] == [1, 1]


@pytest.fixture
def three(bare):
    """docs in mtl, mirrored to qc, copied to tor, backed up three times."""
    rules(bare, copies={"qc": "mirror", "tor": {"mode": "copy", "password": "tor-key"}})
    with bare.program() as program:
        made_quick(program, [program.dataset("docs")])
    for name in ("a.bin", "b.bin", "c.bin"):
        content(bare, name)
        assert bare.back_up()["outcome"] == "passed"
    return bare


def test_a_copy_has_the_policy_applied_to_its_own_snapshots(three):
    first, second, third = [s["id"] for s in three.listed()]
    rules(three, keep={"last": 1}, brake="95%", prune="weekly")
    assert three.cli("snapshots", "hold", second, "--reason", "audit").code == 0
    (told,) = three.cli("retention", "plan").document
    _, copies = told["repositories"]
    assert [r["repository"] for r in told["repositories"]] == ["mtl", "tor"]
    assert [s["decision"] for s in copies["snapshots"]] == ["keep", "keep", "forget"]
    assert copies["snapshots"][1]["reasons"] == [
        f"held by {_user(three)}: audit",
        "its original stays in mtl",
    ]
    assert let_go(three)["outcome"] == "passed"
    assert [len(three.listed(r)) for r in ("mtl", "qc", "tor")] == [2, 2, 2]
    whole(three, "mtl", "qc", "tor")
    # A further copy brings back nothing of what was forgotten.
    assert three.replicate()["outcome"] == "passed"
    originals = [s["original"] for s in three.listed("tor")]
    assert originals == [second, third]
    with three.program() as program:
        gone = {k.fact.snapshot for k in program.journal.facts(Forgotten, "docs")}
    assert first in gone
    assert len(gone) == 2


def _user(premises):
    with premises.program() as program:
        return program.owner.user


def test_a_copy_alone_is_freed_while_its_source_is_dead(three):
    rules(three, keep={"last": 1}, brake="95%")
    three.kill("mtl")
    three.kill("qc")
    (told,) = three.cli("retention", "plan").document
    reasons = [r for s in told["repositories"][1]["snapshots"] for r in s["reasons"]]
    assert reasons.count("no answer from mtl, which its original lies in") == 3
    assert let_go(three, prune="yes")["outcome"] == "passed"
    assert len(three.listed("tor")) == 3


@pytest.mark.parametrize("binary", [restics()[-1]], ids=lambda p: p.name)
def test_a_dataset_in_one_region_alone_is_pruned_too(binary, tmp_path):
    premises = Premises.made(tmp_path / "here", binary, ("mtl",))
    try:
        rules(premises, copies={}, keep={"last": 1}, brake="95%", prune="1ms")
        with premises.program() as program:
            made_quick(program, [program.dataset("docs")])
        for name in ("a.bin", "b.bin"):
            content(premises, name)
            premises.back_up()
        assert let_go(premises)["outcome"] == "passed"
        assert len(whole(premises, "mtl")[0]) == 1
        assert premises.alarms() == []
    finally:
        premises.down()
