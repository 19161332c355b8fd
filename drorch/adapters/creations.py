"""What runs have created on disk, written down before it is made, so that cleanup knows its own."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from drorch.adapters.evidence import make_private


class CreationsFolder:
    """ports.Creations: one file of JSON lines for each run, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, run: str, path: Path) -> None:
        """Write down, durably, that the run is about to make `path`; see ports.Creations."""
        top = _first_missing(path)
        if top is None:
            return
        make_private(self._folder)
        line = json.dumps({"path": str(top)}) + "\n"
        descriptor = os.open(self._file(run), os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode=0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def made(self, run: str, path: Path) -> tuple[Path, ...]:
        """What the run made at or below `path`, or the one thing above that holds it."""
        resolved = _resolved(path)
        noted = list(dict.fromkeys(self._noted(run)))
        if any(resolved == top or resolved.is_relative_to(top) for top in noted):
            return (resolved,)
        return tuple(top for top in noted if top.is_relative_to(resolved))

    def _noted(self, run: str) -> Iterator[Path]:
        try:
            lines = self._file(run).read_text().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                yield Path(json.loads(line)["path"])
            except (ValueError, KeyError, TypeError):
                continue  # a line cut by a power failure: what it names was never made

    def _file(self, run: str) -> Path:
        return self._folder / f"{run}.jsonl"


def _first_missing(path: Path) -> Path | None:
    """The topmost folder that must be made for `path`, or `path`; None if it is there already."""
    resolved = _resolved(path)
    missing = [p for p in (resolved, *resolved.parents) if not p.exists()]
    return missing[-1] if missing else None


def _resolved(path: Path) -> Path:
    """Without following the last part: a link made by a run is the link, not its target."""
    absolute = path.absolute()
    return absolute.parent.resolve() / absolute.name
