"""What a page is made of. Every format shows the same blocks; only the form is its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from drorch.reports.plots.picture import Picture


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of a table: its text (lines stay lines), `small` below it. `tone` is good, warn, bad, idle or empty."""

    text: str
    tone: str = ""
    small: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` is text, num or id (hashes and names of runs); `width` a share of the sheet."""

    head: str
    kind: str = "text"
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below their heads; the first of each row names it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`tone` as a cell's; one with a tone stands out."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """What is typed, line by line."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that is drawn in the width of its page (plots/picture.py). `name` is its own in the
    report; `said` is what it shows, for a page without pictures.
    """

    name: str
    said: str
    draw: Callable[[int], Picture]


@dataclass(frozen=True, slots=True)
class Signature:
    """Room for one reviewer to sign. Empty names are written in by hand."""

    name: str
    role: str
    labels: tuple[str, ...]


Block: TypeAlias = Table | Paragraph | Bullets | Facts | Code | Drawing | Signature


@dataclass(frozen=True, slots=True)
class Section:
    """`name` is its place in links."""

    name: str
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole. `first` is the first line: the verdict; `labels` the few fixed words of templates."""

    language: str
    title: str
    organization: str
    over: str
    tone: str
    first: str
    second: str
    foot: str
    sections: tuple[Section, ...]
    labels: dict[str, str] = field(default_factory=dict)
