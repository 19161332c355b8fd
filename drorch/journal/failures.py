"""What goes wrong below the journal, in words: one sentence and what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager

from drorch.core.errors import JournalFailing

#: By the beginning of SQLite's error names (https://sqlite.org/rescode.html).
_SQLITE = {
    "SQLITE_FULL": ("the disk of the state file is full", "make room, then resume the run"),
    "SQLITE_BUSY": (
        "another process holds the state file for too long",
        "find it (`fuser` names it), let it end, then try again",
    ),
    "SQLITE_READONLY": ("the state file may not be written", "let this user write the file and its folder"),
    "SQLITE_PERM": ("the state file may not be written", "let this user write the file and its folder"),
    "SQLITE_CANTOPEN": (
        "the state file cannot be opened",
        "check that the file and its folder exist and that this user may write both",
    ),
    "SQLITE_CORRUPT": (
        "the state file is damaged",
        "keep it as it is, and bring the records back from a region's copy",
    ),
    "SQLITE_NOTADB": (
        "the state file is not a database",
        "mend `state` in the configuration, or bring the records back from a region's copy",
    ),
    # Its helper file could not grow; asked first, as the names are told apart by their beginnings.
    "SQLITE_IOERR_SHMSIZE": ("the disk of the state file is full", "make room, then resume the run"),
    "SQLITE_IOERR": ("the disk of the state file fails", "check the disk and the system's log"),
}  # fmt: skip


@contextmanager
def told(place: str, errors: type[Exception]) -> Iterator[None]:
    """Turn a driver's errors into JournalFailing with a hint; `place` holds nothing secret."""
    try:
        yield
    except errors as error:
        # SQLAlchemy keeps the driver's error in its own.
        message, hint = _words(getattr(error, "orig", None) or error)
        raise JournalFailing(f"{message}: {place}", hint) from None


def _words(cause: BaseException) -> tuple[str, str]:
    name = str(getattr(cause, "sqlite_errorname", ""))
    for beginning, words in _SQLITE.items():
        if name.startswith(beginning):
            return words
    first = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    return f"the state cannot be used ({first})", "check the database, then try again"
