"""A secret as a file, for programs that read their keys from nowhere else."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def key_file(key: str) -> Iterator[Path]:
    """For its owner alone, in memory where there is such a place; then removed."""
    memory = Path("/dev/shm")  # noqa: S108 - the file is made unguessable, for its owner alone
    folder = memory if os.access(memory, os.W_OK) else None
    handle, name = tempfile.mkstemp(prefix=f"drorch-key-{os.getpid()}-", dir=folder)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(key if key.endswith("\n") else key + "\n")
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
