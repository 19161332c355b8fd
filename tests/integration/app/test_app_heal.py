"""Damaged regions made whole again, by hand and by a restore that finds them damaged."""

import hashlib
import os

import pytest

from drorch.app.drills import drill
from drorch.app.runs import Control
from drorch.core.facts import Forgotten, KeyKnown
from tests.integration.app.locked import LockedPremises
from tests.integration.app.premises import restics
from tests.integration.app.quick_keys import made_quick
from tests.integration.app.seeing import findings, step, tree
from tests.integration.app.test_app_scrub import learn, promise
from tests.integration.storage.test_heal import HARMS
from tests.regions import bucket_of

PREFIX = "datasets/docs/"


def harm(premises, how, name, region="mtl"):
    """By the region's own door: deleted, cut, flipped, …"""
    bucket = bucket_of(premises.regions[region])
    HARMS[how](bucket, PREFIX + name)
    bucket.close()


def lying(premises, kind, region="mtl"):
    """The names of a repository's objects of one kind, the largest first."""
    bucket = bucket_of(premises.regions[region])
    found = sorted(bucket.list_objects(PREFIX + kind), key=lambda o: -o.size)
    bucket.close()
    return [o.name.removeprefix(PREFIX) for o in found]


def filled(premises, backups=4):
    """Some backups, so that there are packs enough."""
    for number in range(backups):
        (premises.folder / "src" / "docs" / f"more-{number}").write_bytes(os.urandom(60_000))
        assert premises.back_up()["outcome"] == "passed"


def whole(premises, region):
    """Whether restic's full check has nothing to say; it raises where it has."""
    return premises.restic("check", "--read-data", region=region)


def back(premises):
    return tree(premises.folder / "back")


def docs(premises):
    return tree(premises.folder / "src" / "docs")


def ruin_both(premises):
    """Lose and damage objects in both regions, so that neither can be restored alone."""
    packs = lying(premises, "data")
    assert len(packs) >= 8
    for how, name in zip(["gone", "cut", "flipped", "emptied"], packs[0::2], strict=False):
        harm(premises, how, name, "mtl")
    for how, name in zip(["flipped", "gone", "grown", "flipped"], packs[1::2], strict=False):
        harm(premises, how, name, "qc")
    indexes, snapshots = lying(premises, "index"), lying(premises, "snapshots")
    harm(premises, "gone", indexes[0], "mtl")
    harm(premises, "flipped", indexes[1], "qc")
    harm(premises, "gone", snapshots[0], "qc")
    harm(premises, "gone", lying(premises, "keys")[0], "qc")
    harm(premises, "gone", "config", "mtl")


@pytest.mark.every_restic
def test_two_regions_neither_of_which_can_be_restored_heal_each_other(any_premises):
    promise(any_premises)
    filled(any_premises)
    ruin_both(any_premises)
    for region in ("mtl", "qc"):
        with pytest.raises(Exception, match="returned non-zero"):
            any_premises.restic("restore", "latest", "--target", "nowhere", region=region)
    said = any_premises.cli("heal", "--dataset", "docs", "--read-data")
    assert said.code == 0, said.document
    run = said.document
    assert step(run, "heal-mtl-qc")["outputs"]["lost"] == []
    assert findings(run).count("object.healed") == 2
    assert step(run, "check-mtl")["status"] == step(run, "check-qc")["status"] == "passed"
    for region in ("mtl", "qc"):
        assert "no errors were found" in whole(any_premises, region)
    assert any_premises.alarms() == []
    assert any_premises.restore()["findings"] == []
    assert back(any_premises) == docs(any_premises)


def test_a_restore_from_two_damaged_regions_heals_them_and_comes_through(any_premises):
    filled(any_premises)
    ruin_both(any_premises)
    run = any_premises.restore()
    assert run["outcome"] == "passed", run["findings"]
    assert "restore.healed" in findings(run)
    assert back(any_premises) == docs(any_premises)


@pytest.mark.parametrize("how", ["gone", "emptied", "flipped"])
@pytest.mark.parametrize("which", [0, -1], ids=["data", "trees"])
def test_a_restore_heals_the_region_it_is_to_come_from(premises, how, which):
    name = lying(premises, "data")[which]
    harm(premises, how, name)
    run = premises.restore(region="mtl")
    assert run["outcome"] == "passed", run["steps"]
    outputs = step(run, "restore")["outputs"]
    assert outputs["region"] == "mtl"
    assert back(premises) == docs(premises)
    (finding,) = [f for f in run["findings"] if f["what"] == "restore.healed"]
    assert finding["subject"] == "docs in mtl"
    assert f"{name} from qc" in finding["message"]
    assert premises.status()["damaged"] == 0
    assert "no errors were found" in whole(premises, "mtl")


@pytest.mark.every_restic
def test_a_pack_that_is_gone_is_healed_at_once_whatever_the_restic(any_premises):
    """restic 0.14 asks for it for a quarter of an hour before it gives up."""
    filled(any_premises)
    harm(any_premises, "gone", lying(any_premises, "data")[0])
    run = any_premises.restore(region="mtl")
    assert run["outcome"] == "passed", run["steps"]
    assert "restore.healed" in findings(run)
    assert back(any_premises) == docs(any_premises)


@pytest.mark.parametrize("kind", ["index", "snapshots", "keys", "config"])
@pytest.mark.parametrize("how", ["gone", "flipped"])
def test_whatever_is_missing_or_damaged_a_restore_brings_it_back(premises, kind, how):
    for name in lying(premises, kind):
        harm(premises, how, name)
    run = premises.restore()
    assert run["outcome"] == "passed", run["steps"]
    assert back(premises) == docs(premises)
    assert next(iter(findings(run))) in ("restore.healed", "restore.elsewhere")


def test_damage_that_is_known_is_healed_before_anything_is_restored(premises):
    name = lying(premises, "data")[0]
    harm(premises, "flipped", name)
    premises.scrub()
    premises.forget_starts()
    run = premises.restore(region="mtl")
    assert run["outcome"] == "passed"
    assert premises.verbs() == ["restore"]
    assert "restore.healed" in findings(run)


def test_another_region_is_preferred_to_one_of_which_damage_is_known(premises):
    harm(premises, "flipped", lying(premises, "data")[0])
    premises.scrub()
    run = premises.restore()
    assert step(run, "restore")["outputs"]["region"] == "qc"
    assert findings(run) == []


def test_a_snapshot_that_somebody_took_away_is_brought_back_before_it_is_restored(premises):
    newest = premises.status()["snapshot"]
    harm(premises, "gone", f"snapshots/{newest}")
    run = premises.restore(region="mtl")
    outputs = step(run, "restore")["outputs"]
    assert outputs["snapshot"] == newest
    assert "restore.healed" in findings(run)


def test_an_older_snapshot_comes_back_only_if_the_newest_is_nowhere(premises):
    first = premises.status()["snapshot"]
    premises.back_up()
    newest = premises.status()["snapshot"]
    for region in ("mtl", "qc"):
        harm(premises, "gone", f"snapshots/{newest}", region)
    run = premises.restore()
    assert step(run, "restore")["outputs"]["snapshot"] == first
    assert {"restore.older", "snapshot.lost"} <= set(findings(run))
    assert premises.status()["snapshot"] == first


def test_with_one_region_left_what_is_missing_is_named(premises):
    name = lying(premises, "data")[0]
    harm(premises, "flipped", name)
    premises.kill("qc")
    run = premises.restore()
    assert run["outcome"] == "failed"
    failed = step(run, "restore")
    assert failed["cause"] == "damaged"
    assert f"whole in no region that answers: {name}" in failed["message"]
    assert not (premises.folder / "back").exists()
    assert premises.status()["damaged"] == 1


def test_a_wrong_password_is_no_damage_and_nothing_is_read(premises):
    (premises.folder / "lab" / "secrets" / "repo-key").write_text("wrong\n")
    run = premises.restore()
    assert step(run, "restore")["cause"] == "wrong-password"
    assert premises.status()["damaged"] == 0


RUNBOOK = """\
runbook: practise
inputs: {workdir: {default: practice}}
steps:
  - step: restore-docs
    do: restore
    with: {dataset: docs, region: mtl, to: "{workdir}/docs"}
cleanup:
  - step: remove
    do: files.remove
    with: {path: "{workdir}"}
"""


def test_a_drill_heals_too_and_says_so(premises):
    (premises.folder / "runbooks" / "practise.yaml").write_text(RUNBOOK)
    harm(premises, "gone", lying(premises, "data")[0])
    with premises.program() as program:
        done = drill(program, "practise", {}, control=Control())
    run = done.view.document
    assert run["outcome"] == "passed"
    assert "restore.healed" in findings(run)


# --- heal


def test_a_listing_and_former_scrubs_are_enough_to_heal_by(premises):
    promise(premises)
    filled(premises)
    gone, cut, flipped, *_ = lying(premises, "data")
    harm(premises, "gone", gone, "mtl")
    harm(premises, "cut", cut, "qc")
    harm(premises, "flipped", flipped, "mtl")
    run = premises.heal()
    assert step(run, "heal-mtl-qc")["outputs"]["healed"] == 2
    premises.scrub()
    assert premises.alarms() == [("object.damaged", "docs in mtl")]
    run = premises.heal()
    assert run["outcome"] == "passed"
    assert premises.alarms() == []
    for region in ("mtl", "qc"):
        assert "no errors were found" in whole(premises, region)


def test_what_a_check_finds_is_healed_without_reading_anything_else(premises):
    promise(premises)
    name = lying(premises, "data")[0]
    harm(premises, "flipped", name)
    run = premises.check(read_data=True)
    failed = step(run, "check-mtl")
    assert "drorch heal --dataset docs" in failed["hint"]
    assert premises.alarms() == [("object.damaged", "docs in mtl")]
    run = premises.heal()
    assert step(run, "heal-mtl-qc")["outputs"]["healed"] == 1
    assert premises.alarms() == []


def test_what_is_lost_fails_and_is_named_with_what_to_do(premises):
    promise(premises)
    name = lying(premises, "data")[0]
    for region in ("mtl", "qc"):
        harm(premises, "flipped", name, region)
    said = premises.cli("heal", "--dataset", "docs", "--read-data")
    assert said.code == 1
    (lost,) = [f for f in said.document["findings"] if f["what"] == "object.lost"]
    assert name in lost["message"]
    assert "restic repair" in lost["hint"]
    assert premises.alarms() == [
        ("object.damaged", "docs in mtl"),
        ("object.damaged", "docs in qc"),
    ]


def test_what_was_forgotten_stays_away_and_what_is_planted_spreads_nowhere(premises):
    promise(premises)
    forgotten = premises.status()["snapshot"]
    premises.back_up()
    learn(premises, Forgotten("docs", forgotten, "by policy"))
    harm(premises, "gone", f"snapshots/{forgotten}", "qc")
    planted = "snapshots/" + hashlib.sha256(b"evil").hexdigest()
    bucket_of(premises.regions["qc"]).put(PREFIX + planted, b"evil")
    run = premises.heal()
    assert "object.quarantined" in findings(run)
    assert f"snapshots/{forgotten}" not in lying(premises, "snapshots", "qc")
    assert planted not in lying(premises, "snapshots", "mtl")


def test_a_dead_region_is_named_and_the_rest_is_done_when_it_returns(premises):
    promise(premises)
    harm(premises, "gone", lying(premises, "data")[0])
    premises.kill("qc")
    run = premises.heal()
    assert run["outcome"] == "failed"
    assert step(run, "heal-mtl-qc")["cause"] == "unreachable"
    assert "region.away" in findings(run)
    premises.revive("qc")
    assert premises.heal()["outcome"] == "passed"
    assert "no errors were found" in whole(premises, "mtl")


def test_one_region_alone_may_be_healed(premises):
    promise(premises)
    name = lying(premises, "data")[0]
    for region in ("mtl", "qc"):
        harm(premises, "gone", lying(premises, "data", region)[region == "qc"], region)
    run = premises.heal(region="mtl")
    assert [s["step"] for s in run["steps"]] == ["heal-mtl", "check-mtl"]
    assert run["outcome"] == "passed"
    assert name in lying(premises, "data", "mtl")
    assert len(lying(premises, "data", "qc")) == len(lying(premises, "data", "mtl")) - 1


@pytest.fixture
def locked(tmp_path, ceph):
    premises = LockedPremises.in_ceph(tmp_path / "here", restics()[-1], ceph)
    del premises.configuration["datasets"]["db"]
    premises.save()
    with premises.program() as program:
        made_quick(program, [program.dataset("docs")])
    assert premises.back_up()["outcome"] == "passed"
    return premises


def test_what_was_overwritten_everywhere_comes_from_an_older_version(locked):
    buckets = [locked.ceph.bucket(region) for region in locked.buckets.values()]
    names = [o.name for o in buckets[0].list_objects(PREFIX) if "/locks/" not in o.name]
    keys = [name.rpartition("/")[2] for name in names if "/keys/" in name]
    learn(locked, *(KeyKnown("docs", "mtl", key, secret="repo-key") for key in keys))
    for bucket in buckets:
        for name in names:
            bucket.put(name, b"encrypted by somebody else")
    run = locked.heal(read_data=True)
    assert run["outcome"] == "passed", [s["message"] for s in run["steps"]]
    assert step(run, "heal-mtl-qc")["outputs"]["healed"] == 2 * len(names)
    assert locked.restore()["outcome"] == "passed"
    assert back(locked) == docs(locked)
