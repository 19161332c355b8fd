"""Times, sizes and lengths of time as people at a terminal want them, and text made safe to print."""

from datetime import UTC, datetime

from drorch.core.phrases import clean, counted, lasted, one_line
from drorch.core.units import format_size

__all__ = ["clean", "clock", "counted", "lasted", "moment", "one_line", "size", "yes_no"]


def size(count: float | None) -> str:
    """`829 B`, `791.0 MiB`; a dash where there is none."""
    return "-" if count is None else format_size(count)


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


def yes_no(value: bool | None) -> str:
    """`yes`, `no`, or a dash where it is not known."""
    return "-" if value is None else ("yes" if value else "no")
