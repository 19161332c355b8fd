"""Ctrl-C, SIGTERM and SIGHUP: runs are ended gently first, then left at once; all else just ends.

Handlers run between two instructions of the main thread, perhaps in the middle of a write, so
they only put requests into queues and write to the bare descriptor.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drorch.app.runs import Control

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

FIRST = (
    "stopping: nothing new is started and what was begun is cleaned up; once more leaves at once"
)
SECOND = "leaving at once; the run can be resumed"


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the ending signals, but for those that whoever started us had ignored (nohup)."""
    before = {s: signal.getsignal(s) for s in _ENDING}
    try:
        for number, old in before.items():
            if old is not signal.SIG_IGN:
                signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def interruptible() -> Iterator[None]:
    """Whatever is under way ends by SIGTERM and SIGHUP as by Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt):
        yield


class Stopping:
    """Whether and how often the person at the terminal wanted to stop."""

    def __init__(self, control: "Control", by: str) -> None:
        self._control = control
        self._by = by
        self.times = 0
        self.show: Callable[[str], None] = _on_stderr

    def obey(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        self.times += 1
        name = signal.Signals(number).name
        if self.times == 1:
            self._control.abort(self._by, f"interrupted by {name}")
            self.show(FIRST)
        elif self.times == 2:
            self._control.leave(f"interrupted by {name}")
            self.show(SECOND)
        else:
            # Whatever it is that does not listen to the control, it ends now.
            raise KeyboardInterrupt


def _on_stderr(text: str) -> None:
    with suppress(OSError):
        os.write(2, f"\n{text}\n".encode())


@contextmanager
def stoppable(control: "Control", by: str) -> Iterator[Stopping]:
    """Carry runs so that the first signal aborts them (with cleanup) and the second leaves them."""
    stopping = Stopping(control, by)
    with _handled(stopping.obey):
        yield stopping
