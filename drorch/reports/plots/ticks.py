"""Round places on an axis of time."""

from collections.abc import Iterator

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)  # fmt: skip


def time_ticks(begin: float, end: float, most: int) -> Iterator[float]:
    """Seconds, at most so many, whose words are short; 0 is one of them if it is in range."""
    length = end - begin
    days = 86_400 * max(1, round(length / most / 86_400))
    step = next((one for one in _STEPS if length / one <= most), days)
    number = -int(-begin // step) if begin > 0 else 0
    while number * step <= end:
        yield number * step
        number += 1
