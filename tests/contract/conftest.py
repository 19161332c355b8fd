"""Every kind of journal: in memory, on SQLite, and on PostgreSQL.

SQLite goes by the standard library; by SQLAlchemy only where its URL holds more than a file.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.journal import MemoryJournal
from tests.fakes.postgres import postgres_url


@pytest.fixture(params=["memory", "sqlite", "sqlite-by-sqlalchemy", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    from drorch.journal.store import SqlJournal

    if request.param == "memory":
        yield MemoryJournal()
        return
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/drorch.db"
    elif request.param == "sqlite-by-sqlalchemy":
        url = f"sqlite:///{tmp_path}/drorch.db?cached_statements=50"
    else:
        url = request.getfixturevalue("postgres_database")
    with SqlJournal(url, patience=timedelta(seconds=20)) as opened:
        yield opened


postgres_database = pytest.fixture(postgres_url)
