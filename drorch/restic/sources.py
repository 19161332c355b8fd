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
        if not os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK):
            raise problem(Cause.SOURCE_UNREADABLE, f"{path} may not be read")
