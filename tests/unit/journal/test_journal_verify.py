"""Tampering with the state file shows, and projections are rebuilt from events."""

import multiprocessing
import os
import random
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.core.errors import JournalUntrusted
from drorch.core.events import AbortRequested, JobsSeen, PersonAsked, SlotsMissed, SlotTaken
from drorch.core.facts import Forgotten, KeyKnown
from drorch.core.names import RunState
from drorch.core.posture import CopyFactKind
from drorch.journal import records, verify
from drorch.journal.rebuild import rebuild
from drorch.journal.store import SqlJournal
from drorch.journal.verify import Looking, verify_journal
from tests.fakes.facts import DAWN, begun, copy, ended, finished, stamped, started, whole_run

HOUR = timedelta(hours=1)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    """Three runs: a finished one, one that told of copies, one that waits for a person."""
    with SqlJournal(f"sqlite:///{tmp_path}/drorch.db") as opened:
        opened.begin("r1", whole_run("one"), lambda _: None)
        facts = (
            copy(CopyFactKind.HELD, "a", hours=1, files=3),
            copy(CopyFactKind.OWED, "a", region="tor", hours=1),
            copy(CopyFactKind.OWED, "b", region="tor", hours=2),
            copy(CopyFactKind.VERIFIED, "a", hours=1),
        )
        learned = (Forgotten("ehr-db", "c" * 64, "by policy"), KeyKnown("ehr-db", "qc", "d" * 64))
        end = ended(copies=facts, facts=learned)
        gap = SlotsMissed("backup:ehr-db", DAWN - HOUR, DAWN - HOUR / 4, 4, "no daemon was there")
        slot = SlotTaken("backup:ehr-db", DAWN, late=True, why="mtl had no room")
        seen = JobsSeen(("check:ehr-db",), DAWN)
        events = (started("two"), seen, gap, slot, begun(), end, finished())
        opened.begin("r2", stamped(*events, second=10), lambda _: None)
        waiting = (started("three"), begun(), ended(), PersonAsked("go", "approve", "?", 2))
        opened.begin("r3", stamped(*waiting, second=20), lambda _: None)
        opened.post("r3", AbortRequested("a", "b"))
        yield opened


def tamper(journal: SqlJournal, *statements: str) -> None:
    """Change the file behind drorch's back."""
    connection = sqlite3.connect(str(journal.database))
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def flaws(journal: SqlJournal) -> list[tuple[str, str]]:
    """What a verification says, in short."""
    return [(f.subject, f.message) for f in verify_journal(journal).flaws]


def test_an_honest_journal_is_told_so(journal: SqlJournal) -> None:
    report = verify_journal(journal)
    assert report.ok, report.flaws
    assert (report.runs, report.events) == (3, 17)
    with journal.reading() as connection:
        last = records.last_entry(connection)
    assert last is not None
    assert report.head == last.hash


def test_an_empty_journal_is_honest(tmp_path: Path) -> None:
    with SqlJournal(f"sqlite:///{tmp_path}/new.db") as journal:
        report = verify_journal(journal)
        assert (report.ok, report.runs, report.events) == (True, 0, 0)
        assert rebuild(journal).differences == ()


@pytest.mark.parametrize(
    ("statement", "subject", "said"),
    [
        ("UPDATE events SET body = replace(body, 'step-0', 'step-9') WHERE run = 'r1' AND seq = 2", "r1", "event 2 was changed"),
        ("UPDATE events SET at = '2026-11-23T03:00:09.000000Z' WHERE run = 'r1' AND seq = 3", "r1", "event 3 was changed"),
        ("DELETE FROM events WHERE run = 'r1' AND seq = 3", "r1", "event 3 is missing"),
        ("DELETE FROM events WHERE run = 'r1' AND seq = 1", "r1", "event 1 is missing"),
        ("DELETE FROM events WHERE run = 'r1' AND seq = 6", "r1", "its tail was cut or changed"),
        ("DELETE FROM events WHERE run = 'r3' AND seq = 4", "r3", "its events end at 3, but 4 were recorded"),
        ("DELETE FROM events WHERE run = 'r1'", "r1", "the ledger noted this run, but its events are gone"),
        ("DELETE FROM ledger WHERE n = 5", "r3", "the ledger does not know that it started"),
        ("DELETE FROM ledger WHERE n = 4", "r2", "the ledger does not know that it ended"),
        ("DELETE FROM ledger WHERE n = 2", "ledger", "entry 2 is missing"),
        ("UPDATE ledger SET at = 'never' WHERE n = 2", "ledger", "entry 2 was changed"),
        ("UPDATE ledger SET prev = hash WHERE n = 2", "ledger", "entry 2 does not follow the one before it"),
        ("UPDATE ledger SET head = 'x' WHERE n = 1", "r1", "its first event is not the one the ledger noted"),
        ("UPDATE runs SET outcome = 'failed' WHERE run = 'r1'", "r1", "outcome is failed, by the events passed"),
        ("UPDATE runs SET dirty = 1 WHERE run = 'r1'", "r1", "dirty is True, by the events False"),
        ("UPDATE runs SET state = 'bored' WHERE run = 'r1'", "r1", "the row of run r1 is damaged"),
        ("UPDATE runs SET asked = '[' WHERE run = 'r1'", "r1", "the row of run r1 is damaged"),
        ("UPDATE runs SET started_at = 'once' WHERE run = 'r1'", "r1", "the row of run r1 is damaged"),
        ("UPDATE events SET at = x'00' WHERE run = 'r1' AND seq = 2", "r1", "event 2 was changed"),
        ("UPDATE events SET ticks = 'late' WHERE run = 'r1' AND seq = 2", "r1", "event 2 was changed"),
        ("UPDATE ledger SET head = x'00' WHERE n = 2", "ledger", "entry 2 was changed"),
        ("UPDATE copies SET recorded_at = 'once'", "copies", "the row of a copy of ehr-db in qc is damaged"),
        ("DELETE FROM runs WHERE run = 'r1'", "r1", "its row is missing"),
        ("INSERT INTO runs SELECT 'r0', kind, name, subject, mode, \"trigger\", \"by\", started_at, finished_at, state, outcome, dirty, seq, head, owner_host, owner_pid, owner_started, owner_boot, owner_token, in_flight, asked FROM runs WHERE run = 'r1'", "r0", "no event and no entry in the ledger"),
        ("UPDATE copies SET owed = 0 WHERE owed", "copies", "owed is not what the events tell"),
        ("DELETE FROM copies WHERE owed", "copies", "its row is missing"),
        ("INSERT INTO copies VALUES ('x', 'qc', 'abc', '2026-11-23T03:00:00.000000Z', NULL, NULL, 0, '2026-11-23T03:00:00.000000Z', NULL, NULL)", "copies", "no event tells of it"),
        ("UPDATE slots SET why = 'as always' WHERE fate = 'late'", "r2", "its slots are not what the events tell"),
        ("UPDATE slots SET fate = 'fired' WHERE fate = 'late'", "r2", "its slots are not what the events tell"),
        ("UPDATE slots SET \"count\" = 1 WHERE fate = 'missed'", "r2", "its slots are not what the events tell"),
        ("UPDATE slots SET run = 'r1' WHERE fate = 'missed'", "r1", "its slots are not what the events tell"),
        ("UPDATE slots SET run = 'r9' WHERE fate = 'missed'", "r9", "slots that this run is to have recorded, but no event"),
        ("UPDATE slots SET fate = 'eaten'", "r2", "a row of the slots of backup:ehr-db is damaged"),
        ("DELETE FROM slots WHERE fate = 'missed'", "r2", "its slots are not what the events tell"),
        ("UPDATE jobs SET accounted_at = '2026-11-23T04:00:00.000000Z'", "jobs", "slots of check:ehr-db are accounted for up to 2026-11-23 04:00:00+00:00, by the events 2026-11-23 03:00:00+00:00"),
        ("DELETE FROM jobs", "jobs", "slots of check:ehr-db are accounted for up to None, by the events"),
        ("UPDATE jobs SET accounted_at = 'once'", "jobs", "is damaged"),
        ("UPDATE facts SET recorded_at = 'once'", "facts", "is damaged"),
        ("UPDATE facts SET word = 'unheard.of'", "facts", "is damaged"),
        ("DELETE FROM facts WHERE word = 'key.known'", "facts", "of ehr-db qc: it is not what the events tell"),
        ("UPDATE facts SET region = 'x' WHERE word = 'key.known'", "facts", "of ehr-db x: no event tells of it"),
    ],
)  # fmt: skip
def test_any_tampering_shows(journal: SqlJournal, statement: str, subject: str, said: str) -> None:
    tamper(journal, statement)
    assert any(s == subject and said in m for s, m in flaws(journal)), flaws(journal)
    chains = verify_journal(journal, what=Looking.CHAINS)
    if chains.ok:  # then the other half has the same to say
        assert verify_journal(journal, what=Looking.KEPT).flaws == verify_journal(journal).flaws
    else:
        assert set(chains.flaws) <= set(verify_journal(journal).flaws)


def test_other_processes_find_the_same(
    journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "_SHARE", 1)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as others:
        for statement in (
            "UPDATE runs SET dirty = 0",  # as they are
            "UPDATE copies SET owed = 0 WHERE owed",
            "UPDATE events SET body = '[' WHERE run = 'r2' AND seq = 6",
            "UPDATE runs SET outcome = 'failed' WHERE run = 'r1'",
        ):
            tamper(journal, statement)
            assert verify_journal(journal, others) == verify_journal(journal)
            found = verify_journal(journal, others, Looking.CHAINS)
            assert found == verify_journal(journal, None, Looking.CHAINS)
    assert found.flaws[0].subject == "r2"


def test_where_the_others_die_it_looks_by_itself(
    journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "_SHARE", 1)
    tamper(journal, "UPDATE runs SET outcome = 'failed' WHERE run = 'r1'")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=os._exit, initargs=(1,)) as dying:
        assert verify_journal(journal, dying) == verify_journal(journal)
        assert verify_journal(journal, dying) == verify_journal(journal)  # when they are known dead


def test_a_run_taken_out_everywhere_but_the_ledger_shows(journal: SqlJournal) -> None:
    tamper(journal, *(f"DELETE FROM {t} WHERE run = 'r1'" for t in ("events", "runs")))
    assert flaws(journal) == [("r1", "the ledger noted this run, but its events are gone")]


def test_a_run_taken_out_of_the_ledger_too_breaks_the_ledger(journal: SqlJournal) -> None:
    tamper(journal, *(f"DELETE FROM {t} WHERE run = 'r1'" for t in ("events", "runs", "ledger")))
    assert flaws(journal) == [("ledger", "entry 1 is missing")]


def test_the_head_changes_when_the_newest_run_is_taken_out_of_everything(
    journal: SqlJournal,
) -> None:
    before = verify_journal(journal).head
    tables = ("posted", "events", "runs", "ledger")
    tamper(journal, *(f"DELETE FROM {t} WHERE run = 'r3'" for t in tables))
    after = verify_journal(journal)
    assert after.ok
    assert after.head != before


def test_reading_stops_where_the_chain_breaks(journal: SqlJournal) -> None:
    tamper(journal, "UPDATE events SET ticks = ticks + 1 WHERE run = 'r1' AND seq = 4")
    read = journal.read("r1")
    assert [next(read).seq for _ in range(3)] == [1, 2, 3]
    with pytest.raises(JournalUntrusted, match="event 4 was changed"):
        next(read)


@pytest.mark.parametrize("run", ["r1", "r3"])
def test_reading_tells_of_a_cut_tail(journal: SqlJournal, run: str) -> None:
    tamper(journal, f"DELETE FROM events WHERE run = '{run}' AND seq > 3")
    with pytest.raises(JournalUntrusted, match="its last events are missing"):
        list(journal.read(run))


def test_rebuilding_an_honest_journal_changes_nothing(journal: SqlJournal) -> None:
    before = kept(journal)
    rebuilt = rebuild(journal)
    assert (rebuilt.runs, rebuilt.copies, rebuilt.differences) == (3, 2, ())
    assert kept(journal) == before


def test_whatever_happened_to_the_projections_they_are_rebuilt(journal: SqlJournal) -> None:
    before = kept(journal)
    chance = random.Random(20261123)
    damages = [
        "UPDATE runs SET state = 'paused', seq = 1, owner_pid = 0 WHERE run = 'r3'",
        "UPDATE runs SET asked = '{}', in_flight = 7",
        "DELETE FROM runs WHERE run = 'r1'",
        "UPDATE runs SET name = 'x', started_at = '2020-01-01T00:00:00.000000Z' WHERE run = 'r2'",
        "INSERT INTO runs SELECT 'r0', kind, name, subject, mode, \"trigger\", \"by\", started_at, finished_at, state, outcome, dirty, seq, head, owner_host, owner_pid, owner_started, owner_boot, owner_token, in_flight, asked FROM runs LIMIT 1",
        "UPDATE copies SET files = 99, owed = 1",
        "UPDATE copies SET recorded_at = 'once'",
        "UPDATE runs SET state = 'bored', asked = '['",
        "DELETE FROM copies",
        "DELETE FROM facts",
        "DELETE FROM slots WHERE fate = 'missed'",
        "UPDATE slots SET run = 'r1'",
        "UPDATE slots SET run = 'r9' WHERE fate = 'late'",
        "UPDATE slots SET fate = 'eaten', first_at = 'once' WHERE fate = 'late'",
        "DELETE FROM jobs WHERE job LIKE 'check%'",
        "UPDATE jobs SET accounted_at = 'once'",
        "UPDATE facts SET body = '{}'",
    ]  # fmt: skip
    for _ in range(20):
        tamper(journal, *chance.sample(damages, chance.randint(1, len(damages))))
        assert not verify_journal(journal).ok
        assert rebuild(journal).differences
        assert kept(journal) == before
        assert verify_journal(journal).ok


def test_a_rebuilt_run_goes_on(journal: SqlJournal) -> None:
    tamper(journal, "UPDATE runs SET state = 'running', asked = '{}', seq = 2 WHERE run = 'r3'")
    (difference,) = rebuild(journal).differences
    assert difference.startswith(
        "run r3: state is running, by the events waiting-for-person; seq is 2"
    )
    assert journal.find("r3").state is RunState.WAITING_FOR_PERSON
    with SqlJournal(f"sqlite:///{journal.database}") as again:
        assert again.append("r3", 4, stamped(begun("step-1"), second=30)).seq == 5


def test_a_damaged_row_is_said_where_it_is_needed(journal: SqlJournal) -> None:
    tamper(journal, "UPDATE runs SET state = 'bored'", "UPDATE copies SET recorded_at = 'once'")
    for look in (journal.rows, lambda: journal.copies("ehr-db"), lambda: journal.find("r1")):
        with pytest.raises(JournalUntrusted, match="is damaged") as caught:
            look()
        assert "rebuild" in caught.value.hint


def test_nothing_is_rebuilt_from_a_broken_chain(journal: SqlJournal) -> None:
    tamper(
        journal,
        "UPDATE events SET body = '{}' WHERE run = 'r2' AND seq = 2",
        "UPDATE runs SET dirty = 1",
    )
    before = kept(journal)
    with pytest.raises(JournalUntrusted, match="event 2 was changed"):
        rebuild(journal)
    assert kept(journal) == before


def kept(journal: SqlJournal) -> list[list[tuple[object, ...]]]:
    """The projections as they lie there."""
    connection = sqlite3.connect(str(journal.database))
    found = [
        sorted(connection.execute(f"SELECT * FROM {t}"), key=str)
        for t in ("runs", "copies", "facts", "slots", "jobs")
    ]
    connection.close()
    return found
