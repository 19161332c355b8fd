"""Looking at snapshots: listed, their contents, and what is found in them."""

import json
import shutil

import pytest

from drorch.app.snapshots import contents, find, list_snapshots
from drorch.core.errors import StorageError


def listed(premises, name="docs", region=None):
    with premises.program() as program:
        return list_snapshots(program, [program.dataset(name)], region)


def test_snapshots_are_listed_with_the_regions_that_hold_them_newest_first(any_premises):
    any_premises.kill("qc")
    any_premises.back_up()
    any_premises.revive("qc")
    newest, oldest = listed(any_premises)
    assert newest["time"] > oldest["time"]
    assert (newest["regions"], oldest["regions"]) == (["mtl"], ["mtl", "qc"])
    assert (newest["files"], newest["bytes"]) == (oldest["files"], oldest["bytes"])
    assert newest["snapshot"] == any_premises.listed()[-1]["id"]
    assert any_premises.verbs() == ["backup"]
    assert listed(any_premises, region="qc") == [oldest | {"regions": ["qc"]}]


def test_without_a_journal_restic_tells_of_them(any_premises):
    known = listed(any_premises)
    shutil.rmtree(any_premises.folder / "var")
    (found,) = listed(any_premises)
    assert (found["snapshot"], found["regions"]) == (known[0]["snapshot"], ["mtl", "qc"])
    assert found["time"][:16] == known[0]["time"][:16]


def test_a_region_that_is_dead_is_named_and_holds_up_nothing(premises):
    premises.kill("mtl")
    (row,) = listed(premises)
    assert (row["regions"], row["unreachable"]) == (["qc"], ["mtl"])
    with pytest.raises(StorageError, match="connection refused"):
        listed(premises, region="mtl")
    said = premises.cli("snapshots", "list", "--region", "mtl")
    assert said.code == 1
    assert "region mtl" in said.error


def test_the_files_of_a_snapshot_are_listed_and_found(any_premises):
    top = str(any_premises.folder / "src" / "docs")
    with any_premises.program() as program:
        dataset = program.dataset("docs")
        rows = contents(program, dataset, "latest", None, None)
        below = contents(program, dataset, "latest", "qc", f"{top}/wards")
        short = contents(program, dataset, str(any_premises.status()["snapshot"])[:8], None, None)
        found = find(program, dataset, "*.TXT".lower(), None)
        whole = find(program, dataset, f"{top}/wards/*", None)
    files = {r["path"].removeprefix(f"{top}/"): r["bytes"] for r in rows if r["kind"] == "file"}
    assert files == {"été.txt": 6, "wards/a.txt": 6, "scan.bin": 300_000}
    assert f"{top}/wards/a.txt" in [r["path"] for r in below]
    assert f"{top}/scan.bin" not in [r["path"] for r in below]
    assert short == rows
    assert sorted(r["path"] for r in found) == sorted([f"{top}/wards/a.txt", f"{top}/été.txt"])
    assert [r["path"] for r in whole] == [f"{top}/wards/a.txt"]
    assert {r["snapshot"] for r in found} == {any_premises.status()["snapshot"]}


def test_the_newest_snapshot_to_look_into_is_one_that_a_restore_would_take(premises):
    with premises.program() as program:
        (row,) = program.journal.rows()
    left = premises.folder / "src" / "docs" / "scan.bin"
    premises.restic("backup", str(left), "--host", "docs", "--tag", f"run={row.run}")
    said = premises.cli("snapshots", "find", "docs", "a.txt")
    assert said.code == 0
    assert [r["path"].rsplit("/", 1)[1] for r in said.document] == ["a.txt"]


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (("ls", "db"), "holds no snapshot of db", "drorch snapshots list"),
        (("ls", "docs", "ffffffff"), "no snapshot begins with ffffffff", "drorch snapshots list"),
        (("ls", "dcos"), "there is no dataset 'dcos'", "docs"),
        (("list", "--region", "cq"), "there is no region 'cq'", "qc"),
    ],
)
def test_what_is_not_there_is_said_to_be_missing(premises, words, error, hint):
    said = premises.cli("snapshots", *words)
    assert said.code in {1, 2}
    assert error in said.error
    assert hint in said.hint
    assert json.dumps(said.document).count("exit_code") == 1
