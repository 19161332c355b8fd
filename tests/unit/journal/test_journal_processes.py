"""Many processes on one state file, and a writer that is killed at any moment."""

import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drorch.core.events import AbortRequested
from drorch.core.posture import CopyFactKind
from drorch.journal.rebuild import rebuild
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import begun, copy, ended, finished, stamped, started
from tests.fakes.postgres import postgres_url

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
        assert {row.seq for row in journal.rows()} == {11}
        assert len(journal.slots()) == 45
        report = verify_journal(journal)
        assert report.ok, report.flaws


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that several may write."""
    return postgres_url() if request.param == "postgresql" else f"sqlite:///{tmp_path}/drorch.db"


def test_what_several_learn_of_one_copy_at_once_is_all_kept(url: str) -> None:
    """As two processes on two machines would: each with a journal, and a writer, of its own."""
    kinds = [CopyFactKind.VERIFIED, CopyFactKind.RESTORE_TESTED]
    rounds = 30
    together = threading.Barrier(len(kinds))

    def learn(kind: CopyFactKind) -> None:
        with SqlJournal(url) as journal:
            run = f"run-{kind}"
            journal.begin(run, stamped(started(subject=run), begun()), lambda row: None)
            for number in range(rounds):
                together.wait(60)
                fact = copy(kind, chr(ord("a") + number))
                story = stamped(ended(attempt=number + 1, copies=[fact]), begun(attempt=number + 2))
                journal.append(run, 2 + 2 * number, story)

    with SqlJournal(url) as journal:
        with ThreadPoolExecutor(len(kinds)) as pool:
            for one in [pool.submit(learn, kind) for kind in kinds]:
                one.result()
        known = journal.copies("ehr-db")
        assert len(known) == rounds
        assert all(copy.verified_at and copy.restore_tested_at for copy in known)
        report = verify_journal(journal)
        assert report.ok, report.flaws


def test_an_owner_sees_every_request_whoever_else_leaves_one_meanwhile(url: str) -> None:
    run, people, each = "run-1", 3, 20
    with SqlJournal(url) as journal:
        journal.begin(run, stamped(started()), lambda row: None)

        def ask(person: int) -> None:
            with SqlJournal(url) as theirs:
                for number in range(each):
                    theirs.post(run, AbortRequested(f"person-{person}", str(number)))

        seen: list[AbortRequested] = []
        seq, taken = 1, 0
        with ThreadPoolExecutor(people) as pool:
            asking = [pool.submit(ask, person) for person in range(people)]
            while len(seen) < people * each:
                left = all(one.done() for one in asking)
                found = journal.take_posted(run, taken)
                assert found or not left, "a request is gone that nobody saw"
                if found:
                    taken = found[-1][0]
                    seen += [request for _, request in found]
                    seq = journal.append(run, seq, stamped(found[-1][1]), taken=taken).seq
        assert len(set(seen)) == people * each


#: The first has the run's end in memory and does not look again: the database must refuse it.
FENCED = """
import sys
from drorch.core.errors import FenceLost
from drorch.journal.store import SqlJournal
from tests.fakes.facts import begun, ended, stamped, started
with SqlJournal(sys.argv[1]) as one, SqlJournal(sys.argv[1]) as other:
    seq = one.begin("run-1", stamped(started()), lambda row: None).seq
    other.append("run-1", seq, stamped(begun(), ended()))
    try:
        one.append("run-1", seq, stamped(*[begun(), ended()] * 6))
    except FenceLost as lost:
        print(lost.message)
"""


def test_who_loses_the_fence_is_told_so_and_nothing_else_is_said(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FENCED, url], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("another process has carried run run-1 on\n", "")


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
            assert {slot.run for slot in journal.slots()} == {row.run for row in journal.rows()}
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
