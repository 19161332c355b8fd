"""Bringing data back for real, and every reason for which it must not seem to have come back."""

import shutil
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import pytest

from drorch.app.drills import drill
from drorch.app.runs import Control
from drorch.core.errors import UsageError
from tests.faulty import in_front_of
from tests.harms import Harm, between, well
from tests.integration.app.disks import on_small_disk
from tests.integration.app.seeing import step, tree


def docs(premises):
    return premises.folder / "src" / "docs"


def failed_restore(premises, **how):
    run = premises.restore(**how)
    assert run["outcome"] == "failed"
    return step(run, "restore")


def flip(pack, at=100):
    content = bytearray(pack.read_bytes())
    content[at] ^= 1
    pack.write_bytes(content)


@pytest.mark.every_restic
def test_the_newest_snapshot_comes_back_whole(any_premises):
    (docs(any_premises) / "later.txt").write_text("later\n")
    made = step(any_premises.back_up(), "backup")["outputs"]
    run = any_premises.restore()
    assert run["outcome"] == "passed"
    came = step(run, "restore")["outputs"]
    assert tree(any_premises.folder / "back") == tree(docs(any_premises))
    assert came["snapshot"] == made["snapshot"]
    assert came["snapshot_at"] == made["snapshot_at"]
    assert (came["files"], came["bytes"]) == (made["files"], made["bytes"])
    assert (came["region"], came["path"]) == ("mtl", str(any_premises.folder / "back"))


def test_an_older_snapshot_comes_back_as_it_was_then(premises):
    first = tree(docs(premises))
    # in milliseconds, as everything that is printed for scripts
    then = datetime.fromisoformat(premises.status()["snapshot_at"])
    (docs(premises) / "later.txt").write_text("later\n")
    premises.back_up()
    came = step(premises.restore(at=datetime.now(UTC)), "restore")["outputs"]
    assert came["files"] == 4
    came = step(premises.restore(to="then", at=then), "restore")["outputs"]
    assert came["files"] == 3
    assert tree(premises.folder / "then") == first
    # in seconds, as tables print it
    came = step(premises.restore(to="seconds", at=then.replace(microsecond=0)), "restore")
    assert came["outputs"]["files"] == 3
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    failed = failed_restore(premises, to="never", at=long_ago)
    assert failed["cause"] == "no-snapshot"
    assert "from 2000-01-01" in failed["message"]
    assert "drorch snapshots list" in failed["hint"]


def test_the_mirror_serves_when_the_primary_is_dead_without_being_named(any_premises):
    any_premises.kill("mtl")
    came = step(any_premises.restore(), "restore")["outputs"]
    assert came["region"] == "qc"
    assert tree(any_premises.folder / "back") == tree(docs(any_premises))
    any_premises.kill("qc")
    failed = failed_restore(any_premises, to="again")
    assert failed["cause"] == "unreachable"
    assert "region mtl" in failed["message"]


def test_only_what_is_included_comes_back(premises):
    run = premises.restore(include=["wards", "été.txt"])
    assert step(run, "restore")["outputs"]["files"] == 2
    assert set(tree(premises.folder / "back")) == {"wards", "wards/a.txt", "été.txt"}
    failed = failed_restore(premises, to="none", include=["gone"])
    assert failed["cause"] == "not-found"
    assert not (premises.folder / "none").exists()


def test_a_target_that_is_not_empty_is_left_as_it_is(premises):
    target = premises.folder / "back"
    target.mkdir()
    (target / "mine").write_text("mine\n")
    (premises.folder / "file").write_text("mine\n")
    before = premises.cli("run", "list").document
    for to, why in {"back": "holds mine", "file": "no folder", "file/in/it": "no folder"}.items():
        with pytest.raises(UsageError, match=why.replace("no folder", "is not a folder")) as caught:
            premises.restore(to=to)
        assert "choose a folder that" in caught.value.hint
    with pytest.raises(UsageError, match="--include names no path"):
        premises.restore(to="elsewhere", include=[""])
    assert tree(target) == {"mine": b"mine\n"}
    assert "restore" not in premises.verbs()
    assert premises.cli("run", "list").document == before, "what is refused is no run"


def test_a_region_where_the_dataset_does_not_lie_is_refused(premises):
    premises.configuration["datasets"]["docs"]["copies"] = {}
    premises.save()
    said = premises.cli("restore", "docs", "--to", "back", "--region", "qc")
    assert said.code == 2
    assert "no copy in region qc" in said.error
    assert "it has copies in: mtl" in said.hint
    assert "purpose" not in said.errors, "nobody is asked what that is for"
    with pytest.raises(UsageError):
        premises.restore("dcos")


def test_a_restore_without_a_purpose_says_so(premises):
    said = premises.cli("restore", "docs", "--to", "back")
    assert "warning: no purpose was given, and the access log will say so" in said.errors
    said = premises.cli("restore", "docs", "--to", "again", "--purpose", "a chart was lost")
    assert (said.code, "purpose" in said.errors) == (0, False)


def test_a_disk_that_is_too_small_is_refused_before_restic_begins(premises, namespaces):
    target = premises.folder / "back"
    target.mkdir()
    wrap = on_small_disk(target, "8m", full=False)
    said = premises.cli("restore", "docs", "--to", str(target), wrap=wrap)
    assert said.code == 1
    failed = step(said.document, "restore")
    assert failed["cause"] == "disk-full"
    assert "8 MiB free, the restore needs" in failed["message"]
    assert "restore" not in premises.verbs()


def test_a_snapshot_the_journal_does_not_know_is_told_by_restic(any_premises):
    want = any_premises.status()["snapshot"]
    shutil.rmtree(any_premises.folder / "var")
    came = step(any_premises.restore(), "restore")["outputs"]
    assert (came["snapshot"], came["files"]) == (want, 3)
    assert any_premises.verbs() == ["snapshots", "restore"]


def ruin(premises, region, below=1 << 40):
    """Zero every pack smaller than that, behind the region's back; their names."""
    packs = [p for p in premises.files(region, "docs", "data") if p.stat().st_size < below]
    for pack in packs:
        pack.write_bytes(bytes(pack.stat().st_size))
    return {pack.name for pack in packs}


def test_a_damaged_repository_fails_the_restore_whatever_lies_in_the_cache(any_premises):
    any_premises.back_up()
    assert list((any_premises.folder / "var" / ".cache" / "restic").rglob("*"))
    lost = ruin(any_premises, "mtl") & ruin(any_premises, "qc")
    failed = failed_restore(any_premises, region="mtl")
    assert failed["cause"] == "damaged"
    assert "whole in no region that answers" in failed["message"]
    assert any(name in failed["message"] for name in lost)
    assert "drorch heal" in failed["hint"]
    assert not (any_premises.folder / "back").exists()


def test_a_tree_that_is_lost_fails_the_restore_although_the_cache_holds_it(any_premises):
    any_premises.back_up()
    # Trees lie in packs of their own, the smaller ones; only they are kept in the cache.
    for region in ("mtl", "qc"):
        ruin(any_premises, region, below=100_000)
    cache, elsewhere = any_premises.folder / "var/.cache/restic", any_premises.folder / "elsewhere"
    any_premises.restic("restore", "latest", "--target", str(elsewhere), cache=cache)
    assert failed_restore(any_premises)["cause"] == "damaged"
    assert not (any_premises.folder / "back").exists()


def test_files_that_do_not_come_back_are_counted(premises):
    with premises.program() as program:
        (copy, *_) = program.journal.copies("docs")
    premises.know(copy, files=copy.files + 1)
    failed = failed_restore(premises)
    assert failed["cause"] == "incomplete"
    assert "3 files came back of 4" in failed["message"]


def test_what_lay_elsewhere_then_comes_back_all_the_same(premises):
    moved = premises.folder / "src" / "archive"
    docs(premises).rename(moved)
    premises.configuration["datasets"]["docs"]["paths"] = ["src/archive"]
    premises.save()
    run = premises.restore()
    assert run["outcome"] == "passed"
    assert tree(premises.folder / "back") == tree(moved)
    assert [f["what"] for f in run["findings"]] == ["restore.path-missing"]
    assert str(moved) in run["findings"][0]["message"]
    part = premises.restore(to="part", include=["wards"])
    assert part["outcome"] == "passed"
    assert tree(premises.folder / "part") == {
        name: what for name, what in tree(moved).items() if name.startswith("wards")
    }
    none = premises.restore(to="none", include=["nowhere"])
    assert none["outcome"] == "failed"


def test_restores_of_one_dataset_side_by_side_do_not_mind_each_other(premises):
    with premises.started("restore", "docs", "--to", "one", "--json") as process:
        assert premises.restore(to="two")["outcome"] == "passed"
        process.communicate(timeout=90)
    assert process.returncode == 0
    assert tree(premises.folder / "one") == tree(premises.folder / "two")


# --- checks, and what is proven


def test_a_check_that_reads_everything_is_a_proof_and_another_is_none(any_premises):
    run = any_premises.check()
    assert run["outcome"] == "passed"
    assert [s["step"] for s in run["steps"]] == ["check-mtl", "check-qc"]
    assert any_premises.status()["verified_at"] is None
    assert any_premises.check(region="qc", read_data=True)["outcome"] == "passed"
    assert any_premises.status(region="qc")["verified_at"] is not None
    assert any_premises.status(region="mtl")["verified_at"] is None


def test_flipped_bits_are_found_by_a_check_that_reads_and_fail_its_command(any_premises):
    flip(max(any_premises.files("mtl", "docs", "data"), key=lambda p: p.stat().st_size))
    assert any_premises.check()["outcome"] == "passed"
    said = any_premises.cli("check", "--dataset", "docs", "--read-data")
    assert said.code == 1
    run = said.document[0] if isinstance(said.document, list) else said.document
    assert run["outcome"] == "failed"
    assert step(run, "check-mtl")["cause"] == "damaged"
    assert step(run, "check-qc")["status"] == "passed"
    assert any_premises.status(region="mtl")["verified_at"] is None
    assert any_premises.status(region="qc")["verified_at"] is not None


def test_a_snapshot_that_is_gone_is_not_verified(premises):
    premises.back_up()
    (gone,) = [s["id"] for s in premises.listed()[-1:]]
    (premises.regions["mtl"].bucket / "datasets/docs/snapshots" / gone).unlink()
    premises.kill("mtl")
    premises.revive("mtl")
    assert premises.check(region="mtl", read_data=True)["outcome"] == "passed"
    with premises.program() as program:
        verified = {
            c.snapshot: c.verified_at for c in program.journal.copies("docs") if c.region == "mtl"
        }
    assert verified.pop(gone) is None
    assert all(verified.values())


RUNBOOK = """\
runbook: practise
inputs: {workdir: {default: practice}}
steps:
  - step: restore-docs
    do: restore
    with: {dataset: docs, region: qc, to: "{workdir}/docs"}
verify:
  - check: whole
    do: files.verify
    with: {path: "{workdir}/docs", files: 3}
cleanup:
  - step: remove
    do: files.remove
    with: {path: "{workdir}"}
"""


def practised(premises, name="practise", **inputs):
    with premises.program() as program:
        done = drill(program, name, inputs, control=Control())
    return dict(done.view.document)


def test_a_drill_proves_a_restore_and_status_says_when(premises):
    (premises.folder / "runbooks" / "practise.yaml").write_text(RUNBOOK)
    assert premises.restore()["outcome"] == "passed"
    assert premises.status(region="qc")["restore_tested_at"] is None
    run = practised(premises)
    assert run["outcome"] == "passed", run["findings"]
    assert premises.status(region="qc")["restore_tested_at"] is not None
    assert premises.status(region="mtl")["restore_tested_at"] is None
    assert not (premises.folder / "practice").exists()


def test_a_drill_into_a_folder_with_something_in_it_removes_nothing_of_it(premises):
    (premises.folder / "runbooks" / "practise.yaml").write_text(RUNBOOK)
    mine = premises.folder / "practice" / "docs"
    mine.mkdir(parents=True)
    (mine / "precious.txt").write_text("precious\n")
    run = practised(premises)
    assert run["outcome"] == "failed"
    assert step(run, "restore-docs")["cause"] == "target-not-empty"
    assert tree(mine) == {"precious.txt": b"precious\n"}


def test_a_drill_does_not_restore_over_what_it_protects_even_through_a_link(premises):
    (premises.folder / "runbooks" / "practise.yaml").write_text(RUNBOOK)
    (premises.folder / "practice").symlink_to(Path("src"))
    before = tree(docs(premises))
    run = practised(premises)
    assert run["outcome"] == "failed"
    assert step(run, "restore-docs")["cause"] == "protected"
    assert tree(docs(premises)) == before


def test_a_region_that_dies_during_a_restore_gives_way_to_the_next(any_premises):
    with in_front_of(any_premises.regions["mtl"], well) as proxy:
        any_premises.configuration["regions"]["mtl"]["endpoint"] = proxy.endpoint
        any_premises.save()
        # It answers the probe, shows its snapshots, and is gone when restic wants to read.
        proxy.become(between(4, inf, Harm.DIES))
        run = any_premises.restore()
    assert run["outcome"] == "passed"
    assert step(run, "restore")["outputs"]["region"] == "qc"
    assert (any_premises.folder / "back" / "wards" / "a.txt").read_text() == "north\n"
    assert any("mtl" in f["message"] for f in run["findings"])
