"""An attacker who has one region's access key and no password: what he puts there spreads nowhere."""

import json
import os

import pytest

from drorch.actions.revoking import apply_revocations
from drorch.core.facts import Forgotten, KeyKnown, Quarantined
from drorch.storage.genuine import LARGEST_JUDGED
from tests.integration.app.test_app_genuine import plant, record, strangers_key
from tests.integration.app.test_app_keys import add, keys, opens, outputs, remove
from tests.regions import bucket_of

ESCROW = "escrow-password-of-the-board"


def plant_all(premises, region):
    """A key, an index and a snapshot of the attacker's, with true names."""
    index = premises.files(region, "docs", "index")[0].read_bytes()
    snapshot = premises.files(region, "docs", "snapshots")[0].read_bytes()
    return [
        plant(premises, region, "keys", strangers_key(premises)),
        plant(premises, region, "index", index[:-5] + os.urandom(5)),
        plant(premises, region, "snapshots", snapshot[:-5] + os.urandom(5)),
    ]


def lie_in(premises, region, objects):
    shown = premises.objects(region)
    return [named.name for named in objects if any(o.endswith(named.name) for o in shown)]


def strangers(premises):
    with premises.program() as program:
        known = program.journal.facts(Quarantined, "docs")
    return {(k.fact.region, k.fact.name) for k in known if not k.fact.gone}


@pytest.mark.parametrize("attacked", ["mtl", "qc"])
@pytest.mark.every_restic
def test_what_is_planted_in_one_region_spreads_to_no_other(any_premises, attacked):
    premises = any_premises
    other = {"mtl": "qc", "qc": "mtl"}[attacked]
    planted = plant_all(premises, attacked)
    run = premises.replicate()
    assert lie_in(premises, other, planted) == []
    assert strangers(premises) == {(attacked, named.name) for named in planted}
    found = [f for f in run["findings"] if f["what"] == "object.quarantined"]
    assert [f["subject"] for f in found] == [f"docs in {attacked}"]
    assert ("object.quarantined", f"docs in {attacked}") in premises.alarms()
    premises.restic("check", "--read-data", region=other)

    run = premises.back_up()
    assert run["outcome"] == "passed", run["findings"]
    assert lie_in(premises, other, planted) == []
    assert len(premises.listed(other)) == 2
    for named in planted:
        bucket_of(premises.regions[attacked]).delete(f"datasets/docs/{named.name}")
    premises.replicate()
    assert strangers(premises) == set()
    premises.restic("check", "--read-data", region=attacked)


@pytest.mark.parametrize("attacked", ["mtl", "qc"])
def test_a_backup_goes_on_although_strange_objects_lie_in_a_region(any_premises, attacked):
    premises = any_premises
    other = {"mtl": "qc", "qc": "mtl"}[attacked]
    planted = plant_all(premises, attacked)
    run = premises.back_up()
    assert run["outcome"] == "passed", run["steps"]
    assert lie_in(premises, other, planted) == []
    assert strangers(premises) == {(attacked, named.name) for named in planted}
    premises.restic("check", "--read-data", region=other)


def test_what_was_forgotten_and_revoked_does_not_come_back_when_it_is_put_back(premises):
    old = premises.files("qc", "docs", "snapshots")[0]
    content = old.read_bytes()
    run = premises.back_up()
    assert run["outcome"] == "passed"
    key = outputs(add(premises), "key-add")["key"]
    revoked = bucket_of(premises.regions["qc"]).get(f"datasets/docs/keys/{key}")
    assert remove(premises, key).code == 0
    for region in ("mtl", "qc"):
        bucket_of(premises.regions[region]).delete(f"datasets/docs/snapshots/{old.name}")
    record(premises, Forgotten("docs", old.name, "retention"))

    replayed = [
        plant(premises, "qc", "snapshots", content),
        plant(premises, "qc", "keys", revoked),
    ]
    run = premises.replicate()
    assert run["outcome"] == "passed"
    assert lie_in(premises, "mtl", replayed) == []
    assert not opens(premises, "mtl", ESCROW)
    assert not opens(premises, "qc", ESCROW)
    assert "object.quarantined" in [f["what"] for f in run["findings"]]
    run = premises.back_up()
    assert run["outcome"] == "passed"
    assert lie_in(premises, "mtl", replayed) == []


def test_a_revoked_key_is_deleted_in_a_region_that_comes_back(premises):
    key = outputs(add(premises), "key-add")["key"]
    premises.kill("qc")
    assert remove(premises, key).code == 0
    premises.revive("qc")
    assert opens(premises, "qc", ESCROW)
    run = premises.back_up()
    assert run["outcome"] == "passed"
    assert not opens(premises, "qc", ESCROW)
    assert "key.owed" not in dict(premises.alarms())
    with premises.program() as program:
        assert apply_revocations(program.tools, program.dataset("docs"), "mtl") == ((), ())


def test_the_first_backup_takes_down_the_keys_it_finds(premises):
    (key,) = keys(premises)
    plant(premises, "mtl", "keys", strangers_key(premises))
    with premises.program() as program:
        known = [k.fact for k in program.journal.facts(KeyKnown, "docs")]
    assert known == [KeyKnown("docs", "mtl", key["id"], secret="repo-key")]
    premises.forget_starts()
    premises.back_up()
    assert premises.verbs() == ["backup"]


def test_a_backup_goes_to_the_others_when_one_regions_config_was_overwritten(any_premises):
    premises = any_premises
    bucket = bucket_of(premises.regions["mtl"])
    config = bucket.get("datasets/docs/config")
    bucket.put("datasets/docs/config", os.urandom(len(config)))
    run = premises.back_up()
    found = {f["what"]: f for f in run["findings"]}
    assert found["object.quarantined"]["subject"] == "docs in mtl"
    assert found["backup.diverted"]["subject"] == "docs in mtl"
    assert run["steps"][0]["status"] == "passed", run["steps"]
    assert run["steps"][0]["outputs"]["regions"] == ["qc"]
    assert len(premises.listed("qc")) == 2
    assert strangers(premises) == {("mtl", "config")}
    bucket.put("datasets/docs/config", config)
    assert premises.replicate()["outcome"] == "passed"
    assert strangers(premises) == set()
    assert len(premises.listed("mtl")) == 2


def test_an_overwritten_config_does_not_spread_to_a_region_that_has_lost_its_own(premises):
    mtl, qc = (bucket_of(premises.regions[name]) for name in ("mtl", "qc"))
    config = mtl.get("datasets/docs/config")
    mtl.put("datasets/docs/config", os.urandom(len(config)))
    qc.delete("datasets/docs/config")
    run = premises.replicate()
    assert run["outcome"] == "failed"
    assert "no region has a genuine config" in json.dumps(run["steps"])
    assert qc.head("datasets/docs/config") is None
    assert strangers(premises) == {("mtl", "config")}
    mtl.put("datasets/docs/config", config)
    assert premises.replicate()["outcome"] == "passed"
    assert qc.get("datasets/docs/config") == config
    assert strangers(premises) == set()


def test_a_backup_goes_to_the_others_when_one_regions_keys_were_replaced(premises):
    bucket = bucket_of(premises.regions["mtl"])
    for named in keys(premises):
        bucket.delete(f"datasets/docs/keys/{named['id']}")
    planted = plant(premises, "mtl", "keys", strangers_key(premises))
    run = premises.back_up()
    assert run["steps"][0]["status"] == "passed", run["steps"]
    assert run["steps"][0]["outputs"]["regions"] == ["qc"]
    assert strangers(premises) == {("mtl", planted.name)}
    run = premises.replicate()
    assert opens(premises, "mtl", "correct-horse-battery-mtl")


def test_a_wrong_password_is_still_a_wrong_password(premises):
    (premises.folder / "lab" / "secrets" / "repo-key").write_text("not-the-password\n")
    run = premises.back_up()
    assert run["outcome"] == "failed"
    assert run["steps"][0]["cause"] == "wrong-password"


def test_a_planted_giant_is_not_even_read(premises):
    giant = b"x" * (LARGEST_JUDGED + 1)
    named = plant(premises, "qc", "snapshots", giant)
    run = premises.replicate()
    assert lie_in(premises, "mtl", [named]) == []
    (finding,) = [f for f in run["findings"] if f["what"] == "object.quarantined"]
    assert "it is larger than any of restic's" in finding["message"]
