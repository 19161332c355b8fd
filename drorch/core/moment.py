"""Moments that survive a lying clock: wall time for people, boot time for durations."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant, told twice.

    `at` is aware UTC wall time. `ticks` counts seconds on the machine's boot clock, which
    never steps, and means something only beside the same `boot`.
    """

    at: datetime
    boot: str
    ticks: float

    def later(self, by: timedelta) -> "Moment":
        """The moment `by` after this one."""
        return Moment(self.at + by, self.boot, self.ticks + by.total_seconds())


def elapsed(start: Moment, end: Moment) -> timedelta:
    """How long from start to end: by the boot clock within one boot, else by the wall clock.

    Never negative: a wall clock set back across a reboot yields zero.
    """
    if start.boot == end.boot:
        return timedelta(seconds=max(0.0, end.ticks - start.ticks))
    return max(timedelta(), end.at - start.at)


def clock_step(start: Moment, end: Moment) -> timedelta:
    """By how much the wall clock moved against the boot clock between two moments.

    From one boot to the next only a way back can be told, and only that it was at least so long.
    """
    if start.boot != end.boot:
        return min(timedelta(), end.at - start.at)
    return (end.at - start.at) - timedelta(seconds=end.ticks - start.ticks)


def parse_moment(text: str, zone: tzinfo) -> datetime:
    """A time as people write it, aware UTC; without an offset it is one of `zone`.

    ValueError if it is none, or a day without a time.
    """
    at = datetime.fromisoformat(text.strip())
    if len(text.strip()) <= len("2026-11-23"):
        raise ValueError(f"{text!r} is a day, not a time")
    try:
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is before all times, or after") from None
