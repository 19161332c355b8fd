"""Whether what is to be backed up is there, before restic is started.

restic before 0.19 skips a missing path and exits with 0; every version keeps of a symbolic link
the link alone, and of a folder it may not list an empty folder.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from drorch.restic.failure import Cause, problem


def check_sources(paths: Sequence[Path]) -> None:
    """Raise ResticError `source-missing`, `source-symlink` or `source-unreadable` for the first
    path that cannot be backed up as it is meant.
    """
    for path in paths:
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            raise problem(Cause.SOURCE_MISSING, f"{path} does not exist") from None
        except OSError as error:
            raise problem(Cause.SOURCE_UNREADABLE, f"{path}: {error.strerror}") from error
        if path.is_symlink():
            message = f"{path} is a symbolic link to {path.readlink()}"
            raise problem(Cause.SOURCE_SYMLINK, message)
        _read(path)


def _read(path: Path) -> None:
    """Read it as restic will. access(2) would not do: it forgets the capability to read everything
    (CAP_DAC_READ_SEARCH), with which the service runs.
    """
    try:
        if path.is_dir():
            os.scandir(path).close()
            os.stat(f"{path}/.")  # noqa: PTH116 - pathlib takes the dot off: may it be entered?
        elif path.is_file():  # of what else there is, restic keeps the name alone
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except PermissionError:
        raise problem(Cause.SOURCE_UNREADABLE, f"{path} may not be read") from None
    except OSError as error:
        raise problem(Cause.SOURCE_UNREADABLE, f"{path}: {error.strerror}") from error
