"""Numbers and times as a reader of the reports wants them."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drorch.core.durations import format_duration

_HASH = re.compile(r"[0-9a-f]{40,}")
_LONGEST_LIST = 6
_SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def duration(seconds: float | None) -> str:
    """`41.2s`, `5s`, `3m 5s`; an en dash where there is none."""
    if seconds is None:
        return "–"
    return format_duration(timedelta(seconds=seconds)).replace(".0s", "s") if seconds else "0s"


def offset(seconds: float | None) -> str:
    """`+8.3s` or `−1m 35s`: a place on the line of time."""
    if seconds is None:
        return "–"
    sign = "−" if seconds < 0 else "+"
    return sign + duration(abs(seconds))


def size(count: float | None) -> str:
    """`791.0 MiB`; an en dash where there is none."""
    if count is None:
        return "–"
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_SIZES[unit]}" if unit == 0 else f"{value:.1f} {_SIZES[unit]}"


def count(number: float | None) -> str:
    """`12,345`; an en dash where there is none."""
    return "–" if number is None else f"{number:,}"


def utc(text: str | None) -> str:
    """`2026-11-23 03:00:00 UTC` from RFC 3339."""
    return "–" if text is None else f"{_parsed(text):%Y-%m-%d %H:%M:%S} UTC"


def clock(text: str | None) -> str:
    """`03:00:00` in UTC, from RFC 3339."""
    return "–" if text is None else f"{_parsed(text):%H:%M:%S}"


def local(text: str | None, timezone: str) -> str:
    """`2026-11-22 22:00:00 −0500`: in the organization's own time; empty if that is UTC or unknown."""
    if text is None or timezone in ("", "UTC"):
        return ""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ""
    return f"{_parsed(text).astimezone(zone):%Y-%m-%d %H:%M:%S} {timezone}"


def after(text: str, seconds: float) -> str:
    """RFC 3339 of the time so many seconds after another."""
    return (_parsed(text) + timedelta(seconds=seconds)).isoformat()


def values(outputs: Mapping[str, Any], most: int = 8) -> list[tuple[str, str]]:
    """The first outputs that can be said briefly, as name and text; long texts are cut."""
    told = ((name, _brief(value)) for name, value in outputs.items())
    return [(name, text) for name, text in told if text][:most]


def middle_cut(text: str, most: int) -> str:
    """The text, its middle replaced by an ellipsis if it is longer than `most`."""
    if len(text) <= most:
        return text
    head = (most - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def joined(parts: Sequence[str]) -> str:
    """Names in a sentence: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _brief(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return count(value) if abs(value) >= 10_000 else str(value)
        case float():
            return f"{value:,.6g}"
        case str():
            return f"{value[:8]}…" if _HASH.fullmatch(value) else middle_cut(value.strip(), 80)
        case list() | tuple() if len(value) <= _LONGEST_LIST:
            return ", ".join(filter(None, (_brief(v) for v in value if not isinstance(v, list))))
        case _:
            return ""


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
