"""Times, sizes and lengths of time as people at a terminal want them, and text made safe to print."""

from datetime import UTC, datetime, timedelta

from drorch.core.durations import format_duration
from drorch.core.units import format_size

#: What a terminal would obey instead of show: C0 without tab and line end, DEL and C1.
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)))


def clean(text: str) -> str:
    """Text from outside without anything a terminal would obey."""
    return text.translate(_CONTROLS)


def one_line(text: str) -> str:
    """Text from outside on one line."""
    return " | ".join(part.strip() for part in clean(text).splitlines() if part.strip())


def size(count: float | None) -> str:
    """`829 B`, `791.0 MiB`; a dash where there is none."""
    return "-" if count is None else format_size(count)


def lasted(seconds: float | None) -> str:
    """`41.2s`, `3m 5s`; a dash where there is none."""
    return "-" if seconds is None else format_duration(timedelta(seconds=seconds))


def moment(text: str | datetime | None, zone: str) -> str:
    """`2026-11-22 22:00:00` in the given zone, from RFC 3339 or an aware datetime."""
    at = _in_zone(text, zone)
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def clock(text: str | datetime | None, zone: str) -> str:
    """`22:00:00` in the given zone."""
    at = _in_zone(text, zone)
    return "-" if at is None else f"{at:%H:%M:%S}"


def _in_zone(text: str | datetime | None, zone: str) -> datetime | None:
    if text is None or text == "":
        return None
    at = datetime.fromisoformat(text) if isinstance(text, str) else text
    if zone in {"", "UTC"}:
        return at.astimezone(UTC)
    from zoneinfo import ZoneInfo

    return at.astimezone(ZoneInfo(zone))


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def yes_no(value: bool | None) -> str:
    """`yes`, `no`, or a dash where it is not known."""
    return "-" if value is None else ("yes" if value else "no")
