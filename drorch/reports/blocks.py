"""What a report is made of, whatever its form: sections of texts, lists, facts, tables, commands.

HTML, PDF and Markdown show the same blocks; only the form is theirs. All words are chosen already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table. `kind` is empty, `code` or `tag`; `tone` is a status or a tone."""

    text: str
    kind: str = ""
    tone: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and whether it holds numbers or long texts."""

    label: str
    number: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row; the first cell is its heading. A `group` has one cell, across the whole table."""

    cells: tuple[Cell, ...]
    group: bool = False
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. `kind` is empty, `strong` or `note`."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """A list; of each item a name that comes first (it may be empty), and a text."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what is known of each, one or several texts; `code` has those of machines."""

    rows: tuple[tuple[str, tuple[str, ...]], ...]
    code: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Commands as they are typed."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The place of the run's timeline."""


Block: TypeAlias = Table | Text | Points | Facts | Code | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A section; `id` is the same in every language."""

    id: str
    heading: str
    blocks: tuple[Block, ...]


def table(
    columns: Sequence[Column | str], rows: Sequence[Row | Sequence[Cell | str]], caption: str = ""
) -> Table:
    """A table from texts, where nothing more is to be said of them."""
    return Table(
        tuple(c if isinstance(c, Column) else Column(c) for c in columns),
        tuple(r if isinstance(r, Row) else row(*r) for r in rows),
        caption,
    )


def row(*cells: Cell | str, faint: bool = False) -> Row:
    """A row from texts."""
    return Row(tuple(c if isinstance(c, Cell) else Cell(c) for c in cells), faint=faint)


def group(text: str) -> Row:
    """The heading of the rows below it."""
    return Row((Cell(text),), group=True)


def code(text: str, *notes: str) -> Cell:
    """A cell as a machine would write it."""
    return Cell(text, "code", notes=notes)


def tag(text: str, tone: str) -> Cell:
    """A cell that says what came of something."""
    return Cell(text, "tag", tone)
