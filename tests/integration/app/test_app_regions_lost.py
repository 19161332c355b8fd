"""A region dies, comes back, or holds damaged objects: what is owed, to whom, and since when."""

import threading

import pytest

from drorch.actions.regions import Watched
from drorch.ports import Cancellation
from tests.integration.app.seeing import findings, step


def new_file(premises, name="later.txt", size=200_000):
    path = premises.folder / "src" / "docs" / name
    path.write_bytes(name.encode() * (size // len(name)))
    return path


def new_objects(premises, region, before, kind="data"):
    return [f for f in premises.files(region, "docs", kind) if f.name not in before]


def test_a_dead_mirror_holds_up_no_backup_and_is_owed_its_copy_until_it_returns(any_premises):
    first = any_premises.status(region="qc")["snapshot"]
    any_premises.kill("qc")
    new_file(any_premises)
    said = any_premises.cli("backup", "docs")
    assert said.code == 0
    run = said.document
    assert run["outcome"] == "passed"
    assert step(run, "backup")["status"] == "passed"
    failed = step(run, "replicate")
    assert (failed["status"], failed["cause"]) == ("failed", "unreachable")
    assert "copy.owed" in findings(run)

    second = any_premises.status()["snapshot"]
    copy = any_premises.status(region="qc")
    assert (copy["snapshot"], copy["owed"]) == (first, True)
    assert any_premises.alarms() == [("copy.owed", "docs in qc"), *never_backed_up()]
    assert any_premises.cli("status", "--check").code == 1

    any_premises.revive("qc")
    any_premises.forget_starts()
    assert any_premises.replicate()["outcome"] == "passed"
    assert any_premises.verbs() == []
    copy = any_premises.status(region="qc")
    assert (copy["snapshot"], copy["owed"]) == (second, False)
    assert any_premises.alarms() == never_backed_up()


def never_backed_up():
    return [("copy.missing", "db in mtl"), ("copy.missing", "db in qc")]


def test_status_without_an_alarm_leaves_with_0(premises):
    del premises.configuration["datasets"]["db"]
    premises.save()
    assert premises.cli("status", "--check").code == 0
    premises.configuration["datasets"]["docs"]["objectives"] = {"rpo": "1ms"}
    premises.save()
    assert premises.cli("status").code == 0
    said = premises.cli("status", "--check")
    assert said.code == 1
    assert [a["what"] for a in said.document["alarms"]] == ["rpo.breached"] * 2


def test_the_next_backup_catches_up_all_that_is_owed(premises):
    premises.kill("qc")
    for name in ("one", "two"):
        new_file(premises, name)
        premises.back_up()
    premises.revive("qc")
    run = premises.back_up()
    assert (run["outcome"], run["findings"]) == ("passed", [])
    assert step(run, "replicate")["outputs"]["snapshots"] == 4
    assert premises.listed("qc") == premises.listed()
    assert not premises.status(region="qc")["owed"]


def test_a_replication_that_fails_fails_its_run_and_owes_nothing_that_is_there(premises):
    premises.kill("qc")
    said = premises.cli("replicate", "--dataset", "docs")
    assert said.code == 1
    assert "copy.owed" in findings(_only(said.document))
    copy = premises.status(region="qc")
    assert (copy["owed"], copy["snapshot"]) == (False, premises.status()["snapshot"])


def _only(document):
    (run,) = document if isinstance(document, list) else [document]
    return run


def test_a_dead_primary_diverts_the_backup_and_it_flows_back_when_the_region_returns(any_premises):
    # restic since 0.17 by itself would go on for a quarter of an hour
    any_premises.kill("mtl")
    new_file(any_premises)
    said = any_premises.cli("backup", "docs")
    assert said.code == 0
    run = said.document
    assert run["outcome"] == "passed"
    assert "backup.diverted" in findings(run)
    made = step(run, "backup")["outputs"]
    assert (made["region"], made["regions"]) == ("qc", ["qc"])
    assert any_premises.status(region="qc")["snapshot"] == made["snapshot"]
    assert any_premises.status()["owed"]
    assert ("copy.owed", "docs in mtl") in any_premises.alarms()

    any_premises.revive("mtl")
    new_file(any_premises, "both.txt")
    run = any_premises.back_up()
    assert (run["outcome"], run["findings"]) == ("passed", [])
    assert step(run, "backup")["outputs"]["level"] == ["qc"]
    assert any_premises.listed() == any_premises.listed("qc")
    assert not any_premises.status()["owed"]
    for region in ("mtl", "qc"):
        any_premises.restic("check", "--read-data", region=region)


def test_when_no_region_is_left_the_backup_fails_by_the_probes_word_and_others_go_on(
    any_premises,
):
    any_premises.configuration["datasets"]["papers"] = any_premises.dataset(
        paths=["src/docs"], primary="qc", copies={}
    )
    any_premises.configuration["datasets"]["docs"]["copies"] = {}
    any_premises.save()
    any_premises.cli("repo", "init", "papers")
    any_premises.kill("mtl")
    said = any_premises.cli("backup", "docs", "papers")
    assert said.code == 1
    docs, papers = said.document
    assert (docs["outcome"], papers["outcome"]) == ("failed", "passed")
    failed = step(docs, "backup")
    assert failed["cause"] == "unreachable"
    assert "region mtl" in failed["message"]
    assert "connection refused; nothing was backed up" in failed["message"]


def test_a_damaged_object_is_not_copied_and_the_replica_stays_at_its_last_whole_snapshot(premises):
    first = premises.status(region="qc")["snapshot"]
    known = {f.name for f in premises.files("mtl", "docs", "data")}
    premises.kill("qc")
    new_file(premises)
    premises.back_up()
    pack = max(new_objects(premises, "mtl", known), key=lambda p: p.stat().st_size)
    content = bytearray(pack.read_bytes())
    content[100] ^= 1
    pack.write_bytes(content)
    premises.revive("qc")
    run = premises.replicate()
    assert run["outcome"] == "failed"
    assert step(run, "replicate")["cause"] == "damaged"
    assert {"object.damaged", "copy.owed"} <= set(findings(run))
    (damaged,) = [f for f in run["findings"] if f["what"] == "object.damaged"]
    assert pack.name in damaged["message"]
    assert damaged["subject"] == "docs in mtl"
    assert [f.name for f in new_objects(premises, "qc", known)] != [pack.name]
    assert pack.name not in {f.name for f in premises.files("qc", "docs", "data")}
    copy = premises.status(region="qc")
    assert (copy["snapshot"], copy["owed"]) == (first, True)

    outputs = step(premises.restore(region="qc"), "restore")["outputs"]
    assert (outputs["snapshot"], outputs["files"]) == (first, 3)
    assert not (premises.folder / "back" / "later.txt").exists()


@pytest.mark.parametrize("verb", ["restore", "check"])
def test_a_named_region_that_is_dead_is_said_to_be(premises, verb):
    premises.kill("qc")
    where = premises.folder / "back"
    words = {"restore": ["docs", "--to", str(where)], "check": ["--dataset", "docs"]}
    said = premises.cli(verb, *words[verb], "--region", "qc")
    assert said.code == 1
    (failed,) = _only(said.document)["steps"]
    assert failed["cause"] == "unreachable"
    assert "region qc" in failed["message"]
    assert not where.exists()


def test_a_region_that_dies_while_work_is_done_there_ends_the_work(premises):
    over = threading.Event()
    with premises.program() as program:
        region = program.region("mtl")
        with Watched(program.tools, region, Cancellation(), every=0.05) as watched:
            watched.cancel.on_cancel(over.set)
            assert watched.trouble() is None
        with Watched(program.tools, region, Cancellation(), every=0.05) as watched:
            watched.cancel.on_cancel(over.set)
            premises.kill("mtl")
            assert over.wait(60)
            assert watched.trouble().cause == "unreachable"
