"""How far a restore is, seen from outside: restic before 0.16 does not say.

Looks at what lies in the folder it restores to. Files are given their full size before they are
filled, so what counts is the space they really take.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drorch.ports import Progress
from drorch.restic.lines import ProgressSink

#: The pause between two looks is at least so long, and so many times as long as a look takes:
#: a folder of a million files must not be walked all the time.
_PAUSE = 0.5
_RARELY = 20

_BLOCK = 512


@contextmanager
def watched(
    folder: Path, sink: ProgressSink, *, files: int | None, size: int | None
) -> Iterator[None]:
    """Tell `sink` how much lies in `folder` while the block runs; `files` and `size` in all."""
    over = threading.Event()

    def look() -> None:
        pause = _PAUSE
        while not over.wait(pause):
            began = time.monotonic()
            found, taken = _within(folder)
            pause = max(_PAUSE, _RARELY * (time.monotonic() - began))
            sink(Progress(taken if size is None else min(taken, size), size, found, files))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _within(folder: Path) -> tuple[int, int]:
    """Files in a folder, and the bytes they take on disk."""
    files = taken = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    more, below = _within(Path(entry.path))
                    files, taken = files + more, taken + below
                elif entry.is_file(follow_symlinks=False):
                    files += 1
                    taken += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
    except OSError:
        pass  # restic is at work here: what was there a moment ago may have another name
    return files, taken
