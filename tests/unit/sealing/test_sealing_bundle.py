"""Sealed bundles: whole, always the same, and refused for any change, by drorch's own verifier and by
the stand-alone one that lies in each bundle.
"""

import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from drorch.app.program import Program
from drorch.app.sealing import export_run, seal_files
from drorch.core.errors import JournalUntrusted, UsageError
from drorch.journal.bundle import exported
from drorch.journal.bundle_one import manifest_of
from drorch.journal.connection import Statement
from drorch.sealing.keys import PrivateKey
from tests.unit.sealing.archive import (
    RUN,
    Bundle,
    both_refuse,
    bundle_of,
    carry,
    organisation,
    ours,
    rewritten,
    theirs,
    write_file,
    write_folder,
)


def test_an_honest_bundle_is_told_so_by_both(
    program: Program, bundle: Bundle, key: PrivateKey, tmp_path: Path
) -> None:
    head = program.journal.find(RUN).head
    for path in (write_folder(bundle, tmp_path / "b"), write_file(bundle, tmp_path / "b.zip")):
        found = ours(program, path)
        assert found.report.ok, found.report.flaws
        assert (found.report.runs, found.report.events, found.report.head) == (1, 6, head)
        assert (found.kind, found.name, found.signer) == ("run", RUN, key.public)
        code, told = theirs(path, tmp_path / "key.pub")
        assert code == 0, told
        assert told.startswith(f"good: run {RUN}")
        assert f"sealed by key {key.public.id}" in told


def test_it_holds_journal_plan_evidence_report_and_its_own_verifier(bundle: Bundle) -> None:
    assert set(bundle) >= {
        "journal.jsonl",
        "plan.json",
        "evidence/restore.log",
        "report.json",
        "report.en.html",
        "report.en.md",
        "README.md",
        "verify.py",
        "manifest.json",
        "seal.json",
    }
    assert bundle["evidence/restore.log"] == b"42 files restored\n"
    report = json.loads(bundle["report.json"])
    assert (report["run"], report["outcome"]) == (RUN, "passed")
    assert bundle["verify.py"].count(b"\n") < 200


def test_the_verifier_in_the_bundle_runs_by_itself(bundle: Bundle, tmp_path: Path) -> None:
    folder = write_folder(bundle, tmp_path / "b")

    def check(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-I", str(folder / "verify.py"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, told = check("--key", str(tmp_path / "key.pub"), str(folder))
    assert (code, told.splitlines()[0]) == (0, f"good: run {RUN}, of 2026-11-23T03:00:09.000000Z")
    assert check(str(folder))[0] == 2  # sealed, and no key to check that with
    assert check("--key", str(folder / "plan.json"), str(folder))[0] == 2
    (folder / "plan.json").write_bytes(bundle["plan.json"].replace(b"true", b"trve", 1))
    code, told = check("--key", str(tmp_path / "key.pub"), str(folder))
    assert (code, told) == (5, "REFUSED: plan.json is not what manifest.json says\n")


def test_openssl_checks_the_seal_as_the_readme_says(bundle: Bundle, tmp_path: Path) -> None:
    folder = write_folder(bundle, tmp_path / "b")
    readme = bundle["README.md"].decode()
    script = "\n".join(line.strip() for line in readme.splitlines() if line.startswith("       "))
    script = script.replace("/tmp/", f"{tmp_path}/").replace("PUBLIC-KEY.pem", "../key.pub")
    for content, word in ((bundle["manifest.json"], "Success"), (b"{}\n", "Failure")):
        (folder / "manifest.json").write_bytes(content)
        done = subprocess.run(
            ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False
        )
        assert word in done.stdout, done.stderr


def test_the_same_run_gives_the_same_bytes(program: Program, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_run(program, "7f3a", tmp_path / f"{name}.zip")
        export_run(program, "7f3a", tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "two" / name).read_bytes()


# --- what is exported


def test_without_a_key_a_bundle_is_told_to_be_unsealed(tmp_path: Path) -> None:
    with_none = organisation(tmp_path, None)
    carry(with_none)
    path = write_file(bundle_of(with_none), tmp_path / "b.zip")
    found = ours(with_none, path)
    assert (found.report.ok, found.signer) == (True, None)
    code, told = theirs(path)
    assert (code, told.splitlines()[-1]) == (0, "NOT SEALED: nobody signed it")
    wrong = rewritten({**bundle_of(with_none), "plan.json": b"{}\n"}, None)
    write_file(wrong, path)
    assert not ours(with_none, path).report.ok
    assert theirs(path)[0] == 5


def test_evidence_that_is_gone_is_named_in_the_seal(
    program: Program, key: PrivateKey, tmp_path: Path
) -> None:
    (tmp_path / "var" / "evidence" / RUN / "restore.log").write_bytes(b"changed")
    bundle = bundle_of(program)
    path = write_file(bundle, tmp_path / "b.zip")
    assert "evidence/restore.log" not in bundle
    assert ours(program, path).missing == ["evidence/restore.log"]
    assert (
        "missing when it was sealed: evidence/restore.log" in theirs(path, tmp_path / "key.pub")[1]
    )
    # The key's holder cannot pass over it in silence, nor put another file in its place.
    for wrong in ({}, {"evidence/restore.log": b"changed"}):
        write_file(rewritten({**bundle, **wrong}, key, missing=[]), path)
        assert "evidence/restore.log" in both_refuse(program, path, tmp_path / "key.pub")


def first_format(program: Program) -> Bundle:
    """A bundle as drorch wrote it before there were seals."""
    found = exported(program.journal, RUN)
    files = {**found.files, "README.md": b"# A sealed run of drorch\n"}
    return {**files, "manifest.json": manifest_of(files, found)}


def test_bundles_of_the_first_format_are_still_checked_as_unsealed_ones(
    program: Program, tmp_path: Path
) -> None:
    bundle, path = first_format(program), tmp_path / "b.zip"
    assert ours(program, write_folder(bundle, tmp_path / "b"), unsealed=True).report.ok
    sealed = write_file(bundle, path).read_bytes()
    found = ours(program, path, unsealed=True)
    assert (found.report.ok, found.signer, found.name) == (True, None, RUN)
    (flaw,) = ours(program, path).report.flaws
    assert flaw.message == "nobody signed it, and a key is given that should have"
    chance = random.Random(4)
    for place in chance.sample(range(len(sealed)), 60):
        wrong = bytearray(sealed)
        wrong[place] ^= 1 << chance.randrange(8)
        path.write_bytes(wrong)
        assert not ours(program, path, unsealed=True).report.ok, place
    for wrong_files in ({**bundle, "note.txt": b"x"}, {**bundle, "plan.json": b"{}\n"}):
        write_file(wrong_files, path)
        assert not ours(program, path, unsealed=True).report.ok


def test_any_files_are_sealed_with_the_head_of_the_ledger(
    program: Program, key: PrivateKey, tmp_path: Path
) -> None:
    sealed = seal_files(program, "2026Q4", {"report.fr.pdf": b"%PDF-", "tables/a.csv": b"a;b\n"})
    path = tmp_path / "q.zip"
    path.write_bytes(sealed)
    found = ours(program, path)
    assert (found.report.ok, found.kind, found.name) == (True, "files", "2026Q4")
    assert theirs(path, tmp_path / "key.pub")[0] == 0
    with zipfile.ZipFile(path) as archive:
        assert "ledger-head.json" in archive.namelist()
    chance = random.Random(3)
    for place in chance.sample(range(len(sealed)), 40):
        wrong = bytearray(sealed)
        wrong[place] ^= 1 << chance.randrange(8)
        path.write_bytes(wrong)
        assert both_refuse(program, path, tmp_path / "key.pub")
    with pytest.raises(ValueError, match="of its own"):
        seal_files(program, "x", {"manifest.json": b""})


def test_a_run_that_goes_on_or_is_broken_is_not_sealed(program: Program, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not finished"):
        export_run(program, "going", tmp_path / "x")
    with pytest.raises(UsageError, match="there is no run"):
        export_run(program, "nobody", tmp_path / "x")
    with program.journal.writing() as connection:
        connection.execute(Statement("UPDATE events SET boot = 'x' WHERE seq = 2", ""))
    with pytest.raises(JournalUntrusted):
        export_run(program, RUN, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_only_a_file_in_the_way_is_replaced(program: Program, tmp_path: Path) -> None:
    file, folder = tmp_path / "b.zip", tmp_path / "b"
    file.write_bytes(b"old")
    export_run(program, RUN, file)
    assert ours(program, file).report.ok
    export_run(program, RUN, folder)
    with pytest.raises(UsageError, match="is not empty"):
        export_run(program, RUN, folder)
    (tmp_path / "dir.zip").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        export_run(program, RUN, tmp_path / "dir.zip")
    (tmp_path / "plain").write_text("x")
    with pytest.raises(UsageError):
        export_run(program, RUN, tmp_path / "plain" / "below")
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
