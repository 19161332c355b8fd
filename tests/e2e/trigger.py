"""Kills a process at a moment that is counted in requests, whatever the machine's pace."""

import random
import subprocess
import threading

from tests.harms import Asked


class Trigger:
    """Kills a process when the region it writes to gets its so-and-so-manieth request."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._victim: subprocess.Popen[str] | None = None
        self._left = 0
        self.requests = 0

    def set(self, victim: "subprocess.Popen[str] | None", after: int) -> None:
        self._victim, self._left, self.requests = victim, after, 0

    def __call__(self, _: Asked) -> None:
        """A plan that harms nothing (the proxy calls it for one request at a time)."""
        self.requests += 1
        self._left -= 1
        if self._left == 0 and self._victim is not None:
            # Before the request is passed on, while it is, or when it was.
            threading.Timer(self._chance.uniform(0, 0.02), self._victim.kill).start()
