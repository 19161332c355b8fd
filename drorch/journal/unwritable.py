"""A SQLite file that cannot be opened as usual, its disk being full or read-only: read from a copy in memory.

In WAL mode even a reader needs helper files beside the file, and makes them where nobody has it open
(sqlite.org/wal.html, "Read-Only Databases"). Without them it can be read

- by a connection that has it alone ("Use of WAL Without Shared-Memory"), so only while nobody else has
  it open: that one sees what was committed to the WAL, and merges it as whoever closes a file last does;
- where it cannot even be locked so, as on a read-only file system, as one that nobody changes
  (`immutable`): right if there is no WAL before and after, and the file is still the same: whoever
  opens it meanwhile makes a WAL before he changes anything.

Either lasts as long as the copying, whatever is done with the copy.
"""

import sqlite3
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

#: By the beginning of SQLite's error names (https://sqlite.org/rescode.html).
_TAKES_NOTHING = ("SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_READONLY")  # fmt: skip

#: Inode, bytes and time of the last change of the file, its WAL and its rollback journal; None for
#: what is empty or not there.
_Seen: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Copy(NamedTuple):
    """What the file held when it was seen so, or what it held later."""

    seen: _Seen
    raw: sqlite3.Connection


class Copies:
    """Copies of one file, kept to be used again as long as it stays as it was. Thread-safe.

    Each takes as much memory as the file is long.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._idle: deque[Copy] = deque()

    def newest(self) -> Copy | None:
        """What is committed now, for one holder; None while somebody else has the file for himself.

        Raises sqlite3.OperationalError where it cannot be read.
        """
        seen = _seen(self._file)
        while self._idle:
            copy = self._idle.pop()
            if copy.seen == seen:
                return copy
            copy.raw.close()
        raw = _copied(self._file)
        return None if raw is None else Copy(seen, raw)

    def keep(self, copy: Copy) -> None:
        """Take one back."""
        self._idle.append(copy)

    def close(self) -> None:
        """Let go of those that nobody has."""
        while self._idle:
            self._idle.pop().raw.close()


def takes_nothing(error: sqlite3.Error) -> bool:
    """Whether the file may be whole, and only its place full or read-only."""
    return _name(error).startswith(_TAKES_NOTHING)


def _name(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", ""))


def _seen(file: Path) -> _Seen:
    return tuple(_state(Path(f"{file}{suffix}")) for suffix in ("", "-wal", "-journal"))


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else None


def _copied(file: Path) -> sqlite3.Connection | None:
    # By now somebody may have it open, and with it the helper files.
    for how, locking in (("mode=ro", "NORMAL"), ("mode=rw", "EXCLUSIVE")):
        try:
            with closing(_connected(file, how)) as source:
                source.execute(f"PRAGMA locking_mode = {locking}")
                return _in_memory(source)
        except sqlite3.OperationalError as error:
            if _name(error).startswith("SQLITE_BUSY"):
                return None
    return _unlocked(file)


def _unlocked(file: Path) -> sqlite3.Connection | None:
    before = _seen(file)
    if any(before[1:]):
        raise sqlite3.OperationalError("what it lacks lies beside it")
    with closing(_connected(file, "immutable=1")) as source:
        copy = _in_memory(source)
    if _seen(file) == before:
        return copy
    copy.close()
    return None


def _connected(file: Path, how: str) -> sqlite3.Connection:
    address = f"file:{quote(str(file.absolute()))}?{how}"
    return sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)


def _in_memory(source: sqlite3.Connection) -> sqlite3.Connection:
    # Says at once that somebody holds it: in a backup Python waits for him, for ever.
    source.execute("PRAGMA schema_version")
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        source.backup(copy)
        copy.execute("PRAGMA query_only = ON")
        copy.execute("PRAGMA temp_store = MEMORY")  # the disk of temporary files may be full, too
    except BaseException:
        copy.close()
        raise
    return copy
