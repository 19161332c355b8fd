"""How fast bytes may go to a region and from it: a limit shared by all hands, by hour of the day.

A limit is looked up while it is waited for: when its hours end, who waits goes on at once.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeAlias
from zoneinfo import ZoneInfo

from drorch.core.hours import parse_hours
from drorch.ports import Clock
from drorch.storage.crew import Stop

#: Bytes a second that may pass now; None: as many as can.
Rate: TypeAlias = Callable[[], float | None]

#: How much of a second's bytes may be caught up after a pause: a sleep is never exact.
_CATCHING_UP = 0.1

#: How much of a second's bytes one piece holds: of many hands none then waits for long, and no
#: store takes a slow sender for a dead one.
_PIECE = 0.25

#: How long is waited at once: less is never exact; after more the limit may be another.
_LEAST, _MOST = 0.001, 1.0


class Pace:
    """A limit on bytes. Thread-safe: all who take share it, first come, first served.

    `now` gives seconds that never go back; `wait(stop, seconds)` waits so long, or until `stop`
    is asked for.
    """

    def __init__(
        self,
        rate: Rate,
        *,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[Stop, float], object] = Stop.wait,
    ) -> None:
        self._rate = rate
        self._now = now
        self._wait = wait
        self._lock = threading.Lock()
        #: Bytes that might have passed so far, and those that were promised to somebody.
        self._flowed = 0.0
        self._promised = 0.0
        self._looked = now()

    def piece(self, most: int) -> int:
        """How many bytes to take at once, at most `most`, at least one."""
        rate = self._rate()
        return most if rate is None else max(1, min(most, int(rate * _PIECE)))

    def take(self, size: int, stop: Stop | None = None) -> None:
        """Come back when `size` bytes may pass, or at once when `stop` is asked for."""
        stop = stop or Stop()
        with self._lock:
            rate = self._flow()
            place = max(self._promised, self._flowed - (rate or 0.0) * _CATCHING_UP)
            self._promised = place + size
        while not stop.asked and (seconds := self._until(place)) > 0:
            self._wait(stop, min(max(seconds, _LEAST), _MOST))

    def _until(self, place: float) -> float:
        """Seconds until it is this place's turn, at the rate of now."""
        with self._lock:
            rate = self._flow()
            return 0.0 if rate is None else (place - self._flowed) / rate

    def _flow(self) -> float | None:
        now, rate = self._now(), self._rate()
        if rate is None:
            self._flowed = max(self._flowed, self._promised)
        else:
            self._flowed += rate * (now - self._looked)
        self._looked = now
        return rate


def make_pace(limit: int | None, between: str | None, clock: Clock, timezone: str) -> Pace | None:
    """The pace of a dataset's window: `limit` bytes a second within the hours `between`.

    `between` is local time of `timezone` (an IANA name); None is the whole day. Without a limit
    there is no pace.
    """
    if limit is None:
        return None
    rate = hourly(float(limit), between, clock, timezone)
    return Pace(rate, now=lambda: clock.now().ticks)


def hourly(limit: float, between: str | None, clock: Clock, timezone: str) -> Rate:
    """The limit within these local hours, none outside of them."""
    if between is None:
        return lambda: limit
    hours, zone = parse_hours(between), ZoneInfo(timezone)

    def rate() -> float | None:
        return limit if hours.hold(clock.now().at.astimezone(zone).time()) else None

    return rate
