"""What goes wrong below: one error with a hint, and nothing half-done."""

import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.core.errors import ExitCode, JournalUntrusted
from drorch.journal.connection import Statement
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import begun, stamped, started, whole_run

NOBODY = pwd.getpwnam("nobody").pw_uid


def url(folder: Path) -> str:
    """Where the tests' state lies."""
    return f"sqlite:///{folder}/drorch.db"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        JournalUntrusted, match=r"the folder of the state file .* does not exist"
    ) as caught:
        SqlJournal(f"sqlite:///{tmp_path}/no/such/drorch.db")
    assert caught.value.exit_code == ExitCode.JOURNAL_UNTRUSTED
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "drorch.db").mkdir()
    with pytest.raises(JournalUntrusted, match="cannot be opened"):
        SqlJournal(url(tmp_path))


WRITER = """
import os, sqlite3, sys
sys.path.insert(0, sys.argv[1])
from drorch.core.errors import DrorchError
from drorch.journal.store import SqlJournal
from tests.fakes.facts import begun, stamped
if os.geteuid() == 0:
    os.setuid(int(sys.argv[3]))
try:
    with SqlJournal(sys.argv[2]) as journal:
        journal.append("r1", 1, stamped(begun()))
except DrorchError as error:
    print(int(error.exit_code), error.message, "|", error.hint)
"""


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that everybody may read, and nobody but root may write."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_a_state_that_may_not_be_written_is_said(readable: Path) -> None:
    """In a process of its own, as a user who may only read."""
    with SqlJournal(url(readable)) as journal:
        journal.begin("r1", stamped(started()), lambda _: None)
    (readable / "drorch.db").chmod(0o444)
    readable.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(Path.cwd()), url(readable), str(NOBODY)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("5 the state file ")
    assert str(readable) in done.stdout
    (readable / "drorch.db").chmod(0o600)
    readable.chmod(0o700)
    with SqlJournal(url(readable)) as journal:
        assert journal.find("r1").seq == 1


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    with SqlJournal(url(tmp_path)) as journal:
        head = journal.begin("r1", stamped(started()), lambda _: None)
        with journal.writing() as connection:
            ((pages,),) = connection.execute(Statement("PRAGMA page_count", ""))
            # SQLite's own way to say that there is no more room.
            connection.execute(Statement(f"PRAGMA max_page_count = {pages}", ""))
        with pytest.raises(JournalUntrusted, match="is full") as caught:
            journal.append("r1", head.seq, stamped(*[begun()] * 500))
        assert "room" in caught.value.hint
        assert journal.find("r1").seq == 1
        assert verify_journal(journal).ok
        assert journal.append("r1", head.seq, stamped(begun())).seq == 2


def test_a_state_held_by_somebody_else_is_said_after_patience(tmp_path: Path) -> None:
    with SqlJournal(url(tmp_path), patience=timedelta(milliseconds=50)) as journal:
        journal.begin("r1", stamped(started()), lambda _: None)
        other = sqlite3.connect(tmp_path / "drorch.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUntrusted, match="another process holds the state file"):
            journal.append("r1", 1, stamped(begun()))
        assert journal.find("r1").seq == 1  # readers are not kept waiting
        other.execute("ROLLBACK")
        other.close()
        assert journal.append("r1", 1, stamped(begun())).seq == 2


def test_a_file_that_is_no_database_is_said_and_kept(tmp_path: Path) -> None:
    text = b"organization: not a database\n" * 100
    (tmp_path / "drorch.db").write_bytes(text)
    with pytest.raises(JournalUntrusted, match="is not a database"):
        SqlJournal(url(tmp_path))
    assert (tmp_path / "drorch.db").read_bytes() == text


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    with SqlJournal(url(tmp_path)) as journal:
        for number in range(30):
            journal.begin(f"r{number}", whole_run(), lambda _: None)
    file = tmp_path / "drorch.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(JournalUntrusted, match="is damaged"), SqlJournal(url(tmp_path)) as journal:
        journal.rows()


def test_an_error_nobody_foresaw_is_one_line(tmp_path: Path) -> None:
    wrong = pytest.raises(JournalUntrusted, match="no such table: patients")
    with SqlJournal(url(tmp_path)) as journal, wrong, journal.reading() as connection:
        connection.execute(Statement("SELECT * FROM patients", ""))
