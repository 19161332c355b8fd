"""Evidence as files: one folder a run, each file durable before it is spoken of."""

import hashlib
import os
import threading
from pathlib import Path

from drorch.adapters.placing import written_beside
from drorch.core.errors import DrorchError
from drorch.core.values import Evidence


class EvidenceFolder:
    """Files below `folder`/<run>/, readable by their owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def keep(self, run: str, name: str, content: bytes) -> Evidence:
        """Store durably; a name already taken by other content gets a number (`log-2.txt`).

        Raises DrorchError when the file cannot be written, ValueError for a name with folders.
        """
        _check_names(run, name)
        digest = hashlib.sha256(content).hexdigest()
        folder = self._folder / run
        try:
            with self._lock:
                make_private(folder)
                path = _free(folder, name, content)
                if not path.exists():
                    write_durably(path, content)
        except OSError as error:
            hint = f"see that {folder} can be written and has room"
            raise DrorchError(f"evidence {name} cannot be kept: {error.strerror}", hint) from error
        return Evidence(path.name, digest, len(content))

    def read(self, run: str, name: str, sha256: str) -> bytes:
        """What was kept; DrorchError if it is not there any more, or is not what it was."""
        _check_names(run, name)
        try:
            content = (self._folder / run / name).read_bytes()
        except OSError as error:
            hint = f"bring {self._folder} back from a copy of the state's folder"
            message = f"evidence {name} of run {run} cannot be read: {error.strerror}"
            raise DrorchError(message, hint) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            hint = "somebody changed it: compare it with a copy, and do not rely on it"
            raise DrorchError(f"evidence {name} of run {run} is not what was kept", hint)
        return content

    def path(self, run: str, evidence: Evidence) -> Path:
        """Where a kept file lies."""
        return self._folder / run / evidence.name


def _check_names(*names: str) -> None:
    for name in names:
        if not name or name in (".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} is not a file name")


def write_durably(path: Path, content: bytes) -> None:
    """Write so that after a power cut there is the whole file or none of it; mode 600."""
    temporary = written_beside(path, content, 0o600)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_private(folder: Path) -> None:
    """Make a folder and its parents for this user only, and keep the entry durably."""
    if folder.is_dir():
        return
    make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def _free(folder: Path, name: str, content: bytes) -> Path:
    path, number = folder / name, 1
    while path.exists() and path.read_bytes() != content:
        number += 1
        stem, dot, suffix = name.partition(".")
        path = folder / f"{stem}-{number}{dot}{suffix}"
    return path


def sync_folder(folder: Path) -> None:
    """Keep what was made, renamed or removed in a folder, durably."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
