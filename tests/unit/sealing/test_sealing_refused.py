"""Sealed bundles that somebody changed, in any way: drorch's own verifier and the stand-alone one refuse them."""

import json
import os
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from drorch.app.program import Program
from drorch.core.codec import canonical
from drorch.core.errors import UsageError
from drorch.sealing.keys import PrivateKey, new_key
from tests.unit.sealing.archive import (
    Bundle,
    both_refuse,
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


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (
            lambda path: path.write_bytes(b"a report\n"),
            "it is no bundle: the file is no zip, but text",
        ),
        (
            lambda path: path.write_bytes(bytes(40)),
            "it is no bundle: the file is no zip, but something else",
        ),
        (lambda path: path.write_bytes(b""), "it is no bundle: the file is empty"),
        (lambda path: path.mkdir(), "it is no bundle, but an empty folder"),
        (os.mkfifo, "it is no bundle, neither a folder nor a file"),
        (zip_of(), "it is no bundle, but an empty zip file"),
        (
            zip_of(("notes.txt", b"x")),
            "it is no bundle, but a zip file of something else: it holds 'notes.txt'",
        ),
        (
            lambda path: write_folder({"inner/notes.txt": b"x", "z": b""}, path),
            "it is no bundle, but a folder of something else: it holds 'inner'",
        ),
    ],
    ids=("text", "bytes", "nothing", "folder", "pipe", "empty-zip", "zip", "other-folder"),
)
def test_what_is_something_else_is_told_what_it_is_and_what_is_wanted(
    program: Program, tmp_path: Path, write: Callable[[Path], None], said: str
) -> None:
    write(tmp_path / "b.zip")
    found = ours(program, tmp_path / "b.zip")
    (flaw,) = found.report.flaws
    assert (flaw.subject, flaw.message) == ("b.zip", said)
    assert found.hint == "give the folder or the file that `drorch journal export` wrote"


def test_what_was_a_bundle_is_told_what_became_of_it(
    program: Program, bundle: Bundle, tmp_path: Path
) -> None:
    path = write_file(bundle, tmp_path / "b.zip")
    whole = path.read_bytes()

    def told() -> tuple[str, str]:
        found = ours(program, path)
        (flaw,) = found.report.flaws
        assert not found.hint
        return flaw.subject, flaw.message

    for size in (1, len(whole) // 2):
        path.write_bytes(whole[:-size])
        assert told() == ("b.zip", "it is cut short: the end of the zip file is missing")
    zip_of(*sorted(bundle.items()), method=zipfile.ZIP_DEFLATED)(path)
    assert told() == ("b.zip", "it was packed anew: unpack it, and give the folder")
    bare = {name: content for name, content in bundle.items() if name != "seal.json"}
    write_file(bare, path)
    gone = "the file is missing, and the manifest says that there was one"
    assert told() == ("seal.json", gone)
    del bare["manifest.json"]
    write_file(bare, path)
    assert told() == ("manifest.json", "the file is missing")
    path = write_folder(bundle, tmp_path / "b")
    (path / "evidence" / "deep").mkdir()
    folders = "it is a folder, and the folders of a bundle have none"
    assert told() == ("evidence/deep", folders)


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


def nonsense(bundle: Bundle) -> Iterator[Bundle]:
    """Files that are JSON and say nothing that a bundle says."""
    deep = b"[" * 900 + b"]" * 900
    values = (b"1e999", b"9" * 5000, b"null", b"[]", b'"x"', deep)
    for value in values:
        for name in ("manifest.json", "seal.json", "plan.json", "report.json", "journal.jsonl"):
            yield {**bundle, name: value + b"\n"}
        for name, key in (
            ("manifest.json", "files"),
            ("manifest.json", "about"),
            ("manifest.json", "kind"),
            ("manifest.json", "name"),
            ("manifest.json", "format"),
            ("seal.json", "signatures"),
            ("seal.json", "payload"),
            ("journal.jsonl", "body"),
            ("journal.jsonl", "ticks"),
            ("journal.jsonl", "run"),
        ):
            pattern = rb'"%s":("[^"]*"|[0-9.]+|\{|\[)' % key.encode()
            replaced = re.sub(pattern, b'"%s":%s' % (key.encode(), value), bundle[name], count=1)
            yield {**bundle, name: replaced}


def test_what_makes_no_sense_is_refused_by_both_and_never_a_traceback(
    tmp_path: Path, program: Program, bundle: Bundle
) -> None:
    nobody = {name: content for name, content in bundle.items() if name != "seal.json"}
    manifest = json.loads(nobody["manifest.json"]) | {"sealed_by": None}
    nobody["manifest.json"] = canonical(manifest) + b"\n"
    path = write_file(nobody, tmp_path / "b.zip")
    assert ours(program, path, unsealed=True).report.ok
    for number, (signed, bare) in enumerate(
        zip(nonsense(bundle), nonsense_of(nobody), strict=True)
    ):
        write_file(signed, path)
        assert not ours(program, path).report.ok, number
        assert theirs(path, tmp_path / "key.pub")[0] == 5, number
        if bare:
            write_file(bare, path)
            assert not ours(program, path, unsealed=True).report.ok, number
            assert theirs(path)[0] == 5, number


def nonsense_of(nobody: Bundle) -> Iterator[Bundle]:
    """The same where nobody signed it, and the manifest agrees with the files where it can."""
    with_none = {**nobody, "seal.json": b""}
    for wrong in nonsense(with_none):
        if wrong["seal.json"] or wrong == with_none:
            yield {}
        elif wrong["manifest.json"] != nobody["manifest.json"]:
            yield {n: c for n, c in wrong.items() if n != "seal.json"}
        else:
            yield rewritten({n: c for n, c in wrong.items() if n != "seal.json"}, None)


def signatures(seal: bytes, count: int) -> bytes:
    envelope = json.loads(seal)
    return canonical(envelope | {"signatures": envelope["signatures"] * count}) + b"\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: {**b, "seal.json": signatures(b["seal.json"], 2)}, "seal.json does not hold one signature"),
        (lambda b: {**b, "seal.json": signatures(b["seal.json"], 0)}, "seal.json does not hold one signature"),
        (lambda b: {n: c for n, c in b.items() if n != "manifest.json"}, "it is no bundle: there is no manifest.json"),
        (lambda b: {**b, "seal.json": canonical([]) + b"\n"}, "it does not say what a bundle says"),
    ],
    ids=["two", "none", "no manifest", "a list"],
)  # fmt: skip
def test_the_stand_alone_verifier_says_in_words_what_is_wrong(
    bundle: Bundle, tmp_path: Path, change: Callable[[Bundle], Bundle], said: str
) -> None:
    path = write_file(change(bundle), tmp_path / "b.zip")
    code, told = theirs(path, tmp_path / "key.pub")
    assert (code, told.startswith(f"REFUSED: {said}")) == (5, True), told
