"""What the daemon does again and again beside its runs, and how often, so that it costs little."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from drorch.app.aside import Aside

#: Of a processor's time no more than a part in so many goes into one thing done again and again.
SHARE = 400


@dataclass(slots=True)
class Round:
    """One such thing: every `interval` seconds, less often where it takes long (10,000 datasets), so
    that no more than the `share`-th part of a processor's time goes into it.
    """

    name: str
    interval: float
    chore: Callable[[], None]
    due: float = 0.0
    share: int = SHARE

    def go(self, aside: Aside) -> None:
        """Have it done if it is time."""
        now = time.monotonic()
        if now < self.due:
            return
        self.due = now + self.interval
        aside.put(self.name, self._timed)

    def _timed(self) -> None:
        began = time.thread_time()
        try:
            self.chore()
        finally:
            spent = time.thread_time() - began
            self.due = max(self.due, time.monotonic() + self.share * spent)
