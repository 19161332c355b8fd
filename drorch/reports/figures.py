"""Values of steps' outputs, said briefly."""

import re
from collections.abc import Mapping
from typing import Any

from drorch.reports.pen import Pen

_HASH = re.compile(r"[0-9a-f]{40,}")
_LONGEST_LIST = 6
#: Numbers that count nothing.
_NAMES = frozenset({"pid", "port"})


def values(outputs: Mapping[str, Any], pen: Pen, most: int = 8) -> list[tuple[str, str]]:
    """The first outputs that can be said briefly, as name and text; long texts are cut."""
    shown = {k: v for k, v in outputs.items() if k != "body" or "json" not in outputs}
    told = ((name, brief(value, pen, name)) for name, value in shown.items())
    return [(name, text) for name, text in told if text][:most]


def brief(value: object, pen: Pen, name: str = "") -> str:
    """A value on one short line; empty if it has none. `name` is what it goes by."""
    match value:
        case bool():
            return pen.say("yes") if value else pen.say("no")
        case int():
            many = abs(value) >= 10_000 and name not in _NAMES
            return pen.number(value) if many else str(value)
        case float():
            return pen.number(round(value, 3))
        case str():
            return f"{value[:8]}…" if _HASH.fullmatch(value) else middle_cut(value.strip(), 80)
        case list() | tuple() if len(value) <= _LONGEST_LIST:
            return ", ".join(
                filter(None, (brief(v, pen) for v in value if not isinstance(v, list)))
            )
        case _:
            return ""


def middle_cut(text: str, most: int) -> str:
    """The text, its middle replaced by an ellipsis if it is longer than `most`."""
    if len(text) <= most:
        return text
    head = (most - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"
