"""Many processes on one state file, and a writer that is killed at any moment."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drorch.journal.rebuild import rebuild
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import finished, stamped

KILLS = 200 if os.environ.get("DRORCH_CAMPAIGN") else 10


def writer(url: str, prefix: str, runs: int = 0) -> "subprocess.Popen[str]":
    """Start tests/unit/journal/writer.py; its lines say what is durable."""
    command = [sys.executable, "-m", "tests.unit.journal.writer", url, prefix, str(runs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_make_and_write_one_file_side_by_side(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/drorch.db"
    (tmp_path / "var").mkdir()
    writers = [writer(url, prefix, 15) for prefix in ("a", "b", "c")]
    for process in writers:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
    with SqlJournal(url) as journal:
        assert len(journal.rows()) == 45
        assert {row.seq for row in journal.rows()} == {10}
        report = verify_journal(journal)
        assert report.ok, report.flaws


@pytest.mark.campaign
def test_a_writer_killed_at_any_moment_leaves_all_it_said_and_nothing_half(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/drorch.db"
    chance = random.Random(20261123)
    for kill in range(KILLS):
        said = killed(writer(url, f"k{kill}"), chance)
        with SqlJournal(url) as journal:
            report = verify_journal(journal)
            assert report.ok, (kill, report.flaws)
            for run, seq in said.items():
                assert journal.find(run).seq >= seq, (kill, run)
            for row in journal.rows(unfinished=True):
                # Whoever comes after goes on where the killed one stood.
                assert len(list(journal.read(row.run))) == row.seq
                journal.append(row.run, row.seq, stamped(finished()))
            assert rebuild(journal).differences == ()


def killed(process: "subprocess.Popen[str]", chance: random.Random) -> dict[str, int]:
    """Let it write a while, kill it in the midst, and give back what it said was durable."""
    assert process.stdout is not None
    assert process.stderr is not None
    said: dict[str, int] = {}
    lines = chance.randrange(40)
    for line in process.stdout:
        note(said, line)
        lines -= 1
        if lines <= 0:
            break
    time.sleep(chance.random() / 500)  # not to wait for anything: to hit any moment of a write
    process.kill()
    for line in process.stdout:
        if line.endswith("\n"):
            note(said, line)
    errors = process.stderr.read()
    process.wait()
    process.stdout.close()
    process.stderr.close()
    assert errors == ""
    return said


def note(said: dict[str, int], line: str) -> None:
    """Take in one line of the writer."""
    run, seq = line.split()
    said[run] = int(seq)
