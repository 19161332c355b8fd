"""One daemon for one state: a lock that dies with its holder, and a file that says how it is.

The lock (flock(2)) tells whether a daemon lives, whatever the file beside it says. Both lie in the
folder of the state; on a network file system that knows no locks nothing is kept apart, and what
the journal refuses (a slot is taken once) is what remains.
"""

import fcntl
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from drorch.adapters.evidence import make_private, write_durably
from drorch.core.codec import canonical, parse
from drorch.core.errors import AlreadyRunning, DrorchError
from drorch.core.values import Value

#: Somebody who only looks holds the lock for a moment.
_TRIES, _MOMENT = 20, 0.05
#: So many holders before are known: a run that was left open is gone on with by the next one.
_REMEMBERED = 100

_WRITABLE = "give the daemon's user the folder, and see that its disk has room and is not read-only"


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen of a daemon: whether it lives, and what it last said of itself."""

    alive: bool
    said: Mapping[str, Value] | None = None


class Lease:
    """Held by the daemon as long as it lives; a context manager."""

    def __init__(self, folder: Path) -> None:
        """Take it. Raises AlreadyRunning if another daemon has it, DrorchError where it cannot be."""
        self._said = folder / "daemon.json"
        self._holders = folder / "daemon.holders"
        try:
            make_private(folder)
            self._lock = os.open(
                folder / "daemon.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644
            )
        except OSError as error:
            raise DrorchError(f"{folder} cannot be written: {error.strerror}", _WRITABLE) from None
        if not _taken(self._lock):
            os.close(self._lock)
            raise AlreadyRunning(
                f"another daemon works on this state{_named(self._said)}",
                "stop it first; `drorch status` says how it is",
            )

    def say(self, document: Mapping[str, Value]) -> None:
        """Leave word of how the daemon is; what cannot be written is left out."""
        with suppress(OSError):
            write_durably(self._said, canonical(document))

    def unsay(self) -> None:
        """Take back what a daemon said that has no place here any more."""
        with suppress(OSError):
            self._said.unlink(missing_ok=True)

    def succeed(self, token: str) -> tuple[str, ...]:
        """Put this process down as the holder; the tokens of those that held it before, newest last.

        They are dead, whatever can be seen of them (in another container, say): their lock went with
        them. DrorchError where it cannot be written down.
        """
        before = tuple(one for one in _lines(self._holders) if one != token)[-_REMEMBERED:]
        try:
            write_durably(self._holders, "".join(f"{one}\n" for one in (*before, token)).encode())
        except OSError as error:
            message = f"{self._holders} cannot be written: {error.strerror}"
            raise DrorchError(message, _WRITABLE) from None
        return before

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)


def seen(folder: Path) -> Seen | None:
    """What can be seen of the daemon on this state; None if there never was one."""
    try:
        lock = os.open(folder / "daemon.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        alive = False
    except OSError:
        alive = True
    finally:
        os.close(lock)
    return Seen(alive, _read(folder / "daemon.json"))


def _taken(lock: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            time.sleep(_MOMENT)
    return False


def _read(path: Path) -> Mapping[str, Value] | None:
    try:
        found = parse(path.read_bytes())
    except (OSError, ValueError, DrorchError):
        return None
    return found if isinstance(found, Mapping) else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").split()
    except (OSError, ValueError):
        return []


def _named(path: Path) -> str:
    said = _read(path) or {}
    return f": process {said['pid']}" if "pid" in said else ""
