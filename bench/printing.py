"""The report: a table for people, one JSON document for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure, Series, Verdict

_MARKS = {Verdict.WITHIN: "ok", Verdict.BEYOND: "BEYOND", Verdict.TOLD: ""}
_HEADINGS = ("", "drorch", "beside", "ratio", "bound", "")


@dataclass(frozen=True, slots=True)
class Taken:
    """What one benchmark came to; `trouble` says why there are no figures."""

    name: str
    figures: Sequence[Figure] = ()
    trouble: str = ""
    broken: bool = False


def as_document(machine: Mapping[str, Any], taken: Sequence[Taken]) -> dict[str, Any]:
    """For machines."""
    return {
        "machine": dict(machine),
        "benchmarks": {
            one.name: {
                "figures": [figure.document() for figure in one.figures],
                "trouble": one.trouble or None,
            }
            for one in taken
        },
    }


def as_lines(machine: Mapping[str, Any], taken: Sequence[Taken]) -> list[str]:
    """For people."""
    rows = [_row(figure) for one in taken for figure in one.figures]
    widths = [max(len(row[i]) for row in [_HEADINGS, *rows]) for i in range(len(_HEADINGS))]
    lines = [*_machine(machine), "", _line(_HEADINGS, widths)]
    for one in taken:
        lines.append(one.name)
        lines += [_line(_row(figure), widths) for figure in one.figures]
        if one.trouble:
            lines.append(f"  not measured: {one.trouble}")
    notes: dict[str, list[str]] = {}
    for figure in (f for one in taken for f in one.figures if f.note):
        notes.setdefault(figure.note, []).append(figure.what)
    lines += ["", "Medians, in brackets min..max; a ratio is taken within each repetition."]
    return [*lines, *(f"{'; '.join(whats)}: {note}" for note, whats in notes.items())]


def _row(figure: Figure) -> tuple[str, ...]:
    theirs = f"{_series(figure.theirs, figure.unit)}  {figure.beside}" if figure.theirs else ""
    return (
        f"  {figure.what}",
        _series(figure.ours, figure.unit),
        theirs,
        _series(figure.ratio, "×") if figure.ratio else "",
        str(figure.bound or ""),
        _MARKS[figure.verdict],
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join(padded).rstrip()


def _series(series: Series, unit: str) -> str:
    middle = f"{_number(series.median)} {unit}".rstrip()
    if len(series.values) == 1:
        return middle
    return f"{middle} ({_number(series.least)}..{_number(series.most)})"


def _number(value: float) -> str:
    """Three significant digits, never as a power."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _machine(machine: Mapping[str, Any]) -> list[str]:
    return [f"{key}: {_fact(value)}" for key, value in machine.items()]


def _fact(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)
