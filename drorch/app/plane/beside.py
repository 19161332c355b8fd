"""The folder beside the one that is recovered into: all appears there at once, or nothing does."""

import secrets as entropy
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from drorch.adapters.exclusive import exclusive
from drorch.core.errors import UsageError


def refuse_full(to: Path) -> None:
    """UsageError for a target that holds something, or is no folder."""
    if to.is_dir() and any(to.iterdir()):
        raise UsageError(f"{to} is not empty", "name a folder that is empty, or not there yet")
    if to.exists() and not to.is_dir():
        raise UsageError(f"{to} is no folder", "name a folder that is empty, or not there yet")


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
                f"{to.parent} cannot be written: {error.strerror}", "name another folder"
            ) from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_dead(folder: Path) -> None:
    """Remove what nobody works in any more."""
    with suppress(OSError), exclusive(folder / "lock", wait=False):
        shutil.rmtree(folder, ignore_errors=True)
