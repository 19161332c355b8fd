"""Sealed bundles: whole, always the same, and refused for any change, by drorch's own verifier and by
the stand-alone one that lies in each bundle.
"""

import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from drorch.app.program import Program
from drorch.app.sealing import export_run, seal_files
from drorch.core.codec import canonical
from drorch.core.errors import JournalUntrusted, UsageError
from drorch.journal.bundle import exported
from drorch.journal.bundle_one import manifest_of
from drorch.journal.connection import Statement
from drorch.sealing.keys import PrivateKey, new_key
from tests.fakes.facts import begun, stamped, started
from tests.unit.sealing.archive import (
    RUN,
    Bundle,
    bundle_of,
    carry,
    organisation,
    ours,
    rechained,
    refused_by_stranger,
    rewritten,
    theirs,
    write_file,
    write_folder,
)

#: How many random changes are made to a bundle.
CHANGES = 1000 if os.environ.get("DRORCH_CAMPAIGN") else 100
SEED = os.environ.get("DRORCH_CAMPAIGN_SEED", "20261126")


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    """The organisation's."""
    return new_key()


@pytest.fixture
def program(tmp_path: Path, key: PrivateKey) -> Iterator[Program]:
    """One finished run, one that goes on; the public key in a file."""
    (tmp_path / "key.pub").write_text(key.public.pem)
    found = organisation(tmp_path, key)
    carry(found)
    found.journal.begin("going", stamped(started("other"), begun()), lambda _: None)
    yield found
    found.journal.close()


@pytest.fixture
def bundle(program: Program) -> Bundle:
    """The run's bundle."""
    return bundle_of(program)


def both_refuse(program: Program, path: Path, public: Path) -> str:
    """What drorch says of a bundle that neither verifier takes."""
    found = ours(program, path)
    code, told = theirs(path, public)
    assert not found.report.ok, told
    assert code == 5, told
    assert told.startswith("REFUSED: "), told
    (flaw,) = found.report.flaws
    return f"{flaw.subject}: {flaw.message}"


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


# --- every byte


def test_every_byte_of_the_zip_counts(program: Program, bundle: Bundle, tmp_path: Path) -> None:
    sealed = write_file(bundle, tmp_path / "b.zip").read_bytes()
    chance, changed = random.Random(7), tmp_path / "changed.zip"
    places = [*range(60), *chance.sample(range(len(sealed)), 60)]
    places += range(len(sealed) - 60, len(sealed))
    for place in places:
        wrong = bytearray(sealed)
        wrong[place] ^= 1 << chance.randrange(8)
        changed.write_bytes(wrong)
        assert not ours(program, changed).report.ok, place
        assert theirs(changed, tmp_path / "key.pub")[0] == 5, place


@pytest.mark.campaign
def test_random_changes_are_refused_by_both(
    program: Program, bundle: Bundle, key: PrivateKey, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    for number in range(CHANGES):
        wrong = mutated(bundle, chance)
        path = write_file(wrong, tmp_path / "wrong.zip")
        assert not ours(program, path).report.ok, number
        assert refused_by_stranger(wrong, key), number


def mutated(bundle: Bundle, chance: random.Random) -> Bundle:
    """The bundle with one byte changed, put in or taken out, or one event left out, doubled or moved."""
    kind = chance.choice(["bit", "bit", "insert", "delete", "left out", "doubled", "moved"])
    if kind in ("left out", "doubled", "moved"):
        lines = bundle["journal.jsonl"].splitlines(keepends=True)
        taken = chance.randrange(len(lines))
        line = lines.pop(taken)
        if kind != "left out":
            where = [n for n in range(len(lines) + 1) if n != taken]
            lines.insert(chance.choice(where), line)
        if kind == "doubled":
            lines.insert(taken, line)
        return {**bundle, "journal.jsonl": b"".join(lines)}
    name = chance.choice(sorted(bundle))
    content = bytearray(bundle[name])
    place = chance.randrange(len(content))
    if kind == "bit":
        content[place] ^= 1 << chance.randrange(8)
    elif kind == "insert":
        content.insert(place, chance.randrange(256))
    else:
        del content[place]
    return {**bundle, name: bytes(content)}


def cut_tail(events: list[dict[str, Any]]) -> None:
    del events[-1]


def left_out(events: list[dict[str, Any]]) -> None:
    del events[2]


def swapped(events: list[dict[str, Any]]) -> None:
    events[1], events[2] = events[2], events[1]


def other_figure(events: list[dict[str, Any]]) -> None:
    events[4]["body"]["elapsed"] = 0.1


@pytest.mark.parametrize("change", [cut_tail, left_out, swapped, other_figure])
def test_a_rewritten_chain_is_refused_though_all_of_it_agrees(
    program: Program, bundle: Bundle, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    wrong = rechained(bundle, change)
    lines = wrong["journal.jsonl"].splitlines()
    agreeing = rewritten(
        wrong, None, head=f"sha256:{json.loads(lines[-1])['hash']}", events=len(lines)
    )
    path = write_file(agreeing, tmp_path / "b.zip")
    assert "manifest.json: it is not the one that was sealed" in both_refuse(
        program, path, tmp_path / "key.pub"
    )


def test_a_figure_of_the_report_is_refused_though_the_manifest_agrees(
    program: Program, bundle: Bundle, key: PrivateKey, tmp_path: Path
) -> None:
    report = json.loads(bundle["report.json"])
    report["machine_s"] = 0.1
    better = {**bundle, "report.json": canonical(report) + b"\n"}
    path = write_folder(rewritten(better, None), tmp_path / "b")
    both_refuse(program, path, tmp_path / "key.pub")
    # Even the holder of the key cannot: the figure is not what the events say.
    write_folder(rewritten(better, key), path)
    (flaw,) = ours(program, path).report.flaws
    assert (flaw.subject, flaw.message) == (
        "report.json",
        "machine_s does not follow from the journal",
    )


@pytest.mark.parametrize("change", [cut_tail, swapped])
def test_even_the_holder_of_the_key_cannot_seal_half_a_run(
    program: Program, bundle: Bundle, key: PrivateKey, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    lines = bundle["journal.jsonl"].splitlines(keepends=True)
    events = [json.loads(line) for line in lines]
    change(events)
    text = b"".join(canonical(event) + b"\n" for event in events)
    about = {"head": f"sha256:{events[-1]['hash']}", "events": len(events)}
    wrong = rewritten({**bundle, "journal.jsonl": text}, key, **about)
    said = both_refuse(program, write_file(wrong, tmp_path / "b.zip"), tmp_path / "key.pub")
    assert said.startswith("journal.jsonl: ")


def test_a_bundle_signed_by_another_key_is_refused(
    program: Program, bundle: Bundle, tmp_path: Path
) -> None:
    stranger = new_key()
    path = write_file(rewritten(bundle, stranger), tmp_path / "b.zip")
    said = both_refuse(program, path, tmp_path / "key.pub")
    assert said == (
        f"seal.json: it is signed by a key that is not trusted here: {stranger.public.id[:16]}"
    )


def test_a_bundle_whose_seal_was_taken_off_is_refused_where_there_is_a_key(
    program: Program, bundle: Bundle, tmp_path: Path
) -> None:
    bare = {name: content for name, content in bundle.items() if name != "seal.json"}
    path = write_file(bare, tmp_path / "b.zip")
    both_refuse(program, path, tmp_path / "key.pub")
    manifest = json.loads(bare["manifest.json"]) | {"sealed_by": None}
    bare["manifest.json"] = canonical(manifest) + b"\n"
    write_file(bare, path)
    said = both_refuse(program, path, tmp_path / "key.pub")
    assert said == "seal.json: nobody signed it, and a key is given that should have"
    assert ours(program, path, unsealed=True).report.ok


@pytest.mark.parametrize("other", ["sig", "keyid", "payloadType", "payload", "spaces", "more"])
def test_an_envelope_is_written_in_one_way_only(
    program: Program, bundle: Bundle, tmp_path: Path, other: str
) -> None:
    envelope = json.loads(bundle["seal.json"])
    (signed,) = envelope["signatures"]
    match other:
        case "sig":  # the last letter of base64 holds bits that nobody reads
            signed["sig"] = signed["sig"][:-3] + chr(ord(signed["sig"][-3]) + 1) + "=="
        case "keyid":
            signed["keyid"] = sha256(b"somebody").hexdigest()
        case "payloadType":
            envelope["payloadType"] = "application/json"
        case "payload":
            envelope["payload"] += "\n"
        case "more":
            envelope["signatures"].append(dict(signed))
    text = canonical(envelope) + b"\n"
    if other == "spaces":
        text = json.dumps(envelope).encode()
    path = write_file({**bundle, "seal.json": text}, tmp_path / "b.zip")
    assert both_refuse(program, path, tmp_path / "key.pub").startswith("seal.json: ")


# --- what is no bundle


def test_files_too_many_missing_or_not_files_are_refused(
    program: Program, bundle: Bundle, tmp_path: Path
) -> None:
    public = tmp_path / "key.pub"
    folder = write_folder({**bundle, "note.txt": b"harmless"}, tmp_path / "b")
    assert both_refuse(program, folder, public) == "note.txt: it does not belong to the bundle"
    (folder / "note.txt").unlink()
    (folder / "plan.json").rename(tmp_path / "plan.json")
    assert both_refuse(program, folder, public) == "plan.json: the file is missing"
    (folder / "plan.json").symlink_to(tmp_path / "plan.json")
    assert both_refuse(program, folder, public) == "plan.json: it is not a file"
    (folder / "plan.json").unlink()
    (folder / "plan.json").mkdir()
    assert both_refuse(program, folder, public) == "plan.json: the file is missing"
    (folder / "evidence" / "restore.log").unlink()
    (folder / "evidence").rmdir()
    (folder / "evidence").symlink_to("/")
    assert both_refuse(program, folder, public) == "evidence: it is not a file"


def zip_of(*entries: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in entries:
                archive.writestr(name, content)

    return write


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda path: path.write_bytes(b"not a bundle"), id="no zip"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(zip_of(), id="nothing in it"),
        pytest.param(zip_of(("../outside", b"x")), id="outside"),
        pytest.param(zip_of(("/etc/passwd", b"x")), id="absolute"),
        pytest.param(zip_of(("a", bytes(1 << 20)), method=zipfile.ZIP_DEFLATED), id="bomb"),
        pytest.param(zip_of(("a", b"x"), ("a", b"y")), id="doubled"),
    ],
)
def test_what_is_no_bundle_is_refused_by_both(
    program: Program, tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "b.zip")
    both_refuse(program, tmp_path / "b.zip", tmp_path / "key.pub")
    assert not (tmp_path.parent / "outside").exists()


def test_a_zip_packed_in_another_way_is_refused(
    program: Program, bundle: Bundle, tmp_path: Path
) -> None:
    zip_of(*sorted(bundle.items()))(tmp_path / "b.zip")
    said = both_refuse(program, tmp_path / "b.zip", tmp_path / "key.pub")
    assert said == "b.zip: it is not packed as it was sealed"


def test_there_must_be_a_bundle_and_a_key(program: Program, bundle: Bundle, tmp_path: Path) -> None:
    from drorch.app.verifying import verify_bundle

    with pytest.raises(UsageError, match="cannot be read"):
        ours(program, tmp_path / "nothing")
    assert theirs(tmp_path / "nothing", tmp_path / "key.pub")[0] == 2
    with pytest.raises(UsageError, match="is sealed, and there is no public key"):
        verify_bundle(write_file(bundle, tmp_path / "b.zip"), ())
    assert theirs(tmp_path / "b.zip")[0] == 2


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
