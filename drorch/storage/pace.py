"""How fast bytes may go to a region and from it: a limit shared by all hands, by hour of the day.

A limit is looked up while it is waited for: when its hours end, who waits goes on at once.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from zoneinfo import ZoneInfo

from drorch.core.hours import parse_hours
from drorch.core.model import Window
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

    @property
    def rate(self) -> float | None:
        """The limit of now, in bytes a second."""
        return self._rate()

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


@dataclass(frozen=True, slots=True)
class Flow:
    """What of a dataset is on its way to regions and from them; None: as fast as can be."""

    sending: Pace | None = None
    receiving: Pace | None = None

    def send(self, size: int, stop: Stop) -> None:
        """Come back when so many bytes may be sent, or when `stop` is asked for."""
        if self.sending is not None:
            self.sending.take(size, stop)

    def receive(self, size: int, stop: Stop) -> None:
        """Come back when so many more bytes may be read."""
        if self.receiving is not None:
            self.receiving.take(size, stop)

    def carry(self, size: int, stop: Stop) -> None:
        """Both, for what goes from one region to another."""
        self.receive(size, stop)
        self.send(size, stop)

    def piece(self, most: int) -> int:
        """How many bytes to handle at once, at most `most`."""
        paces = (p for p in (self.sending, self.receiving) if p is not None)
        return min((p.piece(most) for p in paces), default=most)


#: Nothing waits.
FREE = Flow()

_flows: dict[tuple[str, Window, Clock, str], Flow] = {}
_making = threading.Lock()


def flow_of(dataset: str, window: Window, clock: Clock, timezone: str) -> Flow:
    """The flow of a dataset, one in a process: all that is done with it at once shares its window."""
    key = (dataset, window, clock, timezone)
    with _making:
        if key not in _flows:
            up = make_pace(window.limit_upload, window.between, clock, timezone)
            down = make_pace(window.limit_download, window.between, clock, timezone)
            _flows[key] = Flow(up, down)
        return _flows[key]


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
