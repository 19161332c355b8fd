"""Metrics as a file, for the textfile collector of node_exporter."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from drorch.core.errors import DrorchError
from drorch.core.vitals import DaemonState, Overview
from drorch.metrics.exposition import whole_text

#: The collector runs as somebody else.
_MODE = 0o644


def write_textfile(path: Path, overview: Overview | None, state: DaemonState | None = None) -> None:
    """Write what is known to `path`, so that a reader sees the old text or the new one, whole.

    The collector takes only files that end in `.prom`. DrorchError if it cannot be written.
    """
    text = whole_text(overview, state)
    try:
        # A dot in front and another ending: the collector passes over what is not done.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", suffix=".new", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), _MODE)
        Path(name).replace(path)
    except OSError as error:
        with suppress(OSError):
            Path(name).unlink()
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> DrorchError:
    return DrorchError(
        f"the metrics cannot be written to {path}: {error.strerror}",
        f"let the user with id {os.getuid()} write in {path.parent}, "
        "or give `daemon: {textfile: …}` another path",
    )
