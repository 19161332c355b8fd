"""The daemon's threads that keep the control plane copied: a whole state holds up no segment."""

import time

from drorch.adapters.logs import Log
from drorch.app.aside import Aside
from drorch.app.plane.keeping import EVERY, FIRST, LOOK, Keeper
from drorch.app.program import Program
from drorch.daemon.rounds import Round

#: Of a processor's time the part in so many, at most.
_SHARE = 20


class PlaneKeeping:
    """Two threads, one for segments and one for whole states."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._asides = (Aside(log), Aside(log))
        self._keeper: Keeper | None = None
        self._rounds: tuple[Round, ...] = ()

    def begin(self, program: Program) -> None:
        """From now on that of this program."""
        keeper = self._keeper = Keeper(program, self._log)
        self._rounds = (
            # The first one derives a key; that must not hold up the next.
            Round("segments", EVERY, keeper.segments, share=_SHARE),
            Round("whole-state", LOOK, keeper.whole, time.monotonic() + FIRST),
        )

    def go(self) -> None:
        """Have done what it is time for."""
        for one, aside in zip(self._rounds, self._asides, strict=False):
            one.go(aside)

    def finish(self, within: float) -> None:
        """End what is under way, a whole state unfinished; wait so many seconds for that."""
        if self._keeper is not None:
            self._keeper.cancel.cancel("the daemon was stopped")
        ends = time.monotonic() + within
        for aside in self._asides:
            aside.finish(max(0.1, ends - time.monotonic()))
