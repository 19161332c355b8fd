"""One command line: its options, the program it opens, and where its words go.

Imported for `--help`: only what click loads anyway.
"""

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from drorch.app.program import Program
    from drorch.core.errors import DrorchError

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
        #: Whether the words of the line are understood and its verb is at work.
        self.begun = False
        self._mute: set[int] = set()
        self._lost: OSError | None = None

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
        there = sys.stdout is not None and sys.stdout.isatty()
        return there and os.environ.get("TERM") != "dumb"

    @property
    def somebody_there(self) -> bool:
        """Whether somebody can answer: both ends are a terminal."""
        ends = (sys.stdin, sys.stdout)
        return all(stream is not None and stream.isatty() for stream in ends)

    @property
    def unheard(self) -> bool:
        """Whether nothing that is printed reaches anybody any more."""
        return sys.stdout is None or id(sys.stdout) in self._mute

    def say(self, *lines: str) -> None:
        """Print lines for people; nothing with --json."""
        if not self.json:
            self.spoken = True
            self._print("".join(f"{line}\n" for line in lines))

    def paragraph(self, *lines: str) -> None:
        """Print lines for people, set apart from what was told before."""
        self.say(*([""] if self.spoken else []), *lines)

    def emit(self, document: Mapping[str, Any] | Sequence[Any]) -> None:
        """Print the one JSON document of a line with --json."""
        import json

        self.printed = True
        indent = None if self.streaming else 2
        self._print(json.dumps(document, ensure_ascii=False, indent=indent) + "\n")

    def write_bytes(self, content: bytes) -> None:
        """Print a whole document as it is."""
        self.printed = True
        text = content.decode()
        self._print(text if text.endswith("\n") else f"{text}\n")

    def write_raw(self, content: bytes) -> None:
        """Print bytes that are no text."""
        self.printed = True
        if self._open() and not self.unheard:
            try:
                sys.stdout.flush()
                sys.stdout.buffer.write(content)
                sys.stdout.buffer.flush()
            except OSError as error:
                self._refused(sys.stdout, error)

    def _print(self, text: str) -> None:
        if self._open():
            self.write(sys.stdout, text)

    def _open(self) -> bool:
        """Whether there is a stdout: Python has none where it was closed before the start."""
        if sys.stdout is None:
            self._lost = OSError(errno.EBADF, os.strerror(errno.EBADF))
        return sys.stdout is not None

    def tell(self, *lines: str) -> None:
        """Print lines on stderr."""
        self.write(sys.stderr, "".join(f"{line}\n" for line in lines))

    def write(self, stream: TextIO | None, text: str) -> None:
        """Write and flush. A reader who went away does not stop what is under way, nor does a full
        disk; of the latter `lost` tells at the end.
        """
        if stream is None or id(stream) in self._mute:
            return
        try:
            stream.write(text)
            stream.flush()
        except UnicodeEncodeError:
            self.write(stream, text.encode("ascii", "backslashreplace").decode())
        except OSError as error:
            self._refused(stream, error)

    def _refused(self, stream: TextIO, error: OSError) -> None:
        self._mute.add(id(stream))
        if stream is sys.stdout:
            self.broke_off(error)

    def broke_off(self, error: OSError) -> None:
        """What was printed did not get through: a reader who went away has read enough."""
        if not isinstance(error, BrokenPipeError):
            self._lost = self._lost or error

    def lost(self) -> "DrorchError | None":
        """Why what was printed is not whole, where that is nobody's wish."""
        if not self.unheard:
            try:
                sys.stdout.flush()
            except OSError as error:
                self._refused(sys.stdout, error)
        if self._lost is None:
            return None
        from drorch.core.errors import DrorchError

        return DrorchError(
            f"what was to be printed could not be written: {self._lost.strerror}",
            "what stands there is not whole: see that it can be written and has room; "
            "what was done is done and on record",
        )

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
            from drorch.app.plane.telling import warning

            told = warning(program)
            self.tell(*([told] if told else ()))
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
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(nothing, stream.fileno())
