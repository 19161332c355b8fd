"""Disks that are full or read-only: what is on record is read, nothing is begun, nothing half-written."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from drorch.journal.store import SqlJournal
from tests.fakes.facts import stamped, started, whole_run
from tests.integration.app.disks import on_small_disk, read_only
from tests.integration.app.premises import SOURCE

#: Leaves what was recorded last in the WAL, as a process does that is killed.
KILLED = """
import os, sys
from drorch.journal.store import SqlJournal
from tests.fakes.facts import stamped, started
journal = SqlJournal(sys.argv[1])
journal.begin("r2", stamped(started(subject="backup:other")), lambda _: None)
os._exit(0)
"""

READS = """
import sys
from drorch.core.errors import DrorchError
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import begun, stamped, started
try:
    with SqlJournal(sys.argv[1]) as journal:
        print(*sorted(row.run for row in journal.rows()), verify_journal(journal).ok)
        print(journal.hindered.message if journal.hindered else "")
        try:
            journal.begin("r3", stamped(started(subject="backup:third")), lambda _: None)
        except DrorchError as error:
            print(error.message, "|", error.hint)
        print(*sorted(row.run for row in journal.rows()))
except DrorchError as error:
    print(error.message, "|", error.hint)
"""

DISKS = {
    "full": (lambda folder: on_small_disk(folder, "1m", full=True), "full", "make room"),
    "read-only": (read_only, "read-only", "mount it"),
}


def python(script, *words, wrap=()):
    line = [*wrap, sys.executable, "-c", script, *words]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=SOURCE)
    return done.stdout.splitlines()


@pytest.fixture
def state(tmp_path):
    """A folder with the journal of one run, which nobody has open."""
    folder = tmp_path / "var"
    folder.mkdir()
    with SqlJournal(f"sqlite:///{folder}/drorch.db") as journal:
        journal.begin("r1", whole_run(), lambda _: None)
    return folder


@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("left", ["closed", "killed"])
def test_what_is_on_record_is_read_and_nothing_is_begun(namespaces, state, disk, left):
    url = f"sqlite:///{state}/drorch.db"
    if left == "killed":
        python(KILLED, url)
        (state / "drorch.db-shm").unlink() if disk == "full" else None
    wrap, word, hint = DISKS[disk]
    there = ["r1", "r2"] if left == "killed" else ["r1"]
    seen, hindered, refused, after = python(READS, url, wrap=wrap(state))
    assert seen.split() == [*there, "True"]
    assert after.split() == there
    why = f"the disk of the state file is {word}: {state}/drorch.db"
    # Where a process was killed its helper files are there to read by, or a WAL that leaves room.
    assert hindered == (why if left == "closed" else "")
    assert refused.startswith(f"{why} | nothing was begun: ")
    assert hint in refused
    with SqlJournal(url) as journal:
        assert sorted(row.run for row in journal.rows()) == there


def test_what_lies_in_a_wal_alone_is_not_passed_over(namespaces, state):
    """On a read-only disk, where the file alone could be read, and what was recorded last is beside it."""
    url = f"sqlite:///{state}/drorch.db"
    python(KILLED, url)
    (state / "drorch.db-shm").unlink()
    (said,) = python(READS, url, wrap=read_only(state))
    assert said.startswith("the disk of the state file is read-only")


def test_a_copy_is_read_as_long_as_it_is_what_the_file_holds(state):
    from drorch.journal.unwritable import Copies

    file = state / "drorch.db"
    copies = Copies(file)
    runs = "SELECT run FROM runs ORDER BY run"
    first = copies.newest()
    copies.keep(first)
    again = copies.newest()
    assert again.raw is first.raw
    copies.keep(again)
    with SqlJournal(f"sqlite:///{file}") as journal:
        journal.begin("r2", stamped(started(subject="backup:other")), lambda _: None)
        newer = copies.newest()  # by what its holder has made beside it
        assert newer.raw.execute(runs).fetchall() == [("r1",), ("r2",)]
        with journal.writing():
            pass  # nobody is held up by whoever copies
    newer.raw.close()
    copies.close()


def test_status_shows_it_and_says_what_is_wrong(namespaces, premises):
    before = premises.cli("status").document
    for wrap, word, hint in DISKS.values():
        said = premises.cli("status", "--check", wrap=wrap(premises.folder / "var"))
        assert (said.code, said.errors) == (1, "")
        (alarm,) = (one for one in said.document["alarms"] if one["what"] == "journal.failing")
        assert f"nothing can be recorded: the disk of the state file is {word}" in alarm["message"]
        assert hint in alarm["hint"]
        copies = [[c["snapshot"] for c in d["copies"]] for d in said.document["datasets"]]
        assert copies == [[c["snapshot"] for c in d["copies"]] for d in before["datasets"]]


def test_regions_are_read_without_room_for_what_restic_keeps_of_them(namespaces, premises):
    """restic 0.19 ends where it cannot write its cache, and every one tries for ever what has no room."""
    shutil.rmtree(premises.folder / "var" / ".cache" / "restic")
    for wrap, _, _ in DISKS.values():
        said = premises.cli("snapshots", "ls", "docs", wrap=wrap(premises.folder / "var"))
        assert (said.code, said.errors) == (0, "")
    assert all(line.startswith("--no-cache") for line in premises.starts())
    # As on a root that is read-only, where no folder for temporary files takes any.
    nowhere = [*read_only(Path("/tmp")), *read_only(Path("/var/tmp"))]
    said = premises.cli("snapshots", "ls", "docs", wrap=nowhere, TMPDIR="/tmp")
    assert (said.code, said.errors) == (0, "")


WRITES = """
import sys
from pathlib import Path
from drorch.core.errors import DrorchError
from drorch.sealing.packing import write
for name in ("bundle", "bundle.zip"):
    try:
        write({"manifest.json": b"{}", "journal.jsonl": b"x" * 300_000}, Path(sys.argv[1]) / name)
    except DrorchError as error:
        print(int(error.exit_code), error.message, "|", error.hint)
print(*sorted(p.name for p in Path(sys.argv[1]).iterdir()))
"""


def test_a_bundle_without_room_is_a_failure_and_leaves_nothing(namespaces, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    *said, left = python(WRITES, str(folder), wrap=on_small_disk(folder, "64k", full=False))
    assert [line[:2] for line in said] == ["1 ", "1 "]
    assert all("No space left on device | make room there" in line for line in said)
    assert left == ""
