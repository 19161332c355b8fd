"""`sql.check` and `sql.execute` on real SQLite files."""

import sqlite3
import threading
from contextlib import closing

import pytest

from drorch.actions.sql import CHECK, EXECUTE
from drorch.core.names import Verdict
from drorch.ports import Cancellation

URL = "sqlite:///db/ehr.db"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def database(place):
    path = place.folder / "db" / "ehr.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE patients (id INTEGER PRIMARY KEY, name TEXT, scan BLOB)")
        connection.executemany(
            "INSERT INTO patients (name, scan) VALUES (?, ?)",
            [("Ana", b"\x01\xff"), ("Bob", None), ("s3cret-token", None)],
        )
        connection.commit()
    return path


def rows(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM patients").fetchone()[0]


@pytest.mark.parametrize(
    ("query", "expected", "value", "count"),
    [
        ("SELECT count(*) FROM patients", {"equals": 3}, 3, 1),
        ("SELECT count(*) FROM patients", {"equals": "3"}, 3, 1),
        ("SELECT name FROM patients ORDER BY id", {"equals": "Ana", "rows": 3}, "Ana", 3),
        ("SELECT scan FROM patients WHERE id = 1", {"equals": "01ff"}, "01ff", 1),
        ("SELECT 1.5", {"equals": 1.5}, 1.5, 1),
        ("SELECT 1 WHERE 0", {"rows": 0}, None, 0),
        ("SELECT name FROM patients", {"rows": {"min": 1, "max": 3}}, "Ana", 3),
    ],
)
def test_answers(place, database, query, expected, value, count):
    result = place.do(CHECK, database=URL, query=query, **expected)
    assert result.verdict is Verdict.PASS
    assert result.outputs == {"value": value, "rows": count}


@pytest.mark.parametrize(
    ("query", "expected", "said"),
    [
        ("SELECT count(*) FROM patients", {"equals": 4}, "gives 3, not 4"),
        ("SELECT 1 WHERE 0", {"equals": 4}, "gives no row, not 4"),
        ("SELECT 1", {"rows": 2}, "gives 1 rows, fewer than 2"),
        ("SELECT name FROM patients", {"rows": {"max": 2}}, "gives 3 rows, more than 2"),
    ],
)
def test_what_is_not_expected(place, database, query, expected, said):
    result = place.do(CHECK, database=URL, query=query, **expected)
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unexpected")
    assert said in result.message
    assert "rows" in result.outputs


@pytest.mark.parametrize(
    "query", ["DELETE FROM patients", "DROP TABLE patients", "SELEC 1", "SELECT 1; SELECT 2"]
)
def test_a_check_changes_nothing(place, database, query):
    result = place.do(CHECK, database=URL, query=query)
    assert (result.verdict, result.cause) == (Verdict.FAIL, "sql")
    assert rows(database) == 3


def test_execute_is_one_transaction(place, database):
    add = "INSERT INTO patients (name) VALUES ('Cid')"
    result = place.do(EXECUTE, database=URL, query=[add, add])
    assert (result.verdict, result.outputs) == (Verdict.PASS, {"value": None, "rows": 1})
    assert rows(database) == 5
    result = place.do(EXECUTE, database=URL, query=[add, "INSERT INTO nowhere VALUES (1)"])
    assert (result.verdict, result.cause) == (Verdict.FAIL, "sql")
    assert rows(database) == 5
    result = place.do(EXECUTE, database=URL, query="UPDATE patients SET name = 'x' WHERE id < 3")
    assert result.outputs["rows"] == 2


@pytest.mark.parametrize("action", [CHECK, EXECUTE])
def test_a_database_is_never_made(place, action):
    result = place.do(action, database="sqlite:///none.db", query="SELECT 1")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unreachable")
    assert not (place.folder / "none.db").exists()


def test_a_file_that_is_no_database(place):
    (place.folder / "text.db").write_text("not a database at all, but long enough to be looked at")
    result = place.do(CHECK, database="sqlite:///text.db", query="SELECT * FROM sqlite_master")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "unreachable")


def test_absolute_paths_and_odd_names(place, database):
    odd = place.folder / "a?b#c%20.db"
    database.rename(odd)
    result = place.do(CHECK, database=f"sqlite:///{odd}", query="SELECT 1")
    assert result.verdict is Verdict.PASS


def test_a_query_that_never_ends_is_interrupted(place, database):
    before = threading.active_count()
    result = place.do(CHECK, database=URL, query=ENDLESS, timeout="200ms")
    assert (result.verdict, result.cause) == (Verdict.FAIL, "timeout")
    for thread in threading.enumerate():
        if thread.name == "in-time":
            thread.join(30)
    assert threading.active_count() <= before


def test_cancelled(place, database):
    cancel = Cancellation()
    timer = threading.Timer(0.1, cancel.cancel, ["abort"])
    timer.start()
    result = place.do(EXECUTE, database=URL, query=ENDLESS, cancel=cancel)
    timer.join()
    assert (result.verdict, result.cause) == (Verdict.ERROR, "cancelled")


def test_secrets_in_answers_are_redacted(place, database):
    place.tools.secrets.get("token")
    result = place.do(CHECK, database=URL, query="SELECT name FROM patients WHERE id = 3")
    assert result.outputs["value"] == "***"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"database": "mysql://x/y", "query": "SELECT 1"}, "is of no known kind"),
        ({"database": "postgresql://u:p@x/y", "query": "SELECT 1"}, "holds a password"),
        ({"database": URL}, "query is missing"),
        ({"database": URL, "query": "SELECT 1", "rows": {"least": 1}}, "knows no 'least'"),
        ({"database": "postgresql://x/y", "query": "q", "password": "p"}, "should be a mapping"),
    ],
)
def test_wrong_arguments(place, arguments, said):
    result = place.do(CHECK, **arguments)
    assert (result.verdict, result.cause) == (Verdict.FAIL, "argument")
    assert said in result.message
