"""Sealed bundles: deterministic, complete, and refused for any changed byte."""

import json
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from drorch.core.errors import JournalUntrusted, UsageError
from drorch.journal.bundle import export_run, verify_bundle
from drorch.journal.chain import RUN_GENESIS
from drorch.journal.connection import Statement
from drorch.journal.store import SqlJournal
from tests.fakes.facts import begun, stamped, started, whole_run

RUN = "2026-11-23T03-00-00Z-ehr-failover-7f3a"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    """One finished run, one that goes on."""
    with SqlJournal(f"sqlite:///{tmp_path}/drorch.db") as opened:
        opened.begin(RUN, whole_run(), lambda _: None)
        opened.begin("going", stamped(started("other"), begun()), lambda _: None)
        yield opened


@pytest.fixture
def folder(journal: SqlJournal, tmp_path: Path) -> Path:
    """The run's bundle as a folder."""
    export_run(journal, RUN, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def file(journal: SqlJournal, tmp_path: Path) -> Path:
    """The run's bundle as one file."""
    export_run(journal, RUN, tmp_path / "bundle.zip")
    return tmp_path / "bundle.zip"


def test_an_honest_bundle_is_told_so(journal: SqlJournal, folder: Path, file: Path) -> None:
    head = journal.find(RUN).head
    for path in (folder, file):
        report = verify_bundle(path)
        assert report.ok, report.flaws
        assert (report.runs, report.events, report.head) == (1, 6, head)


def test_it_can_be_checked_by_hand_as_its_readme_says(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for name, told in manifest["files"].items():
        assert told == "sha256:" + sha256((folder / name).read_bytes()).hexdigest()
    prev = RUN_GENESIS
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    for seq, event in enumerate(events, 1):
        told = event.pop("hash")
        text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert (event["seq"], event["prev"]) == (seq, prev)
        assert told == sha256(text.encode()).hexdigest()
        prev = told
    assert manifest["head"] == f"sha256:{prev}"
    assert json.loads((folder / "plan.json").read_bytes()) == events[0]["body"]["plan"]
    assert {f.name for f in folder.iterdir()} == {*manifest["files"], "manifest.json"}


def test_the_same_run_gives_the_same_bytes(
    journal: SqlJournal, folder: Path, file: Path, tmp_path: Path
) -> None:
    export_run(journal, "7f3a", tmp_path / "again")
    export_run(journal, "7f3a", tmp_path / "again.zip")
    assert content(tmp_path / "again") == content(folder)
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == content(folder)


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {item.name: item.read_bytes() for item in folder.iterdir()}


def test_every_byte_of_the_file_counts(file: Path, tmp_path: Path) -> None:
    sealed = file.read_bytes()
    chance = random.Random(7)
    changed = tmp_path / "changed.zip"
    # The headers and the directory whole, of the rest each seventh byte.
    places = [n for n in range(len(sealed)) if n < 100 or n > len(sealed) - 400 or n % 7 == 0]
    for place in places:
        wrong = bytearray(sealed)
        wrong[place] ^= 1 << chance.randrange(8)
        changed.write_bytes(wrong)
        assert not verify_bundle(changed).ok, place


@pytest.mark.parametrize("name", ["journal.jsonl", "plan.json", "manifest.json", "README.md"])
def test_every_byte_of_every_file_of_the_folder_counts(folder: Path, name: str) -> None:
    sealed = (folder / name).read_bytes()
    chance = random.Random(8)
    for place in range(0, len(sealed), 5):
        wrong = bytearray(sealed)
        wrong[place] ^= 1 << chance.randrange(8)
        (folder / name).write_bytes(wrong)
        assert not verify_bundle(folder).ok, place
    for wrong in (sealed + b"\n", sealed + b" ", sealed[:-1], b"", b"\xef\xbb\xbf" + sealed):
        (folder / name).write_bytes(wrong)
        assert not verify_bundle(folder).ok
    (folder / name).write_bytes(sealed)
    assert verify_bundle(folder).ok


def cut_tail(lines: list[bytes]) -> list[bytes]:
    return lines[:-1]


def left_out(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], *lines[3:]]


def swapped(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], *lines[3:]]


def spaced(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b",", b", ", 1), *lines[1:]]


def other_number(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'"ticks":5000.0', b'"ticks":5000.00'), *lines[1:]]


def doubled_key(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'{"at"', b'{"seq":1,"at"', 1), *lines[1:]]


def more_columns(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'{"at"', b'{"a":1,"at"', 1), *lines[1:]]


def blank_line(lines: list[bytes]) -> list[bytes]:
    return [*lines, b"\n"]


@pytest.mark.parametrize(
    "change",
    [cut_tail, left_out, swapped, spaced, other_number, doubled_key, more_columns, blank_line],
)
def test_other_journals_are_refused_even_if_the_manifest_agrees(
    folder: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    changed = change(lines)
    assert changed != lines
    (folder / "journal.jsonl").write_bytes(b"".join(changed))
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["journal.jsonl"] = f"sha256:{sha256(b''.join(changed)).hexdigest()}"
    manifest["events"] = len(changed)
    manifest["head"] = f"sha256:{json.loads(changed[-1] if change is not blank_line else lines[-1])['hash']}"  # fmt: skip
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    (folder / "manifest.json").write_text(text + "\n")
    (flaw,) = verify_bundle(folder).flaws
    assert flaw.subject == "journal.jsonl"


def test_a_file_too_many_or_missing_is_refused(folder: Path) -> None:
    (folder / "note.txt").write_text("harmless")
    assert [f.subject for f in verify_bundle(folder).flaws] == ["note.txt"]
    (folder / "note.txt").unlink()
    (folder / "plan.json").rename(folder.parent / "plan.json")
    assert [f.subject for f in verify_bundle(folder).flaws] == ["plan.json"]
    (folder / "plan.json").symlink_to(folder.parent / "plan.json")
    assert [f.message for f in verify_bundle(folder).flaws] == ["it is not a file"]


def test_a_zip_packed_in_another_way_is_refused(folder: Path, tmp_path: Path) -> None:
    for number, method in enumerate([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]):
        packed = tmp_path / f"packed-{number}.zip"
        with zipfile.ZipFile(packed, "w", method) as archive:
            for item in sorted(folder.iterdir()):
                archive.write(item, item.name)
        assert not verify_bundle(packed).ok


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("not a bundle")
    (tmp_path / "empty").mkdir()
    assert not verify_bundle(tmp_path / "text.zip").ok
    assert not verify_bundle(tmp_path / "empty").ok
    with pytest.raises(UsageError, match="cannot be read"):
        verify_bundle(tmp_path / "nothing")


def test_a_run_that_goes_on_is_not_sealed(journal: SqlJournal, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not finished"):
        export_run(journal, "going", tmp_path / "x")
    with pytest.raises(UsageError, match="there is no run"):
        export_run(journal, "nobody", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_broken_chain_is_not_sealed(journal: SqlJournal, tmp_path: Path) -> None:
    with journal.writing() as connection:
        connection.execute(Statement("UPDATE events SET boot = 'x' WHERE seq = 2", ""))
    with pytest.raises(JournalUntrusted):
        export_run(journal, RUN, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_only_a_file_in_the_way_is_replaced(
    journal: SqlJournal, folder: Path, file: Path, tmp_path: Path
) -> None:
    sealed = file.read_bytes()
    file.write_bytes(b"old")
    export_run(journal, RUN, file)
    assert file.read_bytes() == sealed
    with pytest.raises(UsageError, match="is not empty"):
        export_run(journal, RUN, folder)
    (tmp_path / "dir.zip").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        export_run(journal, RUN, tmp_path / "dir.zip")
    (tmp_path / "plain").write_text("x")
    with pytest.raises(UsageError):
        export_run(journal, RUN, tmp_path / "plain" / "below")
    shutil.rmtree(folder)
    folder.mkdir()
    export_run(journal, RUN, folder)
    assert verify_bundle(folder).ok
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
