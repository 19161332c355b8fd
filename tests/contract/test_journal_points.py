"""How old copies were at any time is kept as the events tell it, on every database; also what an
older state did not keep.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from drorch.core.events import RunFinished
from drorch.core.names import Outcome
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.journal.connection import Statement
from drorch.journal.rebuild import rebuild
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import DAWN, begun, copy, ended, stamped, started
from tests.fakes.postgres import postgres_url

HOUR = timedelta(hours=1)
HELD, OWED, GONE = CopyFactKind.HELD, CopyFactKind.OWED, CopyFactKind.GONE


@pytest.fixture(params=["sqlite", "sqlite-by-sqlalchemy", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_database"))
    more = "?cached_statements=50" if request.param == "sqlite-by-sqlalchemy" else ""
    return f"sqlite:///{tmp_path}/drorch.db{more}"


@pytest.fixture
def journal(url: str) -> Iterator[SqlJournal]:
    with SqlJournal(url) as made:
        yield made


postgres_database = pytest.fixture(postgres_url)

numbers = iter(range(1_000_000))


def tell(journal: SqlJournal, hours: float, *copies: CopyFact) -> datetime:
    """A run that learns of copies, two seconds after so many hours."""
    run = f"run-{next(numbers)}"
    events = (started(run), begun(), ended(copies=copies), RunFinished(Outcome.PASSED))
    journal.begin(run, stamped(*events, second=hours * 3600), lambda _: None)
    return DAWN + timedelta(hours=hours, seconds=2)


def kept(journal: SqlJournal, region: str = "qc", hours: float = 1000) -> list[object]:
    span = journal.span(DAWN - HOUR, DAWN + hours * HOUR)
    return list(span.points(("ehr-db", region)))


def broken(journal: SqlJournal, *texts: str) -> None:
    with journal.writing() as connection:
        for text in texts:
            connection.execute(Statement(text, text))


def test_each_change_of_what_lies_there_is_a_row(journal: SqlJournal) -> None:
    first = tell(journal, 1, copy(HELD, "a", hours=1), copy(HELD, "a", region="tor", hours=1))
    second = tell(journal, 2, copy(HELD, "b", hours=2), copy(OWED, "b", region="tor", hours=2))
    third = tell(journal, 3, copy(GONE, "b", hours=2))
    fourth = tell(journal, 4, copy(GONE, "a", hours=1), copy(HELD, "c", hours=3))
    fifth = tell(journal, 5, copy(GONE, "c", hours=3))
    assert kept(journal) == [
        (first, DAWN + HOUR),
        (second, DAWN + 2 * HOUR),
        (third, DAWN + HOUR),
        (fourth, DAWN + 3 * HOUR),
        (fifth, None),
    ]
    assert kept(journal, "tor") == [(first, DAWN + HOUR), (second, DAWN + HOUR)]
    span = journal.span(third, fifth)
    assert span.points(("ehr-db", "qc")) == kept(journal)[1:4], "with the one that held already"
    places = dict(span.places())
    assert places == {("ehr-db", "qc"): first, ("ehr-db", "tor"): first}


def test_a_snapshot_from_a_clock_that_was_ahead_hides_no_age(journal: SqlJournal) -> None:
    ahead = tell(journal, 30, copy(HELD, "a", hours=30))
    back = tell(journal, 2, copy(HELD, "b", hours=2))
    assert kept(journal) == [(back, DAWN + 2 * HOUR), (ahead, DAWN + 30 * HOUR)]
    assert verify_journal(journal).ok


def filled(journal: SqlJournal, seed: int) -> None:
    """Anything at all, also at the same moment, and with the clock set back."""
    random = Random(seed)
    for _ in range(60):
        facts = [
            copy(
                random.choice(list(CopyFactKind)),
                random.choice("abcdef"),
                region=random.choice(["qc", "tor"]),
                hours=random.randrange(40),
            )
            for _ in range(random.randrange(1, 5))
        ]
        tell(journal, random.choice([random.randrange(40), 20]), *facts)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_verified_and_made_anew(journal: SqlJournal, seed: int) -> None:
    filled(journal, seed)
    told = [kept(journal), kept(journal, "tor")]
    assert len(told[0]) > 10
    assert verify_journal(journal).ok
    for change in (
        "UPDATE points SET newest_at = NULL",
        "DELETE FROM points WHERE region = 'tor'",
        "UPDATE points SET at = 'long ago' WHERE at = (SELECT max(at) FROM points)",
        "UPDATE points SET region = 'mtl' WHERE region = 'tor'",
    ):
        broken(journal, change)
        assert {flaw.subject for flaw in verify_journal(journal).flaws} == {"ages"}
        assert rebuild(journal).differences
        assert [kept(journal), kept(journal, "tor")] == told
        assert verify_journal(journal).ok


def test_an_older_state_is_filled_when_it_is_brought_up(url: str) -> None:
    with SqlJournal(url) as journal:
        filled(journal, 7)
        told = [kept(journal), kept(journal, "tor")]
        broken(
            journal,
            "DROP TABLE points",
            "DROP INDEX ix_runs_kind_started_at",
            "UPDATE alembic_version SET version_num = '0004'",
        )
    with SqlJournal(url) as journal:
        assert [kept(journal), kept(journal, "tor")] == told
        assert verify_journal(journal).ok
