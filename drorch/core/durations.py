"""Durations as people write them: `500ms`, `30s`, `1h30m`, `7d`, `2w`, `6y`."""

import re
from datetime import timedelta

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_557_600}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
#: Keeps every moment computed from a duration inside what datetime holds.
_LONGEST = 36_525 * 86_400


def parse_duration(text: str) -> timedelta:
    """The duration, at least zero; ValueError with a sentence if the text is not one."""
    written = text.strip()
    parts = _PART.findall(written)
    if not parts or "".join(n + u for n, u in parts) != written:
        raise ValueError(f"{text!r} is not a duration such as 30s, 15m, 1h30m or 7d")
    sizes = [_SECONDS[unit] for _, unit in parts]
    if sizes != sorted(set(sizes), reverse=True):
        raise ValueError(f"{text!r} is not a duration: units go from large to small, each once")
    seconds = sum(float(n) * _SECONDS[u] for n, u in parts)
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than a hundred years")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The duration in at most two units, for people: `41.2s`, `3m 5s`, `1h 2m`, `12d 4h`."""
    seconds = duration.total_seconds()
    if seconds < 0:
        return "-" + format_duration(-duration)
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.1f}s"
    units = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
    whole = round(seconds)
    parts: list[str] = []
    for unit, size in units:
        count, whole = divmod(whole, size)
        if count or parts:
            parts.append(f"{count}{unit}")
        if len(parts) == 2:
            break
    return " ".join(p for p in parts if not p.startswith("0")) or "0s"
