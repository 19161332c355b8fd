"""Which of our children are in flight, in a small file that outlives us.

It knows the table's form and where it lies. The watcher reads it when this process has died,
and a later process reads it by the dead owner's token. It need not survive a power cut: no
process does.
"""

import os
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from drorch.adapters.reaper import SLOT, in_flight


class Children:
    """Numbers for children, and the table of those in flight; thread-safe."""

    def __init__(self, token: str, folder: Path | None = None) -> None:
        self._folder = folder
        self._token = token
        self._lock = threading.Lock()
        self._made = False
        self._handle: int | None = None
        self._last = 0
        self._slots: dict[int, int] = {}
        self._free: list[int] = []

    @property
    def path(self) -> Path:
        """The table's file. Its folder is made when it is first asked for: who starts nothing, as a
        plan, leaves nothing.
        """
        self._folder = self._folder or default_folder()
        return table_path(self._token, self._folder)

    def handle(self) -> int:
        """The open table, made on first use."""
        with self._lock:
            return self._open()

    def begin(self) -> int:
        """A number for a child about to be started."""
        with self._lock:
            handle = self._open()
            self._last += 1
            slot = self._free.pop() if self._free else len(self._slots)
            self._slots[self._last] = slot
            os.pwrite(handle, self._last.to_bytes(SLOT, "little"), slot * SLOT)
            return self._last

    def end(self, number: int) -> None:
        """The child is proven dead."""
        with self._lock:
            slot = self._slots.pop(number)
            self._free.append(slot)
            if self._handle is not None:
                os.pwrite(self._handle, bytes(SLOT), slot * SLOT)

    def close(self) -> bool:
        """Done with it. Whether nothing was in flight; only then the file is removed."""
        with self._lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None
            if self._made and not self._slots:
                with suppress(OSError):
                    self.path.unlink()
            return not self._slots

    def _open(self) -> int:
        if self._handle is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._handle = os.open(self.path, flags, 0o600)
            self._made = True
        return self._handle


def default_folder() -> Path:
    """A folder of this user's own below the temporary one, made if missing.

    Raises PermissionError if somebody else has put something in its place.
    """
    folder = Path(tempfile.gettempdir()) / f"drorch-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} is not a folder of this user")
    return folder


def table_path(token: str, folder: Path) -> Path:
    """Where an owner's table lies."""
    return folder / f"{token}.children"


def left_in_flight(token: str, folder: Path | None = None) -> set[int]:
    """What a dead owner had in flight; empty if it ended well."""
    try:
        return in_flight(table_path(token, folder or default_folder()).read_bytes())
    except OSError:
        return set()


def forget(token: str, folder: Path | None = None) -> None:
    """Remove a dead owner's table once everything in it is gone."""
    with suppress(OSError):
        table_path(token, folder or default_folder()).unlink()
