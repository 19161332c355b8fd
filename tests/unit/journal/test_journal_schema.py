"""The schema: migrations and code agree, revisions are checked, Alembic stays out of the way."""

import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

from drorch.core.errors import ExitCode, JournalUntrusted, UsageError
from drorch.core.events import SlotTaken
from drorch.core.facts import Forgotten
from drorch.journal import schema
from drorch.journal.migrating import knows, upgrade
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from tests.fakes.facts import DAWN, stamped, started, whole_run
from tests.fakes.postgres import postgres_url


def migrated(url: str) -> Engine:
    """An empty database brought up by migrations alone."""
    engine = create_engine(url)
    with engine.begin() as connection:
        upgrade(connection)
    return engine


def statements(file: Path) -> set[str]:
    """What SQLite says its tables and indexes were made by, spaces aside."""
    with sqlite3.connect(file) as connection:
        found = {" ".join(sql.split()) for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}  # fmt: skip
    connection.close()
    return found


def columns(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's columns as SQLite sees them: name, type, not null, default, key."""
    with sqlite3.connect(file) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]  # fmt: skip
        found = {
            t: sorted(c[1:] for c in connection.execute(f"PRAGMA table_info({t})")) for t in tables
        }
        for table in tables:
            found[table] += sorted(i[1:] for i in connection.execute(f"PRAGMA index_list({table})"))
    connection.close()
    return found


def test_migrations_and_code_make_the_same_tables(tmp_path: Path) -> None:
    migrated(f"sqlite:///{tmp_path}/migrated.db").dispose()
    SqlJournal(f"sqlite:///{tmp_path}/made.db").close()
    assert columns(tmp_path / "made.db") == columns(tmp_path / "migrated.db")
    made, old = statements(tmp_path / "made.db"), statements(tmp_path / "migrated.db")
    indexes = {s for s in made if s.startswith("CREATE INDEX")}
    assert indexes == {s for s in old if s.startswith("CREATE INDEX")}
    autoincrement = [s for s in made if "AUTOINCREMENT" in s]
    assert len(autoincrement) == len([s for s in old if "AUTOINCREMENT" in s]) == 2


def test_migrations_and_code_make_the_same_tables_on_postgresql() -> None:
    engine = migrated(postgres_url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_the_newest_migration_is_the_code_s_revision(tmp_path: Path) -> None:
    engine = migrated(f"sqlite:///{tmp_path}/migrated.db")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    engine.dispose()
    assert found == schema.REVISION
    assert knows(schema.REVISION)
    assert not knows("9999")


def test_a_migrated_database_is_used_as_it_is(tmp_path: Path) -> None:
    migrated(f"sqlite:///{tmp_path}/x.db").dispose()
    with SqlJournal(f"sqlite:///{tmp_path}/x.db") as journal:
        journal.begin("r1", whole_run(), lambda _: None)
        assert journal.find("r1").seq == 6


@pytest.mark.parametrize(
    ("revision", "younger"),
    [
        ("0001", ["facts", "slots", "jobs", "stocks", "points"]),
        ("0002", ["slots", "jobs", "stocks", "points"]),
        ("0003", ["stocks", "points"]),
        ("0004", ["points"]),
    ],
)
def test_a_state_of_an_older_revision_is_brought_up_and_keeps_what_it_holds(
    tmp_path: Path, revision: str, younger: list[str]
) -> None:
    file = tmp_path / "x.db"
    with SqlJournal(f"sqlite:///{file}") as journal:
        journal.begin("r1", whole_run(), lambda _: None)
        held = journal.whole.stocks()
    with sqlite3.connect(file) as connection:
        for table in younger:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX ix_runs_kind_started_at")
        connection.execute(f"UPDATE alembic_version SET version_num = '{revision}'")
    connection.close()
    with SqlJournal(f"sqlite:///{file}") as journal:
        assert journal.find("r1").seq == 6
        assert journal.facts(Forgotten, "ehr-db") == []
        assert journal.whole.stocks() == held
        assert (journal.slots(), journal.accounted()) == ([], {})
        journal.begin("r2", stamped(started("two"), SlotTaken("backup:a", DAWN)), lambda _: None)
        assert journal.accounted() == {"backup:a": DAWN}
        assert verify_journal(journal).ok
    assert set(columns(file)) >= {"facts", "events", *younger}


def test_a_newer_revision_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    SqlJournal(f"sqlite:///{file}").close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for create in (True, False):
        with pytest.raises(JournalUntrusted, match="of revision 9999") as caught:
            SqlJournal(f"sqlite:///{file}", create=create)
        assert caught.value.exit_code == ExitCode.JOURNAL_UNTRUSTED
        assert "newer" in caught.value.hint


def test_somebody_else_s_database_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE patients (id INTEGER)")
    connection.close()
    with pytest.raises(JournalUntrusted, match="not drorch's"):
        SqlJournal(f"sqlite:///{file}")
    assert set(columns(file)) == {"patients"}


def test_the_state_is_its_owner_s_alone(tmp_path: Path) -> None:
    with SqlJournal("sqlite:///var/drorch.db", folder=tmp_path) as journal:
        journal.begin("r1", whole_run(), lambda _: None)
        files = list((tmp_path / "var").iterdir())
        assert {f.name for f in files} >= {"drorch.db", "drorch.db-wal"}
        assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "url", ["", "drorch.db", "sqlite://", "sqlite:///:memory:", "mysql://localhost/x", "nosuch://x"]
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="state"):
        SqlJournal(url)


def test_what_is_only_looked_at_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(JournalUntrusted, match="there is no state file"):
        SqlJournal(f"sqlite:///{tmp_path}/x.db", create=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(JournalUntrusted, match="holds no journal"):
        SqlJournal(f"sqlite:///{tmp_path}/empty.db", create=False)


def test_an_unreachable_server_is_one_sentence_without_the_password() -> None:
    with pytest.raises(JournalUntrusted) as caught:
        SqlJournal("postgresql://drorch:hunter2@127.0.0.1:1/x", patience=timedelta(seconds=1))
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "\n" not in caught.value.message


def test_nothing_slow_is_imported_that_is_not_needed(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from drorch.journal.store import SqlJournal\n"
        f"SqlJournal('sqlite:///{tmp_path}/x.db').close()\n"
        "slow = ('alembic', 'sqlalchemy.orm', 'sqlalchemy.ext.asyncio', 'psycopg', 'mako')\n"
        "sys.exit(str([m for m in slow if m in sys.modules] or ''))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
