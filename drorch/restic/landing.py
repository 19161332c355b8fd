"""How restored files come to rest in their target: all of them, or nothing.

restic restores into `target/.drorch-restore-*/tree`, on the target's own file system; when it is
done the contents are moved up and the empty staging folder goes. Nothing outside the target is
ever written: no symbolic link below it is followed. What an interrupted restore left behind is
known by its staging folder and makes way for the next one.
"""

import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from drorch.core.errors import ResticError
from drorch.restic.failure import Cause, problem
from drorch.restic.results import RestoreDone

_STAGING: Final = ".drorch-restore-"
_MOVING: Final = "moving.json"
#: Room that must remain beside what is restored: for folders, metadata and everybody else.
_MARGIN_SHARE: Final = 0.05
_MARGIN_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Needed:
    """What a restore is expected to take; None where the caller does not know."""

    bytes: int | None = None
    files: int | None = None


@dataclass(slots=True)
class Landing:
    """A target taken for one restore. `tree` is where restic restores to."""

    target: Path
    tree: Path
    made: bool

    def settle(
        self, paths: Sequence[PurePosixPath], wanted: Sequence[PurePosixPath]
    ) -> RestoreDone:
        """Count what was restored, move it into the target, and say what there is.

        `paths` are the snapshot's source paths: their longest common folder is left out, and of
        a single file the name remains. `wanted` are the paths that were asked for. Raises
        ResticError `not-found` if nothing of `paths`, or something `wanted`, is not there.
        """
        for path in wanted:
            if not _holds(self.tree, path):
                raise problem(Cause.NOT_FOUND, f"the snapshot does not hold {path}")
        missing = () if wanted else tuple(p for p in paths if not _holds(self.tree, p))
        root = common_root(paths)
        if len(missing) == len(paths) or not _holds(self.tree, root):
            raise problem(Cause.NOT_FOUND, f"the snapshot holds nothing of {root}")
        found = self.tree.joinpath(*root.parts[1:])
        files, size, entries = _count(found)
        self._move(found)
        return RestoreDone(self.target, files, size, entries, missing)

    def _move(self, found: Path) -> None:
        folder = _is_folder(found)
        before = found.lstat()
        names = sorted(_names(found)) if folder else [found.name]
        (self.tree.parent / _MOVING).write_text(json.dumps(names))
        for name in names:
            _rename(found / name if folder else found, self.target / name)
        _remove(self.tree.parent)
        if folder and self.made:
            _dress(self.target, before)


@contextmanager
def landing(target: Path, needed: Needed) -> Iterator[Landing]:
    """Take `target`, a folder that is empty or not there yet, for one restore.

    Symbolic links on the way to it are resolved first. If the restore fails, the target is left
    as it was. Raises ResticError `target-not-empty`, `target-busy`, `target-unusable`,
    `disk-full`.
    """
    target = _resolved(target)
    made = _make(target)
    try:
        with _held(target):
            _clear_leftovers(target)
            _check_room(target, needed)
            staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=target))
            try:
                yield Landing(target, staging / "tree", bool(made))
            except BaseException:
                _clear_leftovers(target)
                raise
    except OSError as error:
        _unmake(made)
        cause = Cause.DISK_FULL if error.errno in _FULL else Cause.TARGET_UNUSABLE
        raise problem(cause, f"{target} cannot be restored to: {error.strerror}") from error
    except BaseException:
        _unmake(made)
        raise


def look_at(target: Path) -> None:
    """Whether a restore could land there, as far as that shows without touching anything.

    Raises ResticError `target-not-empty`, `target-unusable`.
    """
    target = _resolved(target)
    lowest = next(p for p in (target, *target.parents) if os.path.lexists(p))
    if not _is_folder(lowest):
        raise problem(Cause.TARGET_NOT_EMPTY, f"{lowest} is not a folder")
    try:
        strangers = _strangers(target) if lowest == target else set()
        with suppress(FileNotFoundError):
            target.lstat()  # which tells of a name that no file can have
    except OSError as error:
        message = f"{target} cannot be restored to: {error.strerror}"
        raise problem(Cause.TARGET_UNUSABLE, message) from error
    if strangers:
        raise _not_empty(target, strangers)
    if not os.access(lowest, os.W_OK | os.X_OK):
        raise problem(Cause.TARGET_UNUSABLE, f"{lowest} cannot be written to")


def common_root(paths: Sequence[PurePosixPath]) -> PurePosixPath:
    """The longest path that is, or is a folder above, each of the paths."""
    return PurePosixPath(os.path.commonpath([str(p) for p in paths]))


_FULL: Final = frozenset({28, 122})  # ENOSPC, EDQUOT


def _resolved(target: Path) -> Path:
    try:
        return target.resolve()
    except (OSError, RuntimeError) as error:
        message = f"{target} cannot be restored to: {error}"
        raise problem(Cause.TARGET_UNUSABLE, message) from error


def _make(target: Path) -> list[Path]:
    """Make the target; the folders that were made for it, the innermost first."""
    absent = [p for p in (target, *target.parents) if not os.path.lexists(p)]
    try:
        for folder in reversed(absent):
            folder.mkdir()
    except OSError as error:
        _unmake(absent)
        message = f"{target} cannot be made: {error.strerror}"
        raise problem(Cause.TARGET_UNUSABLE, message) from error
    if not _is_folder(target):
        raise problem(Cause.TARGET_NOT_EMPTY, f"{target} is not a folder")
    return absent


def _unmake(made: list[Path]) -> None:
    for folder in made:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def _held(target: Path) -> Iterator[None]:
    """Hold the target against another restore; a lock of the kernel's, gone with its process."""
    handle = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        message = f"another restore is writing to {target}"
        raise problem(Cause.TARGET_BUSY, message) from None
    try:
        yield
    finally:
        os.close(handle)


def _clear_leftovers(target: Path) -> None:
    """Remove what an earlier restore left, if there is nothing else; otherwise refuse."""
    if strangers := _strangers(target):
        raise _not_empty(target, strangers)
    there = set(_names(target)) - _made_with_it(target)
    # The staging folders last: they say whose the rest is, should this be interrupted as well.
    for name in sorted(there, key=lambda n: n.startswith(_STAGING)):
        _remove(target / name)


def _strangers(target: Path) -> set[str]:
    """What the target holds that no earlier restore left."""
    staged = [target / n for n in _names(target) if n.startswith(_STAGING)]
    ours = {s.name for s in staged}.union(*(_half_moved(s) for s in staged))
    return set(_names(target)) - ours - _made_with_it(target)


def _made_with_it(target: Path) -> set[str]:
    return {"lost+found"} if target.is_mount() else set()  # of a freshly made file system


def _not_empty(target: Path, strangers: set[str]) -> ResticError:
    message = f"{target} is not empty: it holds {min(strangers)}"
    return problem(Cause.TARGET_NOT_EMPTY, message)


def _half_moved(staging: Path) -> set[str]:
    """The names a restore was moving up when it was interrupted."""
    try:
        return set(json.loads((staging / _MOVING).read_text()))
    except (OSError, ValueError, TypeError):
        return set()


def _check_room(target: Path, needed: Needed) -> None:
    found = os.statvfs(target)
    if needed.bytes is not None:
        free = found.f_bavail * found.f_frsize
        want = needed.bytes + int(needed.bytes * _MARGIN_SHARE) + _MARGIN_BYTES
        if free < want:
            message = f"{target} has {_mib(free)} free, the restore needs {_mib(want)}"
            raise problem(Cause.DISK_FULL, message)
    # File systems that make inodes as they go (btrfs, some network ones) tell of none at all.
    if needed.files is not None and found.f_files and found.f_favail < needed.files:
        message = f"{target} has room for {found.f_favail} files, the restore needs {needed.files}"
        raise problem(Cause.DISK_FULL, message)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"


def _holds(tree: Path, path: PurePosixPath) -> bool:
    """Whether the path is in the tree, through real folders alone."""
    at = tree
    for part in path.parts[1:]:
        if not _is_folder(at):
            return False
        at /= part
    return os.path.lexists(at)


def _names(folder: Path) -> list[str]:
    return [inside.name for inside in folder.iterdir()]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _count(found: Path) -> tuple[int, int, int]:
    """Regular files, their bytes, and all entries at and below `found`."""
    if not _is_folder(found):
        what = found.lstat()
        regular = stat.S_ISREG(what.st_mode)
        return int(regular), what.st_size if regular else 0, 1
    files = size = entries = 0
    waiting = [str(found)]
    while waiting:
        with os.scandir(waiting.pop()) as inside:
            for entry in inside:
                entries += 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    files += 1
                    size += entry.stat(follow_symlinks=False).st_size
    return files, size, entries


def _rename(source: Path, destination: Path) -> None:
    """Move within the file system. A folder its owner may not write to cannot be moved as it is."""
    try:
        source.rename(destination)
    except PermissionError:
        mode = stat.S_IMODE(source.lstat().st_mode)
        if not _is_folder(source) or mode & stat.S_IWUSR:
            raise
        source.chmod(mode | stat.S_IWUSR)
        source.rename(destination)
        destination.chmod(mode)


def _dress(target: Path, before: os.stat_result) -> None:
    """Give the target the owner, mode and times of the folder whose contents it received."""
    with suppress(PermissionError):
        os.chown(target, before.st_uid, before.st_gid)
    target.chmod(stat.S_IMODE(before.st_mode))
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))


def _remove(path: Path) -> None:
    if not _is_folder(path):
        path.unlink()
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)
