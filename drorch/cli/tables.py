"""Tables: drawn by rich for people at a terminal, aligned plain columns for everybody else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from drorch.cli.session import Session
from drorch.cli.words import one_line

if TYPE_CHECKING:
    from rich.table import Table

#: Words whose colour says at a glance how things stand.
STYLES = {
    "passed": "green",
    "pass": "green",
    "met": "green",
    "failed": "bold red",
    "damaged": "bold red",
    "fail": "bold red",
    "missed": "bold red",
    "aborted": "yellow",
    "warn": "yellow",
    "fired": "green",
    "late": "yellow",
    "owed": "yellow",
    "goes": "yellow",
    "interrupted": "yellow",
    "waiting-for-person": "bold magenta",
    "running": "cyan",
    "retrying": "yellow",
    "waiting": "dim",
    "skipped": "dim",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell in a colour of its own, where there are colours."""

    text: str
    style: str


#: What a table takes for a cell: a text's colour is that of its word.
Cells: TypeAlias = Sequence[str | Cell]


def show_table(
    session: Session,
    titles: Sequence[str],
    rows: Iterable[Cells],
    *,
    empty: str,
    right: Iterable[str] = (),
) -> None:
    """Print rows below their titles; `right` names columns of numbers, `empty` is said of no rows."""
    cells = [[_in_one_line(cell) for cell in row] for row in rows]
    if not cells:
        session.say(empty)
    elif session.at_terminal:
        _draw(titles, cells, frozenset(right))
    else:
        texts = [[cell.text for cell in row] for row in cells]
        session.say(*_aligned(titles, texts, frozenset(right)))


def show_lines(session: Session, lines: Iterable[Cell]) -> None:
    """Print lines, in their colours where there are any."""
    if not session.at_terminal:
        session.say(*(line.text for line in lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        console.print(Text(line.text, line.style), soft_wrap=True)


def _in_one_line(cell: str | Cell) -> Cell:
    if isinstance(cell, Cell):
        return Cell(one_line(cell.text), cell.style)
    text = one_line(cell)
    return Cell(text, STYLES.get(text, ""))


def _aligned(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[str]
) -> list[str]:
    everything = [titles, *rows]
    widths = [max(len(row[i]) for row in everything) for i in range(len(titles))]
    return [
        "  ".join(
            cell.rjust(width) if title in right else cell.ljust(width)
            for cell, width, title in zip(row, widths, titles, strict=True)
        ).rstrip()
        for row in everything
    ]


def _draw(titles: Sequence[str], rows: Sequence[Cells], right: frozenset[str]) -> None:
    from rich.console import Console

    Console(highlight=False).print(drawn(titles, rows, right))


def drawn(
    titles: Sequence[str], rows: Iterable[Cells], right: frozenset[str] = frozenset()
) -> "Table":
    """The table as rich draws it; the first column is never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, title in enumerate(titles):
        table.add_column(title, justify="right" if title in right else "left", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(cell.text, cell.style) for cell in map(_in_one_line, row)))
    return table
