"""Ransomware with a region's keys, and the way back, in real buckets with object lock."""

import json
from datetime import UTC, datetime

import pytest

from drorch.storage.versions import listed_versions
from tests.integration.app.locked import LockedPremises
from tests.integration.app.premises import restics
from tests.integration.app.quick_keys import made_quick
from tests.integration.app.seeing import wait_for
from tests.storage_objects import name_of

FOLDER = "datasets/docs"


def now() -> str:
    return datetime.now(UTC).isoformat()


def made(ceph, folder, binary):
    """`docs` backed up twice to two locked regions."""
    premises = LockedPremises.in_ceph(folder, binary, ceph)
    del premises.configuration["datasets"]["db"]
    premises.save()
    with premises.program() as program:
        made_quick(program, list(program.configuration.datasets.values()))
    for text in ("north\n", "south\n"):
        (premises.folder / "src" / "docs" / "wards" / "a.txt").write_text(text)
        assert premises.back_up()["outcome"] == "passed"
    return premises


@pytest.fixture(params=restics(), ids=lambda p: p.name)
def any_locked(request, ceph, tmp_path):
    return made(ceph, tmp_path / "here", request.param)


@pytest.fixture
def locked(ceph, tmp_path):
    return made(ceph, tmp_path / "here", restics()[-1])


def snapshots(premises, region):
    return [s["id"] for s in premises.listed(region)]


def test_after_an_attack_on_both_regions_each_comes_back_whole(any_locked):
    before, well = snapshots(any_locked, "mtl"), now()
    assert any_locked.cli("lock-extend", "--dataset", "docs").code == 0
    for region in ("mtl", "qc"):
        any_locked.attack(region)
    assert any_locked.cli("check", "--dataset", "docs", "--region", "mtl").code == 1
    assert any_locked.cli("lock-extend", "--dataset", "docs").code == 1
    told = ("rewind", "--dataset", "docs", "--to", well, "--reason", "ransomware")
    for region in ("mtl", "qc"):
        said = any_locked.cli(*told, "--region", region)
        run = said.document
        assert (said.code, run["outcome"], run["reason"]) == (0, "passed", "ransomware")
        back, extended, check = run["steps"]
        assert (back["outputs"]["overwritten"], back["outputs"]["hidden"]) == (2, 3)
        assert back["outputs"]["config"] == "brought-back"
        assert extended["outputs"]["horizon"] is not None
        assert (check["do"], check["status"]) == ("repository.check", "passed")
        assert [f["what"] for f in run["findings"]] == ["object.hidden"]
        assert "no errors" in any_locked.restic("check", "--read-data", region=region)
        assert snapshots(any_locked, region) == before
    assert any_locked.alarms() == []
    assert any_locked.restore(to="back")["outcome"] == "passed"
    assert (any_locked.folder / "back" / "wards" / "a.txt").read_text() == "south\n"


def test_killed_in_the_middle_the_same_command_finishes(locked):
    bucket, well = locked.bucket("mtl"), None
    for number in range(60):
        content = b"%d" % number
        bucket.put(f"{FOLDER}/{name_of('data', content)}", content)
    everything = {e.name for e in bucket.list_objects(f"{FOLDER}/")}
    well = now()
    locked.attack("mtl")

    def shown():
        return {e.name for e in bucket.list_objects(f"{FOLDER}/data/")}

    few = len(shown())
    command = ("rewind", "--region", "mtl", "--dataset", "docs", "--to", well)
    with locked.started(*command) as process:
        wait_for(lambda: len(shown()) > few)
        process.kill()
        process.wait()
    assert len(shown()) < 60
    said = locked.cli(*command)
    assert said.code == 0
    assert {e.name for e in bucket.list_objects(f"{FOLDER}/")} == everything
    assert "no errors" in locked.restic("check", "--read-data")


def test_snapshots_made_with_the_stolen_password_are_hidden_and_ours_are_not(locked):
    before, well = snapshots(locked, "mtl"), now()
    locked.restic("backup", str(locked.folder / "src" / "rows"), "--host", "docs")
    locked.back_up()
    ours = snapshots(locked, "qc")[-1]
    locked.attack("mtl")
    said = locked.cli("rewind", "--region", "mtl", "--dataset", "docs", "--to", well)
    assert said.code == 0, said.document["findings"]
    assert snapshots(locked, "mtl") == [*before, ours]


def test_without_the_password_hashes_alone_prove_it_and_that_is_said(locked):
    well = now()
    locked.attack("mtl")
    key = locked.folder / "lab" / "secrets" / "repo-key"
    key.rename(key.with_name("in-the-safe"))
    said = locked.cli("rewind", "--region", "mtl", "--dataset", "docs", "--to", well)
    assert said.code == 0
    assert [s["do"] for s in said.document["steps"]] == ["rewind", "lock.extend"]
    told = {f["what"]: f["message"] for f in said.document["findings"]}
    assert "every object hashes to its name is all the proof" in told["plan.notice"]
    assert told.keys() == {"plan.notice", "object.hidden"}
    key.with_name("in-the-safe").rename(key)
    assert "no errors" in locked.restic("check", "--read-data")


def test_a_dry_run_tells_what_it_would_do_and_leaves_no_trace(locked):
    well = now()
    locked.attack("mtl")
    there = list(listed_versions(locked.bucket("mtl")))
    with locked.program() as program:
        runs = len(program.journal.rows())
    said = locked.cli("rewind", "--region", "mtl", "--to", well, "--dry-run")
    (one,) = said.document
    assert (said.code, one["overwritten"], one["config"]) == (0, 2, "brought-back")
    assert len(one["snapshots"]) == 2
    assert {h["name"].split("/")[0] for h in one["hide"]} == {"keys", "index", "snapshots"}
    assert list(listed_versions(locked.bucket("mtl"))) == there
    with locked.program() as program:
        assert len(program.journal.rows()) == runs


def test_what_cannot_be_rewound_says_why(ceph, tmp_path):
    locked = LockedPremises.in_ceph(tmp_path / "here", restics()[-1], ceph)
    for words, code, message in (
        (("--region", "mtl", "--to", "2199-01-01T00:00:00Z"), 2, "is still to come"),
        (("--region", "mtl", "--to", "yesterday"), 2, "'yesterday' is not a time"),
        (("--region", "tor", "--to", now()), 2, "there is no region 'tor'"),
        (("--region", "mtl", "--dataset", "dbs", "--to", now()), 2, "there is no dataset 'dbs'"),
    ):
        said = locked.cli("rewind", *words)
        assert said.code == code
        assert message in json.dumps(said.document, ensure_ascii=False)
