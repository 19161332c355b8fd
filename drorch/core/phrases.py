"""The small parts of sentences: texts from outside made safe to show, counts, lengths of time."""

from collections.abc import Sequence
from datetime import timedelta

from drorch.core.durations import format_duration

#: What a terminal would obey instead of show: C0 without tab and line end, DEL and C1, and what turns
#: the order of letters round (UAX #9), so that a name reads as another.
_CONTROLS = dict.fromkeys(
    (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
)


def clean(text: str) -> str:
    """Text from outside without anything a terminal would obey."""
    return text.translate(_CONTROLS)


def one_line(text: str) -> str:
    """Text from outside on one line."""
    return " | ".join(part.strip() for part in clean(text).splitlines() if part.strip())


def lasted(seconds: float | None) -> str:
    """`41.2s`, `3m 5s`; a dash where there is none."""
    return "-" if seconds is None else format_duration(timedelta(seconds=seconds))


def named(names: Sequence[str], most: int = 6) -> str:
    """`a, b`; of many the first few, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
