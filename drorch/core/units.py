"""Sizes and shares as people write them: `20MiB`, `40%`. Durations have a module of their own."""

import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGTP]?)(i?)B?")
_POWERS = "KMGTP"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def parse_size(text: str) -> int:
    """Bytes from `500`, `500KiB`, `20MiB`, `2GB` (KiB is 1024, KB is 1000). Raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if not match or (match[3] and not match[2]):
        raise ValueError(f"{text!r} is not a size such as 500KiB, 20MiB or 2GiB")
    power = _POWERS.index(match[2].upper()) + 1 if match[2] else 0
    unit: int = (1024 if match[3] else 1000) ** power
    return round(float(match[1]) * unit)


def format_size(count: float) -> str:
    """The size for people, in at most one decimal: `829 B`, `791.0 MiB`."""
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def parse_share(text: str) -> float:
    """A share from `0%` to `100%` as 0 to 1. Raises ValueError."""
    match = _SHARE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a share such as 40%")
    share = float(match[1]) / 100
    if share > 1:
        raise ValueError(f"{text!r} is more than 100%")
    return share
