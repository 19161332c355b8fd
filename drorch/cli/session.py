"""One command line: its options, the program it opens, and where its words go.

Imported for `--help`: only what click loads anyway.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from drorch.app.program import Program

PROGRESS = ("auto", "json", "none")


class Session:
    """What the verbs of one command line share."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self.config: Path | None = None
        # Known before anything is parsed, so that errors of parsing come as JSON too.
        self.json = "--json" in _before_dashes(arguments)
        self.progress = "auto"
        self.printed = False
        #: Set by `run watch`, whose documents with --json are one a line.
        self.streaming = False
        #: Whether people have read something already, so that what follows is set apart.
        self.spoken = False
        self._mute: set[int] = set()

    @cached_property
    def program(self) -> "Program":
        """The program on this line's configuration; raises ConfigurationError, UsageError."""
        from drorch.app.program import Program

        return Program.open(self.config)

    @property
    def opened(self) -> "Program | None":
        """The program, if this line opened one."""
        found: Program | None = vars(self).get("program")
        return found

    @property
    def zone(self) -> str:
        """The time zone in which people are told times."""
        return self.program.configuration.timezone

    @property
    def at_terminal(self) -> bool:
        """Whether people look at what is printed, so that tables may move and have colours."""
        import os

        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def somebody_there(self) -> bool:
        """Whether somebody can answer: both ends are a terminal."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()

    def say(self, *lines: str) -> None:
        """Print lines for people; nothing with --json."""
        if not self.json:
            self.spoken = True
            self.write(sys.stdout, "".join(f"{line}\n" for line in lines))

    def paragraph(self, *lines: str) -> None:
        """Print lines for people, set apart from what was told before."""
        self.say(*([""] if self.spoken else []), *lines)

    def emit(self, document: Mapping[str, Any] | Sequence[Any]) -> None:
        """Print the one JSON document of a line with --json."""
        import json

        self.printed = True
        indent = None if self.streaming else 2
        self.write(sys.stdout, json.dumps(document, ensure_ascii=False, indent=indent) + "\n")

    def write_bytes(self, content: bytes) -> None:
        """Print a whole document as it is."""
        self.printed = True
        text = content.decode()
        self.write(sys.stdout, text if text.endswith("\n") else f"{text}\n")

    def write_raw(self, content: bytes) -> None:
        """Print bytes that are no text."""
        self.printed = True
        if id(sys.stdout) in self._mute:
            return
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        except OSError:
            self._mute.add(id(sys.stdout))

    def tell(self, *lines: str) -> None:
        """Print lines on stderr."""
        self.write(sys.stderr, "".join(f"{line}\n" for line in lines))

    def write(self, stream: TextIO, text: str) -> None:
        """Write and flush. A reader who went away does not stop what is under way."""
        if id(stream) in self._mute or stream is None:
            return
        try:
            stream.write(text)
            stream.flush()
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode())
            stream.flush()
        except OSError:
            self._mute.add(id(stream))

    def protect(self) -> None:
        """Bring what this line has recorded to the regions of the control plane, as far as they live,
        within seconds; whatever comes of it changes nothing of what the line has done.
        """
        program = self.opened
        if program is None or "journal" not in vars(program) or not program.journal.wrote:
            return
        from contextlib import suppress

        with suppress(BaseException):
            from drorch.app.plane.copying import copied

            copied(program)

    def close(self) -> None:
        """Let go of what the program holds, and of streams nobody reads any more."""
        if self.opened is not None and "journal" in vars(self.opened):
            self.opened.journal.close()
        if self._mute:
            _let_go_of_streams()


def _before_dashes(arguments: Sequence[str]) -> Sequence[str]:
    words = list(arguments)
    return words[: words.index("--")] if "--" in words else words


def _let_go_of_streams() -> None:
    """Point them at nothing: Python's own flush at the end would complain of what is left."""
    import os

    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nothing, stream.fileno())
