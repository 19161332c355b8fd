"""What runs have created on disk, written down before it is made, so that cleanup knows its own."""

import json
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from drorch.adapters.evidence import make_private
from drorch.core.errors import DrorchError


class CreationsFolder:
    """ports.Creations: one file of JSON lines for each run, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, run: str, path: Path) -> None:
        """Write down, durably, that the run is about to make `path`; see ports.Creations."""
        top = _first_missing(path)
        if top is None:
            return
        # A line that a full disk or a power failure has cut ends here, and spoils no other.
        line = "\n" + json.dumps({"path": str(top)}) + "\n"
        try:
            make_private(self._folder)
            with open(self._file(run), "ab", buffering=0, opener=_private) as file:
                _write_whole(file, line.encode())
                os.fsync(file.fileno())
        except OSError as error:
            raise DrorchError(
                f"what the run makes ({top}) cannot be written down first: {error.strerror}",
                f"see that {self._folder} can be written and has room",
            ) from error

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
                continue  # an empty line, or one that was cut: what it names was never made

    def _file(self, run: str) -> Path:
        return self._folder / f"{run}.jsonl"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, mode=0o600)


def _write_whole(file: FileIO, content: bytes) -> None:
    """A disk that fills up takes what has room, and refuses the rest only when asked again."""
    while content:
        content = content[file.write(content) :]


def _first_missing(path: Path) -> Path | None:
    """The topmost folder that must be made for `path`, or `path`; None if it is there already.

    What may not be looked at counts as missing: making it will say why it cannot be made.
    """
    resolved = _resolved(path)
    missing = [p for p in (resolved, *resolved.parents) if not os.path.exists(p)]  # noqa: PTH110
    return missing[-1] if missing else None


def _resolved(path: Path) -> Path:
    """Without following the last part: a link made by a run is the link, not its target."""
    absolute = path.absolute()
    return absolute.parent.resolve() / absolute.name
