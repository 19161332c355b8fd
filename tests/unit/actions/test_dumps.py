"""How a dump is loaded by hand follows from how it was written."""

import pytest

from drorch.actions.dumps import loading
from drorch.core.model import Dump

FILE = "restored/ehr-db/ehr.dump"
POSTGRES = ["runuser -u postgres -- createdb ehr-db"]


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("pg_dump --format=custom ehr", "pg_restore --no-owner"),
        ("/usr/bin/pg_dump -Fc ehr", "pg_restore --no-owner"),
        ("pg_dump -F t ehr", "pg_restore --no-owner"),
        ("pg_dump ehr", f"psql -X -v ON_ERROR_STOP=1 -d ehr-db < {FILE}"),
        ("pg_dump --format plain ehr", f"psql -X -v ON_ERROR_STOP=1 -d ehr-db < {FILE}"),
    ],
)
def test_postgres(command, line):
    found = loading(Dump(tuple(command.split()), "ehr.dump"), FILE, "ehr-db")
    assert list(found[:1]) == POSTGRES
    assert line in " ".join(one.strip(" \\") for one in found[1:])


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ("pg_dumpall", [f"runuser -u postgres -- psql -X -d postgres < {FILE}"]),
        (
            "mariadb-dump ehr",
            ["mariadb -e 'CREATE DATABASE `ehr-db`'", f"mariadb ehr-db < {FILE}"],
        ),
        ("mysqldump --all-databases", [f"mysql < {FILE}"]),
        ("sqlite3 ehr.db .dump", [f"sqlite3 ehr-db.db < {FILE}"]),
        ("./our-own-dump", []),
    ],
)
def test_others(command, lines):
    assert list(loading(Dump(tuple(command.split()), "ehr.dump"), FILE, "ehr-db")) == lines
