"""What goes wrong below the journal, in words: one sentence and what to do next."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drorch.core.errors import JournalFailing

#: By the beginning of SQLite's error names (https://sqlite.org/rescode.html).
_SQLITE = {
    "SQLITE_FULL": ("the disk of the state file is full", "make room, then try again"),
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
    "SQLITE_IOERR_SHMSIZE": ("the disk of the state file is full", "make room, then try again"),
    "SQLITE_IOERR": ("the disk of the state file fails", "check the disk and the system's log"),
}  # fmt: skip

#: What a read-only file system is the cause of, where there is one.
_OF_THE_PLACE = ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN", "SQLITE_IOERR")

_READ_ONLY = (
    "the disk of the state file is read-only",
    "the system's log says why (`dmesg`); mount it so that it can be written, then try again",
)


@contextmanager
def told(place: str, errors: type[Exception]) -> Iterator[None]:
    """Turn a driver's errors into JournalFailing with a hint; `place` holds nothing secret."""
    try:
        yield
    except errors as error:
        raise failing(place, error) from None


def failing(place: str, error: BaseException) -> JournalFailing:
    """A driver's error in words."""
    # SQLAlchemy keeps the driver's error in its own.
    message, hint = _words(getattr(error, "orig", None) or error, place)
    return JournalFailing(f"{message}: {place}", hint)


@contextmanager
def hinting(say: Callable[[str], str]) -> Iterator[None]:
    """Say more in the hint of a JournalFailing: what it means for what was to be recorded."""
    try:
        yield
    except JournalFailing as error:
        raise JournalFailing(error.message, say(error.hint)) from None


def _words(cause: BaseException, place: str) -> tuple[str, str]:
    name = str(getattr(cause, "sqlite_errorname", ""))
    if name.startswith(_OF_THE_PLACE) and _is_read_only(place):
        return _READ_ONLY
    for beginning, words in _SQLITE.items():
        if name.startswith(beginning):
            return words
    first = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    return f"the state cannot be used ({first})", "check the database, then try again"


def _is_read_only(file: str) -> bool:
    try:
        return bool(os.statvfs(file).f_flag & os.ST_RDONLY)
    except OSError:
        return False
