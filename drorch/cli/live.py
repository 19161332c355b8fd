"""Runs under way as a table that moves, for people at a terminal. The only place of rich's Live."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from drorch.cli.board import Board, Line, Shown
from drorch.cli.narrating import amount
from drorch.cli.tables import STYLES
from drorch.cli.words import lasted, size
from drorch.core.names import StepStatus

#: Screens a second: enough for a clock in tenths to be read, cheap beside a backup.
_REFRESHES = 5

#: Lines of a board that are not steps: title, heading, and the empty line after.
_FRAME = 3

#: The width of a bar.
_BAR = 16

_COLUMNS = (("step", False), ("state", False), ("try", True), ("for", True))

#: Names of steps are shown whole up to so many letters.
_WIDEST = 40


class Screen:
    """The boards of the runs under way, drawn below each other, cut to the terminal's height."""

    def __init__(self, console: Console) -> None:
        self._console = console
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
        height = (options.height or console.height) - (2 if self.note else 1)
        most = max(3, height // max(1, len(self.boards)) - _FRAME)
        parts: list[RenderableType] = [drawn_board(b.look(most)) for b in list(self.boards)]
        if self.doing:
            parts.append(Text(f"  {self.doing}", "dim"))
        if self.note:
            parts.append(Text(self.note, "bold yellow"))
        yield Group(*parts)


@contextmanager
def shown(stream: TextIO) -> Iterator[Screen]:
    """Show a screen on a terminal for as long as the runs are carried."""
    console = Console(file=stream, highlight=False)
    screen = Screen(console)
    live = Live(screen, console=console, refresh_per_second=_REFRESHES, redirect_stdout=False)
    # A terminal that went away must not end the run.
    with suppress(OSError):
        live.start()
    try:
        yield screen
    finally:
        with suppress(OSError):
            live.stop()


def drawn_board(shown_now: Shown) -> RenderableType:
    """One run: how far it is, the clock against what was promised, and its steps."""
    if not shown_now.total:
        return Text(f"{shown_now.title}  is about to begin", "dim")
    now = time.monotonic()
    table = Table(box=None, pad_edge=False, header_style="dim")
    rows = [_cells(line, now) for line in shown_now.lines]
    for number, (title, right) in enumerate(_COLUMNS):
        width = max((len(row[number]) for row in rows), default=0)
        table.add_column(
            title,
            justify="right" if right else "left",
            no_wrap=True,
            # Without a least width, rich would cut these to make room for what is told last.
            min_width=min(_WIDEST, max(width, len(title))),
        )
    table.add_column("", no_wrap=True, overflow="ellipsis")
    for line, cells in zip(shown_now.lines, rows, strict=True):
        texts = (Text(cell, STYLES.get(cell, "") if n else "") for n, cell in enumerate(cells))
        table.add_row(*texts, _detail(line))
    return Group(_heading(shown_now), table)


def _cells(line: Line, now: float) -> tuple[str, str, str, str]:
    attempt = str(line.attempt) if line.attempt > 1 else ""
    return line.step, line.status.value, attempt, _spent(line, now)


def _heading(shown_now: Shown) -> Text:
    text = Text(f"{shown_now.title}  ", "bold")
    text.append(f"{shown_now.final} of {shown_now.total} steps", "dim")
    if shown_now.running_for is not None and shown_now.target is not None:
        promised = shown_now.target.total_seconds()
        late = shown_now.running_for > promised
        text.append("  RTA ", "dim")
        text.append(lasted(shown_now.running_for), "bold red" if late else "bold green")
        text.append(f" of RTO {lasted(promised)}", "dim")
    if shown_now.run:
        text.append(f"  run {shown_now.run}", "dim")
    return text


def _spent(line: Line, now: float) -> str:
    if line.took is not None:
        return lasted(line.took) if line.attempt else ""
    return lasted(now - line.since) if line.since is not None else ""


def _detail(line: Line) -> RenderableType:
    if line.waits_for:
        quiet = line.status in (StepStatus.WAITING, StepStatus.SKIPPED)
        return Text(line.waits_for, "dim" if quiet else "", overflow="ellipsis")
    if line.progress is None or line.status is not StepStatus.RUNNING:
        return Text()
    words = [amount(line.progress)]
    if line.rate:
        words.append(f"{size(line.rate)}/s")
    if line.remaining is not None and line.rate:
        words.append(f"{lasted(line.remaining)} left")
    told = Text(", ".join(words), overflow="ellipsis", no_wrap=True)
    if not line.progress.bytes_total:
        return told
    grid = Table.grid(padding=(0, 1))
    grid.add_column(min_width=_BAR)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    bar = ProgressBar(
        total=line.progress.bytes_total, completed=line.progress.bytes_done or 0, width=_BAR
    )
    grid.add_row(bar, told)
    return grid
