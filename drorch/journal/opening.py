"""Opening the state: the file or server behind a URL, and whether its schema is this code's.

A SQLite file that holds a journal of this revision, the usual case, needs no SQLAlchemy.
"""

import os
import re
from datetime import timedelta
from pathlib import Path

from drorch.core.errors import JournalUntrusted, NoJournal
from drorch.journal.connection import Database
from drorch.journal.direct import SqliteFile

#: A URL that names a file and nothing else; SQLAlchemy reads every other one, and refuses some.
_FILE = re.compile(r"sqlite(?:\+pysqlite)?:///(?!:memory:$)(?P<file>[^?%]+)")


def open_state(url: str, folder: Path, patience: timedelta, *, create: bool) -> Database:
    """The database behind a state URL, its schema at this code's revision.

    Paths in the URL are relative to `folder`. `patience` is how long to wait for other writers.
    Raises UsageError for a URL that is none, JournalUntrusted when the state cannot be used.
    """
    plain = _FILE.fullmatch(url)
    if plain is None:
        return _by_sqlalchemy(url, folder, patience, create=create)
    file = folder / plain["file"]
    _make_file(file, create=create)
    database = SqliteFile(file, patience)
    try:
        with database.told():
            fits = database.fits()
        if not fits:
            _by_sqlalchemy(url, folder, patience, create=create).close()
    except BaseException:
        database.close()
        raise
    return database


def _by_sqlalchemy(url: str, folder: Path, patience: timedelta, *, create: bool) -> Database:
    from drorch.journal.alchemy import SqlAlchemyDatabase, parsed

    target = parsed(url)
    if target.get_backend_name() == "sqlite":
        file = folder / (target.database or "")
        _make_file(file, create=create)
        target = target.set(database=str(file))
    database = SqlAlchemyDatabase(target, patience)
    database.fit_schema(create=create)
    return database


def _make_file(file: Path, *, create: bool) -> None:
    """Make the file, readable by its owner only; SQLite gives its helper files the same mode."""
    try:
        if create and not file.parent.exists() and file.parent.parent.is_dir():
            file.parent.mkdir(mode=0o700)
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        # Only a file we have made is opened and closed here: closing another descriptor of an
        # open database would drop the locks this process holds on it.
        if create and not file.exists():
            os.close(os.open(file, flags, 0o600))
    except FileExistsError:
        pass
    except FileNotFoundError:
        raise JournalUntrusted(
            f"the folder of the state file {file} does not exist",
            "make the folder, or mend `state` in the configuration",
        ) from None
    except OSError as error:
        raise JournalUntrusted(
            f"the state file {file} cannot be made: {error.strerror}",
            "let this user write there, or mend `state` in the configuration",
        ) from None
    if not file.exists():
        raise NoJournal(
            f"there is no state file {file}", "mend `state` in the configuration, or --config"
        )
