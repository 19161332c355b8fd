"""What is read of all datasets at once is what reading each alone gives, on every database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drorch.core.alarms import RunEnded
from drorch.core.errors import JournalUntrusted
from drorch.core.events import RunFinished
from drorch.core.facts import Forgotten, Known, Locked, Proven
from drorch.core.names import Outcome, RunKind
from drorch.core.posture import CopyFactKind, Stock
from drorch.journal.connection import Statement
from drorch.journal.migrations.versions.r0004_stocks import _FILL
from drorch.journal.rebuild import rebuild
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import DAWN, begun, copy, ended, stamped, started
from tests.fakes.postgres import postgres_url

HELD, OWED = CopyFactKind.HELD, CopyFactKind.OWED


@pytest.fixture(params=["sqlite", "sqlite-by-sqlalchemy", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlJournal]:
    url = f"sqlite:///{tmp_path}/drorch.db"
    if request.param == "sqlite-by-sqlalchemy":
        url += "?cached_statements=50"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
    with SqlJournal(url) as made:
        yield made


postgres_database = pytest.fixture(postgres_url)


def tell(journal: SqlJournal, *, copies: Any = (), facts: Any = (), second: float = 0) -> None:
    run = f"run-{second:09.3f}"
    events = (started(run), begun(), ended(copies=copies, facts=facts))
    journal.begin(run, stamped(*events, RunFinished(Outcome.PASSED), second=second), refuse_none)


def refuse_none(row: object) -> None:
    pass


def at(second: float) -> Any:
    return DAWN + timedelta(seconds=second)


def test_stocks_are_what_the_copies_add_up_to(journal: SqlJournal) -> None:
    assert journal.whole.stocks() == []
    tell(journal, copies=[copy(HELD, "a", hours=1), copy(HELD, "b", hours=2)])
    tell(journal, copies=[copy(CopyFactKind.VERIFIED, "a", hours=1)], second=10)
    tell(journal, copies=[copy(CopyFactKind.RESTORE_TESTED, "b", hours=2)], second=20)
    tell(journal, copies=[copy(OWED, "c", hours=3)], second=30)
    tell(journal, copies=[copy(OWED, "d", region="tor", hours=4)], second=40)
    held, owed = journal.whole.stocks()
    known = {c.snapshot: c for c in journal.copies("ehr-db")}
    newest = next(c for s, c in known.items() if c.region == "qc" and not c.owed)
    assert held == Stock(
        "ehr-db",
        "qc",
        newest.snapshot,
        at(7200),
        at(3600),
        verified_at=at(12),
        restore_tested_at=at(22),
        owed_at=at(3 * 3600),
        owed_since=at(32),
    )
    assert owed == Stock("ehr-db", "tor", owed_at=at(4 * 3600), owed_since=at(42))


def test_stocks_of_some_datasets_are_those_of_all(journal: SqlJournal) -> None:
    for number, name in enumerate(("a", "b", "c")):
        held = replace(copy(HELD, name), dataset=name)
        tell(journal, copies=[held], second=10 * number)
    told = journal.whole.stocks()
    assert journal.whole.stocks(of=["c", "a", "of none"]) == [told[0], told[2]]
    assert journal.whole.stocks(of=[f"d{n}" for n in range(501)]) == told
    assert journal.whole.stocks(of=()) == []


def broken(journal: SqlJournal, text: str) -> None:
    """Somebody changes a table by hand."""
    with journal.writing() as connection:
        connection.execute(Statement(text, text))


def test_what_regions_hold_in_short_is_verified_and_made_anew(journal: SqlJournal) -> None:
    tell(journal, copies=[copy(HELD, "a", files=7), copy(OWED, "b", region="tor")])
    told = journal.whole.stocks()
    assert verify_journal(journal).ok
    for change in ("newest_at = 'long ago'", "files = 8", "owed_at = NULL, region = region || 'x'"):
        broken(journal, f"UPDATE stocks SET {change}")
        assert [flaw.subject for flaw in verify_journal(journal).flaws][:1] == ["copies"]
        assert len(rebuild(journal).differences) >= 1
        assert journal.whole.stocks() == told
        assert verify_journal(journal).ok
    broken(journal, "UPDATE stocks SET newest_at = 'long ago' WHERE region = 'qc'")
    with pytest.raises(JournalUntrusted, match="copies of ehr-db in qc is damaged"):
        journal.whole.stocks()


def test_an_older_state_is_counted_when_it_is_brought_up(journal: SqlJournal) -> None:
    tell(journal, copies=[copy(HELD, "a", files=7), copy(HELD, "b", hours=1)])
    tell(journal, copies=[copy(CopyFactKind.VERIFIED, "a"), copy(OWED, "c", hours=2)], second=9)
    tell(journal, copies=[copy(OWED, "b", region="tor")], second=20)
    told = journal.whole.stocks()
    broken(journal, "DELETE FROM stocks")
    broken(journal, _FILL)
    assert journal.whole.stocks() == told


def test_a_region_that_holds_nothing_any_more_is_there_no_more(journal: SqlJournal) -> None:
    tell(journal, copies=[copy(HELD, "a")])
    tell(journal, copies=[copy(CopyFactKind.GONE, "a")], second=9)
    assert journal.whole.stocks() == []


def test_facts_of_all_datasets(journal: SqlJournal) -> None:
    facts = [Locked(d, r, 1, DAWN) for d in ("a", "b") for r in ("mtl", "qc")]
    tell(journal, facts=[*facts, Proven("b", "qc", "index", 1, 2)])
    assert {d: [k.fact for k in known] for d, known in journal.whole.facts(Locked).items()} == {
        "a": facts[:2],
        "b": facts[2:],
    }
    assert journal.whole.datasets_with(Proven) == {"b"}
    assert journal.whole.facts(Forgotten) == {}


def test_proofs_are_what_was_recorded(journal: SqlJournal) -> None:
    whole = Proven("b", "qc", "data/4f", 12, 2**40, ("data/4f/4f00",), since=DAWN)
    begun = Proven("b", "mtl", "index", 1, 2, through="e" * 64, began=DAWN)
    tell(journal, facts=[whole, begun])
    assert journal.whole.proven("b") == journal.facts(Proven, "b") != []
    broken(journal, "UPDATE facts SET body = '{}' WHERE region = 'qc'")
    with pytest.raises(JournalUntrusted, match="data/4f of b qc is damaged"):
        journal.whole.proven("b")


def test_forgotten_snapshots_that_are_still_held(journal: SqlJournal) -> None:
    held = copy(HELD, "a")
    tell(journal, copies=[held, copy(HELD, "b")])
    assert journal.whole.forgotten_held() == []
    tell(journal, facts=[Forgotten("ehr-db", held.snapshot, "by policy")], second=9)
    assert journal.whole.forgotten_held() == [("ehr-db", "qc", at(11))]


def test_how_runs_ended(journal: SqlJournal) -> None:
    bad = RunEnded("backup", "ehr-db", "r", good=False, outcome="failed", why='said "good":true')
    good = RunEnded("check", "ehr-db", "r", good=True, outcome="passed", why='"good":false')
    tell(journal, facts=[bad, good])
    assert journal.whole.ended_badly() == [Known(bad, at(2))]
    assert journal.whole.last_good(RunKind.CHECK) == {"ehr-db": at(2)}
    tell(journal, facts=[replace(bad, good=True)], second=60)
    assert journal.whole.ended_badly() == []
    assert journal.whole.last_good(RunKind.BACKUP) == {"ehr-db": at(62)}


def test_how_long_runs_took(journal: SqlJournal) -> None:
    assert journal.whole.beginning() is None
    for number in range(4):
        events = stamped(started("ehr-db", f"s-{number}"), second=number * 100)
        events += stamped(RunFinished(Outcome.PASSED), second=number * 100 + 10 + number)
        journal.begin(f"run-{number}", events, refuse_none)
    took = journal.whole.took(RunKind.DRILL, ["ehr-db", "other"], 3)
    assert took == {"ehr-db": [timedelta(seconds=s) for s in (13, 12, 11)], "other": []}
    assert journal.whole.took(RunKind.BACKUP, ["ehr-db"], 3) == {"ehr-db": []}
    assert journal.whole.beginning() == DAWN
