"""The folder beside the one that is recovered into: all appears there at once, or nothing does."""

import errno
import os
import secrets as entropy
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from drorch.adapters.exclusive import exclusive
from drorch.core.errors import DrorchError, UsageError

_EMPTY = "name a folder that is empty, or not there yet"

#: Bytes: so much has no room on a disk that something has failed on for want of room.
_ROOM = 1 << 20


def target(to: Path) -> Path:
    """Where it really lies; UsageError for one that holds something, is no folder, or cannot be put
    into its place at once.
    """
    try:
        real = to.resolve()
        if real.exists() and not real.is_dir():
            raise UsageError(f"{to} is no folder", _EMPTY)
        if real.is_dir() and any(real.iterdir()):
            raise UsageError(f"{to} is not empty", _EMPTY)
        if real.is_mount():
            raise UsageError(f"{to} is a mount point", f"name a folder in it: --to {to / 'drorch'}")
    except OSError as error:
        raise UsageError(f"{to} cannot be looked into: {error.strerror}", _EMPTY) from None
    return real


def no_room(folder: Path, error: OSError) -> DrorchError:
    """What there is to say where the disk does not take what is brought back."""
    return DrorchError(
        f"what was found cannot be put together in {folder.parent}: {error.strerror or error}",
        "see that it can be written and has room, or name another folder: --to DIR",
    )


def refuse_full_disk(folder: Path) -> None:
    """OSError where nothing more can be written: no state is to blame then, nor its region."""
    probe = folder / "room"
    try:
        with probe.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _ROOM)
        probe.unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise


@contextmanager
def beside(to: Path) -> Iterator[Path]:
    """A folder beside the target, on the same file system; what a recovery that was killed left there
    is removed, and so is this one. UsageError where it cannot be made.
    """
    stem = f".{to.name}.drorch-recover-"
    with ExitStack() as held:
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            for left in to.parent.glob(f"{stem}*"):
                _remove_dead(left)
            folder = to.parent / f"{stem}{entropy.token_hex(4)}"
            folder.mkdir(mode=0o700)
            held.enter_context(exclusive(folder / "lock"))
        except OSError as error:
            raise UsageError(
                f"{to.parent} cannot be written: {error.strerror}",
                "name another folder: --to DIR",
            ) from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_dead(folder: Path) -> None:
    """Remove what nobody works in any more."""
    with suppress(OSError), exclusive(folder / "lock", wait=False):
        shutil.rmtree(folder, ignore_errors=True)
