"""Runs under way as a table that moves, for people at a terminal. The only place of rich's Live."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from textwrap import wrap
from typing import TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.control import Control
from rich.live import Live
from rich.text import Text

from drorch.cli.board import Board
from drorch.cli.drawing import Frame, drawn_board

#: Screens a second: enough for a clock in tenths to be read, cheap beside a backup.
_REFRESHES = 5

#: Fewer lines than this tell nothing of a run.
_LEAST = 4


class Screen:
    """The boards of the runs under way, drawn below each other, cut to the terminal's height."""

    def __init__(self, console: Console, zone: str = "UTC") -> None:
        self._console = console
        self._zone = zone
        self._size: tuple[int, int] | None = None
        self.boards: list[Board] = []
        self.doing = ""
        self.note = ""

    def begin(self, text: str) -> None:
        """A part begins: its title stays above, what the part before showed goes."""
        self.boards.clear()
        self.doing = ""
        with suppress(OSError):
            self._console.print(Text(text, "bold"))

    def board(self, title: str) -> Board:
        """A new board to watch a run."""
        board = Board(title)
        self.boards.append(board)
        return board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what is to be seen now."""
        below = [
            *([Text(f"  {self.doing}", "dim")] if self.doing else []),
            *(Text(part, "bold yellow") for part in wrap(self.note, options.max_width)),
        ]
        height = (options.height or console.height) - 1 - len(below)
        self._wipe_after_resize((options.max_width, console.height))
        boards = list(self.boards)
        each = max(_LEAST, height // max(1, len(boards)))
        frame = Frame(options.max_width, each, self._zone, console.encoding.startswith("utf"))
        parts: list[RenderableType] = [line for b in boards for line in drawn_board(b, frame)]
        yield Group(*parts, *below)

    def _wipe_after_resize(self, now: tuple[int, int]) -> None:
        """A terminal that became narrower has broken our lines in two: rich, which goes back up by
        as many lines as it drew, would leave the upper ones standing. Begin on an empty screen.
        """
        before, self._size = self._size, now
        if before is not None and before != now and self._console.is_terminal:
            self._console.control(Control.clear(), Control.home())


@contextmanager
def shown(stream: TextIO, zone: str = "UTC") -> Iterator[Screen]:
    """Show a screen on a terminal for as long as the runs are carried; times of day are in `zone`."""
    console = Console(file=stream, highlight=False)
    screen = Screen(console, zone)
    live = Live(screen, console=console, refresh_per_second=_REFRESHES, redirect_stdout=False)
    # A terminal that went away must not end the run.
    with suppress(OSError):
        live.start()
    try:
        yield screen
    finally:
        with suppress(OSError):
            live.stop()
