"""Documents put where somebody asked for them: all of them whole, or what was there before."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def place(files: Mapping[Path, bytes]) -> None:
    """Write these files; what is no plain file (a device, a pipe), and what lies in a folder in which
    nothing may be made, is written as it is.

    A file that is there keeps its mode. Raises OSError; nothing is left half-written then, but in
    what could only be written as it is.
    """
    made: list[tuple[Path, Path]] = []
    try:
        for path, content in files.items():
            target = Path(os.path.realpath(path))
            if _as_it_is(target):
                target.write_bytes(content)
            else:
                made.append((written_beside(target, content, _mode(target)), target))
        while made:
            made[-1][0].replace(made[-1][1])
            made.pop()
    finally:
        for beside, _ in made:
            beside.unlink(missing_ok=True)


def _as_it_is(target: Path) -> bool:
    if not target.exists():
        return False
    return not target.is_file() or not os.access(target.parent, os.W_OK)


def written_beside(target: Path, content: bytes, mode: int) -> Path:
    """A file of another name in the target's folder, on the disk, to be put in its place; none on an error."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _mode(target: Path) -> int:
    """Of the file that is replaced, else of any new file."""
    try:
        return target.stat().st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask
