"""Slots with several journals on one database: of two that take the same one, one does nothing."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.core.errors import SlotGone
from drorch.core.events import JobsSeen, SlotsMissed, SlotTaken
from drorch.core.posture import RunRow
from drorch.journal.rebuild import rebuild
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import DAWN, finished, stamped, started
from tests.fakes.postgres import postgres_url

JOB = "backup:ehr-db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that several may write."""
    return postgres_url() if request.param == "postgresql" else f"sqlite:///{tmp_path}/drorch.db"


def welcome(_: RunRow) -> None:
    """Every run may begin."""


def test_of_two_daemons_one_fires_each_slot_and_the_other_records_nothing(url: str) -> None:
    rounds, daemons = 40, 2
    together = threading.Barrier(daemons)

    def daemon(name: int) -> list[int]:
        fired = []
        with SqlJournal(url) as journal:
            for number in range(1, rounds + 1):
                slot = DAWN + timedelta(minutes=10 * number)
                gap = SlotsMissed(
                    JOB, slot - timedelta(minutes=5), slot - timedelta(minutes=1), 2, "x"
                )
                run = f"{name}-{number}"
                together.wait(60)
                try:
                    journal.begin(run, stamped(started(run), gap, SlotTaken(JOB, slot)), welcome)
                except SlotGone:
                    assert not journal.recorded(run)
                else:
                    fired.append(number)
                    journal.append(run, 3, stamped(finished()))
        return fired

    with SqlJournal(url) as journal:
        journal.begin("seen", stamped(started(), JobsSeen((JOB,), DAWN), finished()), welcome)
        with ThreadPoolExecutor(daemons) as pool:
            taken = list(pool.map(daemon, range(daemons)))
        assert sorted(number for fired in taken for number in fired) == list(range(1, rounds + 1))
        assert len(journal.rows()) == rounds + 1
        slots = journal.slots(job=JOB)
        assert [slot.count for slot in slots] == [1, 2] * rounds
        assert journal.accounted() == {JOB: DAWN + timedelta(minutes=10 * rounds)}
        report = verify_journal(journal)
        assert report.ok, report.flaws
        assert rebuild(journal).differences == ()


#: Takes every slot that it can, and says which.
DAEMON = """
import sys
from datetime import timedelta
from drorch.core.errors import SlotGone
from drorch.core.events import SlotTaken
from drorch.journal.store import SqlJournal
from tests.fakes.facts import DAWN, finished, stamped, started
with SqlJournal(sys.argv[1]) as journal:
    for number in range(1, 61):
        run, slot = f"{sys.argv[2]}-{number}", DAWN + timedelta(minutes=number)
        try:
            journal.begin(run, stamped(started(run), SlotTaken("drill:ehr", slot), finished()), lambda row: None)
            print(number)
        except SlotGone:
            pass
"""


def test_of_several_processes_each_slot_has_one(url: str) -> None:
    SqlJournal(url).close()
    command = [sys.executable, "-c", DAEMON, url]
    daemons = [
        subprocess.Popen(
            [*command, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for name in ("a", "b", "c")
    ]
    fired: list[int] = []
    for process in daemons:
        told, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
        fired += map(int, told.split())
    with SqlJournal(url) as journal:
        # A slow one is refused what comes before what a quick one has taken: nothing goes twice.
        assert len(fired) == len(set(fired)) == len(journal.rows()) == len(journal.slots())
        assert max(fired) == 60
        assert verify_journal(journal).ok
