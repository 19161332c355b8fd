"""The statements' texts are what Core says, and the usual journal opens without SQLAlchemy."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from drorch.core.errors import JournalUntrusted
from drorch.journal import schema, statements
from drorch.journal.connection import Statement
from drorch.journal.direct import SqliteFile
from drorch.journal.opening import open_state
from drorch.journal.rendering import TARGET, module
from drorch.journal.store import PATIENCE, SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import stamped, started, whole_run


def test_the_texts_are_rendered_from_core() -> None:
    assert TARGET.read_text() == module(), "run `python -m drorch.journal.rendering`"
    assert statements.REVISION == schema.REVISION


def test_every_statement_is_used() -> None:
    sources = "".join(
        (TARGET.parent / name).read_text() for name in ("records.py", "noted.py", "counted.py", "scheduled.py", "direct.py", "whole.py", "stocks.py", "points.py", "span.py", "ledger.py", "increments.py")
    )  # fmt: skip
    names = [n for n, s in vars(statements).items() if isinstance(s, Statement)]
    assert len(names) > 30
    assert [n for n in names if f"statements.{n}" not in sources] == []


@pytest.mark.parametrize(
    "path",
    ["x.db", "/abs/x.db", "var/a b.db", "#1.db", "a@b:c/x.db", "é.db", "file:x.db"],
)
@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
def test_a_file_s_url_means_what_it_means_to_sqlalchemy(
    tmp_path: Path, scheme: str, path: str
) -> None:
    url = f"{scheme}:///{tmp_path}/{path}" if path[0] == "/" else f"{scheme}:///{path}"
    target = tmp_path / (make_url(url).database or "")
    target.parent.mkdir(parents=True, exist_ok=True)
    database = open_state(url, tmp_path, PATIENCE, create=True)
    database.close()
    assert isinstance(database, SqliteFile)
    assert database.name == str(target)
    assert target.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("odd", ["x.db?cached_statements=50", "x%2Edb"])
def test_what_else_a_url_may_say_is_sqlalchemy_s_to_read(tmp_path: Path, odd: str) -> None:
    with SqlJournal(f"sqlite:///{tmp_path}/{odd}") as journal:
        assert journal.database == make_url(f"sqlite:///{tmp_path}/{odd}").database
        journal.begin("r1", whole_run(), lambda _: None)
        assert [r.seq for r in journal.read("r1")] == [1, 2, 3, 4, 5, 6]
        assert verify_journal(journal).ok


USES = """
import sys
from pathlib import Path
from drorch.core.events import AbortRequested
from drorch.journal.rebuild import rebuild
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import begun, copy, ended, finished, stamped, started
from drorch.core.posture import CopyFactKind
with SqlJournal("sqlite:///drorch.db", folder=Path(sys.argv[1])) as journal:
    seq = journal.begin("r2", stamped(started("two")), lambda _: None).seq
    seq = journal.append("r2", seq, stamped(begun(), ended(copies=[copy(CopyFactKind.HELD, "a")]))).seq
    journal.post("r2", AbortRequested("a", "b"))
    ((number, _),) = journal.take_posted("r2", 0)
    journal.append("r2", seq, stamped(finished()), number)
    assert [row.run for row in journal.rows()] == ["r2", "r1"]
    assert journal.rows(name="two", limit=1) and journal.rows(unfinished=True, name="x") == []
    assert journal.find("r2").seq == len(list(journal.read("r2"))) == 4
    assert len(journal.copies("ehr-db")) == 1 and journal.recorded("r1")
    assert verify_journal(journal).ok and not rebuild(journal).differences
    assert (journal.slots(), journal.accounted()) == ([], {})
print(*sorted(m for m in sys.modules if m.split(".")[0] in ("sqlalchemy", "alembic", "psycopg")))
"""


def test_whatever_is_done_with_a_journal_that_is_there_needs_no_sqlalchemy(tmp_path: Path) -> None:
    with SqlJournal("sqlite:///drorch.db", folder=tmp_path) as journal:
        journal.begin("r1", stamped(started(), second=-1), lambda _: None)
    done = subprocess.run(
        [sys.executable, "-c", USES, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("\n", "")


def test_connections_are_used_again_and_all_closed(tmp_path: Path) -> None:
    with SqlJournal("sqlite:///drorch.db", folder=tmp_path) as journal:
        journal.begin("r1", stamped(started()), lambda _: None)
        with journal.reading() as one, journal.reading() as other:
            assert one is not other
            for connection in (one, other):
                assert len(list(connection.execute(statements.RUNS_WITH_EVENTS))) == 1
            assert (tmp_path / "drorch.db-wal").exists()
    # SQLite takes its log away with the last connection.
    assert [f.name for f in tmp_path.iterdir()] == ["drorch.db"]


def test_a_reader_outlives_the_journal_s_closing(tmp_path: Path) -> None:
    journal = SqlJournal("sqlite:///drorch.db", folder=tmp_path)
    with journal.reading() as connection:
        journal.close()
        assert list(connection.execute(statements.RUNS_WITH_EVENTS)) == []
    assert [f.name for f in tmp_path.iterdir()] == ["drorch.db"]


def test_a_table_with_another_form_is_left_to_sqlalchemy_to_judge(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "drorch.db") as connection:
        connection.execute("CREATE TABLE alembic_version (something TEXT)")
    connection.close()
    with pytest.raises(JournalUntrusted, match="no such column"):
        SqlJournal("sqlite:///drorch.db", folder=tmp_path)
