"""Tables: drawn by rich for people at a terminal, aligned plain columns for everybody else."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

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


def show_table(
    session: Session,
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    empty: str,
    right: Iterable[str] = (),
) -> None:
    """Print rows below their titles; `right` names columns of numbers, `empty` is said of no rows."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if not cells:
        session.say(empty)
    elif session.at_terminal:
        _draw(titles, cells, frozenset(right))
    else:
        session.say(*_aligned(titles, cells, frozenset(right)))


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


def _draw(titles: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[str]) -> None:
    from rich.console import Console

    Console(highlight=False).print(drawn(titles, rows, right))


def drawn(
    titles: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[str] = frozenset()
) -> "Table":
    """The table as rich draws it; the first column is never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, title in enumerate(titles):
        table.add_column(title, justify="right" if title in right else "left", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in row))
    return table
