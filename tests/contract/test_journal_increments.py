"""What was recorded since is the same on every database, and a journal is made again from it."""

import pytest

from drorch.core.errors import JournalUntrusted
from drorch.core.events import RunFinished, SkipRequested
from drorch.core.names import Outcome
from drorch.core.plane import BEGINNING
from drorch.journal.increments import (
    copy_into,
    hash_at,
    increment,
    last_number,
    leave_requests,
    ledger_head,
    lineage,
    recorded_after,
    replay,
)
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import begun, ended, stamped, started
from tests.fakes.postgres import postgres_url

postgres_database = pytest.fixture(postgres_url)


@pytest.fixture(params=["sqlite", "sqlite-by-sqlalchemy", "postgresql"])
def journal(request, tmp_path):
    url = f"sqlite:///{tmp_path}/journal.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
    elif request.param == "sqlite-by-sqlalchemy":
        url = f"sqlite:///{tmp_path}/drorch.db?cached_statements=50"
    with SqlJournal(url) as journal:
        yield journal


@pytest.fixture
def other(tmp_path):
    with SqlJournal(f"sqlite:///{tmp_path}/other.db") as journal:
        yield journal


def a_run(journal, number, *, finished=True):
    told = [
        started("docs", f"subject-{number}"),
        begun(),
        *([ended(), RunFinished(Outcome.PASSED)] if finished else []),
    ]
    journal.begin(f"run-{number}", stamped(*told), lambda _: None)


def events_of(found):
    return [(n, row.hash) for n, row in found.events]


def test_nothing_was_recorded_yet(journal):
    assert lineage(journal) == ""
    assert last_number(journal) == 0
    found = increment(journal, BEGINNING, 10)
    assert (found.events, found.until, found.ledger) == ((), BEGINNING, "")
    assert recorded_after(journal, BEGINNING) is None


def test_what_comes_after_a_point_comes_in_order_and_once(journal):
    for number in range(3):
        a_run(journal, number)
    whole = increment(journal, BEGINNING, 100)
    assert len(whole.events) == 12
    assert whole.ledger == ledger_head(journal)
    first = increment(journal, BEGINNING, 4)
    assert (len(first.events), first.ledger) == (4, "")
    rest = increment(journal, first.until, 100)
    assert events_of(first) + events_of(rest) == events_of(whole)
    assert hash_at(journal, first.until.n) == first.until.hash
    assert increment(journal, rest.until, 100).events == ()
    assert recorded_after(journal, first.until) is not None


def test_a_journal_made_again_is_the_same(journal, other):
    for number in range(3):
        a_run(journal, number, finished=number != 1)
    found = increment(journal, BEGINNING, 100)
    replay(other, found.events[:5])
    replay(other, found.events)  # what is there already is passed over
    assert verify_journal(other) == verify_journal(journal)
    assert verify_journal(other).ok
    assert lineage(other) == lineage(journal)
    assert [r.run for r in other.rows(unfinished=True)] == ["run-1"]
    other.append("run-1", 2, stamped(ended()))
    assert verify_journal(other).ok


def test_what_does_not_follow_is_refused(journal, other):
    a_run(journal, 0)
    found = increment(journal, BEGINNING, 100)
    with pytest.raises(JournalUntrusted, match="without the events before it"):
        replay(other, found.events[1:])


def test_requests_that_nobody_took_come_along(journal, other):
    a_run(journal, 0, finished=False)
    journal.post("run-0", SkipRequested("step", "ann", "no use"))
    found = increment(journal, BEGINNING, 100)
    replay(other, found.events)
    leave_requests(other, found.posted)
    leave_requests(other, (*found.posted, ("nobody", "run.paused", "{}")))
    ((_, request),) = other.take_posted("run-0", 0)
    assert request == SkipRequested("step", "ann", "no use")


def test_numbers_that_are_missing_are_asked_for_again(journal):
    for number in range(2):
        a_run(journal, number)
    found = increment(journal, BEGINNING, 100, late=(2, 77))
    assert [n for n, _ in found.events][:1] == [2]
    assert found.late == (77,)


def test_a_whole_copy_is_a_sqlite_file(journal, tmp_path):
    for number in range(3):
        a_run(journal, number)
    copied = copy_into(journal, tmp_path / "copy.db")
    assert copied.late == ()
    assert copied.until == increment(journal, BEGINNING, 100).until
    assert not list(tmp_path.glob("copy.db-*"))
    with SqlJournal(f"sqlite:///{tmp_path}/copy.db", create=False) as copy:
        assert verify_journal(copy) == verify_journal(journal)
