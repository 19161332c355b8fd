"""What this run created, in a file that outlives a crash, so that only that is ever removed.

One JSON line a fact in `<work>/created/<run>.jsonl`: the intention before a path is made, and
its device and inode once it is. A path whose inode is another one now is not ours.
"""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drorch.ports import Call, Tools

_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Made:
    """The file system's own identity of a path; None while it is only intended."""

    device: int | None = None
    inode: int | None = None


class Creations:
    """The record of one run; `folder` holds those of all runs."""

    def __init__(self, folder: Path, run: str) -> None:
        self._path = folder / f"{run}.jsonl"

    @classmethod
    def of(cls, call: Call, tools: Tools) -> "Creations":
        """The record of the run an attempt belongs to."""
        return cls(tools.configuration.work / "created", call.run)

    def make_folder(self, path: Path) -> tuple[Path, ...]:
        """Make a folder and its missing parents; those made, topmost first. Raises OSError."""
        made = []
        for folder in reversed([path, *path.parents]):
            if not folder.exists():
                self.intend(folder)
                folder.mkdir(exist_ok=True)
                self.confirm(folder)
                made.append(folder)
        return tuple(made)

    def intend(self, path: Path) -> None:
        """Record, durably, that `path` is about to be made; it must not exist. Raises OSError."""
        self._write({"path": str(identity(path))})

    def confirm(self, path: Path) -> None:
        """Record which file it became. Raises OSError."""
        found = path.lstat()
        fact = {"path": str(identity(path)), "device": found.st_dev, "inode": found.st_ino}
        self._write(fact)

    def covers(self, path: Path) -> bool:
        """Whether the run made this very path, or a folder it lies in."""
        made, target = self._read(), identity(path)
        return any(place in made and _is(place, made[place]) for place in (target, *target.parents))

    def below(self, path: Path) -> tuple[Path, ...]:
        """The topmost paths at or below `path` that the run made and that are still there."""
        target = identity(path)
        if self.covers(path):
            return (target,) if os.path.lexists(target) else ()
        made = {p: m for p, m in self._read().items() if target in p.parents and _is(p, m)}
        return tuple(sorted(p for p in made if not any(above in made for above in p.parents)))

    def _write(self, fact: dict[str, str | int]) -> None:
        line = (json.dumps(fact, ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape")
        with _LOCK:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            handle = os.open(self._path, flags, 0o600)
            try:
                os.write(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)

    def _read(self) -> dict[Path, _Made]:
        return dict(self._facts())

    def _facts(self) -> Iterator[tuple[Path, _Made]]:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                fact = json.loads(line.decode("utf-8", "surrogateescape"))
                yield Path(fact["path"]), _Made(fact.get("device"), fact.get("inode"))
            except (ValueError, KeyError):
                # The last line of a power cut: what it spoke of had not been made yet.
                continue


def identity(path: Path) -> Path:
    """Where a path really lies: its folder without symbolic links, its own name as it is."""
    return path.parent.resolve() / path.name if path.name not in ("", "..") else path.resolve()


def _is(path: Path, made: _Made) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return made.inode is None or (found.st_dev, found.st_ino) == (made.device, made.inode)
