"""A clock that goes only when told to."""

import threading
from datetime import UTC, datetime, timedelta

from drorch.core.moment import Moment

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class FakeClock:
    """Wall and boot time that a test moves: `advance` both, `step` the wall alone, `reboot`."""

    def __init__(self, at: datetime = START, boot: str = "boot-1", ticks: float = 1000.0) -> None:
        self._lock = threading.Lock()
        self._moment = Moment(at, boot, ticks)

    def now(self) -> Moment:
        """The present moment."""
        with self._lock:
            return self._moment

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._moment = self._moment.later(by)

    def step(self, by: timedelta) -> None:
        """Set the wall clock, as an administrator or NTP would."""
        with self._lock:
            old = self._moment
            self._moment = Moment(old.at + by, old.boot, old.ticks)

    def reboot(self, down_for: timedelta = timedelta(minutes=1)) -> None:
        """Another boot: ticks begin anew."""
        with self._lock:
            old = self._moment
            self._moment = Moment(old.at + down_for, f"{old.boot}+", 1.0)
